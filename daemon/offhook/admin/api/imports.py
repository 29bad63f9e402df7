"""Tables: import, its preview and its progress, and export (T3)."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from offhook.admin.changing import Revised, view_reloads
from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.routes import DRY_RUN, Call, Param, Route, json_response
from offhook.errors import Fault, NotFound
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.differences import Action, Difference
from offhook.inventory.models import Account
from offhook.inventory.progress import Stage
from offhook.inventory.service import Plan
from offhook.inventory.tabular.columns import Kind
from offhook.inventory.tabular.export import export_table
from offhook.inventory.tabular.reading import TableOptions
from offhook.store.tokens import Role

#: Of each list in an answer. Nobody reads more, and nothing on the event loop may take long.
_LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many things of a kind an import is about."""

    kind: str
    created: int
    updated: int
    deleted: int
    unchanged: int
    #: As the table states them already.


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """What a table changes. Each list holds the first 1000; what ``more`` counts is left out."""

    applied: bool
    #: False of a preview.
    counts: tuple[KindCount, ...]
    differences: tuple[Difference, ...]
    more_differences: int
    reloads: tuple[Revised, ...]
    #: Devices that have fetched a configuration before, and have to fetch it again.
    more_reloads: int
    new_configurations: int
    #: How many devices have a first configuration to fetch.
    warnings: tuple[Fault, ...]
    more_warnings: int


@dataclass(frozen=True, slots=True)
class ProgressView:
    """How far an import has come."""

    stage: Stage
    done: int
    total: int
    #: Steps of this stage; 0 where nobody can tell.


_IMPORT: Final = (
    Param("kind", "What the rows state; where it is left out, the header tells.", Kind),
    Param("account", "The account of rows that do not name one; no row may name another."),
    Param("file", "What faults call the table."),
    Param("confirm_moves", "Move users from the devices that they have.", bool),
)
_PROGRESS: Final = Param("progress", "A name of your choice, under which GET /imports/{name} tells how far it is.")


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def plan(call: Call) -> web.Response:
        """What importing a table would change.

        The body is CSV: a header that names the columns, and a row for each user, number, device or assignment, or
        for all of them at once. Every row's fault is told with its line and column.
        """
        return await _answer(call, is_plan=True)

    async def apply(call: Call) -> web.Response:
        """Import a table: all of it, or nothing.

        As its preview. Importing a table twice changes nothing the second time.
        """
        return await _answer(call, is_plan=call.query.flag("dry_run"))

    async def _answer(call: Call, *, is_plan: bool) -> web.Response:
        query = call.query
        name = query.text("account")
        account = get_account(service.inventory, name).name if name else None
        file = query.text("file")[:1024] or "table"
        options = ApplyOptions(confirm_moves=query.flag("confirm_moves"))
        kind = query.choice("kind", Kind)
        table = service.table(await call.request.read(), file, TableOptions(kind, account))
        progress = services.imports.begin(call.identity.name, query.text("progress")[:64])
        try:
            if is_plan:
                made = await service.plan(table, options, progress)
            else:
                made = await service.apply(table, options, call.actor, progress=progress)
        except BaseException:
            progress.begin(Stage.FAILED)
            raise
        progress.begin(Stage.DONE)
        loop = asyncio.get_running_loop()
        return json_response(await loop.run_in_executor(services.executor, lambda: _view(made, applied=not is_plan)))

    async def show_progress(call: Call) -> web.Response:
        """How far an import has come, by the name that it was given."""
        progress = services.imports.get(call.identity.name, call.path("name"))
        return json_response(ProgressView(progress.stage, progress.done, progress.total))

    async def export(call: Call) -> web.Response:
        """The inventory as a table, which an import takes back without changing anything.

        It is UTF-8 with a byte order mark. No secret is in it; what a spreadsheet would run or shorten has an
        apostrophe before it, which an import takes away.
        """
        kind = _kind(call.path("kind"))
        inventory = service.inventory
        names = call.query.texts("account")
        accounts = [get_account(inventory, name) for name in names] or list(inventory.all(Account))
        loop = asyncio.get_running_loop()
        raw = await loop.run_in_executor(services.executor, lambda: export_table(inventory, kind, accounts))
        headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
        return web.Response(body=raw, content_type="text/csv", charset="utf-8", headers=headers)

    return [
        Route(
            method="POST",
            path="/imports/plan",
            role=Role.OPERATOR,
            handler=plan,
            query=(*_IMPORT, _PROGRESS),
            takes_type="text/csv",
            gives=ImportView,
        ),
        Route(
            method="POST",
            path="/imports",
            role=Role.OPERATOR,
            handler=apply,
            query=(*_IMPORT, _PROGRESS, DRY_RUN),
            takes_type="text/csv",
            gives=ImportView,
        ),
        Route(method="GET", path="/imports/{name}", role=Role.OPERATOR, handler=show_progress, gives=ProgressView),
        Route(
            method="GET",
            path="/exports/csv/{kind}",
            role=Role.VIEWER,
            handler=export,
            query=(Param("account", "Only this account.", repeats=True),),
            gives_type="text/csv",
        ),
    ]


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise NotFound(f"there is no table {text[:64]!r}", field="kind", remedy=f"use {', '.join(Kind)}") from None


def _view(plan: Plan, *, applied: bool) -> ImportView:
    known = [reload for reload in view_reloads(plan) if not reload.is_new]
    return ImportView(
        applied=applied,
        counts=tuple(_counts(plan)),
        differences=plan.differences[:_LISTED],
        more_differences=max(0, len(plan.differences) - _LISTED),
        reloads=tuple(known[:_LISTED]),
        more_reloads=max(0, len(known) - _LISTED),
        new_configurations=len(plan.reloads) - len(known),
        warnings=plan.warnings[:_LISTED],
        more_warnings=max(0, len(plan.warnings) - _LISTED),
    )


def _counts(plan: Plan) -> list[KindCount]:
    changed = Counter((difference.kind, difference.action) for difference in plan.differences)
    unchanged = {name.removesuffix("s"): count for name, count in plan.unchanged}
    kinds = dict.fromkeys([*(difference.kind for difference in plan.differences), *unchanged])
    return [
        KindCount(
            kind,
            changed[kind, Action.CREATE],
            changed[kind, Action.UPDATE],
            changed[kind, Action.DELETE],
            unchanged.get(kind, 0),
        )
        for kind in kinds
    ]
