"""The routes of what an account has few of, and knows by a name: station types, DECT systems."""

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from offhook.admin.names import get_account
from offhook.admin.paging import CountedPage, Order, SortKey, page_of, text_key
from offhook.admin.ports import Services
from offhook.admin.resource import Part, Resource, resource_routes
from offhook.admin.routes import PAGING, Call, Param, Route, json_response
from offhook.inventory.models import Account, DectSystem, StationType
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role

P = TypeVar("P", StationType, DectSystem)
V = TypeVar("V")


def named_part_routes(
    services: Services,
    kind: type[P],
    *,
    path: str,
    singular: str,
    creation: type[BaseModel],
    alteration: type[BaseModel],
    view_type: type[V],
    view: Callable[[Inventory, P], V],
    find: Callable[[Inventory, str, str], P],
    find_named: Callable[[Inventory, int, str], P | None],
) -> list[Route]:
    """All of them. ``find`` is by name or id and account, ``find_named`` by an account's id and a name."""
    service = services.inventory
    order = Order[P](
        name=path,
        id_of=lambda part: part.id,
        keys={"name": SortKey(lambda part: text_key(part.name))},
        default="name",
    )

    async def list_parts(call: Call) -> web.Response:
        inventory, query = service.inventory, call.query
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        page = await page_of(
            [part for part in inventory.all(kind) if account is None or part.account_id == account.id],
            query,
            order=order,
            view=lambda part: view(inventory, part),
        )
        return json_response(page)

    def find_new(inventory: Inventory, account: str, part: Part) -> P | None:
        return find_named(inventory, get_account(inventory, account).id, str(part["name"]))

    list_parts.__doc__ = f"List {singular}s."
    resource: Resource[P, V] = Resource(
        path=path,
        kind=path.replace("-", "_"),
        key="name",
        singular=singular,
        creation=creation,
        alteration=alteration,
        view_type=view_type,
        view=lambda _call, inventory, part: view(inventory, part),
        find=find,
        find_new=find_new,
        account_of=lambda inventory, part: inventory.get(Account, part.account_id).name,
    )
    listing = Route(
        method="GET",
        path=f"/{path}",
        role=Role.VIEWER,
        handler=list_parts,
        query=(
            Param("account", f"Only {singular}s of this account."),
            Param("sort", "name; with a dash before it, descending."),
            *PAGING,
        ),
        gives=CountedPage[view_type],  # type: ignore[valid-type]
    )
    return resource_routes(services, resource, listing)
