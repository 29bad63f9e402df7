"""What a clock without a time zone database must be told: an offset, and when summer time begins and ends.

The rule comes from the POSIX string at the end of the zone's file (RFC 9636 §3.3), which holds for the future, so
that neither the current date nor a table of ours has a part in it.
"""

import importlib.resources
import re
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9_+\-]{1,32}(?:/[A-Za-z0-9_+\-]{1,32}){0,2}")
_OFFSET: Final = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_CHANGE: Final = rf"M(\d{{1,2}})\.([1-5])\.([0-6])(?:/({_OFFSET}))?"
_ABBREVIATION: Final = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+\-]+>)"
_POSIX: Final = re.compile(rf"{_ABBREVIATION}({_OFFSET})(?:{_ABBREVIATION}({_OFFSET})?,{_CHANGE},{_CHANGE})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClockChange:
    """One change a year, e.g. the second Sunday of March at 2 o'clock, in the time that ends then."""

    month: int
    week: int
    #: 1 to 4, or 5 for the last.
    weekday: int
    #: ISO: 1 is Monday, 7 is Sunday.
    hour: int
    #: 0 to 23. A rule outside these (Greenland's is 23 o'clock the day before) is held to them.


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A time zone."""

    name: str
    #: IANA name.
    offset_minutes: int
    #: Standard time minus UTC.
    saving_minutes: int = 0
    #: 0 where there is no summer time.
    starts: ClockChange | None = None
    ends: ClockChange | None = None


def find_clock_rule(name: str) -> ClockRule | None:
    """The rule of an IANA zone, or None where the database does not know it."""
    if not _NAME.fullmatch(name):
        return None
    return _find_clock_rule(name)


@lru_cache(maxsize=1024)
def _find_clock_rule(name: str) -> ClockRule | None:
    data = _read_zone(name)
    if data is None:
        return None
    match = _POSIX.fullmatch(data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace"))
    if match is None:
        return None
    standard = -_minutes(match[1])
    if match[3] is None:
        return ClockRule(name, standard)
    summer = -_minutes(match[2]) if match[2] else standard + 60
    starts, ends = _change(match, 3), _change(match, 7)
    if summer < standard:  # Irish law calls winter time the exception
        standard, summer, starts, ends = summer, standard, ends, starts
    return ClockRule(name, standard, summer - standard, starts, ends)


def _read_zone(name: str) -> bytes | None:
    """The zone's file: the system's, else that of the tzdata package, in the order in which zoneinfo looks."""
    for folder in zoneinfo.TZPATH:
        file = Path(folder, name)
        if file.is_file():
            return _tzif(file.read_bytes())
    try:
        resource = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    except ModuleNotFoundError:
        return None
    return _tzif(resource.read_bytes()) if resource.is_file() else None


def _tzif(data: bytes) -> bytes | None:
    return data if data.startswith(b"TZif") else None


def _minutes(text: str) -> int:
    hours, *rest = text.lstrip("+-").split(":")
    minutes = int(hours) * 60 + (int(rest[0]) if rest else 0)
    return -minutes if text.startswith("-") else minutes


def _change(match: re.Match[str], group: int) -> ClockChange:
    minutes = _minutes(match[group + 3]) if match[group + 3] else 120
    return ClockChange(
        month=int(match[group]),
        week=int(match[group + 1]),
        weekday=int(match[group + 2]) or 7,
        hour=min(max(minutes // 60, 0), 23),
    )
