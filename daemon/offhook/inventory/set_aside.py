"""What the parts that were set aside would have stated, so that it is not held against the others.

A document with a mistyped user is not told as well that there is no such user, nor that the phone which that user is
taken from still has them.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Final

from pydantic import BaseModel

from offhook.errors import Invalid
from offhook.inventory.document import (
    DevicePart,
    LinePart,
    LocationPart,
    NumberPart,
    StationTypePart,
    SystemPart,
    UserPart,
)
from offhook.inventory.identifiers import parse_e164, parse_ipei, parse_mac
from offhook.inventory.models import Account, Entity
from offhook.inventory.reading import SetAside
from offhook.inventory.snapshot import Draft
from offhook.yamldoc import Path, Value

#: What each kind of part is known by. Texts under keys that the part does not have count as well: they are misspelt.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "locations": ("name",),
    "users": ("username",),
    "numbers": ("number",),
    "station_types": ("name",),
    "dect_systems": ("name",),
    "devices": ("mac", "name"),
    "lines": (),
}
_PARTS: Final[dict[str, type[BaseModel]]] = {
    "locations": LocationPart,
    "station_types": StationTypePart,
    "users": UserPart,
    "numbers": NumberPart,
    "dect_systems": SystemPart,
    "devices": DevicePart,
    "lines": LinePart,
}


class StatedNames:
    """The names that were set aside, by kind, in a form in which a mistyped one still meets those that mean it."""

    def __init__(self, parts: Iterable[SetAside]) -> None:
        self._names: dict[str, set[str]] = {kind: set() for kind in _NAMES}
        self._has_nameless_base = False
        for aside in parts:
            for name in _names_of(aside.kind, aside.value):
                self.add(aside.kind, name)
            self._has_nameless_base = self._has_nameless_base or _is_nameless_base(aside)

    def add(self, kind: str, name: str | None) -> None:
        if name:
            self._names[kind].add(_fold(kind, name))

    def has(self, kind: str, name: str) -> bool:
        """Whether a part that was set aside may have stated this."""
        return _fold(kind, name) in self._names[kind] or (kind == "devices" and self._has_nameless_base)


def _names_of(kind: str, value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        known = _PARTS[kind].model_fields
        for key, entry in value.items():
            if key not in known:
                yield key
            if isinstance(entry, str) and (key in _NAMES[kind] or key not in known):
                yield entry


def _fold(kind: str, name: str) -> str:
    """Letters and digits alone; of a number its last seven, since it may lack its country."""
    plain = "".join(filter(str.isalnum, name.casefold())) or name
    return plain[-7:] if kind == "numbers" else plain


def _is_nameless_base(aside: SetAside) -> bool:
    value = aside.value
    if aside.kind != "devices" or not isinstance(value, dict) or value.get("type") != "dect_base":
        return False
    return _parsed(parse_mac, value.get("mac")) is None


def _parsed(parse: object, text: Value) -> str | None:
    try:
        return str(parse(text)) if isinstance(text, str) and callable(parse) else None
    except Invalid:
        return None


def find_unjudged(
    aside: SetAside, draft: Draft, accounts: Mapping[Path, Account], at: Mapping[Path, int]
) -> Iterator[Hashable]:
    """What must not be judged, since a part that was set aside says something of it: ids, and as in ``rests_on``.

    ``accounts`` by their place, and ``at`` the id of whatever stands at a place.
    """
    value = aside.value
    account = accounts.get(aside.path[:2])
    if account is not None:
        yield "extensions", account.id
    if not isinstance(value, dict):
        return
    found: list[Entity | None] = []
    match aside.kind:
        case "users":
            found = [draft.find_user(name) for name in _texts(value, "username", "rename_from")]
        case "numbers":
            number = _parsed(parse_e164, value.get("number"))
            found = [draft.find_number(number) if number else None]
            for username in _texts(value, "user"):
                if (user := draft.find_user(username)) is not None:
                    yield "numbers", user.id
        case "locations" if account is not None:
            found = [draft.find_location(account.id, name) for name in _texts(value, "name", "rename_from")]
        case "station_types" if account is not None:
            found = [draft.find_station_type(account.id, name) for name in _texts(value, "name", "rename_from")]
        case "dect_systems" if account is not None:
            found = [draft.find_system(account.id, name) for name in _texts(value, "name", "rename_from")]
        case "devices":
            mac, ipei = _parsed(parse_mac, value.get("mac")), _parsed(parse_ipei, value.get("ipei"))
            found = [draft.find_device_by_mac(mac) if mac else None, draft.find_device_by_ipei(ipei) if ipei else None]
            if not (mac or ipei):
                found += [
                    device for name in _texts(value, "name", "rename_from") for device in draft.devices_named(name)
                ]
        case "lines" if (device_id := at.get(aside.path[:4])) is not None:
            index = value.get("index")
            lines = draft.lines_of(device_id)
            found = [line for line in lines if str(line.index) == index] or list(lines)
    yield from (entity.id for entity in found if entity is not None)


def _texts(value: Mapping[str, Value], *keys: str) -> list[str]:
    return [text for key in keys if isinstance(text := value.get(key), str)]
