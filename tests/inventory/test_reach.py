"""What is not reached looks like what does not exist."""

from collections.abc import Callable, Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.inventory import account, credential, device, inventory_of, line, location, number, user
from tests.support.workbench import VENDORS

from offhook.errors import RequestRefused
from offhook.inventory.models import Account, Carrier, Credential, Device, DeviceType, Entity, Line, User
from offhook.inventory.reach import LimitedDraft, LimitedInventory
from offhook.inventory.rules import find_breaches
from offhook.inventory.snapshot import KINDS, Inventory

OURS, THEIRS = frozenset({1}), frozenset({2})


def a_site(account_id: int) -> list[Entity]:
    """An account with one of nearly everything; both accounts give their things the same names."""
    first = account_id * 100
    return [
        account(account_id, token=f"token of {account_id}"),
        location(first + 1, account_id=account_id, name="HQ"),
        user(first + 2, account_id=account_id, username=f"jane{account_id}", extension="2001"),
        number(first + 3, account_id=account_id, user_id=first + 2),
        device(first + 4, account_id=account_id, name="Reception", location_id=first + 1),
        line(first + 5, account_id=account_id, device_id=first + 4, user_id=first + 2),
        credential(first + 6, line_id=first + 5, auth_username=f"2001-{account_id}"),
        device(first + 7, account_id=account_id, type=DeviceType.DECT_BASE, name="Base"),
        device(first + 8, account_id=account_id, type=DeviceType.DECT_HANDSET, mac=None, base_id=first + 7),
        Carrier(id=first + 4, revision=1, digest="a", registration_digest="b", registration_revision=1),
    ]


BOTH = inventory_of(*a_site(1), *a_site(2))
ALONE = inventory_of(*a_site(1))


def seen(inventory: Inventory) -> dict[type[Entity], set[Entity]]:
    return {kind: set(inventory.all(kind)) for kind in KINDS}


def test_everything_is_as_if_the_others_were_not_there() -> None:
    limited = LimitedInventory(BOTH, OURS)
    assert seen(limited) == seen(ALONE)
    for kind in KINDS:
        assert limited.count(kind) == ALONE.count(kind)
        for entity in BOTH.all(kind):
            assert limited.find(kind, entity.id) == ALONE.find(kind, entity.id)


LOOK_UPS: list[Callable[[Inventory], object]] = [
    lambda it: it.find_account("account2"),
    lambda it: it.find_domain("account2.test"),
    lambda it: it.find_user("jane2"),
    lambda it: it.find_number("+12125550203"),
    lambda it: it.find_location(2, "HQ"),
    lambda it: it.devices_named("Reception"),
    lambda it: it.devices_named("Base"),
    lambda it: it.lines_of(204),
    lambda it: it.lines_of(104),
    lambda it: it.lines_of_user(202),
    lambda it: it.numbers_of_user(202),
    lambda it: it.handsets_of(207),
    lambda it: it.handsets_of(107),
    lambda it: it.credentials_of(205),
    lambda it: it.find_device_by_phone_id("100204"),
    lambda it: it.find_device_by_mac(f"{0x001565123456 + 203:012x}"),
]


@pytest.mark.parametrize("look_up", LOOK_UPS)
def test_nothing_of_others_is_found(look_up: Callable[[Inventory], object]) -> None:
    assert look_up(LimitedInventory(BOTH, OURS)) == look_up(ALONE)


@given(st.sampled_from([key for name, index in BOTH._index.items() for key in [(name, value) for value in index]]))
def test_an_index_leads_to_nothing_of_others(key: tuple[str, Hashable]) -> None:
    limited = LimitedInventory(BOTH, OURS)
    reached = [limited.find(kind, entity_id) for kind in KINDS for entity_id in limited.ids_under(*key)]
    alone = [ALONE.find(kind, entity_id) for kind in KINDS for entity_id in ALONE.ids_under(*key)]
    assert {it for it in reached if it} == {it for it in alone if it}


def test_whoever_reaches_no_account_that_is_left_sees_nothing() -> None:
    assert seen(LimitedInventory(BOTH, frozenset({3}))) == {kind: set() for kind in KINDS}


def test_a_change_reaches_the_draft_that_it_is_made_through() -> None:
    whole = BOTH.draft()
    limited = LimitedDraft(whole, OURS)
    limited.put(user(102, username="kim"))
    limited.delete(limited.get(Line, 105))
    assert [change.entity.id for change in whole.changes] == [102, 105]
    assert whole.changes == limited.changes
    after = whole.freeze()
    assert after.get(User, 102).username == "kim"
    assert seen(LimitedInventory(after, THEIRS)) == seen(LimitedInventory(BOTH, THEIRS))


@pytest.mark.parametrize(
    "entity",
    [
        account(3),
        account(2, name="mine now"),
        user(900, account_id=2),
        user(202, account_id=1),
        credential(900, line_id=205),
        Carrier(id=204, revision=9, digest="", registration_digest="", registration_revision=9),
    ],
)
def test_what_is_of_others_cannot_be_written(entity: Entity) -> None:
    whole = BOTH.draft()
    with pytest.raises(RequestRefused) as refused:
        LimitedDraft(whole, OURS).put(entity)
    assert refused.value.status == 403
    assert whole.changes == ()


def test_what_is_of_others_cannot_be_deleted_nor_an_account() -> None:
    whole = BOTH.draft()
    limited = LimitedDraft(whole, OURS)
    for entity in (BOTH.get(User, 202), BOTH.get(Credential, 206), BOTH.get(Account, 2), BOTH.get(Account, 1)):
        with pytest.raises(RequestRefused):
            limited.delete(entity)
    assert whole.changes == ()


def test_that_something_is_taken_is_told_but_not_by_whom() -> None:
    limited = LimitedDraft(BOTH.draft(), OURS)
    theirs = BOTH.get(Device, 204)
    limited.put(device(109, mac=theirs.mac))
    limited.put(user(110, username="jane2"))
    limited.put(credential(111, line_id=105, auth_username="2001-2"))
    messages = {breach.message for breach in find_breaches(limited, VENDORS)}
    assert len(messages) == 3
    assert "the user name jane2 is taken" in messages
    assert not [message for message in messages if ": by" in message or "account2" in message]


def test_a_draft_of_what_is_limited_is_limited() -> None:
    draft = LimitedInventory(BOTH, OURS).draft()
    assert seen(draft) == seen(ALONE)
    assert draft.base.find(User, 202) is None
