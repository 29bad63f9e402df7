import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from offhook.admin.paging import LAST_TIME, CountedPage, Facets, Order, SortKey, page_of, text_key, time_key
from offhook.admin.query import MAX_LIMIT, Query
from offhook.admin.search import natural_key
from offhook.errors import Invalid


@dataclass(frozen=True)
class Thing:
    id: int
    name: str | None = None
    at: float | None = None
    colour: str = "red"
    size: str = "small"
    under: int | None = None


ORDER = Order[Thing](
    name="things",
    id_of=lambda thing: thing.id,
    keys={
        "name": SortKey(lambda thing: text_key(thing.name)),
        "at": SortKey(lambda thing: time_key(thing.at), LAST_TIME),
    },
    default="name",
)
#: Those that a name can be made of; what is left out is no character.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
THINGS = st.lists(
    st.builds(
        Thing,
        id=st.integers(1, 2**62),
        name=st.none()
        | st.sampled_from(["Phone 2", "phone 10", "Phone 02", "Äther", "b"])
        | st.text(CHARACTERS, max_size=3),
        at=st.none() | st.floats(-1e12, 1e12),
        colour=st.sampled_from(["red", "green"]),
        size=st.sampled_from(["small", "large"]),
    ),
    unique_by=lambda thing: thing.id,
    max_size=40,
)
SORTS = st.sampled_from(["", "name", "-name", "at", "-at"])


def ask(items: Sequence[Thing], **given: Any) -> Any:
    values = {name: str(value) for name in ("sort", "limit", "cursor") if (value := given.pop(name, None))}
    query = Query(MultiDict(values), ("sort", "limit", "cursor"))
    return page_of(items, query, order=ORDER, view=lambda thing: thing, **given)


def in_order(items: Sequence[Thing], sort: str) -> list[Thing]:
    """What ``sort`` means, said plainly."""
    down, by_time = sort.startswith("-"), sort.endswith("at")
    with_value = [it for it in items if (it.at is not None if by_time else natural_key(it.name or ""))]
    without = [it for it in items if it not in with_value]

    def key(it: Thing) -> Any:
        return (it.at if by_time else natural_key(it.name or ""), it.id)

    return [*sorted(with_value, key=key, reverse=down), *sorted(without, key=lambda it: it.id, reverse=down)]


async def collect(items: Callable[[int], Sequence[Thing]], limit: int, **given: Any) -> list[Thing]:
    """All pages put together; ``items`` gives what is there when a page is asked for."""
    found: list[Thing] = []
    cursor: str | None = ""
    for number in range(1000):
        page: CountedPage[Thing] = await ask(items(number), limit=limit, cursor=cursor, **given)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next
        if cursor is None:
            return found
    raise AssertionError("there is no end to it")


@settings(max_examples=150)
@given(THINGS, SORTS, st.integers(1, 9))
async def test_pages_put_together_are_the_sorted_list(items: list[Thing], sort: str, limit: int) -> None:
    assert await collect(lambda _: items, limit, sort=sort) == in_order(items, sort)


@settings(max_examples=100)
@given(THINGS, SORTS, st.integers(1, 5), st.data())
async def test_what_stays_stands_on_one_page_while_others_come_and_go(
    items: list[Thing], sort: str, limit: int, data: st.DataObject
) -> None:
    staying = data.draw(st.sets(st.sampled_from(items)) if items else st.just(set[Thing]()))
    coming = [item for item in items if item not in staying]

    def there(_number: int) -> list[Thing]:
        return [*staying, *(data.draw(st.sets(st.sampled_from(coming))) if coming else ())]

    found = await collect(there, limit, sort=sort)
    assert [item for item in found if item in staying] == in_order(list(staying), sort)


