"""What follows from a change: credentials above all."""

from dataclasses import replace

import pytest
from tests.inventory.test_apply import JANE, ROBIN, site
from tests.support.inventory import BOX
from tests.support.workbench import JANE as ACTOR
from tests.support.workbench import K2, VENDORS, Workbench

from offhook.errors import Conflict, Invalid
from offhook.inventory.credentials import GRACE_SECONDS, GivenCredential
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.models import (
    Account,
    Credential,
    CredentialState,
    Device,
    Features,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.sip.digest import Algorithm, ha1

PHONE = "type: deskphone, mac: 001565000001"


def credentials(bench: Workbench, mac: str = "001565000001", index: int = 1) -> list[Credential]:
    """Of a line: the active one first, then those before it, latest first."""
    line = next(line for line in bench.inventory.lines_of(bench.phone(mac).id) if line.index == index)
    found = bench.inventory.credentials_of(line.id)
    return sorted(found, key=lambda credential: (credential.state is not CredentialState.ACTIVE, -credential.id))


def password(credential: Credential) -> str:
    return BOX.open(credential.sealed_secret, f"credential:{credential.id}:secret").reveal()


async def one_phone() -> Workbench:
    bench = Workbench()
    await bench.apply(site(users=f"{JANE}, {ROBIN}", devices=f"{{{PHONE}, user: jane}}"))
    return bench


async def test_a_new_line_has_one_credential_of_the_vendors_shape() -> None:
    bench = await one_phone()
    [credential] = credentials(bench)
    assert credential.auth_username.startswith("2001-")
    assert len(credential.auth_username) == 11
    assert (credential.realm, credential.aor_user) == ("acme.test", "2001")
    assert len(password(credential)) == 24
    assert credential.ha1 == (("MD5", ha1(Algorithm.MD5, credential.auth_username, "acme.test", password(credential))),)


async def test_another_assignment_gets_new_credentials_and_the_old_retire() -> None:
    bench = await one_phone()
    [old] = credentials(bench)
    await bench.apply(site(devices=f"{{{PHONE}, user: robin}}"))
    new, retiring = credentials(bench)
    assert (new.aor_user, new.state) == ("2002", CredentialState.ACTIVE)
    assert new.auth_username != old.auth_username
    assert password(new) != password(old)
    assert (retiring.id, retiring.state) == (old.id, CredentialState.RETIRING)
    assert retiring.retire_at == bench.clock.now() + GRACE_SECONDS


async def test_another_extension_of_the_user_gets_new_credentials() -> None:
    bench = await one_phone()
    await bench.apply(site(users='{username: jane, extension: "2055"}'))
    assert [credential.aor_user for credential in credentials(bench)] == ["2055", "2001"]


async def test_a_name_gets_no_new_credentials() -> None:
    bench = await one_phone()
    before = credentials(bench)
    await bench.apply(site(users="{username: jane, last_name: Doe}", devices=f"{{{PHONE}, name: Desk}}"))
    assert credentials(bench) == before


async def test_another_domain_keeps_name_and_password_under_the_new_realm() -> None:
    bench = await one_phone()
    [old] = credentials(bench)
    await bench.apply("accounts: [{name: acme, sip_domain: new.test}]")
    new, retiring = credentials(bench)
    assert (new.auth_username, password(new)) == (old.auth_username, password(old))
    assert (new.realm, retiring.realm) == ("new.test", "acme.test")
    assert new.ha1 == (("MD5", ha1(Algorithm.MD5, new.auth_username, "new.test", password(new))),)
    account = bench.inventory.find_domain("acme.test")
    assert account is not None
    assert (account.sip_domain, account.former_domains) == ("new.test", ("acme.test",))
    await bench.apply("accounts: [{name: acme, sip_domain: acme.test}]")
    [account] = bench.inventory.all(Account)
    assert (account.sip_domain, account.former_domains) == ("acme.test", ("new.test",))


async def test_another_algorithm_changes_only_the_hashes() -> None:
    bench = await one_phone()
    [old] = credentials(bench)
    await bench.apply("accounts: [{name: acme, digest_algorithms: [SHA-256, MD5]}]")
    [new] = credentials(bench)
    assert (new.id, password(new)) == (old.id, password(old))
    assert new.ha1 == (
        ("SHA-256", ha1(Algorithm.SHA_256, new.auth_username, "acme.test", password(new))),
        *old.ha1,
    )


async def test_given_credentials_are_taken_as_they_are() -> None:
    bench = await one_phone()
    stated = f"{{{PHONE}, lines: [{{index: 1, auth_username: jane.desk, password: Sesame!42}}]}}"
    await bench.apply(site(devices=stated))
    new, _ = credentials(bench)
    assert (new.auth_username, password(new), new.aor_user) == ("jane.desk", "Sesame!42", "2001")
    assert (await bench.plan(site(devices=stated))).differences == ()
    await bench.apply(site(devices=f"{{{PHONE}, lines: [{{index: 1, password: Other!43}}]}}"))
    newer = credentials(bench)[0]
    assert (newer.auth_username, password(newer)) == ("jane.desk", "Other!43")


async def test_a_given_name_alone_gets_a_password_once() -> None:
    bench = await one_phone()
    stated = site(devices=f"{{{PHONE}, lines: [{{index: 1, auth_username: jane.desk}}]}}")
    await bench.apply(stated)
    before = credentials(bench)
    await bench.apply(stated)
    assert credentials(bench) == before


async def test_an_authentication_name_is_unique_in_the_daemon() -> None:
    bench = await one_phone()
    [held] = credentials(bench)
    line = f"{{index: 1, extension: '2077', auth_username: {held.auth_username}}}"
    [fault] = await bench.faults(site(devices=f"{{type: ata, mac: 001565000002, lines: [{line}]}}"))
    assert f"the authentication name {held.auth_username} is used by another line already" in fault


async def test_the_credentials_that_retire_are_bounded() -> None:
    bench = await one_phone()
    for extension in range(3000, 3020):
        await bench.apply(site(users=f'{{username: jane, extension: "{extension}"}}'))
        bench.clock.advance(1)
    found = credentials(bench)
    assert [credential.aor_user for credential in found] == [str(number) for number in range(3019, 3010, -1)]


EXTERNAL = "accounts: [{name: acme, sip_domain: acme.test, external_registrar: 'pbx.test:5070', devices: [%s]}]"


async def test_an_external_registrar_brings_its_own_credentials() -> None:
    bench = Workbench()
    document = (
        EXTERNAL % f"{{{PHONE}, lines: [{{index: 1, extension: '2001', auth_username: pbx2001, password: abc}}]}}"
    )
    await bench.apply(document)
    [credential] = credentials(bench)
    assert (credential.auth_username, credential.aor_user, credential.is_external) == ("pbx2001", "pbx2001", True)
    assert (credential.ha1, credential.realm) == ((), "")
    assert (await bench.plan(document)).differences == ()
    await bench.apply(EXTERNAL % f"{{{PHONE}, lines: [{{index: 1, password: def}}]}}")
    assert password(credentials(bench)[0]) == "def"


@pytest.mark.parametrize("part", ["auth_username: pbx2001", "password: abc"])
async def test_half_of_an_external_credential_is_refused(part: str) -> None:
    [fault] = await Workbench().faults(EXTERNAL % f"{{{PHONE}, lines: [{{index: 1, {part}}}]}}")
    assert "credentials of an external registrar are stated whole; state auth_username and password" in fault


async def test_half_of_an_external_credential_is_refused_outside_documents_too() -> None:
    bench = Workbench()
    await bench.apply(EXTERNAL % f"{{{PHONE}}}")
    [line] = bench.inventory.all(Line)
    half = GivenCredential(auth_username="pbx2001")
    with pytest.raises(Invalid, match="credentials are stated in part"):
        await bench.service.change(lambda editor: editor.give_credential(line, half), ACTOR)


async def test_external_names_may_repeat() -> None:
    lines = "lines: [{index: 1, auth_username: '2001', password: abc}]"
    bench = Workbench()
    await bench.apply(EXTERNAL % f"{{{PHONE}, {lines}}}, {{type: deskphone, mac: 001565000002, {lines}}}")
    assert bench.inventory.count(Credential) == 2


async def test_moving_to_an_external_registrar_and_back_lets_the_old_credentials_retire() -> None:
    bench = await one_phone()
    [own] = credentials(bench)
    await bench.apply("accounts: [{name: acme, external_registrar: pbx.test}]")
    assert [(credential.id, credential.state) for credential in credentials(bench)] == [
        (own.id, CredentialState.RETIRING)
    ]
    await bench.apply(EXTERNAL % f"{{{PHONE}, lines: [{{index: 1, auth_username: pbx, password: abc}}]}}")
    bench.clock.advance(1)
    await bench.apply("accounts: [{name: acme, external_registrar: null}]")
    active = credentials(bench)[0]
    assert (active.is_external, active.aor_user, password(active) == "abc") == (False, "2001", False)


# -- deleting -------------------------------------------------------------------------------------------------------


async def test_deleting_a_base_deletes_its_handsets_and_leaves_their_users() -> None:
    bench = Workbench()
    await bench.apply(K2)
    base, handset = bench.phone("000413aabbcc"), bench.phone("065850047939")
    await bench.service.change(lambda editor: editor.delete(base), ACTOR)
    assert bench.inventory.find(Device, handset.id) is None
    assert bench.inventory.lines_of_user(bench.user("rlee").id) == ()


async def test_deleting_a_user_releases_lines_and_numbers() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.service.change(lambda editor: editor.delete(bench.user("jsmith")), ACTOR)
    [number] = bench.inventory.all(Number)
    assert number.user_id is None
    [line] = bench.inventory.lines_of(bench.phone("001565123456").id)
    assert line.user_id is None


async def test_deleting_a_user_stops_voicemail_to_their_email() -> None:
    bench = Workbench()
    features = "features: {voicemail: true, voicemail_to_email: true}"
    await bench.apply(
        site(
            users="{username: kim, email: kim@acme.test}", numbers=f'{{number: "+12125550123", user: kim, {features}}}'
        )
    )
    await bench.service.change(lambda editor: editor.delete(bench.user("kim")), ACTOR)
    [number] = bench.inventory.all(Number)
    assert (number.user_id, number.features) == (None, Features(voicemail=True))


async def test_deleting_a_number_takes_it_from_who_shows_it() -> None:
    bench = Workbench()
    showing = 'features: {caller_identity: "+12125550100", voicemail: true}'
    await bench.apply(site(numbers=f'{{number: "+12125550100"}}, {{number: "+12125550101", {showing}}}'))
    shown = bench.inventory.find_number("+12125550100")
    assert shown is not None
    await bench.service.change(lambda editor: editor.delete(shown), ACTOR)
    [number] = bench.inventory.all(Number)
    assert number.features == Features(voicemail=True)


async def test_a_station_type_in_use_cannot_be_deleted() -> None:
    bench = Workbench()
    await bench.apply(site(station_types="{name: Premium}", numbers='{number: "+12125550101", station_type: premium}'))
    [kind] = bench.inventory.all(StationType)
    with pytest.raises(Conflict, match=r"station type Premium is used by number \+12125550101") as refusal:
        await bench.service.change(lambda editor: editor.delete(kind), ACTOR)
    assert refusal.value.remedy == "give them another one first"


async def test_deleting_an_account_leaves_nothing_of_it() -> None:
    bench = Workbench()
    await bench.apply(K2)
    features = 'features: {caller_identity: "+12125550101", forward_always: "2001", voicemail: true}'
    await bench.apply(
        site(
            station_types="{name: Premium, features: [caller_identity, forward_always, voicemail]}",
            numbers=f'{{number: "+12125550102", location: HQ, station_type: Premium, {features}}}',
        )
    )
    [account] = bench.inventory.all(Account)
    await bench.service.change(lambda editor: editor.delete(account), ACTOR)
    assert bench.store.entities == {}


async def test_a_location_in_use_cannot_be_deleted() -> None:
    bench = Workbench()
    await bench.apply(K2)
    [location] = bench.inventory.all(Location)
    with pytest.raises(Conflict, match="location HQ is used by device Reception") as refusal:
        await bench.service.change(lambda editor: editor.delete(location), ACTOR)
    assert refusal.value.message.endswith("and 1 more, so it cannot be deleted")


async def test_a_number_given_to_a_user_without_extension_gives_it_one() -> None:
    bench = Workbench()
    await bench.apply(site(users="{username: kim}", numbers='{number: "+12125550123"}'))
    [number] = bench.inventory.all(Number)

    def give(editor: Editor) -> None:
        editor.change(number, user_id=bench.user("kim").id)

    await bench.service.change(give, ACTOR)
    [kim] = bench.inventory.all(User)
    assert kim.extension == "0123"


# -- tokens ---------------------------------------------------------------------------------------------------------


async def rotate(bench: Workbench, grace_seconds: float, **options: bool) -> str:
    """Another account token; gives its text."""

    def edit(editor: Editor) -> None:
        [account] = editor.draft.all(Account)
        editor.rotate_token(account, grace_seconds, **options)

    await bench.service.change(edit, ACTOR)
    [account] = bench.inventory.all(Account)
    return bench.service.reveal_account_token(account).reveal()


def opens(bench: Workbench, token: str) -> bool:
    return bench.inventory.find_account_by_token(BOX.digest(token), bench.clock.now()) is not None


async def test_another_account_token_leaves_the_former_one_its_grace() -> None:
    bench = await one_phone()
    [account] = bench.inventory.all(Account)
    old = bench.service.reveal_account_token(account).reveal()
    new = await rotate(bench, 3600)
    assert new != old
    assert (opens(bench, old), opens(bench, new)) == (True, True)
    record = bench.store.audit[-1]
    assert (record.action, record.key) == ("rotate_token", "account acme")
    assert (old in repr(record), new in repr(record)) == (False, False)
    bench.clock.advance(3600)
    assert (opens(bench, old), opens(bench, new)) == (False, True)


async def test_without_grace_every_former_token_is_void_at_once() -> None:
    bench = await one_phone()
    oldest = await rotate(bench, 0)
    old = await rotate(bench, 3600)
    new = await rotate(bench, 0)
    assert [opens(bench, token) for token in (oldest, old, new)] == [False, False, True]


async def test_a_token_in_its_grace_goes_before_its_time_only_by_force() -> None:
    bench = await one_phone()
    oldest = await rotate(bench, 0)
    old = await rotate(bench, 3600)
    with pytest.raises(Conflict, match="the one before is still valid"):
        await rotate(bench, 3600)
    new = await rotate(bench, 3600, force=True)
    assert [opens(bench, token) for token in (oldest, old, new)] == [False, True, True]
    bench.clock.advance(3600)
    await rotate(bench, 3600)


@pytest.mark.parametrize("grace_seconds", [-1, 90 * 86400 + 1, float("inf"), float("nan")])
async def test_the_grace_of_a_token_is_bounded(grace_seconds: float) -> None:
    bench = await one_phone()
    with pytest.raises(Invalid, match="from 0 seconds to 90 days"):
        await rotate(bench, grace_seconds)


async def test_another_device_token_voids_the_one_before() -> None:
    bench = await one_phone()
    phone = bench.phone("001565000001")

    def edit(editor: Editor) -> None:
        editor.rotate_device_token(phone)

    await bench.service.change(edit, ACTOR)
    assert bench.inventory.find_device_by_token(phone.token_digest) is None
    again = bench.phone("001565000001")
    token = BOX.open(again.sealed_token, f"device:{again.id}:token")
    assert bench.inventory.find_device_by_token(BOX.digest(token.reveal())) == again
    assert bench.store.audit[-1].action == "rotate_token"


# -- log-ins --------------------------------------------------------------------------------------------------------


async def test_a_log_in_outlives_everything_but_another_user_or_number() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE, numbers='{number: "+12125550123"}', devices=f"{{{PHONE}}}"))
    [number] = bench.inventory.all(Number)
    [line] = bench.inventory.all(Line)
    editor = Editor(bench.inventory.draft(), Workshop(bench.ids, BOX, VENDORS), bench.clock.now())
    logged_in = editor.change(line, number_id=number.id, logged_in_at=1000.0)
    assert editor.assign(logged_in, extension="2090") == replace(logged_in, extension="2090")
    assert editor.assign(logged_in) == logged_in
    assert editor.assign(logged_in, user=bench.user("jane")).logged_in_at is None
    assert editor.assign(logged_in, number=number) == replace(logged_in, logged_in_at=None)
    assert editor.change(logged_in, number_id=None) == line
