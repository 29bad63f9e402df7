"""A draft is a copy that shares until it is touched; a snapshot never changes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.inventory import account, credential, device, inventory_of, line, number, one_phone, user

from offhook.errors import NotFound
from offhook.inventory.models import BaseRole, DectSystem, Device, DeviceState, DeviceType, Entity, User
from offhook.inventory.ports import Delete, Put
from offhook.inventory.snapshot import KINDS, Draft, Inventory


def indexes(inventory: Inventory) -> dict[str, dict[object, frozenset[int]]]:
    return {
        name: {key: frozenset(ids) for key, ids in index.items()} for name, index in inventory._index.items() if index
    }


def entities(inventory: Inventory) -> set[Entity]:
    return {entity for kind in KINDS for entity in inventory.all(kind)}


USERS = st.builds(
    lambda user_id, name, extension: user(user_id, username=name, extension=extension),
    st.integers(1, 4),
    st.sampled_from(["jane", "robin", "kim"]),
    st.sampled_from([None, "2001", "2002"]),
)
STEPS = st.lists(st.tuples(st.booleans(), USERS), max_size=12)


@settings(max_examples=60)
@given(st.lists(USERS, max_size=4, unique_by=lambda entity: entity.id), STEPS)
def test_a_draft_is_indexed_as_if_it_had_been_loaded(before: list[User], steps: list[tuple[bool, User]]) -> None:
    base = inventory_of(*before)
    untouched = indexes(base)
    draft = base.draft()
    for is_put, entity in steps:
        if is_put:
            draft.put(entity)
        else:
            draft.delete(entity)
    after = draft.freeze()
    assert indexes(after) == indexes(inventory_of(*entities(after)))
    assert indexes(base) == untouched
    assert entities(base) == set(before)
    replayed = {entity.id: entity for entity in before}
    for change in draft.changes:
        if isinstance(change, Put):
            assert replayed.get(change.entity.id) != change.entity
            replayed[change.entity.id] = change.entity  # type: ignore[assignment]  # only users here
        else:
            del replayed[change.entity.id]
    assert set(replayed.values()) == entities(after)


@settings(max_examples=60)
@given(st.lists(USERS, max_size=4, unique_by=lambda entity: entity.id), STEPS, STEPS)
def test_what_differs_between_snapshots_is_found_however_far_apart_they_are(
    before: list[User], steps: list[tuple[bool, User]], more: list[tuple[bool, User]]
) -> None:
    base = inventory_of(*before)
    after = base
    for part in (steps, more):
        draft = after.draft()
        for is_put, entity in part:
            if is_put:
                draft.put(entity)
            else:
                draft.delete(entity)
        after = draft.freeze()
    differing = {entity.id for entity in entities(base) ^ entities(after)}
    found = {entity_id for part in after.changed_since(base, User) for entity_id in part}
    # One that left and came back as it was may be named; nothing that differs is missed.
    assert differing <= found <= {entity.id for _, entity in (*steps, *more)}
    assert not list(after.changed_since(base, Device))


def test_what_differs_comes_in_parts_of_a_large_table() -> None:
    base = inventory_of(*(user(n) for n in range(10_000)))
    draft = base.draft()
    for user_id in range(5_000, 5_010):
        draft.delete(base.get(User, user_id))
    draft.put(user(9_999, username="kim"))
    draft.put(user(20_000))
    parts = list(draft.freeze().changed_since(base, User))
    assert sorted(user_id for part in parts for user_id in part) == [*range(5_000, 5_010), 9_999, 20_000]
    assert len(parts) == 6


def test_what_comes_and_goes_is_no_change() -> None:
    draft: Draft = inventory_of(user(1)).draft()
    draft.put(user(2))
    draft.delete(user(2))
    draft.put(user(1, first_name="Jo"))
    draft.put(user(1))
    assert list(draft.changes) == []
    draft.delete(user(1, first_name="Jo"))
    assert draft.changes == (Delete(user(1)),)


def test_getting_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no device with id 9"):
        inventory_of().get(Device, 9)
    assert inventory_of().find(Device, None) is None


def test_a_number_is_an_alias_of_its_users_extension_or_has_its_own() -> None:
    inventory = inventory_of(
        account(), account(2), user(1), number(1, user_id=1), number(2, extension="0002"), number(3, account_id=2)
    )
    assert inventory.find_extension(1, "2001") == "2001"
    assert inventory.find_extension(1, "+12125550001") == inventory.find_extension(1, "12125550001") == "2001"
    assert inventory.find_extension(1, "+12125550002") == "0002"
    assert inventory.find_extension(1, "+12125550003") is None
    assert inventory.find_extension(2, "2001") is None


def test_a_line_answers_the_extension_of_its_number_its_user_or_its_own() -> None:
    inventory = inventory_of(
        account(),
        user(1),
        number(1, user_id=1),
        number(2, extension="0002"),
        device(1, phone_id="123456"),
        line(1, number_id=1),
        line(2, index=2, number_id=2),
        line(3, index=3, user_id=1),
        line(4, index=4, extension="2090"),
        line(5, index=5),
    )
    assert [inventory.address_of_record(entity) for entity in inventory.lines_of(1)] == [
        f"sip:{name}@acme.test" for name in ("2001", "0002", "2001", "2090", "dev-123456-5")
    ]


def test_an_account_is_found_by_both_its_tokens_while_the_former_has_time() -> None:
    rotated = account(token_digest=b"new", former_token_digest=b"old", former_token_until=100.0)
    inventory = inventory_of(rotated)
    assert inventory.find_account_by_token(b"new", 200.0) == rotated
    assert inventory.find_account_by_token(b"old", 99.0) == rotated
    assert inventory.find_account_by_token(b"old", 100.0) is None
    assert inventory.find_account_by_token(b"other", 0.0) is None


def test_the_active_credential_is_the_one_in_the_file() -> None:
    assert one_phone().active_credential(1) == credential()
    assert one_phone().credentials_named("2001-abc001") == (credential(),)
    assert inventory_of().active_credential(1) is None


def dect(**states: DeviceState) -> Inventory:
    """A master and a member, each with a handset; ``states`` by name."""
    system = DectSystem(id=1, account_id=1, name="Plant")
    handset: dict[str, Any] = {"type": DeviceType.DECT_HANDSET, "mac": None}
    devices = {
        "master": device(1, type=DeviceType.DECT_BASE, system_id=1, role=BaseRole.MASTER),
        "member": device(2, type=DeviceType.DECT_BASE, system_id=1, role=BaseRole.MEMBER),
        "one": device(3, ipei="1" * 12, base_id=1, slot=2, **handset),
        "two": device(4, ipei="2" * 12, base_id=2, slot=1, **handset),
    }
    chosen = [replace(part, state=states.get(name, DeviceState.ACTIVE)) for name, part in devices.items()]
    return inventory_of(account(), system, *chosen)


def ids(devices: Iterable[Device]) -> list[int]:
    return [found.id for found in devices]


def test_the_leader_carries_the_handsets_of_all_bases_by_slot() -> None:
    inventory = dect()
    master, member = inventory.get(Device, 1), inventory.get(Device, 2)
    assert inventory.leader_of(member) == inventory.leader_of(master) == master
    assert ids(inventory.carried_devices(master)) == [1, 4, 3]
    assert (ids(inventory.carried_handsets(master)), ids(inventory.carried_devices(member))) == ([4, 3], [2])
    assert (ids(inventory.handsets_relying_on(master)), ids(inventory.handsets_relying_on(member))) == ([3, 4], [4])


@pytest.mark.parametrize(
    ("disabled", "in_service", "carried"),
    [("one", [1, 2, 4], [1, 4]), ("member", [1, 3], [1, 3]), ("master", [2], [1])],
)
def test_what_is_out_of_service_takes_those_with_it_that_rely_on_it(
    disabled: str, in_service: list[int], carried: list[int]
) -> None:
    inventory = dect(**{disabled: DeviceState.DISABLED})
    assert sorted(found.id for found in inventory.all(Device) if inventory.is_in_service(found)) == in_service
    assert ids(inventory.carried_devices(inventory.get(Device, 1))) == carried
    assert ids(inventory.carried_handsets(inventory.get(Device, 1))) == [4, 3]
