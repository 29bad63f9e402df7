"""The inventory as a document: plan, apply, export."""

from dataclasses import dataclass

from aiohttp import web

from offhook.admin.api.accounts import get_account
from offhook.admin.ports import Services
from offhook.admin.query import Query
from offhook.admin.routes import Call, Route, json_response
from offhook.errors import Fault
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.differences import Difference
from offhook.inventory.service import Plan
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many of a kind are deleted because the document lacks them."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Revised:
    """A device whose files change."""

    device_id: str
    device: str
    revision: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a document changes."""

    applied: bool
    #: False of a plan.
    differences: tuple[Difference, ...]
    reloads: tuple[Revised, ...]
    warnings: tuple[Fault, ...]
    pruned: tuple[Pruned, ...]


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def plan(call: Call) -> web.Response:
        query = call.query("file", "prune", "confirm_moves")
        plan = await service.plan(await call.request.read(), _file(query), _options(query))
        return json_response(_view(plan, applied=False))

    async def apply(call: Call) -> web.Response:
        query = call.query("file", "prune", "confirm_moves", "yes")
        text = await call.request.read()
        plan = await service.apply(text, _file(query), _options(query), call.actor, yes=query.flag("yes"))
        return json_response(_view(plan, applied=True))

    async def export(call: Call) -> web.Response:
        query = call.query("account", "secrets")
        with_secrets = query.flag("secrets")
        if with_secrets:
            call.require(Role.ADMINISTRATOR)
        names = [get_account(service.inventory, name).name for name in query.texts("account")]
        text = await service.export(names or None, with_secrets=with_secrets, actor=call.actor)
        return web.Response(text=text, content_type="application/yaml", charset="utf-8")

    return [
        Route("POST", "/inventory/plan", Role.OPERATOR, plan),
        Route("POST", "/inventory/apply", Role.OPERATOR, apply),
        Route("GET", "/inventory/export", Role.VIEWER, export),
    ]


def _file(query: Query) -> str:
    """What faults call the document."""
    return query.text("file")[:1024] or "document"


def _options(query: Query) -> ApplyOptions:
    return ApplyOptions(prune=query.flag("prune"), confirm_moves=query.flag("confirm_moves"))


def _view(plan: Plan, *, applied: bool) -> PlanView:
    pruned = tuple(Pruned(kind, count) for kind, count in plan.pruned)
    revised = tuple(Revised(str(it.device_id), it.device, it.revision, it.is_new) for it in plan.reloads)
    return PlanView(applied, plan.differences, revised, plan.warnings, pruned)
