"""Lines and what they register with."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from offhook.admin.device_names import device_key, get_device
from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.query import Page, collect_page
from offhook.admin.routes import PAGING, REASON, REVEAL, Call, Param, Route, json_response
from offhook.inventory.models import Device, Line
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True)
class LineView:
    """A line. The address of record of a line without assignment is its service address."""

    device: str
    index: int
    extension: str | None
    aor: str
    auth_username: str | None
    #: None where the account's registrar is a foreign one and no credentials were brought along.
    password: str | None = field(default=None, repr=False)
    #: None unless it was asked for.


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def list_lines(call: Call) -> web.Response:
        """List lines, and what they register with."""
        query = call.query
        reveal = query.flag("reveal")
        inventory = service.inventory
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        device = get_device(inventory, query.text("device")) if query.text("device") else None
        page = await collect_page(
            inventory.lines_of(device.id) if device is not None else inventory.all(Line),
            query,
            key=lambda line: line.id,
            view=lambda line: line,
            wanted=lambda line: account is None or line.account_id == account.id,
        )
        if not reveal:
            return json_response(Page(tuple(_view(inventory, line) for line in page.items), page.next))
        whose = f"device {device_key(device)}" if device else f"account {account.name}" if account else "all accounts"
        owner = device.account_id if device is not None else account.id if account is not None else 0
        reason = query.text("reason")[:256]
        await service.record(call.actor, "reveal", "line", f"lines of {whose}", reason, account_id=owner)

        def open_passwords() -> tuple[LineView, ...]:
            return tuple(_view(inventory, line, services) for line in page.items)

        views = await asyncio.get_running_loop().run_in_executor(services.executor, open_passwords)
        return json_response(Page(views, page.next))

    return [
        Route(
            method="GET",
            path="/lines",
            role=Role.VIEWER,
            handler=list_lines,
            query=(
                Param("account", "Only lines of this account."),
                Param("device", "Only lines of this device."),
                REVEAL,
                REASON,
                *PAGING,
            ),
            gives=Page[LineView],
        )
    ]


def _view(inventory: Inventory, line: Line, revealing: Services | None = None) -> LineView:
    credential = inventory.active_credential(line.id)
    password = None
    if revealing is not None and credential is not None:
        password = revealing.inventory.reveal_password(credential).reveal()
    return LineView(
        device=device_key(inventory.get(Device, line.device_id)),
        index=line.index,
        extension=inventory.extension_of(line),
        aor=inventory.address_of_record(line),
        auth_username=credential.auth_username if credential else None,
        password=password,
    )
