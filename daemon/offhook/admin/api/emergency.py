"""Emergency addresses of locations, of users outside the site and of devices: shown, entered, cleared, validated.

What is refused is not kept, since it is known to be wrong. What nobody could judge is kept as a draft, since it may be
right, and asked about again. In both cases the address in force stays in force (U4).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from offhook.admin.api.addresses import (
    AddressInput,
    AddressText,
    AddressView,
    Entered,
    read_input,
    refuse_verdict,
    view_address,
)
from offhook.admin.changing import ChangeView, answer_change, match_first
from offhook.admin.device_names import get_device
from offhook.admin.entity_tags import entity_tag
from offhook.admin.names import get_location, get_user
from offhook.admin.ports import Services
from offhook.admin.routes import DRY_RUN, Call, Handler, Param, Route, json_response
from offhook.errors import Conflict, Fault, NotFound, ValidatorUnreachable
from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.document import Country
from offhook.inventory.editor import Editor
from offhook.inventory.emergency.countries import SharedBuildings
from offhook.inventory.emergency.holders import Holder, address_field, address_of, list_addresses
from offhook.inventory.emergency.parse import Question, format_address, parse_address
from offhook.inventory.emergency.upkeep import is_due
from offhook.inventory.emergency.validator import Valid, Verdict, apply_verdict, enter_address
from offhook.inventory.models import Device, Entity
from offhook.inventory.rules import describe
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Something that has an address."""

    path: str
    #: ``locations``.
    noun: str
    find: Callable[[Inventory, str, str], Holder]
    params: tuple[Param, ...] = ()


_KINDS = (
    _Kind(
        path="locations",
        noun="a location",
        find=get_location,
        params=(Param("account", "The account, where the name is that of several."),),
    ),
    _Kind(path="users", noun="a user outside the site", find=lambda inventory, text, _: get_user(inventory, text)),
    _Kind(path="devices", noun="a device", find=lambda inventory, text, _: get_device(inventory, text)),
)


_ENTERING: Final = """\
It is validated first. Where it is refused, or unclear (both 422, the latter with `alternatives`), nothing is changed;
where the validator is out of reach (503), it is kept as a draft. In each case the address before stays in force."""
_VALIDATING: Final = """\
The verdict is in `item.state`: valid, and in force from now on, or rejected, with what to check in `item.message`."""


