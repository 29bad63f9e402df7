"""Which tables there are, and what each of their columns says of which thing.

Columns are called as the fields of the inventory document are. In the table of everything, where a row may state a
user, a number, a device and a line of it at once, a field that several of them have is qualified (``user_extension``);
``extension`` and ``location`` stand there for what the row is most likely to mean.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from offhook.inventory.address import CivicAddress
from offhook.inventory.models import Features
from offhook.inventory.tabular.spreadsheet import Notation


class Kind(StrEnum):
    """What the rows of a table state."""

    LOCATIONS = "locations"
    USERS = "users"
    NUMBERS = "numbers"
    DEVICES = "devices"
    ASSIGNMENTS = "assignments"
    #: Who has which line of which device.
    ALL = "all"
    #: Users, numbers, devices and assignments, any of them in one row.


class Thing(StrEnum):
    """What a row can state."""

    LOCATION = "location"
    USER = "user"
    NUMBER = "number"
    DEVICE = "device"
    LINE = "line"
    #: Of the row's device.


#: A field of a thing's part of the document, or a field within that.
Field = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    says: tuple[tuple[Thing, Field], ...]
    #: What it sets. Empty of ``account``.
    notation: Notation = Notation.TEXT
    only_first: bool = False
    #: It sets only the first of those that the row states, not all of them.
    is_rare: bool = False
    #: Left out of an export in which nobody has such a value.
    is_secret: bool = False
    #: Left out of every export.


def _column(
    thing: Thing, field: str, notation: Notation = Notation.TEXT, *, name: str = "", secret: bool = False
) -> Column:
    return Column(name or field, ((thing, (field,)),), notation, is_secret=secret)


def _address(thing: Thing, field: str, prefix: str = "") -> tuple[Column, ...]:
    """A column for each element of RFC 5139; ``name`` is that of the thing itself."""
    return tuple(
        Column(
            f"{prefix or 'address_'}name" if element.name == "name" else prefix + element.name,
            ((thing, (field, element.name)),),
            is_rare=True,
        )
        for element in fields(CivicAddress)
    )


def _features() -> tuple[Column, ...]:
    targets = {"forward_always", "forward_busy", "forward_no_answer"}
    return tuple(
        Column(
            feature.name,
            ((Thing.NUMBER, ("features", feature.name)),),
            Notation.TARGET
            if feature.name in targets
            else Notation.NUMBER
            if feature.name == "caller_identity"
            else Notation.CHOICE,
            is_rare=True,
        )
        for feature in fields(Features)
    )


ACCOUNT: Final = Column("account", ())
_PERSON: Final = (
    _column(Thing.USER, "username"),
    _column(Thing.USER, "first_name"),
    _column(Thing.USER, "last_name"),
    _column(Thing.USER, "email"),
    _column(Thing.USER, "plan", Notation.CHOICE),
)
_PREFERENCES: Final = (
    _column(Thing.USER, "timezone"),
    _column(Thing.USER, "forward_unreachable", Notation.TARGET),
    _column(Thing.USER, "voicemail_to_email", Notation.CHOICE),
    _column(Thing.USER, "authorised", Notation.CHOICE),
)
_STATUS: Final = (
    _column(Thing.NUMBER, "status", Notation.CHOICE),
    _column(Thing.NUMBER, "main", Notation.CHOICE),
)
_STATION: Final = (
    _column(Thing.NUMBER, "station_type"),
    Column("display_first", ((Thing.NUMBER, ("display_name", "first")),)),
    Column("display_last", ((Thing.NUMBER, ("display_name", "last")),)),
)
_HARDWARE: Final = (
    _column(Thing.DEVICE, "type", Notation.CHOICE),
    _column(Thing.DEVICE, "mac", Notation.MAC),
    _column(Thing.DEVICE, "ipei", Notation.IPEI),
    _column(Thing.DEVICE, "name"),
    _column(Thing.DEVICE, "vendor"),
    _column(Thing.DEVICE, "model"),
)
_PLACEMENT: Final = (
    _column(Thing.DEVICE, "state", Notation.CHOICE),
    _column(Thing.DEVICE, "base", Notation.MAC),
    _column(Thing.DEVICE, "system"),
    _column(Thing.DEVICE, "role", Notation.CHOICE),
)
_LINE: Final = (
    _column(Thing.LINE, "label"),
    _column(Thing.LINE, "appearances"),
    _column(Thing.LINE, "auth_username", secret=True),
    _column(Thing.LINE, "password", Notation.SECRET, secret=True),
)
_INDEX: Final = _column(Thing.LINE, "index", name="line")

#: In the order in which an export has them; the columns that say what a row is about come first.
TABLES: Final[Mapping[Kind, tuple[Column, ...]]] = {
    Kind.LOCATIONS: (
        ACCOUNT,
        _column(Thing.LOCATION, "name"),
        _column(Thing.LOCATION, "timezone"),
        *_address(Thing.LOCATION, "address"),
    ),
    Kind.USERS: (
        ACCOUNT,
        *_PERSON,
        _column(Thing.USER, "extension", Notation.DIGITS),
        _column(Thing.USER, "location"),
        *_PREFERENCES,
        *_address(Thing.USER, "offsite_address", "offsite_"),
    ),
    Kind.NUMBERS: (
        ACCOUNT,
        _column(Thing.NUMBER, "number", Notation.NUMBER),
        *_STATUS,
        _column(Thing.NUMBER, "user"),
        _column(Thing.NUMBER, "extension", Notation.DIGITS),
        _column(Thing.NUMBER, "location"),
        *_STATION,
        *_features(),
    ),
    Kind.DEVICES: (
        ACCOUNT,
        *_HARDWARE,
        _column(Thing.DEVICE, "user"),
        _column(Thing.DEVICE, "location"),
        *_PLACEMENT,
        *_address(Thing.DEVICE, "address", "address_"),
    ),
    Kind.ASSIGNMENTS: (
        ACCOUNT,
        _column(Thing.DEVICE, "mac", Notation.MAC),
        _column(Thing.DEVICE, "ipei", Notation.IPEI),
        _column(Thing.DEVICE, "name"),
        _INDEX,
        _column(Thing.LINE, "user"),
        _column(Thing.LINE, "number", Notation.NUMBER),
        _column(Thing.LINE, "extension", Notation.DIGITS),
        *_LINE,
    ),
    Kind.ALL: (
        ACCOUNT,
        *_PERSON,
        _column(Thing.USER, "extension", Notation.DIGITS, name="user_extension"),
        _column(Thing.USER, "location", name="user_location"),
        *_PREFERENCES,
        _column(Thing.NUMBER, "number", Notation.NUMBER),
        *_STATUS,
        _column(Thing.NUMBER, "extension", Notation.DIGITS, name="number_extension"),
        _column(Thing.NUMBER, "location", name="number_location"),
        *_STATION,
        *_HARDWARE,
        _column(Thing.DEVICE, "location", name="device_location"),
        *_PLACEMENT,
        _INDEX,
        _column(Thing.LINE, "extension", Notation.DIGITS, name="line_extension"),
        *_LINE,
    ),
}

_EXTENSION: Final = Column(
    "extension",
    ((Thing.USER, ("extension",)), (Thing.NUMBER, ("extension",)), (Thing.LINE, ("extension",))),
    Notation.DIGITS,
    only_first=True,
)
_LOCATION: Final = Column(
    "location", ((Thing.USER, ("location",)), (Thing.NUMBER, ("location",)), (Thing.DEVICE, ("location",)))
)


def _by_name(kind: Kind) -> dict[str, Column]:
    """Every column that an import takes, under each of its names."""
    columns = {column.name: column for column in TABLES[kind]}
    if kind is Kind.ALL:
        columns |= {column.name: column for column in (_EXTENSION, _LOCATION)}
    return columns | ({"port": _INDEX} if "line" in columns else {})


COLUMNS: Final[Mapping[Kind, Mapping[str, Column]]] = {kind: _by_name(kind) for kind in Kind}
_KNOWN: Final = frozenset(name for columns in COLUMNS.values() for name in columns)
#: What a header must have, any of each, to be that of a kind; tried in this order.
_TOLD_BY: Final[Mapping[Kind, tuple[frozenset[str], ...]]] = {
    Kind.USERS: (frozenset({"username"}),),
    Kind.NUMBERS: (frozenset({"number"}),),
    Kind.DEVICES: (frozenset({"mac", "ipei", "type"}),),
    Kind.ASSIGNMENTS: (frozenset({"mac", "ipei", "name"}), frozenset({"line", "port", "user", "number", "extension"})),
    Kind.LOCATIONS: (frozenset({"name"}),),
    Kind.ALL: (),
}


def parse_name(text: str) -> str:
    """The name of a column as it stands in a header: ``First name`` is ``first_name``."""
    return re.sub(r"[\s\-]+", "_", text.strip().lower())


def find_kind(names: Iterable[str]) -> Kind:
    """The kind of table that a header is of; where it fits none, the one that it fits best."""
    known = _KNOWN.intersection(names)
    for kind, needed in _TOLD_BY.items():
        if known <= COLUMNS[kind].keys() and all(known & names for names in needed):
            return kind
    return max(Kind, key=lambda kind: len(known & COLUMNS[kind].keys()))


def explain_unknown(name: str, kind: Kind) -> str:
    """What to say of a column that a table does not have."""
    columns = COLUMNS[kind]
    if not name:
        return "the column has values and no name; name it, or empty it"
    others = ", ".join(other for other in Kind if name in COLUMNS[other])
    if others:
        return f"a table of {kind} has no column {name!r}, those of {others} have; use one of these, or drop it"
    if close := difflib.get_close_matches(name[:64], columns, 1):
        return f"unknown column {name[:64]!r}; did you mean {close[0]!r}?"
    return f"unknown column {name[:64]!r}; known here: {', '.join(columns)}"
