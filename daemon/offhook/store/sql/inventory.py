"""The inventory in SQL: loads every entity once, writes changes in one transaction each."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError

from offhook.errors import KeyUnusable, StoreUnavailable
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
    User,
)
from offhook.inventory.ports import AuditRecord, Change, Put, SecretBox
from offhook.secret import Secret
from offhook.store.sql import tables

_TABLES: Final[dict[type[Entity], Table]] = {
    Account: tables.accounts,
    Location: tables.locations,
    User: tables.users,
    Number: tables.numbers,
    DectSystem: tables.dect_systems,
    Device: tables.devices,
    Line: tables.lines,
    Credential: tables.credentials,
    Carrier: tables.carriers,
}

#: Ids in one IN (...); below SQLite's limit of variables.
_CHUNK: Final = 500
_CHECK_TEXT: Final = "offhook"
_CHECK_CONTEXT: Final = "key check"


class SqlInventoryStore:
    """Satisfies :class:`offhook.inventory.ports.InventoryStore`; HA1s are sealed in the database."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        self._engine = engine
        self._box = box

    def check_key(self) -> None:
        """Raises KeyUnusable where the secrets were sealed with another key; remembers the key of an empty store."""
        with self._engine.begin() as connection:
            sealed = connection.execute(select(tables.key_check.c.sealed)).scalar()
            if sealed is None:
                sealed = self._box.seal(Secret(_CHECK_TEXT), _CHECK_CONTEXT)
                connection.execute(insert(tables.key_check).values(id=1, sealed=sealed))
        if self._box.open(sealed, _CHECK_CONTEXT).reveal() != _CHECK_TEXT:
            raise KeyUnusable("the key opens this inventory's key check to another text; restore a backup")

    def load(self) -> Iterable[Entity]:
        """Every entity. Raises KeyUnusable where a secret does not open, StoreUnavailable where the disk fails."""
        try:
            yield from self._load()
        except DBAPIError as error:
            raise StoreUnavailable(f"the inventory cannot be read: {error.orig}. Check the disk.") from None

    def _load(self) -> Iterable[Entity]:
        with self._engine.connect() as connection:
            for kind, table in _TABLES.items():
                for row in connection.execute(select(table)).mappings():
                    yield self._entity(kind, dict(row))

    def commit(self, changes: Sequence[Change], audit: Sequence[AuditRecord]) -> None:
        try:
            with self._engine.begin() as connection:
                self._write(connection, changes)
                if audit:
                    connection.execute(insert(tables.audit), [_audit_row(record) for record in audit])
        except DBAPIError as error:
            raise StoreUnavailable(
                f"the inventory was not changed: {error.orig}. Check the disk of the state_dir, then try again."
            ) from None

    def _write(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Takes away every row concerned, then puts back those that stay: so names and extensions can swap."""
        for kind, table in _TABLES.items():
            concerned = [change for change in changes if type(change.entity) is kind]
            ids = [change.entity.id for change in concerned]
            for start in range(0, len(ids), _CHUNK):
                connection.execute(delete(table).where(table.c.id.in_(ids[start : start + _CHUNK])))
            rows = [self._row(change.entity) for change in concerned if isinstance(change, Put)]
            if rows:
                connection.execute(insert(table), rows)

    def _row(self, entity: Entity) -> dict[str, Any]:
        row = {field.name: getattr(entity, field.name) for field in fields(entity)}
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
    return {field.name: getattr(record, field.name) for field in fields(record)}
