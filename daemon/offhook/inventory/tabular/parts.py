"""Rows become parts of an inventory document: rows that speak of the same thing are one part.

An ATA with two ports has a row for each, and a user with two numbers has two. What such rows say of the thing is put
together; where they contradict each other both lines are named.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from offhook.errors import Invalid
from offhook.inventory.identifiers import parse_e164, parse_ipei, parse_mac
from offhook.inventory.models import DeviceType
from offhook.inventory.tabular.columns import Column, Kind, Thing
from offhook.inventory.tabular.spreadsheet import Notation
from offhook.yamldoc import Place, Placed, Value

#: A part under construction.
Part = dict[str, Value]
Step = str | int

_LISTS: Final[Mapping[Thing, str]] = {
    Thing.LOCATION: "locations",
    Thing.USER: "users",
    Thing.NUMBER: "numbers",
    Thing.DEVICE: "devices",
}
_NOTATIONS_OF_KEYS: Final = frozenset({Notation.MAC, Notation.IPEI, Notation.NUMBER})
#: What a thing is known by, in words.
_KNOWN_BY: Final[Mapping[Thing, str]] = {
    Thing.LOCATION: "name",
    Thing.USER: "username",
    Thing.NUMBER: "number",
    Thing.DEVICE: "mac, ipei or, of a softphone, name",
    Thing.LINE: "mac, ipei or, of a softphone, name",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that says something."""

    value: str | None
    #: None clears.
    column: Column
    place: Place


#: The cells of one row by the name of their column.
Cells = Mapping[str, Cell]
#: What a row is about.
Stated = dict[Thing, Part]


class Parts:
    """What the rows state, an account at a time."""

    def __init__(self, kind: Kind, fault: Callable[[Place, str], None]) -> None:
        """``fault`` is told what is wrong, and where."""
        self.accounts: list[Value] = []
        self.data: Part = {"accounts": self.accounts}
        self._kind = kind
        self._fault = fault
        self._by_name: dict[str, Part] = {}
        self._found: dict[tuple[str, ...], Part] = {}
        #: By account and natural key.
        self._placed: dict[int, Placed] = {}
        #: By ``id()`` of the container, which it keeps alive.
        self._place(self.data, "accounts", (0, 0))

    @property
    def places(self) -> Iterable[Placed]:
        """Where everything stands."""
        return self._placed.values()

    def add(self, account: str, cells: Cells, line: int) -> None:
        """Takes a row of an account."""
        stated = self._things(account, cells, line)
        if not stated:
            self._fault((line, 0), f"the row does not say what it is about; fill in {_known_by(*cells.values())}")
            return
        shared = []
        for cell in cells.values():
            if cell.value is None and self._is_released(stated, cell):
                continue
            if len(cell.column.says) > 1:
                shared.append(cell)
            else:
                self._set_cell(stated, cell)
        # What is meant for several things of the row is set when it is known what they are.
        for cell in shared:
            self._set_cell(stated, cell)

    # -- what a row is about ------------------------------------------------------------------------------------------

    def _things(self, account: str, cells: Cells, line: int) -> Stated:
        stated: Stated = {}
        match self._kind:
            case Kind.LOCATIONS:
                self._named(stated, Thing.LOCATION, account, cells.get("name"), line)
            case Kind.USERS:
                self._named(stated, Thing.USER, account, cells.get("username"), line)
            case Kind.NUMBERS:
                self._named(stated, Thing.NUMBER, account, cells.get("number"), line)
            case Kind.DEVICES:
                self._device(stated, account, cells, line)
            case Kind.ASSIGNMENTS:
                self._device(stated, account, cells, line)
                self._line(stated, cells, line)
            case Kind.ALL:
                self._all(stated, account, cells, line)
        return stated

    def _all(self, stated: Stated, account: str, cells: Cells, line: int) -> None:
        """A user, the user's number, a device, and what is on a line of it: the user, else the number (T1)."""
        user, number = cells.get("username"), cells.get("number")
        self._named(stated, Thing.USER, account, user, line)
        self._named(stated, Thing.NUMBER, account, number, line)
        self._device(stated, account, cells, line)
        if user is not None and Thing.NUMBER in stated:
            self._set(stated[Thing.NUMBER], "user", user)
        if Thing.DEVICE not in stated or not (user or number or _speaks_of_line(cells)):
            return
        self._line(stated, cells, line)
        if user is not None and (user.value is not None or number is None):
            self._set(stated[Thing.LINE], "user", user)
        elif number is not None:
            self._set(stated[Thing.LINE], "number", number)

    def _named(self, stated: Stated, thing: Thing, account: str, cell: Cell | None, line: int) -> None:
        if cell is not None and cell.value is not None:
            stated[thing] = self._part(thing, account, cell.value, cell, line)

    def _device(self, stated: Stated, account: str, cells: Cells, line: int) -> None:
        """A MAC or an IPEI is a device; a name alone is a softphone, which is known by nothing else."""
        for name in ("mac", "ipei", "name"):
            cell = cells.get(name)
            if cell is not None and cell.value is not None:
                stated[Thing.DEVICE] = self._part(Thing.DEVICE, account, cell.value, cell, line)
                return

    def _line(self, stated: Stated, cells: Cells, line: int) -> None:
        device = stated.get(Thing.DEVICE)
        if device is None:
            return
        cell = cells.get("line")
        index = cell.value if cell is not None and cell.value is not None else "1"
        key = (str(id(device)), index)
        if key not in self._found:
            self._found[key] = {"index": index}
            self._append(device, "lines", self._found[key], line)
        stated[Thing.LINE] = self._found[key]

    def _part(self, thing: Thing, account: str, value: str, cell: Cell, line: int) -> Part:
        key = (account, thing.value, cell.column.name, _fold(value, cell.column.notation))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = {}
            self._append(self._account(account), _LISTS[thing], found, line)
        return found

    def _account(self, name: str) -> Part:
        if name not in self._by_name:
            self._by_name[name] = {"name": name}
            self._place(self.accounts, len(self.accounts), (0, 0))
            self.accounts.append(self._by_name[name])
        return self._by_name[name]

    def _append(self, container: Part, name: str, part: Part, line: int) -> None:
        entries = container.setdefault(name, [])
        assert isinstance(entries, list)
        self._place(container, name, (line, 0))
        self._place(entries, len(entries), (line, 0))
        entries.append(part)

    def _is_released(self, stated: Stated, cell: Cell) -> bool:
        """In a table of everything, a user or number that is cleared is taken from what else the row states."""
        if self._kind is not Kind.ALL:
            return False
        match cell.column.name:
            case "username":
                return Thing.NUMBER in stated or Thing.LINE in stated
            case "number":
                return Thing.LINE in stated
            case _:
                return False

    # -- what it says -------------------------------------------------------------------------------------------------

    def _set_cell(self, stated: Stated, cell: Cell) -> None:
        column = cell.column
        meant = [(thing, path) for thing, path in column.says if thing in stated and _fits(stated[thing], thing, cell)]
        if not meant:
            self._fault(cell.place, f"the row does not say whose {column.name} this is; fill in {_known_by(cell)}")
        for thing, path in meant[:1] if column.only_first else meant:
            if len(path) == 1:
                self._set(stated[thing], path[0], cell)
            else:
                self._set_within(stated[thing], path[0], path[1], cell)

    def _set_within(self, part: Part, name: str, inner_name: str, cell: Cell) -> None:
        """A field of a field. An address is stated whole, and no address is without a country."""
        clears_all = inner_name == "country" and cell.value is None
        inner = part.setdefault(name, None if clears_all else {})
        self._place(part, name, (cell.place[0], 0))
        if clears_all is isinstance(inner, dict):
            part[name] = None
            self._fault(cell.place, "the address is cleared and stated as well; drop one of the two")
        elif isinstance(inner, dict):
            self._set(inner, inner_name, cell)

    def _set(self, part: Part, name: str, cell: Cell) -> None:
        placed = self._places_in(part)
        if name not in placed:
            part[name] = cell.value
            placed[name] = cell.place
            return
        if part[name] == cell.value or _are_one_key(part[name], cell):
            return
        line, _ = placed[name]
        where = f"in line {line}" if line != cell.place[0] else "in another column of the row"
        if cell.column.notation is Notation.SECRET:
            message = f"is another one {where}; make them the same"
        else:
            message = f"is {_show(cell.value)} here and {_show(part[name])} {where}; make them the same"
        self._fault(cell.place, message)

    def _place(self, container: Part | list[Value], step: Step, place: Place) -> None:
        self._places_in(container).setdefault(step, place)

    def _places_in(self, container: Part | list[Value]) -> dict[Step, Place]:
        found = self._placed.get(id(container))
        if found is None:
            found = self._placed[id(container)] = (container, {})
        return found[1]


