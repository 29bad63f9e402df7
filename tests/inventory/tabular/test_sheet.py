import csv
import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import DocumentError, Fault
from offhook.inventory.tabular.sheet import Row, read_sheet
from offhook.yamldoc import Bounds

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).map(str.strip)


@dataclass(frozen=True, slots=True)
class Read:
    """A sheet whose rows have been gone through."""

    header: Row
    rows: list[Row]
    warnings: tuple[Fault, ...]


def read(raw: bytes | str, **bounds: int) -> Read:
    sheet = read_sheet(raw if isinstance(raw, bytes) else raw.encode(), "t.csv", Bounds(**bounds))
    return Read(sheet.header, list(sheet.rows), sheet.warnings)


def fault_of(raw: bytes | str, **bounds: int) -> str:
    with pytest.raises(DocumentError) as caught:
        read(raw, **bounds)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_usual_form_is_read_alike(delimiter: str, line_end: str, encoding: str) -> None:
    lines = ["username,first_name", '"jane","Jané"', "", "rob,Rob,,", ",,"]
    text = line_end.join(lines).replace(",", delimiter) + line_end
    sheet = read(text.encode(encoding))
    assert sheet.header.cells == ("username", "first_name")
    assert [(row.line, row.cells[:2]) for row in sheet.rows] == [(2, ("jane", "Jané")), (4, ("rob", "Rob"))]
    assert not sheet.warnings


def test_lines_are_those_of_the_file_where_cells_go_on_for_several() -> None:
    sheet = read('a,b\n"one\ntwo\r\nthree",x\n\n"\n",\nlast,y\n')
    assert [(row.line, row.cells[1]) for row in sheet.rows] == [(2, "x"), (8, "y")]


@pytest.mark.parametrize("declared", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
def test_what_excel_declares_is_believed(declared: str) -> None:
    sheet = read(f"{declared}\r\na,b;c\r\n1;2\r\n")
    assert (sheet.header.line, sheet.header.cells) == (2, ("a,b", "c"))
    assert (sheet.rows[0].line, sheet.rows[0].cells) == (3, ("1", "2"))


def test_windows_1252_is_read_with_a_warning_that_names_the_line() -> None:
    sheet = read("name;x\nplain;1\nJörg;2\n".encode("cp1252"))
    assert sheet.rows[1].cells == ("Jörg", "2")
    assert [str(warning) for warning in sheet.warnings] == [
        "t.csv:3: is not UTF-8 and was read as Windows-1252, which Excel writes as plain CSV; where letters come out "
        'wrong, save it as "CSV UTF-8 (comma delimited)"'
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n,,\n", "is empty"),
        (b"PK\x03\x04....", "is a workbook, not CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "is a workbook, not CSV"),
        (b"\xff\xfea", "neither UTF-8 nor UTF-16 nor Windows-1252"),
        (b"a,\x81\n", "neither UTF-8 nor UTF-16 nor Windows-1252"),
        ("a,b\nc,d\n".encode("utf-16-le"), "t.csv:1: holds NUL characters"),
        (b'a,b\n1,2\n3,"open\n4,5\n', "t.csv:3: a quote that is opened here is not closed"),
        (b'a,b\n"x"y,2\n', "t.csv:2: in this row something follows a closing quote"),
        (b"a\n" + b"x" * 200_000, "t.csv:2: a cell that begins here has more than 131072 characters"),
        (b"," * 300 + b"a", "t.csv:1: has 301 columns"),
        (b'sep="\na"b\n', "declares"),
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(raw: bytes, said: str) -> None:
    assert said in fault_of(raw)


def test_a_table_is_bounded() -> None:
    assert "at most 5 are read" in fault_of("a,b\n1,2\n", document_bytes=5)
    assert "t.csv:3: has more than 5 cells" in fault_of("a,b\n1,2\n3,4\n", nodes=5)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=8), st.sampled_from(",;\t"))
def test_what_any_program_writes_is_read(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["username", "first_name"])
    writer.writerows(rows)
    sheet = read(out.getvalue())
    assert [row.cells for row in sheet.rows] == [tuple(row) for row in rows if any(row)]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        sheet = read(raw)
    except DocumentError:
        return
    assert all(any(row.cells) for row in (sheet.header, *sheet.rows))
