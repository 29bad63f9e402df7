"""Addresses judged by ranges of house numbers, and files of ranges that are refused with their lines."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import DocumentError
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency import street_ranges
from offhook.inventory.emergency.street_ranges import COLUMNS, FAULTS_LIMIT, StreetRanges, read_street_ranges
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid

HEADER = ",".join(COLUMNS)
GUIDE = f"""{HEADER}
US,NV,Reno,89501,N,Main,Street,,100,198,even
US,NV,Reno,89501,N,Main,St,,101,199,odd
US,NV,Reno,89502,S,Main,St,,100,298,both
US,NV,Reno,89501,,Main,Ave,,400,498,even

CA,QC,Montréal,H3B 4W5,,rue Sainte-Catherine,,O,1000,1100,both
"""
HERE = CivicAddress(
    country="US",
    state="NV",
    city="Reno",
    house_number="110",
    pre_directional="N",
    street="Main",
    suffix="St",
    postal_code="89501",
)


@pytest.fixture(scope="module")
def guide() -> StreetRanges:
    return StreetRanges.parse(GUIDE)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"house_number": "111"},
        {"house_number": "100"},
        {"house_number": "199"},
        {"postal_code": "89501-1234"},
        {"city": "RENO", "street": "MAIN"},
        {"pre_directional": "S", "postal_code": "89502", "house_number": "298"},
        {"unit": "Apt 4", "house_suffix": "A"},
    ],
)
async def test_what_lies_in_a_range_is_valid(guide: StreetRanges, changes: dict[str, str]) -> None:
    address = replace(HERE, **changes)
    assert await guide.validate(address) == Valid(address)


async def test_a_kind_before_the_name_is_part_of_it_in_the_guide(guide: StreetRanges) -> None:
    address = CivicAddress(
        country="CA",
        state="QC",
        city="Montréal",
        house_number="1050",
        pre_type="Rue",
        street="Sainte-Catherine",
        post_directional="O",
        postal_code="H3B 4W5",
    )
    assert await guide.validate(address) == Valid(address)


@pytest.mark.parametrize(
    ("changes", "corrections"),
    [
        ({"pre_directional": ""}, [("N", "St", "89501"), ("S", "St", "89502")]),
        ({"house_number": "298"}, [("S", "St", "89502")]),
        ({"pre_directional": "", "house_number": "400"}, [("", "Ave", "89501")]),
        ({"postal_code": "89509", "house_number": "101"}, [("N", "St", "89501"), ("S", "St", "89502")]),
    ],
)
async def test_near_misses_are_offered(
    guide: StreetRanges, changes: dict[str, str], corrections: list[tuple[str, str, str]]
) -> None:
    verdict = await guide.validate(replace(HERE, **changes))
    assert isinstance(verdict, Corrected)
    assert [(c.pre_directional, c.suffix, c.postal_code) for c in verdict.candidates] == corrections
    assert [await guide.validate(c) for c in verdict.candidates] == [Valid(c) for c in verdict.candidates]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"house_number": "99"}, Check.HOUSE_NUMBER),
        ({"house_number": "9" * 40}, Check.HOUSE_NUMBER),
        ({"house_number": "١١٠"}, Check.HOUSE_NUMBER),
        ({"street": "Elm"}, Check.STREET),
        ({"city": "Sparks"}, Check.CITY),
    ],
)
async def test_the_rest_is_refused_with_what_to_check(
    guide: StreetRanges, changes: dict[str, str], check: Check
) -> None:
    verdict = await guide.validate(replace(HERE, **changes))
    assert isinstance(verdict, Refused)
    assert check in verdict.checks
    assert verdict.message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("US,NV,Reno,89501,N,Main,St,,100,198", "10 fields instead of 11"),
        ("US,ZZ,Reno,89501,Up,Main,Strasse,,100,198,left", "state 'ZZ' is not known; pre_dir 'Up' is not known"),
        ("US,NV,Reno,895,N,Main,St,,100,198,even", "postal_code '895'"),
        ("US,NV,Reno,89501,N,Main,St,,198,100,even", "low not above high"),
        ("US,NV,Reno,89501,N,Main,St,,1e2,198,even", "whole numbers"),
        (f"US,NV,Reno,89501,N,Main,St,,1,{'9' * 5000},even", "longer than 255"),
        ("US,NV,,89501,N,Main,St,,100,198,even", "city and street"),
        ("DE,BE,Berlin,10117,,Unter den Linden,,,1,77,both", "use US or CA"),
        ('US,NV,"Re"no,89501,N,Main,St,,100,198,even', "not CSV"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        StreetRanges.parse(f"{GUIDE}{row}\n", file="guide.csv")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("guide.csv", 8)
    assert message in fault.message


@pytest.mark.parametrize(
    "text", ["", "\n", "country,state\n", HEADER.replace("parity", "low") + "\n", GUIDE[len(HEADER) + 1 :]]
)
def test_the_first_line_names_the_columns(text: str) -> None:
    with pytest.raises(DocumentError):
        StreetRanges.parse(text)


def test_the_countries_that_something_is_known_of(guide: StreetRanges) -> None:
    assert guide.countries == {"US", "CA"}
    assert StreetRanges.parse(f"{HEADER}\n").countries == frozenset()


def test_columns_may_stand_in_any_order() -> None:
    rows = [line.split(",")[::-1] for line in GUIDE.splitlines() if line]
    guide = StreetRanges.parse("\n".join(",".join(row) for row in rows))
    assert guide.judge(HERE) == Valid(HERE)


def test_faults_are_bounded() -> None:
    with pytest.raises(DocumentError) as caught:
        StreetRanges.parse(HEADER + "\n" + "x\n" * 1000)
    assert len(caught.value.faults) == FAULTS_LIMIT


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(street_ranges, "ROWS_LIMIT", 2)
    with pytest.raises(DocumentError, match="more than 2 ranges"):
        StreetRanges.parse(GUIDE)


def test_files_are_read_with_their_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "guide.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GUIDE.replace("\n", "\r\n").encode())
    assert read_street_ranges(path).judge(HERE) == Valid(HERE)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_street_ranges(tmp_path / "absent.csv")
    path = tmp_path / "guide.csv"
    path.write_bytes(GUIDE.encode("latin-1"))
    with pytest.raises(DocumentError, match="not UTF-8"):
        read_street_ranges(path)
    monkeypatch.setattr(street_ranges, "SIZE_LIMIT", 10)
    with pytest.raises(DocumentError, match="larger than 10 bytes"):
        read_street_ranges(path)


@given(st.text(max_size=200), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_text_loads_or_is_refused(text: str, with_header: bool) -> None:
    with suppress(DocumentError):
        StreetRanges.parse(f"{HEADER}\n{text}" if with_header else text)
