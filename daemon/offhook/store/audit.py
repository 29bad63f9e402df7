"""Reads the audit: the records that each change of the inventory wrote along with itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Engine, Select, or_, select
from sqlalchemy.exc import DBAPIError

from offhook.errors import StoreUnavailable
from offhook.inventory.ports import AuditRecord
from offhook.store.sql.tables import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A record, and its place in the sequence of all records."""

    id: int
    record: AuditRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which records are wanted. All conditions hold together; the default of each is none."""

    accounts: frozenset[int] | None = None
    #: Ids; none for those that concern no account.
    actor: str = ""
    #: Part of the name, without case.
    action: str = ""
    kind: str = ""
    keys: tuple[str, ...] = ()
    #: Parts of what it is about, any of them, without case: a device is known by several identifiers.
    text: str = ""
    #: Part of anything in it, without case.
    request_id: str = ""
    since: float | None = None
    until: float | None = None
    #: From then on, and before then.


EVERY_RECORD: Final = AuditFilter()


class SqlAuditLog:
    """The table ``audit``, latest first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, limit: int, before: int | None = None, wanted: AuditFilter = EVERY_RECORD) -> Sequence[AuditEntry]:
        """Up to ``limit`` records older than the record ``before``. Blocks; raises StoreUnavailable."""
        query = _narrow(select(audit), wanted).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        try:
            with self._engine.connect() as connection:
                rows = [dict(row) for row in connection.execute(query).mappings()]
        except DBAPIError as error:
            raise StoreUnavailable(f"the audit could not be read: {error.orig}. Try again.") from None
        return [AuditEntry(row.pop("id"), AuditRecord(**row)) for row in rows]


def _narrow(query: Select[tuple[object, ...]], wanted: AuditFilter) -> Select[tuple[object, ...]]:
    columns = audit.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.accounts is not None:
        conditions.append(columns.account_id.in_(sorted(wanted.accounts)))
    if wanted.request_id:
        conditions.append(columns.request_id == wanted.request_id)
    if wanted.actor:
        conditions.append(columns.actor.icontains(wanted.actor, autoescape=True))
    if wanted.action:
        conditions.append(columns.action == wanted.action)
    if wanted.kind:
        conditions.append(columns.kind == wanted.kind)
    if wanted.keys:
        conditions.append(or_(*(columns.key.icontains(key, autoescape=True) for key in wanted.keys)))
    if wanted.text:
        searched = (columns.actor, columns.origin, columns.key, columns.before, columns.after, columns.reason)
        conditions.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in searched)))
    if wanted.since is not None:
        conditions.append(columns.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.at < wanted.until)
    return query.where(*conditions)
