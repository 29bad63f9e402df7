"""Every secret of every kind of thing is found under the context that it was sealed with."""

from dataclasses import replace

from tests.support.inventory import BOX, account, credential, device, inventory_of, line
from tests.support.workbench import K2, Workbench

from offhook.inventory.models import Account, Credential, Device, Line
from offhook.inventory.ports import Put
from offhook.inventory.resealing import SEALED_FIELDS, find_outdated, find_sealed, reseal
from offhook.inventory.snapshot import KINDS
from offhook.secret import Secret


class OtherBox:
    """Seals in another form than the box of most tests, and opens both."""

    def seal(self, secret: Secret, context: str) -> bytes:
        return b"new " + BOX.seal(secret, context)

    def open(self, sealed: bytes, context: str) -> Secret:
        return BOX.open(sealed.removeprefix(b"new "), context)

    def digest(self, text: str) -> bytes:
        return BOX.digest(text)

    @staticmethod
    def is_current(sealed: bytes) -> bool:
        return sealed.startswith(b"new ")


NEW = OtherBox()


async def test_what_the_inventory_seals_is_found_with_its_context() -> None:
    bench = Workbench()
    await bench.apply(K2)
    found: dict[type, set[str]] = {}
    for kind in KINDS:
        for entity in bench.inventory.all(kind):
            for sealed in find_sealed(entity):
                assert BOX.open(sealed.content, sealed.context).reveal()
                found.setdefault(kind, set()).add(sealed.field)
    assert found == {kind: set(names) for kind, names in SEALED_FIELDS.items()}


def test_what_is_sealed_otherwise_is_outdated_and_what_holds_nothing_is_not() -> None:
    fresh = account(sealed_token=NEW.seal(Secret("a"), "account:1:token"))
    inventory = inventory_of(fresh, device(), device(2, token="phone"), line(), credential())
    assert [(type(entity), entity.id) for entity in find_outdated(inventory, NEW.is_current)] == [
        (Device, 2),
        (Credential, 1),
    ]


def test_sealed_anew_it_is_the_same_and_nothing_else_of_it_changes() -> None:
    old = account()
    inventory = inventory_of(old, device(), line(), credential())
    draft = inventory.draft()
    for entity in find_outdated(inventory, NEW.is_current):
        reseal(draft, entity, NEW)
    assert not list(find_outdated(draft, NEW.is_current))
    new = draft.get(Account, 1)
    assert NEW.open(new.sealed_token, "account:1:token") == BOX.open(old.sealed_token, "account:1:token")
    assert replace(new, sealed_token=old.sealed_token) == old
    assert {type(change.entity) for change in draft.changes if isinstance(change, Put)} == {Account, Credential}
    assert draft.get(Line, 1) == line()
