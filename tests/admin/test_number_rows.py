"""Rows of numbers are kept current; see test_device_rows for the same with devices."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.inventory import account, device, inventory_of, line, location, number, user

from offhook.admin.number_rows import NUMBER_ORDER, NumberFilter, NumberRow, NumberRows
from offhook.admin.rows import RowBook
from offhook.admin.search import parse_search
from offhook.inventory.models import Entity, Number, NumberStatus
from offhook.inventory.numbers import assignment_of
from offhook.inventory.snapshot import Draft

FEW = st.integers(1, 3)
ENTITIES: st.SearchStrategy[Entity] = st.one_of(
    st.builds(lambda n, name: user(n, last_name=name), FEW, st.sampled_from("ab")),
    st.builds(
        lambda n, owner, main, place: number(n, user_id=owner, is_main=main, location_id=place),
        FEW, st.none() | FEW, st.booleans(), FEW,
    ),
    st.builds(
        lambda n, numbered, label: line(n, number_id=numbered, label=label), FEW, st.none() | FEW, st.sampled_from("ab")
    ),
    st.builds(lambda n, name: location(n, name=name), FEW, st.sampled_from("ab")),
)  # fmt: skip
STEPS: st.SearchStrategy[Callable[[Draft], object]] = st.one_of(
    ENTITIES.map(lambda entity: lambda draft: draft.put(entity)),
    ENTITIES.map(lambda entity: lambda draft: draft.delete(entity)),
)


@settings(max_examples=100)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), max_size=8))
async def test_whatever_changes_the_rows_are_those_made_from_scratch(
    rounds: list[list[Callable[[Draft], object]]],
) -> None:
    inventory = inventory_of(account(), device(), user(1), number(1, user_id=1), number(2), line(1, number_id=2))
    book: RowBook[NumberRow] = RowBook(lambda: inventory, NumberRows())
    for steps in rounds:
        draft = inventory.draft()
        for step in steps:
            step(draft)
        inventory = draft.freeze()
        rows = {row.id: row for row in await book.settle()}
        assert rows == {it.id: NumberRows().make(inventory, it.id) for it in inventory.all(Number)}


INVENTORY = inventory_of(
    account(1), account(2), location(1), device(1), user(1, first_name="Zoë"),
    number(1, user_id=1, extension="0001"), number(2, is_main=True, location_id=1),
    number(3, account_id=2, status=NumberStatus.RESERVED), number(4, extension="7777"),
    line(1, number_id=4, label="Front desk"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"account_id": 2}, [3]),
        ({"locations": frozenset({1})}, [2]),
        ({"statuses": frozenset({"reserved"})}, [3]),
        ({"user_id": 1}, [1]),
        ({"is_assigned": False}, [3]),
        ({"is_assigned": True}, [1, 2, 4]),
        ({"is_logged_in": True}, [4]),
        ({"is_logged_in": False}, [1, 2, 3]),
        ({"search": parse_search("zoe")}, [1]),
        ({"search": parse_search("2001")}, [1]),
        ({"search": parse_search("7777")}, [4]),
        ({"search": parse_search("front")}, [4]),
        ({"search": parse_search("main number")}, [2]),
        ({"search": parse_search("+1 212-555-0003")}, [3]),
    ],
)
async def test_numbers_are_found_by_number_and_assignment(conditions: dict[str, Any], expected: list[int]) -> None:
    book: RowBook[NumberRow] = RowBook(lambda: INVENTORY, NumberRows())
    rows = list(await book.settle())
    assert sorted(row.id for row in NumberFilter(**conditions).narrow(rows)) == expected
    for key in NUMBER_ORDER.keys.values():
        assert all(isinstance(key.of(row), str) for row in rows)


@pytest.mark.parametrize(("number_id", "text"), [(1, "Zoë Smith"), (2, "main number"), (3, ""), (4, "Front desk")])
def test_a_number_is_assigned_to_a_user_a_label_or_the_site(number_id: int, text: str) -> None:
    assert assignment_of(INVENTORY, INVENTORY.get(Number, number_id)).text == text