def _known_by(*cells: Cell) -> str:
    """What to fill in, in words, for the row to say whom or what these cells are about."""
    return " or ".join(dict.fromkeys(_KNOWN_BY[thing] for cell in cells for thing, _ in cell.column.says))


def _speaks_of_line(cells: Cells) -> bool:
    return "extension" in cells or any(
        thing is Thing.LINE for cell in cells.values() for thing, _ in cell.column.says[:1]
    )


def _fits(part: Part, thing: Thing, cell: Cell) -> bool:
    """A handset has no location of its own (R9), so one that is meant for all things of a row is not meant for it."""
    if thing is not Thing.DEVICE or len(cell.column.says) == 1:
        return True
    return "ipei" not in part and part.get("type") != DeviceType.DECT_HANDSET


def _fold(value: str, notation: Notation) -> str:
    """The form in which two notations of a key are the same; what cannot be read is only itself."""
    parse: Callable[[str], str]
    match notation:
        case Notation.MAC:
            parse = parse_mac
        case Notation.IPEI:
            parse = parse_ipei
        case Notation.NUMBER:
            parse = parse_e164
        case _:
            return value.casefold()
    try:
        return parse(value)
    except Invalid:
        return value


def _are_one_key(before: Value, cell: Cell) -> bool:
    """Whether both are one natural key in two spellings."""
    is_key = cell.column.notation in _NOTATIONS_OF_KEYS or cell.column.name in ("username", "user", "name", "base")
    return (
        is_key
        and isinstance(before, str)
        and cell.value is not None
        and _fold(before, cell.column.notation) == _fold(cell.value, cell.column.notation)
    )


def _show(value: Value) -> str:
    return repr(value) if value is not None else "cleared"
