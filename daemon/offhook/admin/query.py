"""The parameters of a query, and pages of lists."""

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

from multidict import MultiMapping

from offhook.errors import Invalid

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
V = TypeVar("V")

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
#: Items looked at before others may run.
_BREATH: Final = 200
_FLAGS: Final[Mapping[str, bool]] = {"": True, "true": True, "1": True, "false": False, "0": False}


class Query:
    """Parameters by name. A name that the route does not know is an error, not passed over."""

    def __init__(self, given: MultiMapping[str], names: Iterable[str]) -> None:
        known = tuple(names)
        for name in given:
            if name not in known:
                close = difflib.get_close_matches(name, known, 1)
                raise Invalid(
                    f"there is no parameter {name[:64]!r} here",
                    field=name[:64],
                    rule=f"known are: {', '.join(known)}" if known else "this address takes no parameters",
                    remedy=f"did you mean {close[0]}?" if close else "remove it",
                )
        self._given = given

    def text(self, name: str) -> str:
        """A text without blanks around it, empty where it is not given."""
        return self._given.get(name, "").strip()

    def texts(self, name: str) -> list[str]:
        """Every value of a parameter that may be repeated."""
        return [value.strip() for value in self._given.getall(name, [])]

    def flag(self, name: str) -> bool:
        """true or false; not given is false, given without a value is true."""
        text = self._given.get(name)
        if text is None:
            return False
        if text.lower() not in _FLAGS:
            raise Invalid(f"{name} is {text[:64]!r}", field=name, rule="true or false", remedy="write true or false")
        return _FLAGS[text.lower()]

    def number(self, name: str, default: int, most: int) -> int:
        """A number from 0 to ``most``."""
        text = self._given.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) <= most):
            raise Invalid(f"{name} is {text[:64]!r}", field=name, rule=f"a number from 0 to {most}", remedy="change it")
        return int(text)

    def moment(self, name: str) -> float | None:
        """A time in ISO 8601, in UTC where it names no zone; None where it is not given."""
        text = self.text(name)
        if not text:
            return None
        try:
            # A plus that was not escaped arrives as a blank.
            read = datetime.fromisoformat(text.replace(" ", "+") if " " in text[11:] else text)
            return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise Invalid(
                f"{name} is {text[:64]!r}",
                field=name,
                rule="a time in ISO 8601",
                remedy="write it like 2026-11-22 or 2026-11-22T08:30:00Z",
            ) from None

    def choice(self, name: str, enum: type[E]) -> E | None:
        """One of the values of an enumeration, None where it is not given."""
        return _choose(name, text, enum) if (text := self.text(name)) else None

    def choices(self, name: str, enum: type[E]) -> frozenset[E]:
        """Those of a parameter that may be repeated; none where it is not given."""
        return frozenset(_choose(name, text, enum) for text in self.texts(name) if text)


def _choose(name: str, given: str, enum: type[E]) -> E:
    text = given.lower()
    try:
        return enum(text)
    except ValueError:
        close = difflib.get_close_matches(text, list(enum), 1)
        raise Invalid(
            f"{name} is {text[:64]!r}",
            field=name,
            rule=f"one of {', '.join(enum)}",
            remedy=f"did you mean {close[0]}?" if close else "choose one of them",
        ) from None


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """Part of a list."""

    items: tuple[V, ...]
    next: str | None
    #: The ``cursor`` that gives the next part; None at the end.


async def collect_page(
    items: Iterable[T],
    query: Query,
    *,
    key: Callable[[T], int],
    view: Callable[[T], V],
    wanted: Callable[[T], bool] = lambda _: True,
) -> Page[V]:
    """The part of a list, in order of ``key``, that ``limit`` and ``cursor`` ask for; gives way to others meanwhile."""
    limit = max(1, query.number("limit", DEFAULT_LIMIT, MAX_LIMIT))
    after = query.number("cursor", -1, 2**63)
    found: list[V] = []
    last = after
    for count, item in enumerate(sorted((item for item in items if key(item) > after), key=key), start=1):
        if count % _BREATH == 0:
            await asyncio.sleep(0)
        if not wanted(item):
            continue
        if len(found) == limit:
            return Page(tuple(found), str(last))
        found.append(view(item))
        last = key(item)
    return Page(tuple(found), None)
