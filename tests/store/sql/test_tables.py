"""Columns hold the fields of the models, and give values back as they were."""

import json
from dataclasses import fields

import pytest
from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from offhook.inventory import models
from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.ports import AuditRecord
from offhook.store.sql import tables
from offhook.store.sql.tables import AddressText, EnumText, TupleText

DIALECT = sqlite.dialect()


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (tables.accounts, models.Account),
        (tables.locations, models.Location),
        (tables.users, models.User),
        (tables.numbers, models.Number),
        (tables.dect_systems, models.DectSystem),
        (tables.devices, models.Device),
        (tables.lines, models.Line),
        (tables.credentials, models.Credential),
        (tables.carriers, models.Carrier),
    ],
)
def test_a_table_has_a_column_for_each_field(table: Table, kind: type[models.Entity]) -> None:
    assert {column.name for column in table.columns} == {field.name for field in fields(kind)}


def test_the_audit_has_a_column_for_each_field_and_a_number() -> None:
    assert {column.name for column in tables.audit.columns} == {field.name for field in fields(AuditRecord)} | {"id"}


def test_values_come_back() -> None:
    address = EmergencyAddress(
        entered=CivicAddress(country="US", city="Zürich"),
        state=AddressState.REJECTED,
        in_force=CivicAddress(country="CH"),
        message="no such street",
        checked_at=5.0,
        in_force_at=4.0,
        in_force_by=CheckedBy.HTTP,
        original="Bahnhofstrasse, Zürich",
    )
    text = AddressText()
    assert text.process_result_value(text.process_bind_param(address, DIALECT), DIALECT) == address
    older = EmergencyAddress(entered=CivicAddress(country="CH"))
    written = json.loads(text.process_bind_param(older, DIALECT) or "")
    del written["in_force_by"], written["in_force_at"], written["original"]
    assert text.process_result_value(json.dumps(written), DIALECT) == older
    assert text.process_bind_param(None, DIALECT) is None
    assert text.process_result_value(None, DIALECT) is None
    pairs = TupleText()
    assert pairs.process_result_value(pairs.process_bind_param((("a", "b"),), DIALECT), DIALECT) == (("a", "b"),)
    assert pairs.process_result_value(pairs.process_bind_param(("a",), DIALECT), DIALECT) == ("a",)
    enum = EnumText(models.Plan)
    assert enum.process_result_value(enum.process_bind_param(models.Plan.PLUS, DIALECT), DIALECT) is models.Plan.PLUS
