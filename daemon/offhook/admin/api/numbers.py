"""Numbers of a site: whose they are, what they can do, and where they are logged in (E1-E6, T1)."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.api.pins import PinView, pin_routes, view_pin
from offhook.admin.api.users import CONFIRM_MOVES
from offhook.admin.changing import ChangeView, answer_change
from offhook.admin.device_names import device_key, device_part, get_device
from offhook.admin.device_query import UNASSIGNED, parse_locations
from offhook.admin.names import get_account, get_number, get_user
from offhook.admin.number_rows import NUMBER_ORDER, NumberFilter
from offhook.admin.paging import CountedPage, page_of
from offhook.admin.ports import Services
from offhook.admin.resource import Part, Resource, resource_routes
from offhook.admin.routes import DRY_RUN, PAGING, Call, Handler, Param, Route, format_time, json_response
from offhook.admin.search import parse_search
from offhook.inventory.document import E164, Label, LineIndex, NumberFields, Username
from offhook.inventory.editor import Editor
from offhook.inventory.features import FeaturesInForce, features_in_force
from offhook.inventory.hotdesk import find_log_in, log_in, log_out
from offhook.inventory.identifiers import parse_e164
from offhook.inventory.models import Account, Device, Features, Location, Number, NumberStatus, StationType, User
from offhook.inventory.numbers import assignment_of
from offhook.inventory.parts import apply_part
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role

Action = Callable[[Editor, Number], None]


class NewNumber(NumberFields):
    """A number to be made."""

    account: Label
    number: E164


class NumberChange(NumberFields):
    """What to change of a number."""


class NumberAssignment(BaseModel):
    """One flow: a number, whose it is, what it may do, and the device that it rings at (T1).

    Without a user, the device stands in a common area and has the number itself.
    """

    model_config = ConfigDict(extra="forbid")

    user: Username | None = None
    station_type: Label | None = None
    location: Label | None = None
    device: Label | None = None
    #: By MAC, IPEI, name or id.
    line: LineIndex = 1


class LogIn(BaseModel):
    """Where a number is logged in (E5)."""

    model_config = ConfigDict(extra="forbid")

    phone_id: str = Field(min_length=1, max_length=32)
    #: What the device shows on its screen.
    line: LineIndex = 1
    #: The port of an ATA.
    move: bool = False
    #: Log out where it is logged in now.


@dataclass(frozen=True, slots=True)
class DisplayNameView:
    """The two parts of a display name."""

    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberView:
    """A number."""

    id: str
    account: str
    number: str
    extension: str | None
    location: str | None
    status: str
    main: bool
    station_type: str | None
    assigned_to: str
    #: The user, a label, or that it is the main number.
    assignment: str
    #: What kind of assignment that is: user, label, main_number or nothing.
    user: str | None
    display_name: DisplayNameView | None
    #: Shown on the phone instead of the user's name (E3).
    features: Features
    #: As they are set.
    features_in_force: FeaturesInForce
    pin: PinView
    device: str | None
    #: Whose line has the number itself.
    line: int | None
    logged_in: bool
    logged_in_at: str | None
    #: None where it is assigned for good.


def routes(services: Services) -> list[Route]:
    service = services.inventory

    def view(call: Call, inventory: Inventory, number: Number) -> NumberView:
        user = inventory.find(User, number.user_id)
        location = inventory.find(Location, number.location_id)
        kind = inventory.find(StationType, number.station_type_id)
        line = inventory.line_of_number(number.id)
        device = inventory.find(Device, line.device_id) if line is not None else None
        found = find_log_in(inventory, number)
        assignment = assignment_of(inventory, number)
        return NumberView(
            id=str(number.id),
            account=inventory.get(Account, number.account_id).name,
            number=number.number,
            extension=user.extension if user is not None and user.extension is not None else number.extension,
            location=location.name if location is not None else None,
            status=number.status.value,
            main=number.is_main,
            station_type=kind.name if kind is not None else None,
            assigned_to=assignment.text,
            assignment=assignment.kind.value,
            user=user.username if user is not None else None,
            display_name=DisplayNameView(number.display_first, number.display_last) if number.display_name else None,
            features=number.features,
            features_in_force=features_in_force(inventory, number),
            pin=view_pin(services, call, number),
            device=device_key(device) if device is not None else None,
            line=line.index if line is not None else None,
            logged_in=line is not None,
            logged_in_at=format_time(found.since) if found is not None else None,
        )

    async def list_numbers(call: Call) -> web.Response:
        """List numbers."""
        query = call.query
        rows = await services.registers.numbers.settle()
        inventory = services.registers.numbers.inventory
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        user = get_user(inventory, query.text("user")) if query.text("user") else None
        wanted = NumberFilter(
            search=parse_search(query.text("q")),
            account_id=account.id if account is not None else None,
            locations=parse_locations(query, inventory),
            statuses=frozenset(status.value for status in query.choices("status", NumberStatus)),
            user_id=user.id if user is not None else None,
            is_assigned=query.flag("assigned") if query.text("assigned") else None,
            is_logged_in=query.flag("logged_in") if query.text("logged_in") else None,
        )
        page = await page_of(
            rows,
            query,
            order=NUMBER_ORDER,
            narrow=wanted.narrow,
            view=lambda row: view(call, inventory, inventory.get(Number, row.id)),
        )
        return json_response(page)

    async def act(call: Call, edit: Action) -> web.Response:
        text = call.path("id")
        return await answer_change(
            service,
            call,
            lambda editor: edit(editor, get_number(editor.draft, text)),
            view=lambda inventory: view(call, inventory, get_number(inventory, text)),
            find=lambda inventory: [get_number(inventory, text)],
            match=lambda inventory: [get_number(inventory, text)],
        )

    async def assign(call: Call) -> web.Response:
        """Assign a number: to a user, with a station type, at a device, all at once (T1)."""
        body = await call.body(NumberAssignment)
        moves = call.query.flag("confirm_moves")

        def edit(editor: Editor, number: Number) -> None:
            account = editor.draft.get(Account, number.account_id).name
            fields = {name: getattr(body, name) for name in ("user", "station_type", "location")}
            own: Part = {"number": number.number, **{name: it for name, it in fields.items() if it is not None}}
            others: dict[str, list[Part]] = {}
            if body.device is not None:
                whose: Part = {"user": body.user} if body.user is not None else {"number": number.number}
                entry: Part = {"index": body.line, **whose}  # type: ignore[dict-item]
                others["devices"] = [{**device_part(get_device(editor.draft, body.device)), "lines": [entry]}]
            apply_part(editor, account, "numbers", own, others=others, confirm_moves=moves)

        return await act(call, edit)

    async def unassign(call: Call) -> web.Response:
        """Take a number from its user, and from the line that has it."""

        def edit(editor: Editor, number: Number) -> None:
            account = editor.draft.get(Account, number.account_id).name
            line = editor.draft.line_of_number(number.id)
            if line is not None:
                editor.assign(line, extension=line.extension)
            apply_part(editor, account, "numbers", {"number": number.number, "user": None})

        return await act(call, edit)

    async def log_number_in(call: Call) -> web.Response:
        """Log a number in to a device by the phone ID that it shows (E5)."""
        body = await call.body(LogIn)

        def edit(editor: Editor, number: Number) -> None:
            log_in(editor, number, body.phone_id, move=body.move, index=body.line)

        return await act(call, edit)

    async def log_number_out(call: Call) -> web.Response:
        """Log a number out, wherever it is logged in."""

        def edit(editor: Editor, number: Number) -> None:
            log_out(editor, number)

        return await act(call, edit)

    resource = Resource(
        path="numbers",
        kind="numbers",
        key="number",
        singular="number",
        creation=NewNumber,
        alteration=NumberChange,
        view_type=NumberView,
        view=view,
        find=lambda inventory, text, _account: get_number(inventory, text),
        find_new=_find_new,
        identify=lambda number, _part: {"number": number.number},
        account_of=lambda inventory, number: inventory.get(Account, number.account_id).name,
        path_params=(),
    )
    listing = Route(
        method="GET",
        path="/numbers",
        role=Role.VIEWER,
        handler=list_numbers,
        query=(
            Param("q", "Words that are all to be found in the number or what it is assigned to."),
            Param("account", "Only numbers of this account."),
            Param("location", f"Only numbers of these sites, by name or id; `{UNASSIGNED}` for none.", repeats=True),
            Param("status", "Only numbers with these statuses.", NumberStatus, repeats=True),
            Param("user", "Only numbers of this user."),
            Param("assigned", "Only numbers that are assigned, or that are not.", bool),
            Param("logged_in", "Only numbers that are on a device, or that are not.", bool),
            Param("sort", f"One of {', '.join(NUMBER_ORDER.keys)}; with a dash before it, descending."),
            *PAGING,
        ),
        gives=CountedPage[NumberView],
    )

    def action(name: str, handler: Handler, *query: Param, takes: type[BaseModel] | None = None) -> Route:
        return Route(
            method="POST",
            path=f"/numbers/{{id}}/{name}",
            role=Role.OPERATOR,
            handler=handler,
            query=(DRY_RUN, *query),
            takes=takes,
            gives=ChangeView[NumberView],
            matches=True,
        )

    return [
        *resource_routes(services, resource, listing),
        action("assign", assign, CONFIRM_MOVES, takes=NumberAssignment),
        action("unassign", unassign),
        action("log-in", log_number_in, takes=LogIn),
        action("log-out", log_number_out),
        *pin_routes(services, "numbers", get_number, view, NumberView),  # type: ignore[arg-type]
    ]


def _find_new(inventory: Inventory, account: str, part: Part) -> Number | None:
    get_account(inventory, account)
    return inventory.find_number(parse_e164(str(part["number"])))
