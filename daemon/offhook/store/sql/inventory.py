"""The inventory in SQL: loads every entity once, writes changes in one transaction each."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, select
from sqlalchemy.exc import DBAPIError

from offhook.errors import StoreUnavailable
from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    DectSystem,
    Device,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.ports import AuditRecord, Change, Put
from offhook.inventory.resealing import find_sealed
from offhook.secret import Secret
from offhook.store.envelope import Envelope
from offhook.store.sql import tables
from offhook.store.sql.bulk_insert import BulkInsert

#: Where each kind is kept.
TABLES: Final[dict[type[Entity], Table]] = {
    Account: tables.accounts,
    Location: tables.locations,
    StationType: tables.station_types,
    User: tables.users,
    Number: tables.numbers,
    DectSystem: tables.dect_systems,
    Device: tables.devices,
    Line: tables.lines,
    Credential: tables.credentials,
    Carrier: tables.carriers,
}

#: By kind, what is written of an entity.
_COLUMNS: Final = {kind: tuple(field.name for field in fields(kind)) for kind in TABLES}
_AUDIT_COLUMNS: Final = tuple(field.name for field in fields(AuditRecord))
#: Ids in one IN (...); below SQLite's limit of variables.
_CHUNK: Final = 500


class SqlInventoryStore:
    """Satisfies :class:`offhook.inventory.ports.InventoryStore`; HA1s are sealed in the database.

    What a former data key sealed is written sealed with the current one.
    """

    def __init__(self, engine: Engine, box: Envelope) -> None:
        self._engine = engine
        self._box = box
        self._inserts = {kind: BulkInsert(table, _COLUMNS[kind], engine.dialect) for kind, table in TABLES.items()}
        self._insert_audit = BulkInsert(tables.audit, _AUDIT_COLUMNS, engine.dialect)

    def load(self) -> Iterable[Entity]:
        """Every entity. Raises KeyUnusable where a secret does not open, StoreUnavailable where the disk fails."""
        try:
            yield from self._load()
        except DBAPIError as error:
            raise StoreUnavailable(f"the inventory cannot be read: {error.orig}. Check the disk.") from None

    def _load(self) -> Iterable[Entity]:
        with self._engine.connect() as connection:
            for kind, table in TABLES.items():
                for row in connection.execute(select(table)).mappings():
                    yield self._entity(kind, dict(row))

    def commit(self, changes: Sequence[Change], audit: Sequence[AuditRecord]) -> None:
        try:
            with self._engine.begin() as connection:
                self._write(connection, changes)
                self._insert_audit.execute(connection, [_audit_row(record) for record in audit])
        except DBAPIError as error:
            raise StoreUnavailable(
                f"the inventory was not changed: {error.orig}. Check the disk of the state_dir, then try again."
            ) from None

    def _write(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Takes away every row concerned, then puts back those that stay: so names and extensions can swap."""
        for kind, table in TABLES.items():
            concerned = [change for change in changes if type(change.entity) is kind]
            ids = [change.entity.id for change in concerned]
            for start in range(0, len(ids), _CHUNK):
                connection.execute(delete(table).where(table.c.id.in_(ids[start : start + _CHUNK])))
            rows = [self._row(change.entity) for change in concerned if isinstance(change, Put)]
            self._inserts[kind].execute(connection, rows)

    def _row(self, entity: Entity) -> dict[str, Any]:
        row = {name: getattr(entity, name) for name in _COLUMNS[type(entity)]}
        for sealed in find_sealed(entity):
            # So a data key that seals nothing in the database can be dropped, whatever state somebody still holds.
            if self._box.is_outdated(sealed.content):
                row[sealed.field] = self._box.seal(self._box.open(sealed.content, sealed.context), sealed.context)
        if isinstance(entity, Credential):
            text = ";".join(f"{algorithm}={value}" for algorithm, value in entity.ha1)
            row["ha1"] = self._box.seal(Secret(text), f"credential:{entity.id}:ha1")
        return row

    def _entity(self, kind: type[Entity], row: dict[str, Any]) -> Entity:
        if kind is not Credential:
            return kind(**row)
        text = self._box.open(row.pop("ha1"), f"credential:{row['id']}:ha1").reveal()
        pairs = [part.partition("=") for part in text.split(";") if part]
        return replace(Credential(ha1=(), **row), ha1=tuple((name, value) for name, _, value in pairs))


def _audit_row(record: AuditRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _AUDIT_COLUMNS}
