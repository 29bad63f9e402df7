"""Where inside a building: ``Fl 21``, ``Suite 400``, ``2nd floor``, ``# 4B``.

Designators are those of USPS Publication 28, Appendix C2. Floors, rooms, buildings and seats have elements of their own
in RFC 5139; everything else is its UNIT, with the designator, as RFC 4776 §3.4 shows (``Apt 42``).
"""

import re
from dataclasses import dataclass
from typing import Final

_TABLE: Final = """
unit Apt APARTMENT; unit Dept DEPARTMENT; unit Hngr HANGAR HANGER; unit Key; unit Lot; unit Ofc OFFICE;
unit Ph PENTHOUSE; unit Pier; unit Slip; unit Spc SPACE; unit Ste SUITE; unit Stop; unit Trlr TRAILER;
unit Unit UNITÉ; unit #; unit Bureau; floor Fl FLOOR FLR LEVEL ÉTAGE; room Rm ROOM; building Bldg BUILDING;
seat Desk SEAT CUBICLE
"""
_ALONE_TABLE: Final = "Bsmt BASEMENT; Frnt FRONT; Lbby LOBBY; Lowr LOWER; Ph PENTHOUSE; Rear; Side; Uppr UPPER"


def _read() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for entry in _TABLE.split(";"):
        element, standard, *others = entry.split()
        found |= {spelling.upper(): (element, standard) for spelling in (standard, *others)}
    return found


_WITH_VALUE: Final = _read()
_ALONE: Final = {word.upper(): entry.split()[0] for entry in _ALONE_TABLE.split(";") for word in entry.split()}
#: A number, perhaps lettered (4B, B-12), or one letter: two could be a kind of street.
_VALUE: Final = re.compile(r"#?(?:(?=[A-Z0-9-]*[0-9])[A-Z0-9][A-Z0-9-]{0,15}|[A-Z])", re.IGNORECASE)
_ORDINAL: Final = re.compile(r"([0-9]{1,3})(?:st|nd|rd|th|e)", re.IGNORECASE)
#: How a floor, room, building or seat is written before its value.
DESIGNATORS: Final = {"building": "Bldg", "floor": "Fl", "room": "Rm", "seat": "Desk"}


@dataclass(frozen=True, slots=True)
class Inside:
    """One place inside: the element that it belongs in, its value, and how many words said so."""

    element: str
    value: str
    words: int


def find_inside(words: list[str]) -> Inside | None:
    """The designator and value that a list of words begins with."""
    first = words[0].upper().rstrip(".")
    if len(first) > 1 and first[0] == "#":
        return Inside("unit", f"# {words[0][1:]}", 1) if _VALUE.fullmatch(first[1:]) else None
    second = words[1].rstrip(".") if len(words) > 1 else ""
    if (ordinal := _ORDINAL.fullmatch(first)) and _WITH_VALUE.get(second.upper(), ("", ""))[0] == "floor":
        return Inside("floor", ordinal[1], 2)
    if first in _WITH_VALUE and _VALUE.fullmatch(second):
        element, standard = _WITH_VALUE[first]
        value = second.lstrip("#")
        return Inside(element, f"{standard} {value}" if element == "unit" else value, 2)
    return Inside("unit", _ALONE[first], 1) if first in _ALONE else None


def read_insides(words: list[str]) -> list[Inside] | None:
    """All places inside that a list of words consists of, or None where it says something else too."""
    found: list[Inside] = []
    while words:
        inside = find_inside(words)
        if inside is None:
            return None
        found.append(inside)
        words = words[inside.words :]
    return found
