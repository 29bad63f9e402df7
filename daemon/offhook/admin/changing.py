"""Changes through the API: each can be tried first, checked against a lost update, and answers with what it implies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from aiohttp import web

from offhook.admin.entity_tags import entity_tag, parse_if_match, require_match
from offhook.admin.routes import Call, json_response
from offhook.errors import Fault
from offhook.inventory.differences import Difference
from offhook.inventory.editor import Editor
from offhook.inventory.models import Entity
from offhook.inventory.rules import describe
from offhook.inventory.service import InventoryService, Plan
from offhook.inventory.snapshot import Inventory

V = TypeVar("V")

#: The entities that a tag stands for: the thing itself first. Raises NotFound.
Finder = Callable[[Inventory], Sequence[Entity]]


@dataclass(frozen=True, slots=True)
class Revised:
    """A device whose files change: it has to reload to run what it should."""

    device_id: str
    device: str
    revision: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class ChangeView(Generic[V]):
    """What a change did, or would do."""

    dry_run: bool
    item: V | None
    #: As it is afterwards; None where it was deleted.
    differences: tuple[Difference, ...]
    reloads: tuple[Revised, ...]
    warnings: tuple[Fault, ...] = ()


def view_reloads(plan: Plan) -> tuple[Revised, ...]:
    """The devices that a change makes reload."""
    return tuple(Revised(str(it.device_id), it.device, it.revision, it.is_new) for it in plan.reloads)


def match_first(call: Call, edit: Callable[[Editor], object], match: Finder | None) -> Callable[[Editor], object]:
    """The edit, behind a look at whether the caller's If-Match still holds. Raises Invalid for one that is none."""
    expected = parse_if_match(call.request.headers.get("If-Match"))

    def checked(editor: Editor) -> None:
        if match is not None:
            entities = match(editor.draft)
            require_match(expected, entity_tag(*entities), describe(entities[0], editor.draft))
        edit(editor)

    return checked


async def answer_change(
    service: InventoryService,
    call: Call,
    edit: Callable[[Editor], object],
    *,
    view: Callable[[Inventory], object] | None,
    find: Finder | None = None,
    match: Finder | None = None,
    status: int = HTTPStatus.OK,
    warnings: Sequence[Fault] = (),
) -> web.Response:
    """Makes a change, or with ``dry_run`` tries it, and answers with a :class:`ChangeView`.

    ``view`` makes the item of the inventory as it is afterwards. ``match`` finds what If-Match is about, before the
    change and in its turn; ``find`` what the answer's ETag is about. ``warnings`` may be filled by ``edit``.
    """
    dry_run = call.query.flag("dry_run")
    changed = await service.change(match_first(call, edit, match), call.actor, dry_run=dry_run)
    body = ChangeView(
        dry_run=dry_run,
        item=view(changed.inventory) if view is not None else None,
        differences=changed.plan.differences,
        reloads=view_reloads(changed.plan),
        warnings=(*changed.plan.warnings, *warnings),
    )
    headers = {"ETag": entity_tag(*find(changed.inventory))} if find is not None and not dry_run else {}
    return json_response(body, HTTPStatus.OK if dry_run else status, headers)
