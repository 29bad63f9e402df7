"""Which extensions and names a PBX is told of."""

import hashlib

from tests.support.inventory import BOX, account, credential, device, inventory_of, line, number, one_phone, user

from offhook.inventory.models import Account, Credential, CredentialState, DeviceState, Entity, Features
from offhook.inventory.pbx import PbxExport, PbxExtension, collect_extensions
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret


def reveal(sealed: Credential) -> Secret:
    return BOX.open(sealed.sealed_secret, f"credential:{sealed.id}:secret")


def collect(inventory: Inventory) -> PbxExport:
    return collect_extensions(inventory, inventory.all(Account), reveal)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_an_extension_comes_with_its_name_and_the_hashes_of_its_password() -> None:
    export = collect(one_phone())
    [extension] = export.extensions
    assert (extension.extension, extension.domain, extension.display_name) == ("2001", "acme.test", "Jane Smith")
    [it] = extension.credentials
    assert it.auth_username == "2001-abc001"
    assert it.ha1 == md5("2001-abc001:acme.test:Sesame234")
    assert it.ha1b == md5("2001-abc001@acme.test:acme.test:Sesame234")
    assert "Sesame234" not in repr(export)
    assert it.ha1 not in repr(export)
    assert (export.accounts, export.domains, export.notes) == (("acme",), ("acme.test",), ())


def test_the_hash_is_md5_whatever_the_account_challenges_with() -> None:
    whole = inventory_of(
        account(digest_algorithms=("SHA-256",)), user(), device(), line(user_id=1), credential(ha1=(("SHA-256", "x"),))
    )
    assert collect(whole).extensions[0].credentials[0].ha1 == md5("2001-abc001:acme.test:Sesame234")


def test_lines_that_share_an_extension_are_one_with_a_name_each() -> None:
    shared = inventory_of(
        account(), user(), device(), device(2), line(user_id=1), line(2, device_id=2, user_id=1),
        credential(), credential(2, line_id=2),
    )  # fmt: skip
    [extension] = collect(shared).extensions
    assert extension.lines == 2
    assert [it.auth_username for it in extension.credentials] == ["2001-abc001", "2001-abc002"]


def test_what_a_phone_holds_until_it_fetches_counts_and_of_two_passwords_the_active_one() -> None:
    retiring = CredentialState.RETIRING
    entities: list[Entity] = [account(), user(), device(), line(user_id=1), credential()]
    entities.append(credential(2, auth_username="2001-old", state=retiring))
    entities.append(credential(3, auth_username="2001-abc001", password="before", state=retiring))
    entities.append(credential(4, aor_user="1999", auth_username="1999-old", state=retiring))
    [extension] = collect(inventory_of(*entities)).extensions
    assert [it.auth_username for it in extension.credentials] == ["2001-abc001", "2001-old"]
    assert extension.credentials[0].ha1 == md5("2001-abc001:acme.test:Sesame234")


def test_what_is_left_out_is_said() -> None:
    entities: list[Entity] = [
        account(),
        account(2, name="elsewhere", external_registrar="pbx.example.net"),
        device(), line(),
        device(2), line(2, device_id=2, extension="2090"), credential(2, line_id=2, aor_user="2090"),
        device(3, state=DeviceState.DISABLED), line(3, device_id=3, extension="2091"),
        device(4, account_id=2), line(4, account_id=2, device_id=4, extension="1"),
        credential(4, line_id=4, aor_user="1", is_external=True),
    ]  # fmt: skip
    export = collect(inventory_of(*entities))
    assert [it.extension for it in export.extensions] == ["2090"]
    assert export.notes == (
        "account elsewhere is left out: its credentials come from pbx.example.net, where its phones register",
        "1 line without an extension is left out",
        "1 line of disabled devices is left out",
    )


def test_a_line_without_a_user_is_called_as_its_number_or_its_label() -> None:
    lobby = number(extension="2080", display_first="Front", display_last="Lobby")
    entities: list[Entity] = [account(), lobby, device(), line(number_id=1, label="x"), credential(aor_user="2080")]
    entities += [
        device(2),
        line(2, device_id=2, extension="2090", label="Fax"),
        credential(2, line_id=2, aor_user="2090"),
    ]
    assert [it.display_name for it in collect(inventory_of(*entities)).extensions] == ["Front Lobby", "Fax"]


def test_the_display_name_of_a_number_stands_before_its_users_name() -> None:
    named = number(user_id=1, display_first="Front", display_last="Desk")
    whole = inventory_of(account(), user(), named, device(), line(user_id=1), credential())
    assert collect(whole).extensions[0].display_name == "Front Desk"


def test_the_caller_identity_is_told_unless_the_number_hides() -> None:
    def extension(**features: object) -> PbxExtension:
        shown = number(user_id=1, features=Features(**features))  # type: ignore[arg-type]  # as each test says
        return collect(inventory_of(account(), user(), shown, device(), line(user_id=1), credential())).extensions[0]

    assert (extension().caller_identity, extension().hides_caller_id) == (None, False)
    assert extension(caller_identity="+12125550100").caller_identity == "+12125550100"
    hidden = extension(caller_identity="+12125550100", hide_caller_id=True)
    assert (hidden.caller_identity, hidden.hides_caller_id) == (None, True)
