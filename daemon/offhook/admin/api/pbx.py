"""Credentials for a PBX beside the daemon, and a way to learn that they may have changed."""

import asyncio
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from aiohttp import web

from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.routes import REASON, Call, Param, Route, json_response
from offhook.errors import Invalid, NotFound
from offhook.inventory.asterisk import format_pjsip
from offhook.inventory.kamailio import format_subscribers
from offhook.inventory.models import Account
from offhook.inventory.pbx import collect_extensions
from offhook.store.tokens import Role, Scope

DEFAULT_CONTEXT: Final = "from-internal"
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_.\-]{1,79}")
_WAIT_SECONDS: Final = 60


class Program(StrEnum):
    """Whose form the credentials are to have."""

    ASTERISK = "asterisk"
    KAMAILIO = "kamailio"


@dataclass(frozen=True, slots=True)
class PbxView:
    """The file, and what it lacks."""

    text: str = field(repr=False)
    extensions: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """Names a state of the inventory; to be compared with another, and no more."""

    change: str


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def export(call: Call) -> web.Response:
        """Write credentials for a PBX beside the daemon, in its own form."""
        query = call.query
        program = _program(call.path("program"))
        context = query.text("context") or DEFAULT_CONTEXT
        if not _CONTEXT.fullmatch(context):
            raise Invalid(
                f"{context[:80]!r} cannot be a context", field="context", rule="letters, digits and _ . -, at most 79"
            )
        inventory = service.inventory
        accounts = {get_account(inventory, name) for name in query.texts("account")} or set(inventory.all(Account))
        names = sorted(account.name for account in accounts)
        made_by = f"Made by Offhook {services.daemon.version}: offhook export --for {program.value}"
        made_by += "".join(f" --account {name}" for name in names) if query.texts("account") else ""
        whose = ", ".join(names) if query.texts("account") else "all accounts"
        reason = query.text("reason")[:256] or f"export for {program.value}"
        [owner] = {account.id for account in accounts} if len(accounts) == 1 else {0}
        await service.record(call.actor, "reveal", "line", f"lines of {whose}", reason, account_id=owner)

        def write() -> PbxView:
            found = collect_extensions(inventory, accounts, service.reveal_password)
            if program is Program.ASTERISK:
                text = format_pjsip(found, context=context, made_by=made_by)
            else:
                text = format_subscribers(found, made_by=made_by)
            return PbxView(text, len(found.extensions), found.notes)

        return json_response(await asyncio.get_running_loop().run_in_executor(services.executor, write))

    async def show_change(call: Call) -> web.Response:
        """Name the state of the inventory, or wait until it is another one."""
        query = call.query
        seconds = query.number("wait", 0, _WAIT_SECONDS)
        return json_response(ChangeView(await services.changes.wait(query.text("known"), seconds)))

    return [
        Route(
            method="GET",
            path="/inventory/export/{program}",
            role=Role.ADMINISTRATOR,
            handler=export,
            query=(
                Param("account", "Only this account.", repeats=True),
                Param("context", "The dialplan context of Asterisk."),
                REASON,
            ),
            gives=PbxView,
            scope=Scope.REVEAL,
        ),
        Route(
            method="GET",
            path="/inventory/change",
            role=Role.VIEWER,
            handler=show_change,
            query=(
                Param("known", "The state that the caller knows."),
                Param(
                    "wait",
                    "Wait so many seconds for another state.",
                    int,
                    most=_WAIT_SECONDS,
                ),
            ),
            gives=ChangeView,
        ),
    ]


def _program(name: str) -> Program:
    try:
        return Program(name)
    except ValueError:
        known = ", ".join(Program)
        raise NotFound(f"there is no export for {name[:64]!r}", remedy=f"there are: {known}") from None
