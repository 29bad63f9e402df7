"""A document as far as it can be read: parts that have faults of their own are set aside, and the others judged.

So an operator is told at once that one number is mistyped and that another names a location which is not there. What a
part that was set aside would have stated is not held against the others; :mod:`offhook.inventory.set_aside` knows it.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from offhook import yamldoc
from offhook.errors import DocumentError, Fault
from offhook.inventory.document import LISTS, InventoryPart

#: Nobody corrects more at once.
FAULTS_LISTED: Final = 100
#: With more than these the rest of a document is not judged: it would be about what has faults.
FAULTS_JUDGED: Final = 1000


@dataclass(frozen=True, slots=True)
class SetAside:
    """A part that cannot be judged, or several: as the document has it."""

    kind: str
    #: ``accounts``, one of LISTS, or ``lines``.
    path: yamldoc.Path
    value: yamldoc.Value


@dataclass(frozen=True, slots=True)
class Reading:
    """What there is to apply, and what was found at fault so far."""

    part: InventoryPart
    #: Without what is at fault.
    document: yamldoc.Document
    remainder: yamldoc.Remainder
    faults: tuple[Fault, ...] = ()
    fault_paths: frozenset[yamldoc.Path] = frozenset()
    set_aside: tuple[SetAside, ...] = ()
    warnings: tuple[Fault, ...] = ()


def list_faults(faults: Iterable[Fault], omitted: int = 0, *, is_all: bool = True) -> list[Fault]:
    """Faults in the order of their places, as many as people correct at once, and then how many more there are.

    ``omitted``: how many there are beside these. ``is_all``: whether there are no others.
    """
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
    more = len(ordered) - FAULTS_LISTED + omitted
    if more <= 0:
        return ordered
    listed = ordered[:FAULTS_LISTED]
    return [
        *listed,
        Fault(f"has {'' if is_all else 'at least '}{more} more faults; correct these first", file=listed[0].file),
    ]


def read_document(text: str | bytes, file: str, bounds: yamldoc.Bounds | None = None) -> Reading:
    """Reads a document. Raises DocumentError, with every fault, where nothing of it can be judged."""
    document = yamldoc.read(text, file, bounds)
    if document.data is None:
        fault = document.fault((), "is empty; an inventory document begins with 'accounts:'")
        raise DocumentError([*document.faults, fault])
    return read_parts(document)


def read_parts(document: yamldoc.Document) -> Reading:
    """As :func:`read_document`, of what has been read already."""
    faults, paths = document.faults, frozenset[yamldoc.Path]()
    try:
        part = InventoryPart.model_validate(document.data)
    except ValidationError as error:
        faults = tuple(yamldoc.faults_of(error, document, InventoryPart, most=FAULTS_JUDGED))
        if error.error_count() > FAULTS_JUDGED:
            omitted = max(0, error.error_count() - len(faults))
            raise DocumentError(list_faults(faults, omitted, is_all=not document.faults)) from None
        paths = frozenset(yamldoc.paths_of(error, document))
    if not faults:
        return Reading(part, document, yamldoc.take_out(document, ()))
    without: set[yamldoc.Path] = set()
    aside: list[SetAside] = []
    for path in paths | {refused.path for refused in document.refused}:
        taken = _taken_with(path)
        if taken not in without and (path in paths or not _is_list(taken)):
            without.add(taken)
            aside.extend(_set_aside(taken, _value_at(document, taken)))
    for refused in document.refused:
        aside.extend(_set_aside(refused.path, refused.value))
    remainder = yamldoc.take_out(document, without)
    try:
        part = InventoryPart.model_validate(remainder.data)
    except ValidationError:
        raise DocumentError(faults) from None
    return Reading(part, document, remainder, faults, paths, tuple(aside))


def _taken_with(path: yamldoc.Path) -> yamldoc.Path:
    """What is taken out for a fault at ``path``: the innermost part that it is in, or a key of an account."""
    match path:
        case ("accounts", int(), "devices", int(), "lines", int(), *_):
            return path[:6]
        case ("accounts", int(), str(name), int(), *_) if name in LISTS:
            return path[:4]
        case ("accounts", int(), "name" | "rename_from", *_):
            return path[:2]  # Nobody knows which account it is.
        case ("accounts", int(), str(), *_):
            return path[:3]
        case ("accounts", int()):
            return path
        case _:
            return path[:1]


def _is_list(path: yamldoc.Path) -> bool:
    """Whether a second value of this key adds to the first, which is kept."""
    return path == ("accounts",) or (len(path) == 3 and path[2] in LISTS)


def _value_at(document: yamldoc.Document, path: yamldoc.Path) -> yamldoc.Value:
    if document.known(path) != path:
        return None
    value = document.data
    for step in path:
        value = value[step]  # type: ignore[index]  # known has it
    return value


def _set_aside(path: yamldoc.Path, value: yamldoc.Value) -> list[SetAside]:
    """What ``value`` would have stated at ``path``, in as far as it is told by its place and its keys."""
    match path:
        case () | ("accounts", *_) if len(path) <= 2:
            accounts = value if isinstance(value, list) else [value]
            return [aside for account in accounts for aside in _lists_of(path, account)]
        case ("accounts", int(), "<<"):
            return _lists_of(path, value)
        case ("accounts", int(), str(name)):
            return _lists_of(path[:2], {name: value})
        case ("accounts", int(), "devices", int(), "lines", int(), *_):
            return [SetAside("lines", path[:6], _under(path[6:], value))]
        case ("accounts", int(), str(kind), int(), *_) if kind in LISTS:
            return [SetAside(kind, path[:4], _under(path[4:], value))]
        case _:
            return []


def _under(keys: yamldoc.Path, value: yamldoc.Value) -> yamldoc.Value:
    """A value that was refused under a key, as the part of a thing that it is."""
    return {keys[0]: value} if len(keys) == 1 and isinstance(keys[0], str) and keys[0] != "<<" else value


def _lists_of(path: yamldoc.Path, account: yamldoc.Value) -> list[SetAside]:
    if not isinstance(account, dict):
        return []
    found = []
    for key, value in account.items():
        if meant := difflib.get_close_matches(key.lower()[:40], LISTS, n=1):
            parts = value if isinstance(value, list) else [value]
            found += [SetAside(meant[0], path, part) for part in parts]
    return found
