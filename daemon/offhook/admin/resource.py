"""The five routes that every kind of thing has: list, show, create, change, delete.

What is particular to a kind (how it is found, viewed, and what its fields are) is stated in a :class:`Resource`; what
is done to it beside that, an action, has a route of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from offhook.admin.changing import ChangeView, answer_change
from offhook.admin.entity_tags import entity_tag
from offhook.admin.ports import Services
from offhook.admin.routes import DRY_RUN, Call, Param, Route, json_response
from offhook.errors import Conflict, Fault
from offhook.inventory.editor import Editor
from offhook.inventory.models import Entity
from offhook.inventory.parts import apply_part
from offhook.inventory.rules import describe
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role
from offhook.yamldoc import Value

E = TypeVar("E", bound=Entity)
V = TypeVar("V")
Part = dict[str, Value]
Parts = Mapping[str, Sequence[Part]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Generic[E, V]):
    """A kind of thing, as the API has it."""

    path: str
    #: ``users``; below it, ``users/{id}``.
    kind: str
    #: The name of its list in a document.
    key: str
    #: The field that it is known by.
    singular: str
    #: ``user``.
    creation: type[BaseModel]
    #: What it takes to make one: ``account``, the key, and its fields.
    alteration: type[BaseModel]
    #: Its fields, and the key where it can be renamed.
    view_type: type[V]
    view: Callable[[Call, Inventory, E], V]
    find: Callable[[Inventory, str, str], E]
    #: By what stands in the path, and the account that the query names or "". Raises NotFound, Conflict.
    find_new: Callable[[Inventory, str, Part], E | None]
    #: By account and what was sent, what is there already. Raises NotFound where there is no such account.
    account_of: Callable[[Inventory, E], str]
    identify: Callable[[E, Part], Part] | None = None
    #: What its part of a document says that it is known by; without it the key, by which it can be renamed.
    expand: Callable[[Inventory, Part], Parts] = lambda _inventory, _part: {}
    #: Takes from what was sent what is said of other things in the same account. Raises NotFound.
    belongings: Callable[[Inventory, E], Sequence[Entity]] = lambda _inventory, _entity: ()
    #: What an entity tag covers beside the thing itself.
    creating: tuple[Param, ...] = ()
    #: Parameters of POST and PATCH beside dry_run.
    deleting: tuple[Param, ...] = ()
    #: Parameters of DELETE beside dry_run.
    guard_deletion: Callable[[Call, Inventory, E], None] = lambda _call, _inventory, _entity: None
    #: Raises InventoryError for what must not go just so.
    owner: Role = Role.OPERATOR
    #: Who may make and delete one.

    @property
    def described(self) -> str:
        """With its article."""
        return f"{'an' if self.singular[0] in 'aeio' else 'a'} {self.singular}"

    path_params: tuple[Param, ...] = (Param("account", "The account, where the name is that of several."),)


def _as_kept(understood: BaseModel, name: str, value: Value) -> Value:
    kept = getattr(understood, name, value)
    return str(kept) if isinstance(kept, str) else value


def _named(resource: Resource[E, V], entity: E, part: Part) -> Part:
    present = str(getattr(entity, resource.key))
    wanted = part.get(resource.key) or present
    return {resource.key: wanted, **({"rename_from": present} if wanted != present else {})}


def resource_routes(services: Services, resource: Resource[E, V], list_route: Route) -> list[Route]:
    """The routes of a kind. Listing differs most from kind to kind, so its route is made by the caller."""
    service = services.inventory

    def covered(inventory: Inventory, entity: E) -> list[Entity]:
        return [entity, *resource.belongings(inventory, entity)]

    async def show(call: Call) -> web.Response:
        inventory = service.inventory
        entity = resource.find(inventory, call.path("id"), call.query.text("account"))
        tag = entity_tag(*covered(inventory, entity))
        return json_response(resource.view(call, inventory, entity), headers={"ETag": tag})

    async def create(call: Call) -> web.Response:
        part, understood = await call.read(resource.creation)
        # What it is known by is compared as it will be kept: without blanks around it, in its one notation.
        stated = {name: _as_kept(understood, name, value) for name, value in part.items()}
        account = str(stated.pop("account", "") or "")
        part.pop("account", None)
        moves = call.query.flag("confirm_moves")
        warnings: list[Fault] = []

        def get_made(inventory: Inventory) -> E:
            made = resource.find_new(inventory, account, stated)
            assert made is not None
            return made

        def edit(editor: Editor) -> None:
            there = resource.find_new(editor.draft, account, stated)
            if there is not None:
                raise Conflict(
                    f"{describe(there, editor.draft)} is there already",
                    field=resource.key,
                    rule=f"the {resource.key} of a {resource.singular} is unique",
                    remedy="change it with PATCH, or choose another one",
                )
            own = dict(part)
            others = resource.expand(editor.draft, own)
            warnings.extend(apply_part(editor, account or None, resource.kind, own, others=others, confirm_moves=moves))

        return await answer_change(
            service,
            call,
            edit,
            view=lambda inventory: resource.view(call, inventory, get_made(inventory)),
            find=lambda inventory: covered(inventory, get_made(inventory)),
            status=HTTPStatus.CREATED,
            warnings=warnings,
        )

    async def change(call: Call) -> web.Response:
        part = await call.part(resource.alteration)
        text, account = call.path("id"), call.query.text("account")
        moves = call.query.flag("confirm_moves")
        warnings: list[Fault] = []
        found: list[E] = []

        def match(inventory: Inventory) -> list[Entity]:
            found[:] = [resource.find(inventory, text, account)]
            return covered(inventory, found[0])

        def edit(editor: Editor) -> None:
            [entity] = found
            known_by = resource.identify(entity, part) if resource.identify else _named(resource, entity, part)
            stated = {**part, **known_by}
            owner = None if resource.kind == "accounts" else resource.account_of(editor.draft, entity)
            warnings.extend(apply_part(editor, owner, resource.kind, stated, confirm_moves=moves))

        def get_changed(inventory: Inventory) -> E:
            return inventory.get(type(found[0]), found[0].id)

        return await answer_change(
            service,
            call,
            edit,
            view=lambda inventory: resource.view(call, inventory, get_changed(inventory)),
            find=lambda inventory: covered(inventory, get_changed(inventory)),
            match=match,
            warnings=warnings,
        )

    async def delete(call: Call) -> web.Response:
        text, account = call.path("id"), call.query.text("account")
        found: list[E] = []

        def match(inventory: Inventory) -> list[Entity]:
            found[:] = [resource.find(inventory, text, account)]
            return covered(inventory, found[0])

        def edit(editor: Editor) -> None:
            resource.guard_deletion(call, editor.draft, found[0])
            editor.delete(found[0])

        return await answer_change(service, call, edit, view=None, match=match)

    one = f"/{resource.path}/{{id}}"
    show.__doc__ = f"Show {resource.described}."
    create.__doc__ = f"Make {resource.described}."
    change.__doc__ = f"Change {resource.described}.\n\nAn absent field stays as it is, null clears it (RFC 7396)."
    delete.__doc__ = f"Delete {resource.described}."
    gives = ChangeView[resource.view_type]  # type: ignore[name-defined]
    return [
        list_route,
        Route(
            method="POST",
            path=f"/{resource.path}",
            role=resource.owner,
            handler=create,
            takes=resource.creation,
            gives=gives,
            status=HTTPStatus.CREATED,
            query=(DRY_RUN, *resource.creating),
        ),
        Route(
            method="GET",
            path=one,
            role=Role.VIEWER,
            handler=show,
            gives=resource.view_type,
            query=resource.path_params,
        ),
        Route(
            method="PATCH",
            path=one,
            role=Role.OPERATOR,
            handler=change,
            takes=resource.alteration,
            gives=gives,
            query=(DRY_RUN, *resource.path_params, *resource.creating),
            matches=True,
        ),
        Route(
            method="DELETE",
            path=one,
            role=resource.owner,
            handler=delete,
            gives=gives,
            query=(DRY_RUN, *resource.path_params, *resource.deleting),
            matches=True,
        ),
    ]