@settings(max_examples=100)
@given(THINGS, SORTS, st.integers(1, 9), st.data())
async def test_in_groups_members_follow_their_head(
    items: list[Thing], sort: str, limit: int, data: st.DataObject
) -> None:
    by_id = {item.id: item for item in items}
    heads = data.draw(st.sets(st.sampled_from(items))) if items else set[Thing]()
    head_of = {
        item.id: data.draw(st.sampled_from(sorted(heads, key=lambda head: head.id)))
        for item in items
        if heads and item not in heads and data.draw(st.booleans())
    }
    found = await collect(
        lambda _: items, limit, sort=sort, heads_of=lambda part: [head_of.get(it.id, it) for it in part]
    )
    expected: list[Thing] = []
    for top in in_order([item for item in items if item.id not in head_of], sort):
        members = [by_id[item_id] for item_id, head in head_of.items() if head is top]
        expected += [top, *in_order(members, sort)]
    assert found == expected


async def test_members_stand_where_their_head_would_be_that_is_filtered_out() -> None:
    base, member, other = Thing(1, "m"), Thing(2, "z"), Thing(3, "n")
    page = await ask([member, other], heads_of=lambda part: [base if it is member else it for it in part])
    assert page.items == (member, other)


@given(THINGS, st.sets(st.sampled_from(["red", "green"])), st.sets(st.sampled_from(["small", "large"])))
async def test_each_facet_is_counted_as_if_it_were_not_set(
    items: list[Thing], colours: set[str], sizes: set[str]
) -> None:
    facets: Facets[Thing] = Facets(
        of=lambda thing: f"{thing.colour} {thing.size}",
        chosen={"colour": frozenset(colours), "size": frozenset(sizes)},
    )
    page = await ask(items, facets=facets, limit=MAX_LIMIT)
    of_colour = [it for it in items if not colours or it.colour in colours]
    of_size = [it for it in items if not sizes or it.size in sizes]
    assert page.facets["colour"] == Counter(it.colour for it in of_size)
    assert page.facets["size"] == Counter(it.size for it in of_colour)
    assert page.total == len(page.items) == len([it for it in of_colour if it in of_size])


async def test_others_have_their_turn_while_a_long_list_is_gone_through() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    page = await ask([Thing(n, f"thing {n}") for n in range(10_000, 0, -1)], limit=2)
    counting.cancel()
    assert turns >= 10_000 // 1024
    assert ([thing.id for thing in page.items], page.total) == ([1, 2], 10_000)


async def test_a_sort_that_there_is_not_is_refused_with_the_one_meant() -> None:
    with pytest.raises(Invalid, match="sort is '-nam'") as refused:
        await ask([], sort="-nam")
    assert (refused.value.field, refused.value.remedy) == ("sort", "did you mean name?")


def encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "====",
        "5",
        base64.urlsafe_b64encode(b"[" * 3000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "A" * 5000,
        encode(5),
        encode({"things": 1}),
        encode(["things", "name", False]),
        encode(["things", "name", False, "b"]),
        encode(["things", "name", False, "b", True]),
        encode(["things", "name", False, 5.0, 1]),
        encode(["things", "name", False, "b", 1, 2]),
        encode(["things", "-name", False, "b", 1]),
        encode(["things", "name", True, "b", 1]),
        encode(["others", "name", False, "b", 1]),
        encode(["things", "name", False, "b", float("nan")]),
    ],
)
async def test_a_cursor_of_another_list_or_none_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="is no place in this list") as refused:
        await ask([Thing(1, "a"), Thing(2, "c")], cursor=cursor)
    assert refused.value.remedy == "leave it out to begin with the first page"


async def test_a_cursor_for_times_has_no_nan() -> None:
    with pytest.raises(Invalid):
        await ask([Thing(1)], sort="at", cursor=encode(["things", "at", False, float("nan"), 1]))


@given(st.text(max_size=200), st.text(max_size=200))
async def test_a_cursor_stays_short_and_comes_back_whatever_the_names(one: str, other: str) -> None:
    found = await collect(lambda _: [Thing(1, one), Thing(2, other)], 1)
    assert {thing.id for thing in found} == {1, 2}
