"""The audit: who changed or revealed what, latest first."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from offhook.admin.device_names import device_key, find_devices
from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.query import DEFAULT_LIMIT, MAX_LIMIT, Page, Query
from offhook.admin.routes import PAGING, Call, Param, Route, format_time, json_response
from offhook.errors import Invalid
from offhook.inventory.identifiers import format_ipei, format_mac, parse_ipei, parse_mac
from offhook.inventory.models import Account, Device
from offhook.inventory.snapshot import Inventory
from offhook.store.audit import AuditEntry, AuditFilter
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
    account: str | None
    #: The account that it concerns; None where that is none, or several, or one that is gone.
    before: Mapping[str, str]
    after: Mapping[str, str]
    #: Fields that differ, secrets masked.
    reason: str


def routes(services: Services) -> list[Route]:
    async def list_audit(call: Call) -> web.Response:
        """List what was changed and revealed, latest first.

        A device is found by all its identifiers, those that it had before it was replaced too.
        """
        query, inventory = call.query, services.inventory.inventory
        limit = max(1, query.number("limit", DEFAULT_LIMIT, MAX_LIMIT))
        before = query.number("cursor", 2**63 - 1, 2**63 - 1)
        wanted = _parse_filter(query, inventory)
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(services.executor, services.audit.read, limit + 1, before, wanted)
        more = str(entries[limit - 1].id) if len(entries) > limit else None
        return json_response(Page(tuple(_view(entry, inventory) for entry in entries[:limit]), more))

    return [
        Route(
            method="GET",
            path="/audit",
            role=Role.OPERATOR,
            handler=list_audit,
            query=(
                Param("q", "Part of anything that a record holds."),
                Param("account", "Only what concerns this account."),
                Param("actor", "Part of the name of who did it."),
                Param("action", "Only this: `create`, `update`, `delete`, `reveal` or whatever else was done."),
                Param("kind", "Only this kind of thing: `device`, `user`, `line`."),
                Param("key", "Part of what it was done to; of a device its MAC in any notation, its IPEI or name."),
                Param("request_id", "Only what this request did."),
                Param("since", "Only from this time on: ISO 8601, in UTC where it names no zone."),
                Param("until", "Only before this time."),
                *PAGING,
            ),
            gives=Page[AuditView],
        )
    ]


def _parse_filter(query: Query, inventory: Inventory) -> AuditFilter:
    account = get_account(inventory, query.text("account")) if query.text("account") else None
    key = query.text("key")
    return AuditFilter(
        accounts=frozenset({account.id}) if account is not None else None,
        actor=query.text("actor"),
        action=query.text("action").lower(),
        kind=query.text("kind").lower(),
        keys=tuple(dict.fromkeys(_names_of(inventory, key))) if key else (),
        text=query.text("q"),
        request_id=query.text("request_id"),
        since=query.moment("since"),
        until=query.moment("until"),
    )


def _names_of(inventory: Inventory, text: str) -> Iterator[str]:
    """What records may have called that thing."""
    yield text
    identifiers = {text}
    for parse, write in ((parse_mac, format_mac), (parse_ipei, format_ipei)):
        try:
            identifiers.add(parse(text))
        except Invalid:
            continue
        yield write(parse(text))
    devices = {device.id: device for device in find_devices(inventory, text)}
    devices |= {it.id: it for it in inventory.all(Device) if not identifiers.isdisjoint(it.former_identifiers)}
    for device in devices.values():
        if device.mac or device.ipei:
            yield device_key(device)
        for former in device.former_identifiers:
            yield format_mac(former) if device.mac else format_ipei(former)


def _view(entry: AuditEntry, inventory: Inventory) -> AuditView:
    record = entry.record
    account = inventory.find(Account, record.account_id)
    return AuditView(
        id=str(entry.id),
        at=format_time(record.at),
        actor=record.actor,
        origin=record.origin,
        request_id=record.request_id,
        action=record.action,
        kind=record.kind,
        key=record.key,
        account=account.name if account is not None else None,
        before=json.loads(record.before or "{}"),
        after=json.loads(record.after or "{}"),
        reason=record.reason,
    )
