from typing import Any

import pytest
from pydantic import BaseModel

from offhook.inventory.document import (
    AddressPart,
    DevicePart,
    DisplayNamePart,
    FeaturesPart,
    LinePart,
    LocationPart,
    NumberPart,
    UserPart,
)
from offhook.inventory.tabular.columns import COLUMNS, TABLES, Kind, Thing, explain_unknown, find_kind, parse_name

PARTS: dict[Thing, type[BaseModel]] = {
    Thing.LOCATION: LocationPart,
    Thing.USER: UserPart,
    Thing.NUMBER: NumberPart,
    Thing.DEVICE: DevicePart,
    Thing.LINE: LinePart,
}
WITHIN: dict[str, type[BaseModel]] = {
    "address": AddressPart,
    "offsite_address": AddressPart,
    "display_name": DisplayNamePart,
    "features": FeaturesPart,
}


def fields_of(kind: Kind) -> set[tuple[Thing, tuple[str, ...]]]:
    return {said for column in TABLES[kind] for said in column.says}


def test_every_column_sets_a_field_of_the_document() -> None:
    for kind in Kind:
        for column in COLUMNS[kind].values():
            for thing, (name, *inner) in column.says:
                assert name in PARTS[thing].model_fields, column
                assert not inner or inner[0] in WITHIN[name].model_fields, column


@pytest.mark.parametrize(
    ("kind", "thing", "without"),
    [
        (Kind.LOCATIONS, Thing.LOCATION, {"rename_from"}),
        (Kind.USERS, Thing.USER, {"rename_from"}),
        (Kind.NUMBERS, Thing.NUMBER, set()),
        (Kind.DEVICES, Thing.DEVICE, {"rename_from", "lines"}),
        (Kind.ASSIGNMENTS, Thing.LINE, set()),
    ],
)
def test_every_field_of_the_document_has_a_column(kind: Kind, thing: Thing, without: set[str]) -> None:
    expected: set[Any] = set()
    for name in PARTS[thing].model_fields.keys() - without:
        inner = WITHIN[name].model_fields if name in WITHIN else [None]
        expected |= {(thing, (name, field) if field else (name,)) for field in inner}
    assert {said for said in fields_of(kind) if said[0] is thing} == expected


def test_no_table_has_two_columns_for_a_field_or_two_fields_for_a_column() -> None:
    for kind, columns in TABLES.items():
        assert len({column.name for column in columns}) == len(columns), kind
        assert len(fields_of(kind)) == len(columns) - 1, kind


@pytest.mark.parametrize("kind", Kind)
def test_the_header_of_an_export_tells_its_kind(kind: Kind) -> None:
    assert find_kind({column.name for column in TABLES[kind] if not column.is_secret}) is kind


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("username first_name plan", Kind.USERS),
        ("username offsite_city", Kind.USERS),
        ("number user extension", Kind.NUMBERS),
        ("mac user", Kind.DEVICES),
        ("type name", Kind.DEVICES),
        ("mac port number", Kind.ASSIGNMENTS),
        ("name user line", Kind.ASSIGNMENTS),
        ("name city country", Kind.LOCATIONS),
        ("username number", Kind.ALL),
        ("username mac", Kind.ALL),
        ("number type mac extension", Kind.ALL),
        ("mac line_extension", Kind.ALL),
        ("", Kind.ALL),
        ("username forward_busy status", Kind.NUMBERS),
    ],
)
def test_the_kind_is_told_by_the_columns(header: str, kind: Kind) -> None:
    assert find_kind(set(header.split())) is kind


def test_column_names_are_written_as_people_write_them() -> None:
    assert [parse_name(text) for text in ("First name", " MAC ", "display-first", "E Mail")] == [
        "first_name",
        "mac",
        "display_first",
        "e_mail",
    ]


def test_an_unknown_column_is_told_with_what_may_be_meant() -> None:
    assert explain_unknown("fist_name", Kind.USERS) == "unknown column 'fist_name'; did you mean 'first_name'?"
    assert "those of numbers, all have" in explain_unknown("station_type", Kind.USERS)
    assert explain_unknown("zzzz", Kind.ASSIGNMENTS).startswith("unknown column 'zzzz'; known here: account, mac, ipei")
    assert "no name" in explain_unknown("", Kind.ALL)
