"""The audit: who changed or revealed what, latest first."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from offhook.admin.ports import Services
from offhook.admin.query import DEFAULT_LIMIT, MAX_LIMIT, Page
from offhook.admin.routes import Call, Route, format_time, json_response
from offhook.store.audit import AuditEntry
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """A record of the audit."""

    id: str
    at: str | None
    actor: str
    origin: str
    request_id: str
    action: str
    kind: str
    key: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    #: Fields that differ, secrets masked.
    reason: str


def routes(services: Services) -> list[Route]:
    async def list_audit(call: Call) -> web.Response:
        query = call.query("limit", "cursor")
        limit = max(1, query.number("limit", DEFAULT_LIMIT, MAX_LIMIT))
        before = query.number("cursor", 2**63 - 1, 2**63 - 1)
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(services.executor, services.audit.read, limit + 1, before)
        more = str(entries[limit - 1].id) if len(entries) > limit else None
        return json_response(Page(tuple(_view(entry) for entry in entries[:limit]), more))

    return [Route("GET", "/audit", Role.OPERATOR, list_audit)]


def _view(entry: AuditEntry) -> AuditView:
    record = entry.record
    return AuditView(
        id=str(entry.id),
        at=format_time(record.at),
        actor=record.actor,
        origin=record.origin,
        request_id=record.request_id,
        action=record.action,
        kind=record.kind,
        key=record.key,
        before=json.loads(record.before or "{}"),
        after=json.loads(record.after or "{}"),
        reason=record.reason,
    )