class ParseRequest(BaseModel):
    """An address in one line."""

    model_config = ConfigDict(extra="forbid")

    text: AddressText
    country: Country = "US"
    #: Where the text does not say it.


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read it."""

    text: str
    elements: CivicAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseView:
    """What an address in one line says."""

    certain: bool
    #: Whether it can be taken as it is.
    address: Reading | None
    #: The only reading; it may lack what is asked for.
    alternatives: tuple[Reading, ...]
    #: The readings, likeliest first, where there are several.
    questions: tuple[Question, ...]


def routes(services: Services) -> list[Route]:
    async def parse(call: Call) -> web.Response:
        """Read an address in one line.

        Nothing is changed, and no validator asked.
        """
        given = await call.body(ParseRequest)
        result = parse_address(given.text, country=given.country)
        view = ParseView(
            certain=result.is_certain,
            address=_read(result.address) if result.address is not None else None,
            alternatives=tuple(map(_read, result.alternatives)),
            questions=result.questions,
        )
        return json_response(view)

    reading = Route(
        method="POST", path="/addresses/parse", role=Role.VIEWER, handler=parse, takes=ParseRequest, gives=ParseView
    )
    return [reading, *(route for kind in _KINDS for route in _routes_of(services, kind))]


def _read(civic: CivicAddress) -> Reading:
    return Reading(format_address(civic), civic)


class _Address:
    """The address of the holder that a request is about."""

    def __init__(self, services: Services, kind: _Kind, call: Call) -> None:
        self._services = services
        self._kind = kind
        self._call = call
        self.warnings: list[Fault] = []

    def holder(self, inventory: Inventory) -> Holder:
        call = self._call
        account = call.query.text("account") if self._kind.params else ""
        return self._kind.find(inventory, call.path("id"), account)

    def covered(self, inventory: Inventory) -> Sequence[Entity]:
        """What the entity tag stands for: the same as that of the holder."""
        holder = self.holder(inventory)
        return (holder, *(inventory.lines_of(holder.id) if isinstance(holder, Device) else ()))

    def view(self, inventory: Inventory) -> AddressView | None:
        return view_address(address_of(self.holder(inventory)))

    def get(self, inventory: Inventory) -> EmergencyAddress:
        """Raises NotFound where there is none."""
        holder = self.holder(inventory)
        address = address_of(holder)
        if address is None:
            raise NotFound(
                f"{describe(holder, inventory)} has no emergency address of its own",
                field="address",
                remedy="enter one with PUT",
            )
        return address

    def put(self, editor: Editor, address: EmergencyAddress | None) -> None:
        holder = self.holder(editor.draft)
        editor.change(holder, **{address_field(holder): address})

    def enter(self, editor: Editor, entered: Entered, verdict: Verdict | None) -> None:
        """Enters it, with what was found out about it."""
        before = address_of(self.holder(editor.draft))
        address = enter_address(before, entered.civic, original=entered.original)
        self.put(editor, apply_verdict(address, verdict, editor.now) if verdict is not None else address)
        shared = SharedBuildings(it.in_force or it.entered for it in list_addresses(editor.draft))
        self.warnings[:] = [
            Fault(fault.message, fault.element, remedy=fault.remedy) for fault in shared.check(entered.civic)
        ]

    async def judge(self, entered: Entered) -> Verdict | None:
        """The verdict on what is to be entered; None where there is one already.

        Raises AddressRefused, and ValidatorUnreachable once it is kept as a draft.
        """
        service, call = self._services.inventory, self._call
        present = address_of(self.holder(service.inventory))
        if present is not None and present.entered == entered.civic and present.state is AddressState.VALID:
            authority, now = self._services.validation.authority, self._services.clock.now()
            if not is_due(present, authority, now):
                return None
        as_draft = match_first(call, lambda editor: self.enter(editor, entered, None), self.covered)
        # Whoever may not change it, or has not seen what it is now, is told so before anybody is asked.
        await service.change(as_draft, call.actor, dry_run=True)
        try:
            verdict = await self._services.validation.judge(entered.civic)
        except ValidatorUnreachable as error:
            if call.query.flag("dry_run"):
                raise
            await service.change(as_draft, call.actor)
            raise ValidatorUnreachable(
                f"{error}; what was entered is kept as a draft, and asked about again by itself"
            ) from None
        if not isinstance(verdict, Valid):
            refuse_verdict(verdict)
        return verdict


def _routes_of(services: Services, kind: _Kind) -> list[Route]:
    service = services.inventory

    async def show(call: Call) -> web.Response:
        address, inventory = _Address(services, kind, call), service.inventory
        body = view_address(address.get(inventory))
        return json_response(body, headers={"ETag": entity_tag(*address.covered(inventory))})

    async def enter(call: Call) -> web.Response:
        entered = read_input(await call.body(AddressInput))
        address = _Address(services, kind, call)
        verdict = await address.judge(entered)
        return await answer_change(
            service,
            call,
            lambda editor: address.enter(editor, entered, verdict),
            view=address.view,
            find=address.covered,
            match=address.covered,
            warnings=address.warnings,
        )

    async def clear(call: Call) -> web.Response:
        address = _Address(services, kind, call)
        return await answer_change(
            service,
            call,
            lambda editor: address.put(editor, None),
            view=None,
            find=address.covered,
            match=address.covered,
        )

    async def validate(call: Call) -> web.Response:
        address = _Address(services, kind, call)
        entered = address.get(service.inventory).entered
        verdict = await services.validation.judge(entered)

        def edit(editor: Editor) -> None:
            present = address.get(editor.draft)
            if present.entered != entered:
                raise Conflict(
                    "the address was changed while its validator was asked",
                    field="address",
                    rule="a verdict is on one address",
                    remedy="validate it again",
                )
            address.put(editor, apply_verdict(present, verdict, editor.now))

        return await answer_change(service, call, edit, view=address.view, find=address.covered, match=address.covered)

    def route(method: str, path: str, role: Role, handler: Handler, about: str, **more: object) -> Route:
        handler.__doc__ = about
        return Route(method=method, path=path, role=role, handler=handler, **more)  # type: ignore[arg-type]

    one, change = f"/{kind.path}/{{id}}/address", (DRY_RUN, *kind.params)
    return [
        route("GET", one, Role.VIEWER, show, f"Show the emergency address of {kind.noun}.",
              query=kind.params, gives=AddressView),
        route("PUT", one, Role.OPERATOR, enter, f"Enter the emergency address of {kind.noun}.\n\n{_ENTERING}",
              query=change, takes=AddressInput, gives=ChangeView[AddressView], matches=True),
        route("DELETE", one, Role.OPERATOR, clear, f"Clear the emergency address of {kind.noun}.",
              query=change, gives=ChangeView[AddressView], matches=True),
        route("POST", f"{one}/validate", Role.OPERATOR, validate,
              f"Validate the emergency address of {kind.noun} now.\n\n{_VALIDATING}",
              query=change, gives=ChangeView[AddressView], matches=True),
    ]  # fmt: skip
