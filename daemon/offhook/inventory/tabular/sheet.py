"""CSV as spreadsheets, databases and people write it: from bytes to rows of cells that know their line."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from offhook.errors import DocumentError, Fault
from offhook.yamldoc import Bounds

_DELIMITERS: Final = (",", ";", "\t")
#: Excel's own: the first line says what parts the cells of the others.
_DECLARED: Final = re.compile(r'\A"?sep=(.)"?[;,\t]*(?:\r\n|\r|\n)', re.IGNORECASE)
_COLUMNS: Final = 256
#: Characters of a cell; no field of the inventory holds as much.
CELL_CHARACTERS: Final = 1024
#: How office suites' own files begin: .xlsx and .ods are ZIP archives, .xls is an OLE compound file.
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_SAVE_AS: Final = 'save it as "CSV UTF-8 (comma delimited)"'


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file."""

    line: int
    #: In which it begins, from 1: a quoted cell may go on for several.
    cells: tuple[str, ...]
    #: Without blanks around them.


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds."""

    header: Row
    rows: Iterator[Row]
    #: Without those in which every cell is empty. They are read as one goes through them, once.
    warnings: tuple[Fault, ...]


def read_sheet(raw: bytes, file: str, bounds: Bounds) -> Sheet:
    """Reads a table: UTF-8, UTF-16 or Windows-1252; commas, semicolons or tabs; any line ends.

    Raises DocumentError, at once or from ``rows``, for what cannot be read at all: other encodings and formats, a quote
    that is not closed, and what is larger than ``bounds``.
    """
    if len(raw) > bounds.document_bytes:
        raise _refused(f"is {len(raw)} bytes long; at most {bounds.document_bytes} are read", file)
    text, warnings = _decode(raw, file)
    rows = _rows(text, file, bounds)
    header = next(rows, None)
    if header is None:
        raise _refused("is empty; the first row names the columns", file)
    if len(header.cells) > _COLUMNS:
        raise _refused(f"has {len(header.cells)} columns; at most {_COLUMNS} are read", file, header.line)
    return Sheet(header, rows, warnings)


def _refused(message: str, file: str, line: int = 0) -> DocumentError:
    return DocumentError([Fault(message, "", file, line)])


def _decode(raw: bytes, file: str) -> tuple[str, tuple[Fault, ...]]:
    if raw.startswith(_WORKBOOKS):
        raise _refused(f"is a workbook, not CSV; open it in a spreadsheet and {_SAVE_AS}", file)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(raw, "utf-16", file), ()
    try:
        return _without_nul(raw.decode("utf-8-sig"), file), ()
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", raw[: error.start])) + 1
        warning = Fault(
            "is not UTF-8 and was read as Windows-1252, which Excel writes as plain CSV",
            "",
            file,
            line,
            remedy=f"where letters come out wrong, {_SAVE_AS}",
        )
        return _decoded(raw, "cp1252", file), (warning,)


def _decoded(raw: bytes, encoding: str, file: str) -> str:
    try:
        return _without_nul(raw.decode(encoding), file)
    except UnicodeDecodeError:
        raise _refused(f"is neither UTF-8 nor UTF-16 nor Windows-1252; {_SAVE_AS}", file) from None


def _without_nul(text: str, file: str) -> str:
    if (at := text.find("\0")) >= 0:
        raise _refused(f"holds NUL characters, so it is no text; {_SAVE_AS}", file, len(text[:at].splitlines()) or 1)
    return text


def _rows(text: str, file: str, bounds: Bounds) -> Iterator[Row]:
    declared = _DECLARED.match(text)
    delimiter = declared[1] if declared else _find_delimiter(text)
    if delimiter in '"\r\n':
        raise _refused(f"declares {delimiter!r} as what parts its cells; write sep=; or drop the line", file, 1)
    lines = io.StringIO(text, newline="")
    if declared:
        lines.readline()
    passed = 1 if declared else 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins, count = passed + 1, 0
    try:
        for cells in reader:
            count += len(cells)
            if count > bounds.nodes:
                raise _refused(f"has more than {bounds.nodes} cells, which is as many as are read", file, begins)
            stripped = tuple([cell.strip() for cell in cells])
            if any(stripped):
                yield Row(begins, stripped)
            begins = passed + reader.line_num + 1
    except csv.Error as error:
        raise _refused(_explain(error, begins, passed + reader.line_num), file, begins) from None


def _explain(error: csv.Error, first: int, last: int) -> str:
    message = str(error)
    if "unexpected end" in message:
        return "a quote that is opened here is not closed before the end of the file; close it, or write two for one"
    if "field larger" in message:
        return f"a cell that begins here has more than {csv.field_size_limit()} characters; is a quote not closed?"
    where = f", up to line {last}," if last > first else ""
    return f"in this row{where} something follows a closing quote; write a quote within a quoted cell twice"


def _find_delimiter(text: str) -> str:
    """What parts the cells of the first line that is not empty: that which makes most of them."""
    first = next((line for line in _lines(text) if line.strip(" ,;\t")), "")
    return max(_DELIMITERS, key=lambda delimiter: _count_cells(first, delimiter))


def _lines(text: str) -> Iterable[str]:
    return (line.rstrip("\r\n") for line in io.StringIO(text, newline=""))


def _count_cells(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0
