"""Rows of users are kept current; see test_device_rows for the same with devices."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.inventory import account, device, inventory_of, line, location, number, user

from offhook.admin.rows import RowBook
from offhook.admin.search import parse_search
from offhook.admin.user_rows import USER_ORDER, UserFilter, UserRow, UserRows
from offhook.inventory.models import Entity, Plan, User
from offhook.inventory.snapshot import Draft

FEW = st.integers(1, 3)
ENTITIES: st.SearchStrategy[Entity] = st.one_of(
    st.builds(lambda n, name, place: user(n, last_name=name, location_id=place), FEW, st.sampled_from("ab"), FEW),
    st.builds(lambda n, owner: number(n, user_id=owner), FEW, st.none() | FEW),
    st.builds(
        lambda n, owner, numbered: line(n, user_id=owner, number_id=numbered), FEW, st.none() | FEW, st.none() | FEW
    ),
    st.builds(lambda n, name: location(n, name=name), FEW, st.sampled_from("ab")),
)
STEPS: st.SearchStrategy[Callable[[Draft], object]] = st.one_of(
    ENTITIES.map(lambda entity: lambda draft: draft.put(entity)),
    ENTITIES.map(lambda entity: lambda draft: draft.delete(entity)),
)


@settings(max_examples=100)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), max_size=8))
async def test_whatever_changes_the_rows_are_those_made_from_scratch(
    rounds: list[list[Callable[[Draft], object]]],
) -> None:
    inventory = inventory_of(account(), device(), user(1), user(2), line(1, user_id=1), number(1, user_id=2))
    book: RowBook[UserRow] = RowBook(lambda: inventory, UserRows())
    for steps in rounds:
        draft = inventory.draft()
        for step in steps:
            step(draft)
        inventory = draft.freeze()
        rows = {row.id: row for row in await book.settle()}
        assert rows == {it.id: UserRows().make(inventory, it.id) for it in inventory.all(User)}


INVENTORY = inventory_of(
    account(1), account(2), location(1), location(2), device(1), device(2, type="softphone"),
    user(1, email="zoe@acme.test", first_name="Zoë", location_id=1), user(2, plan=Plan.BASIC),
    user(3, account_id=2, location_id=2), number(1, user_id=1, number="+12125550101"),
    line(1, number_id=1), line(2, device_id=2, user_id=2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"account_id": 2}, [3]),
        ({"locations": frozenset({1, None})}, [1, 2]),
        ({"plans": frozenset({"basic"})}, [2]),
        ({"without_number": True}, [2, 3]),
        ({"without_phone": True}, [2, 3]),
        ({"search": parse_search("zoe smith")}, [1]),
        ({"search": parse_search("ZOE@ACME")}, [1]),
        ({"search": parse_search("user3")}, [3]),
        ({"search": parse_search("2002")}, [2]),
        ({"search": parse_search("(212) 555-0101")}, [1]),
    ],
)
async def test_users_are_found_by_what_they_are_and_are_called(conditions: dict[str, Any], expected: list[int]) -> None:
    book: RowBook[UserRow] = RowBook(lambda: INVENTORY, UserRows())
    rows = list(await book.settle())
    assert sorted(row.id for row in UserFilter(**conditions).narrow(rows)) == expected
    for key in USER_ORDER.keys.values():
        assert all(isinstance(key.of(row), str) for row in rows)
