"""The inventory as a document: plan, apply, export."""

from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from offhook.admin.changing import Revised, view_reloads
from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.query import Query
from offhook.admin.routes import REASON, REVEAL, Call, Param, Route, json_response
from offhook.errors import Fault
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.differences import Difference
from offhook.inventory.document import InventoryPart
from offhook.inventory.service import Plan
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many of a kind are deleted because the document lacks them."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a document changes."""

    applied: bool
    #: False of a plan.
    differences: tuple[Difference, ...]
    reloads: tuple[Revised, ...]
    warnings: tuple[Fault, ...]
    pruned: tuple[Pruned, ...]


_DOCUMENT: Final = (
    Param("file", "What faults call the document."),
    Param("prune", "Delete what the named accounts have and the document lacks.", bool),
    Param("confirm_moves", "Move users from the devices that they have.", bool),
)


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def plan(call: Call) -> web.Response:
        """Tell what a document would change, and which devices would have to reload."""
        query = call.query
        plan = await service.plan(service.document(await call.request.read(), _file(query)), _options(query))
        return json_response(_view(plan, applied=False))

    async def apply(call: Call) -> web.Response:
        """Bring the inventory to what a document says.

        All of it or nothing. What the document does not name stays as it is.
        """
        query = call.query
        document = service.document(await call.request.read(), _file(query))
        plan = await service.apply(document, _options(query), call.actor, yes=query.flag("yes"))
        return json_response(_view(plan, applied=True))

    async def export(call: Call) -> web.Response:
        """Write the inventory as a document, which applied again changes nothing."""
        query = call.query
        with_secrets, reason = query.flag("secrets"), query.text("reason")[:256]
        names = [get_account(service.inventory, name).name for name in query.texts("account")]
        text = await service.export(names or None, with_secrets=with_secrets, actor=call.actor, reason=reason)
        return web.Response(text=text, content_type="application/yaml", charset="utf-8")

    return [
        Route(
            method="POST",
            path="/inventory/plan",
            role=Role.OPERATOR,
            handler=plan,
            query=_DOCUMENT,
            takes=InventoryPart,
            takes_type="application/yaml",
            gives=PlanView,
        ),
        Route(
            method="POST",
            path="/inventory/apply",
            role=Role.OPERATOR,
            handler=apply,
            query=(*_DOCUMENT, Param("yes", "Confirms what `prune` deletes.", bool)),
            takes=InventoryPart,
            takes_type="application/yaml",
            gives=PlanView,
        ),
        Route(
            method="GET",
            path="/inventory/export",
            role=Role.VIEWER,
            handler=export,
            query=(
                Param("account", "Only this account.", repeats=True),
                replace(REVEAL, name="secrets", about="With authentication names and passwords. It is audited."),
                REASON,
            ),
            gives_type="application/yaml",
        ),
    ]


def _file(query: Query) -> str:
    """What faults call the document."""
    return query.text("file")[:1024] or "document"


def _options(query: Query) -> ApplyOptions:
    return ApplyOptions(prune=query.flag("prune"), confirm_moves=query.flag("confirm_moves"))


def _view(plan: Plan, *, applied: bool) -> PlanView:
    pruned = tuple(Pruned(kind, count) for kind, count in plan.pruned)
    return PlanView(applied, plan.differences, view_reloads(plan), plan.warnings, pruned)
