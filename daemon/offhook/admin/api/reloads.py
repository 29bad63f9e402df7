"""Reloads: beginning one, and following it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.device_names import device_key, get_device
from offhook.admin.ports import Services
from offhook.admin.query import Page, collect_page
from offhook.admin.routes import PAGING, ROOT, Call, Param, Route, format_time, json_response
from offhook.errors import NotFound
from offhook.inventory.models import Device
from offhook.inventory.snapshot import Inventory
from offhook.reload.progress import ReloadRecord
from offhook.store.tokens import Role

_LONGEST_WAIT: Final = 60
#: Seconds; below what proxies allow.


class ReloadBody(BaseModel):
    """Which device is to be reloaded."""

    model_config = ConfigDict(extra="forbid")

    device: Annotated[str, Field(min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadView:
    """Where a reload stands."""

    id: str
    device: str
    carrier: str
    #: The device that fetches; a handset's is its base.
    revision: int
    state: str
    awaits_registration: bool
    #: Whether its lines must register anew before it is done.
    event: str
    attempts: int
    answer_status: int | None
    reason: str
    actor: str
    created_at: str | None
    sent_at: str | None
    answered_at: str | None
    fetched_at: str | None
    finished_at: str | None


def routes(services: Services) -> list[Route]:
    def view(record: ReloadRecord) -> ReloadView:
        return view_reload(services.inventory.inventory, record)

    async def start(call: Call) -> web.Response:
        """Make a device fetch its configuration, without a reboot. A handset's reload is performed by its base."""
        body = await call.body(ReloadBody)
        device = get_device(services.inventory.inventory, body.device)
        record = services.reloads.start(device, call.actor.name)
        location = {"Location": f"{ROOT}/reloads/{record.id}"}
        return json_response(view(record), HTTPStatus.ACCEPTED, location)

    async def show(call: Call) -> web.Response:
        """Show where a reload stands, or wait until it goes on."""
        query = call.query
        text = call.path("id")
        record = services.reloads.find(int(text)) if text.isdecimal() and len(text) < 20 else None
        if record is None:
            raise NotFound(f"there is no reload {text[:32]}", field="id", remedy="old ones are forgotten")
        seconds = query.number("wait", 0, _LONGEST_WAIT)
        if seconds:
            state = query.text("state") or record.state.value
            record = await services.reloads.wait(record.id, state, seconds)
        return json_response(view(record))

    async def list_reloads(call: Call) -> web.Response:
        """List reloads that are under way, or ended lately."""
        query = call.query
        recent = services.reloads.recent()
        return json_response(await collect_page(recent, query, key=lambda record: record.id, view=view))

    return [
        Route(
            method="POST",
            path="/reloads",
            role=Role.OPERATOR,
            handler=start,
            takes=ReloadBody,
            gives=ReloadView,
            status=HTTPStatus.ACCEPTED,
        ),
        Route(
            method="GET",
            path="/reloads",
            role=Role.VIEWER,
            handler=list_reloads,
            query=PAGING,
            gives=Page[ReloadView],
        ),
        Route(
            method="GET",
            path="/reloads/{id}",
            role=Role.VIEWER,
            handler=show,
            query=(
                Param(
                    "wait",
                    "Wait so many seconds for another state.",
                    int,
                    most=_LONGEST_WAIT,
                ),
                Param("state", "The state that the caller knows; without it, the present one."),
            ),
            gives=ReloadView,
        ),
    ]


def view_reload(inventory: Inventory, record: ReloadRecord) -> ReloadView:
    """The record with names for ids and times for people."""
    return ReloadView(
        id=str(record.id),
        device=_key(inventory, record.device_id),
        carrier=_key(inventory, record.carrier_id),
        revision=record.revision,
        state=record.state.value,
        awaits_registration=record.awaits_registration,
        event=record.event,
        attempts=record.attempts,
        answer_status=record.answer_status,
        reason=record.reason,
        actor=record.actor,
        created_at=format_time(record.created_at),
        sent_at=format_time(record.sent_at),
        answered_at=format_time(record.answered_at),
        fetched_at=format_time(record.fetched_at),
        finished_at=format_time(record.finished_at),
    )


def _key(inventory: Inventory, device_id: int) -> str:
    device = inventory.find(Device, device_id)
    return device_key(device) if device is not None else ""
