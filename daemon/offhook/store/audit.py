"""Reads the audit: the records that each change of the inventory wrote along with itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from offhook.errors import StoreUnavailable
from offhook.inventory.ports import AuditRecord
from offhook.store.sql.tables import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A record, and its place in the sequence of all records."""

    id: int
    record: AuditRecord


class SqlAuditLog:
    """The table ``audit``, latest first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, limit: int, before: int | None = None) -> Sequence[AuditEntry]:
        """Up to ``limit`` records older than the record ``before``. Blocks; raises StoreUnavailable."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        try:
            with self._engine.connect() as connection:
                rows = [dict(row) for row in connection.execute(query).mappings()]
        except DBAPIError as error:
            raise StoreUnavailable(f"the audit could not be read: {error.orig}. Try again.") from None
        return [AuditEntry(row.pop("id"), AuditRecord(**row)) for row in rows]
