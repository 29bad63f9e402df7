"""A table, read as far as it can be read: the same as :mod:`offhook.inventory.reading` gives of a YAML document."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from offhook.errors import DocumentError, Fault
from offhook.inventory.models import Account
from offhook.inventory.reading import FAULTS_JUDGED, Reading, list_faults, read_parts
from offhook.inventory.snapshot import Inventory
from offhook.inventory.tabular.columns import ACCOUNT, COLUMNS, Column, Kind, explain_unknown, find_kind, parse_name
from offhook.inventory.tabular.parts import Cell, Parts
from offhook.inventory.tabular.sheet import CELL_CHARACTERS, Row, read_sheet
from offhook.inventory.tabular.spreadsheet import Notation, find_damage, unguard
from offhook.yamldoc import Bounds, Place, document_of

#: In a cell: back to what it is by itself. An empty cell leaves things as they are.
CLEAR: Final = "-"
#: Columns that say what a row is about, one of which a table needs.
_KEYS: Final = {
    Kind.LOCATIONS: ("name",),
    Kind.USERS: ("username",),
    Kind.NUMBERS: ("number",),
    Kind.DEVICES: ("mac", "ipei", "name"),
    Kind.ASSIGNMENTS: ("mac", "ipei", "name"),
    Kind.ALL: ("username", "number", "mac", "ipei", "name"),
}


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What the administrator says about a table beside what stands in it."""

    kind: Kind | None = None
    #: None: as its header tells.
    account: str | None = None
    #: Of rows that do not name one; then they name no other. None: the only one that there is.


@dataclass(slots=True)
class _Faults:
    """What is wrong, as far as anybody wants to know."""

    file: str
    header: Sequence[str]
    found: list[Fault] = field(default_factory=list)
    omitted: int = 0

    def add(self, place: Place, message: str, remedy: str = "") -> None:
        if len(self.found) == FAULTS_JUDGED:
            self.omitted += 1
            return
        line, column = place
        name = self.header[column - 1] if 0 < column <= len(self.header) else ""
        self.found.append(Fault(message, name, self.file, line, column, remedy=remedy))

    def refuse(self) -> None:
        """Raises DocumentError where there are any."""
        if self.found:
            raise DocumentError(list_faults(self.found, self.omitted, is_all=not self.omitted)) from None


def read_table(
    raw: bytes, file: str, options: TableOptions, inventory: Inventory, bounds: Bounds | None = None
) -> Reading:
    """Reads a table. Raises DocumentError, with every fault, where nothing of it can be judged.

    ``inventory`` says which accounts there are: a table makes none.
    """
    bounds = bounds or Bounds()
    sheet = read_sheet(raw, file, bounds)
    faults = _Faults(file, sheet.header.cells)
    names = [parse_name(cell) for cell in sheet.header.cells]
    kind = options.kind or find_kind(set(names))
    columns = _find_columns(names, kind, sheet.header.line, faults)
    faults.refuse()
    accounts = _Accounts(inventory, options.account, faults, has_column=ACCOUNT in columns)
    parts = Parts(kind, faults.add)
    try:
        for row in sheet.rows:
            cells = _cells(row, columns, faults)
            account = accounts.of(cells.pop(ACCOUNT.name, None), row)
            if faults.omitted:
                parts = Parts(kind, faults.add)  # Nobody will look at them: from here on faults are counted.
            elif cells and account is not None:
                parts.add(account, cells, row.line)
    except DocumentError as error:
        faults.found.extend(error.faults)
        faults.refuse()
    if faults.omitted:
        faults.refuse()
    document = document_of(
        parts.data, file, parts.places, columns=tuple(sheet.header.cells), faults=tuple(faults.found)
    )
    return replace(read_parts(document), warnings=sheet.warnings)


def _find_columns(names: Sequence[str], kind: Kind, line: int, faults: _Faults) -> list[Column | None]:
    columns: list[Column | None] = []
    known = COLUMNS[kind]
    for place, name in enumerate(names, start=1):
        column = known.get(name)
        if column is None and name:
            faults.add((line, place), explain_unknown(name, kind))
        elif column is not None and column in columns:
            faults.add((line, place), f"column {name!r} stands twice; drop one of the two")
        columns.append(column)
    keys = _KEYS[kind]
    if not any(key in names for key in keys):
        faults.add((line, 0), f"a table of {kind} needs the column {' or '.join(keys)}")
    return columns


def _cells(row: Row, columns: Sequence[Column | None], faults: _Faults) -> dict[str, Cell]:
    """The cells that say something. Damaged ones are told, and go on, so that what refers to them is not told too."""
    cells: dict[str, Cell] = {}
    for index, text in enumerate(row.cells):
        if not text:
            continue
        place = (row.line, index + 1)
        column = columns[index] if index < len(columns) else None
        if column is None:
            faults.add(place, "a value stands in a column without a name; name the column, or empty the cell")
            continue
        if len(text) > CELL_CHARACTERS:
            faults.add(place, f"has {len(text)} characters; at most {CELL_CHARACTERS} are read")
            continue
        value = _value(text, column)
        damage = find_damage(value, column.notation) if value is not None else None
        if damage is not None:
            faults.add(place, damage)
        cells[column.name] = Cell(value, column, place)
    return cells


def _value(text: str, column: Column) -> str | None:
    if text == CLEAR:
        return None
    if column.notation is Notation.SECRET:
        return text
    if column.notation is Notation.CHOICE:
        return text.lower().replace(" ", "_").replace("-", "_")
    return unguard(text)


class _Accounts:
    """Which account a row is of."""

    def __init__(self, inventory: Inventory, wanted: str | None, faults: _Faults, *, has_column: bool) -> None:
        self._inventory = inventory
        self._faults = faults
        self._wanted = wanted
        self._known: dict[str, str | None] = {}
        #: By what stands in the cell; None is at fault, and told already.
        self._default = wanted or self._only(has_column=has_column)

    def of(self, cell: Cell | None, row: Row) -> str | None:
        """The account's name; None where there is none of that name, which is told once."""
        if cell is None or cell.value is None:
            if self._default is None:
                self._faults.add((row.line, 0), "the row names no account; fill in account, or say --account NAME")
            return self._default
        if cell.value not in self._known:
            self._known[cell.value] = self._find(cell.value, cell.place)
        return self._known[cell.value]

    def _only(self, *, has_column: bool) -> str | None:
        names = [account.name for account in self._inventory.all(Account)]
        if len(names) == 1:
            return names[0]
        if not names:
            self._faults.add((1, 0), "there is no account to import into; create it first, with its SIP domain")
            self._faults.refuse()
        if not has_column:
            self._faults.add((1, 0), "the table does not say which account it is of; say --account NAME")
            self._faults.refuse()
        return None

    def _find(self, name: str, place: Place) -> str | None:
        account = self._inventory.find_account(name)
        if account is None:
            self._faults.add(place, f"there is no account {name!r}", "correct it, or create the account first")
            return None
        if self._wanted is not None and account.name != self._wanted:
            self._faults.add(place, f"the row is of account {account.name}, not of {self._wanted}", "import it apart")
            return None
        return account.name
