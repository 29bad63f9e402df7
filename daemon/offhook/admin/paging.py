"""Lists a page at a time: sorted, counted, and gone on with where the last page ended.

A cursor is the place of the last row: the value it was sorted by, and its id. So it stays right while rows come and
go, and a row that stays where it is stands on exactly one page. Nothing sorted is kept: of each batch only what can
still be on the page is looked at, so a page costs the same whatever has changed since the one before, and others have
their turn between the batches.
"""

import asyncio
import base64
import binascii
import difflib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from offhook.admin.query import DEFAULT_LIMIT, MAX_LIMIT, Page, Query
from offhook.admin.search import natural_key
from offhook.errors import Invalid

T = TypeVar("T")
V = TypeVar("V")
Key = str | float

#: Of rows that have no value to sort by: they come last, whichever way it is sorted.
LAST_TEXT: Final = "\U0010ffff"
LAST_TIME: Final = math.inf
_FIRST: Final[Mapping[Key, Key]] = {LAST_TEXT: "", LAST_TIME: -math.inf}
#: Rows looked at before others may run: well under a millisecond's work.
_BATCH: Final = 1024
#: Rows shown before others may run.
_SHOWN: Final = 8
_KEY_LENGTH: Final = 96
CURSOR_LENGTH: Final = 4096


def text_key(text: str | None) -> str:
    """What a text is sorted by; its beginning, so that a cursor stays short."""
    return (natural_key(text)[:_KEY_LENGTH] if text else "") or LAST_TEXT


def time_key(seconds: float | None) -> float:
    """What a moment is sorted by."""
    return LAST_TIME if seconds is None else seconds


@dataclass(frozen=True, slots=True)
class SortKey(Generic[T]):
    """Something that a list can be sorted by."""

    of: Callable[[T], Key]
    last: Key = LAST_TEXT
    #: What ``of`` gives for a row without a value; tells texts from times.


@dataclass(frozen=True, kw_only=True)
class Order(Generic[T]):
    """How a list may be sorted. Without slots: Python 3.11 fails to make an ``Order[Row](...)`` that is frozen too."""

    name: str
    #: Of the list: a cursor of another one is refused.
    id_of: Callable[[T], int]
    keys: Mapping[str, SortKey[T]]
    default: str
    #: One of ``keys``.


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets(Generic[T]):
    """Filters whose values are counted, each as if it were not set itself: how many are where."""

    of: Callable[[T], str]
    #: An item's values, in the order of ``chosen``, with a blank in between.
    chosen: Mapping[str, frozenset[str]]
    #: What is filtered for, by the facet's name; nothing for all.


@dataclass(frozen=True, slots=True)
class CountedPage(Page[V]):
    """Part of a list, and how much there is of it."""

    total: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: Counts by value, by the name of the filter.


async def page_of(
    items: Sequence[T],
    query: Query,
    *,
    order: Order[T],
    view: Callable[[T], V],
    narrow: Callable[[list[T]], list[T]] = lambda part: part,
    facets: Facets[T] | None = None,
    heads_of: Callable[[list[T]], list[T]] | None = None,
) -> CountedPage[V]:
    """The part of a list that ``sort``, ``limit`` and ``cursor`` ask for.

    ``narrow`` gives those of a batch that pass the other filters. ``heads_of`` gives for each the item under which it
    stands, or itself: members then follow their head directly. Raises Invalid for a sort or cursor that makes no sense.
    """
    limit = max(1, query.number("limit", DEFAULT_LIMIT, MAX_LIMIT))
    places = _Places(order, query, limit + 1, heads_of)
    everything = list(items)
    counts: Counter[str] = Counter()
    passing: dict[str, bool] = {}
    total = 0
    for start in range(0, len(everything), _BATCH):
        if start:
            await asyncio.sleep(0)
        part = narrow(everything[start : start + _BATCH])
        if facets is not None:
            values = list(map(facets.of, part))
            counts.update(values)
            passing.update((value, _passes(value, facets)) for value in counts.keys() - passing.keys())
            if not all(passing.values()):
                part = [item for item, value in zip(part, values, strict=True) if passing[value]]
        total += len(part)
        places.fill(part)
    views: list[V] = []
    for shown, item in enumerate(places.items(limit)):
        if shown and shown % _SHOWN == 0:
            await asyncio.sleep(0)
        views.append(view(item))
    return CountedPage(tuple(views), places.find_cursor(limit), total, _count(counts, facets) if facets else {})


