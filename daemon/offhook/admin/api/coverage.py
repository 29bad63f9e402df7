"""Where help is sent: by device, and how many devices it cannot be sent to (U5, X8)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from aiohttp import web

from offhook.admin.device_names import device_key, get_device
from offhook.admin.device_query import UNASSIGNED, parse_locations
from offhook.admin.names import get_account
from offhook.admin.paging import Order, SortKey, page_of
from offhook.admin.ports import Services
from offhook.admin.routes import PAGING, Call, Param, Route, format_time, json_response
from offhook.errors import Conflict
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.advice import find_advice
from offhook.inventory.emergency.countries import AddressFault
from offhook.inventory.emergency.coverage import (
    CoverageCounts,
    DeviceCoverage,
    PlaceCoverage,
    limit_report,
    rank_gap,
    resolve_in_full,
)
from offhook.inventory.emergency.parse import format_address
from offhook.inventory.emergency.pidflo import CONTENT_TYPE, format_pidf_lo
from offhook.inventory.emergency.resolve import ResolvedAddress, find_user
from offhook.inventory.models import Account, Device, Location
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role

_PLACES_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchView:
    """Where help is sent when a device calls for it, and how far that can be relied on."""

    device: str
    name: str | None
    dispatchable: bool
    why_not: str
    remedy: str
    source: str
    #: device, user, location or none: who has the address.
    source_name: str
    base: str
    #: Of a handset, whose address is that of its base.
    address: CivicAddress | None
    #: In force.
    text: str
    state: str | None
    #: Of what was entered last: draft, valid or rejected.
    entered_text: str
    message: str
    #: What the validator said of it.
    in_force_at: str | None
    in_force_by: str | None
    age_seconds: int | None
    faults: tuple[AddressFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """The figures of an account, or of a location in it."""

    account: str
    location: str | None = None
    counts: CoverageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class GapView:
    """A device that help cannot be sent to."""

    device_id: str
    device: str
    name: str | None
    type: str
    account: str
    location: str | None
    user: str | None
    assigned: bool
    #: To a user.
    level: str
    #: missing, unchecked, refused or incomplete.
    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageView:
    """How far emergency addresses go. Assigned phones without one come first."""

    counts: CoverageCounts
    accounts: tuple[PlaceView, ...]
    locations: tuple[PlaceView, ...]
    #: Places with devices that help cannot be sent to, worst first, a thousand at most.
    total: int
    #: Devices that help cannot be sent to.
    items: tuple[GapView, ...]
    next: str | None


_ORDER: Final = Order[DeviceCoverage](
    name="coverage",
    id_of=lambda gap: gap.device_id,
    keys={"urgency": SortKey(lambda gap: f"{rank_gap(gap):04}")},
    default="urgency",
)


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def resolve(call: Call) -> tuple[Inventory, Device, ResolvedAddress]:
        inventory = service.inventory
        device = get_device(inventory, call.path("id"))
        work = partial(resolve_in_full, inventory, device, services.clock.now())
        return inventory, device, await asyncio.get_running_loop().run_in_executor(services.executor, work)

    async def show_dispatch(call: Call) -> web.Response:
        """Show where help is sent when a device calls for it."""
        inventory, device, resolved = await resolve(call)
        return json_response(_view_dispatch(inventory, device, resolved, services.clock.now()))

    async def show_pidf(call: Call) -> web.Response:
        """The same as a location object (PIDF-LO, RFC 4119, RFC 5139).

        The address in force is given even where something is missing from it. Without one: 409.
        """
        inventory, device, resolved = await resolve(call)
        if resolved.civic is None:
            advice = find_advice(inventory, device, resolved)
            assert advice is not None
            raise Conflict(f"no address is in force: {advice.why}", field="address", remedy=advice.remedy)
        now = services.clock.now()
        lines = inventory.lines_of(device.id)
        account = inventory.get(Account, device.account_id)
        entity = inventory.address_of_record(lines[0]) if lines else f"sip:dev-{device.phone_id}@{account.sip_domain}"
        body = format_pidf_lo(resolved.civic, entity=entity, at=now - (resolved.age_seconds or 0.0))
        return web.Response(body=body, content_type=CONTENT_TYPE, charset="utf-8")

    async def show_coverage(call: Call) -> web.Response:
        """Show how far emergency addresses go, and which devices help cannot be sent to.

        Counts come first, then places, then devices, with what to do about each.
        """
        covered = await services.coverage.current()
        query, inventory = call.query, service.inventory
        report, locations = covered.report, parse_locations(query, inventory)
        if query.text("account"):
            report = limit_report(report, {get_account(inventory, query.text("account")).id})
        if locations:
            report = limit_report(report, {place.account_id for place in report.accounts}, locations)
        page = await page_of(
            [gap for gap in report.gaps if inventory.find(Device, gap.device_id) is not None],
            query,
            order=_ORDER,
            view=partial(_view_gap, inventory),
        )
        view = CoverageView(
            counts=report.total,
            accounts=_view_places(inventory, report.accounts),
            locations=_view_places(inventory, report.locations),
            total=page.total,
            items=page.items,
            next=page.next,
        )
        return json_response(view)

    return [
        Route(method="GET", path="/devices/{id}/dispatch", role=Role.VIEWER, handler=show_dispatch, gives=DispatchView),
        Route(
            method="GET",
            path="/devices/{id}/dispatch.pidf",
            role=Role.VIEWER,
            handler=show_pidf,
            gives_type=CONTENT_TYPE,
        ),
        Route(
            method="GET",
            path="/emergency/coverage",
            role=Role.VIEWER,
            handler=show_coverage,
            query=(
                Param("account", "Only this account."),
                Param("location", f"Only these locations, by name or id; `{UNASSIGNED}` for none.", repeats=True),
                *PAGING,
            ),
            gives=CoverageView,
        ),
    ]


def _view_dispatch(inventory: Inventory, device: Device, resolved: ResolvedAddress, now: float) -> DispatchView:
    advice = find_advice(inventory, device, resolved)
    return DispatchView(
        device=device_key(device),
        name=device.name,
        dispatchable=resolved.is_dispatchable,
        why_not=advice.why if advice is not None else "",
        remedy=advice.remedy if advice is not None else "",
        source=resolved.source.value,
        source_name=resolved.source_name,
        base=resolved.base_name,
        address=resolved.civic,
        text=format_address(resolved.civic) if resolved.civic is not None else "",
        state=resolved.state.value if resolved.state is not None else None,
        entered_text=format_address(resolved.entered) if resolved.entered is not None else "",
        message=resolved.message,
        in_force_at=format_time(now - resolved.age_seconds) if resolved.age_seconds is not None else None,
        in_force_by=resolved.checked_by.value if resolved.checked_by is not None else None,
        age_seconds=round(resolved.age_seconds) if resolved.age_seconds is not None else None,
        faults=resolved.faults,
    )


def _view_places(inventory: Inventory, places: Iterable[PlaceCoverage]) -> tuple[PlaceView, ...]:
    """Those with gaps, worst first."""
    with_gaps = [place for place in places if place.counts.dispatchable < place.counts.devices]
    with_gaps.sort(
        key=lambda place: (place.counts.assigned_not_dispatchable, place.counts.devices - place.counts.dispatchable),
        reverse=True,
    )
    return tuple(islice((_view_place(inventory, place) for place in with_gaps), _PLACES_LIMIT))


def _view_place(inventory: Inventory, place: PlaceCoverage) -> PlaceView:
    account, location = inventory.find(Account, place.account_id), inventory.find(Location, place.location_id)
    return PlaceView(
        account=account.name if account is not None else "",
        location=location.name if location is not None else None,
        counts=place.counts,
    )


def _view_gap(inventory: Inventory, gap: DeviceCoverage) -> GapView:
    device = inventory.get(Device, gap.device_id)
    location, user = inventory.find(Location, gap.location_id), find_user(inventory, device)
    advice = find_advice(inventory, device, gap.address)
    return GapView(
        device_id=str(device.id),
        device=device_key(device),
        name=device.name,
        type=device.type.value,
        account=inventory.get(Account, device.account_id).name,
        location=location.name if location is not None else None,
        user=user.username if user is not None else None,
        assigned=gap.is_assigned,
        level=gap.level.value,
        why=advice.why if advice is not None else "",
        remedy=advice.remedy if advice is not None else "",
    )
