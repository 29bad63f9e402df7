"""A change touches the carriers whose files it could alter, and no others."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.inventory import account, carrier, credential, device, inventory_of, line, location, number, user
from tests.support.workbench import FakeDigests

from offhook.inventory.models import BaseRole, Carrier, DectSystem, Device, DeviceType
from offhook.inventory.revisions import affected_carriers, revise
from offhook.inventory.snapshot import Draft, Inventory


def handset(device_id: int, base_id: int | None, slot: int) -> Device:
    return device(
        device_id, type=DeviceType.DECT_HANDSET, mac=None, ipei=f"{device_id:012d}", base_id=base_id, slot=slot
    )


def site() -> Inventory:
    """Phone 1 of user 1, phone 2 of user 2's number, a DECT system of bases 3 (master) and 4 with a handset each."""
    return inventory_of(
        account(),
        account(2),
        location(1),
        location(2),
        user(1, location_id=2),
        user(2),
        number(1, user_id=2),
        DectSystem(id=1, account_id=1, name="Plant"),
        device(1, location_id=1),
        device(2),
        device(3, type=DeviceType.DECT_BASE, system_id=1, role=BaseRole.MASTER),
        device(4, type=DeviceType.DECT_BASE, system_id=1, role=BaseRole.MEMBER),
        handset(5, 3, 1),
        handset(6, 4, 2),
        device(7, account_id=2),
        line(1, user_id=1),
        line(2, device_id=2, number_id=1),
        line(5, device_id=5, extension="2005"),
        line(6, device_id=6, extension="2006"),
        credential(1),
        *(carrier(device_id) for device_id in (1, 2, 3, 4, 7)),
    )


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda draft: draft.put(account(timezone="UTC")), {1, 2, 3, 4}),
        (lambda draft: draft.put(location(1, timezone="UTC")), {1}),
        (lambda draft: draft.put(location(2, timezone="UTC")), {1}),
        (lambda draft: draft.put(user(1, first_name="Jo")), {1}),
        (lambda draft: draft.put(user(2, first_name="Jo")), {2}),
        (lambda draft: draft.put(number(1, user_id=2, display_first="Desk")), {2}),
        (lambda draft: draft.put(number(1, user_id=1)), {1, 2}),
        (lambda draft: draft.put(line(6, device_id=6, extension="2066")), {3}),
        (lambda draft: draft.put(handset(6, None, 2)), {3}),
        (lambda draft: draft.put(device(4, type=DeviceType.DECT_BASE)), {3, 4}),
        (lambda draft: draft.put(DectSystem(id=1, account_id=1, name="Mill")), {3, 4}),
        (lambda draft: draft.delete(line(2)), {2}),
        (lambda draft: draft.put(user(9)), set()),
    ],
)
def test_who_is_affected(edit: Callable[[Draft], object], expected: set[int]) -> None:
    base = site()
    draft = base.draft()
    edit(draft)
    assert affected_carriers(base, draft) == expected


def test_only_carriers_whose_digest_differs_are_raised() -> None:
    digests = FakeDigests()
    draft = site().draft()
    assert revise(draft, [1, 2], digests) == {1, 2}
    raised = draft.freeze()
    again = raised.draft()
    again.put(user(1, first_name="Jo"))
    assert revise(again, [1, 2, 99], digests) == {1}
    after = again.get(Carrier, 1)
    before = raised.get(Carrier, 1)
    assert after == replace(before, revision=before.revision + 1, digest=after.digest)
    assert after.registration_revision == before.registration_revision == 2


def test_what_has_no_files_has_no_revision() -> None:
    digests = FakeDigests()
    draft = site().draft()
    digests.without_files.add("yealink")
    assert revise(draft, [1, 5], digests) == frozenset()
    assert draft.find(Carrier, 1) is None
    assert draft.find(Carrier, 5) is None