def _passes(value: str, facets: Facets[Any], but: str = "") -> bool:
    return all(
        not chosen or name == but or part in chosen
        for (name, chosen), part in zip(facets.chosen.items(), value.split(" "), strict=True)
    )


def _count(counts: Counter[str], facets: Facets[Any]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = {name: Counter() for name in facets.chosen}
    for value, count in counts.items():
        for name, part in zip(facets.chosen, value.split(" "), strict=True):
            if _passes(value, facets, but=name):
                found[name][part] += count
    return {name: dict(sorted(values.items())) for name, values in found.items()}


#: Where an item stands: what it is sorted by, and its id; in groups its head's first, then whether it is the head.
_Rank = tuple[Any, ...]


class _Places(Generic[T]):
    """The first items behind the cursor."""

    def __init__(self, order: Order[T], query: Query, most: int, heads_of: Callable[[list[T]], list[T]] | None) -> None:
        text = query.text("sort") or order.default
        name = text.removeprefix("-")
        if name not in order.keys:
            close = difflib.get_close_matches(name, order.keys, 1)
            raise Invalid(
                f"sort is {text[:64]!r}",
                field="sort",
                rule=f"one of {', '.join(order.keys)}, with a dash before it for descending",
                remedy=f"did you mean {close[0]}?" if close else "choose one of them",
            )
        self._order = order
        self._key = order.keys[name]
        self._descending = text.startswith("-")
        self._most = most
        self._heads_of = heads_of
        self._label = [order.name, text, heads_of is not None]
        self._best: list[tuple[_Rank, T]] = []
        first = _FIRST[self._key.last]
        #: What a key must be between to be of use.
        self._bounds: tuple[Any, Any] = (first, self._key.last)
        self._after = self._parse_cursor(query.text("cursor"))
        if self._after is not None:
            self._bounds = (first, self._after[0]) if self._descending else (self._after[0], self._key.last)

    def items(self, limit: int) -> Iterator[T]:
        """Up to ``limit`` of what was found."""
        return (item for _, item in self._best[:limit])

    def find_cursor(self, limit: int) -> str | None:
        """What asks for the rest; None where there is none."""
        if len(self._best) <= limit:
            return None
        rank = self._best[limit - 1][0]
        text = json.dumps([*self._label, *rank], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def fill(self, part: list[T]) -> None:
        """Takes in what belongs on the page."""
        heads = part if self._heads_of is None else self._heads_of(part)
        keys = self._keys_of(heads)
        low, high = self._bounds
        inside = [place for place, key in enumerate(keys) if low <= key <= high]
        near = [(self._rank(keys[place], heads[place], part[place]), part[place]) for place in inside]
        after, descending = self._after, self._descending
        if after is not None:
            near = [place for place in near if (place[0] < after if descending else place[0] > after)]
        if not near:
            return
        best = sorted(self._best + near, key=_rank_of, reverse=descending)[: self._most]
        self._best = best
        if len(best) == self._most:
            worst = best[-1][0][0]
            self._bounds = (worst, high) if descending else (low, worst)

    def _keys_of(self, items: list[T]) -> list[Key]:
        keys = list(map(self._key.of, items))
        return [_FIRST.get(key, key) for key in keys] if self._descending else keys

    def _rank(self, key: Key, head: T, item: T) -> _Rank:
        item_id = self._order.id_of(item)
        if self._heads_of is None:
            return key, item_id
        head_id = self._order.id_of(head)
        if head_id == item_id:
            return key, head_id, int(self._descending), key, item_id
        return key, head_id, int(not self._descending), self._keys_of([item])[0], item_id

    def _parse_cursor(self, cursor: str) -> _Rank | None:
        if not cursor:
            return None
        key = str if isinstance(self._key.last, str) else float
        types = (key, int) if self._heads_of is None else (key, int, int, key, int)
        try:
            if len(cursor) > CURSOR_LENGTH:
                raise ValueError(cursor)
            octets = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            found = json.loads(octets)
            rank = found[len(self._label) :]
            fits = found[: len(self._label)] == self._label and list(map(type, rank)) == list(types)
            if not fits or any(value != value for value in rank):  # NaN is equal to nothing
                raise ValueError(cursor)
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
            raise Invalid(
                f"cursor is {cursor[:64]!r}, which is no place in this list",
                field="cursor",
                rule="what the page before gave as next, with the same sort and group",
                remedy="leave it out to begin with the first page",
            ) from None
        return tuple(rank)


def _rank_of(place: tuple[_Rank, object]) -> _Rank:
    return place[0]
