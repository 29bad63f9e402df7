"""Users: whose phones they are (N1)."""

from dataclasses import dataclass

from aiohttp import web

from offhook.admin.api.addresses import AddressView, view_address
from offhook.admin.api.pins import PinView, pin_routes, view_pin
from offhook.admin.changing import ChangeView, answer_change
from offhook.admin.device_names import device_key, device_part, get_device
from offhook.admin.device_query import UNASSIGNED, parse_locations
from offhook.admin.names import get_account, get_user
from offhook.admin.paging import CountedPage, page_of
from offhook.admin.ports import Services
from offhook.admin.resource import Part, Parts, Resource, resource_routes
from offhook.admin.routes import DRY_RUN, PAGING, Call, Param, Route, json_response
from offhook.admin.search import parse_search
from offhook.admin.user_rows import USER_ORDER, UserFilter
from offhook.inventory.document import E164, Label, LineIndex, UserFields, Username
from offhook.inventory.editor import Editor
from offhook.inventory.hotdesk import log_out
from offhook.inventory.models import Account, Device, Location, Plan, User
from offhook.inventory.rules import lines_of_person
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role

CONFIRM_MOVES = Param("confirm_moves", "Move the user from the device that the user has (R10).", bool)


class NewUser(UserFields):
    """A user to be made, with a number and a device at once where they are named (N4)."""

    account: Label
    username: Username
    number: E164 | None = None
    device: Label | None = None
    line: LineIndex | None = None


class UserChange(UserFields):
    """What to change of a user."""

    username: Username | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user."""

    id: str
    account: str
    username: str
    first_name: str
    last_name: str
    full_name: str
    email: str | None
    plan: str
    extension: str | None
    numbers: tuple[str, ...]
    devices: tuple[str, ...]
    #: MAC, IPEI or id of the devices that carry a line of the user.
    location: str | None
    timezone: str | None
    forward_unreachable: str | None
    voicemail_to_email: bool
    authorised: bool
    pin: PinView
    offsite_address: AddressView | None


def routes(services: Services) -> list[Route]:
    service = services.inventory

    def view(call: Call, inventory: Inventory, user: User) -> UserView:
        location = inventory.find(Location, user.location_id)
        devices = {line.device_id for line in lines_of_person(inventory, user.id)}
        return UserView(
            id=str(user.id),
            account=inventory.get(Account, user.account_id).name,
            username=user.username,
            first_name=user.first_name,
            last_name=user.last_name,
            full_name=user.full_name,
            email=user.email,
            plan=user.plan.value,
            extension=user.extension,
            numbers=tuple(sorted(number.number for number in inventory.numbers_of_user(user.id))),
            devices=tuple(device_key(inventory.get(Device, device_id)) for device_id in sorted(devices)),
            location=location.name if location is not None else None,
            timezone=user.timezone,
            forward_unreachable=user.forward_unreachable,
            voicemail_to_email=user.voicemail_to_email,
            authorised=user.is_authorised,
            pin=view_pin(services, call, user),
            offsite_address=view_address(user.offsite_address),
        )

    async def list_users(call: Call) -> web.Response:
        """List users."""
        query = call.query
        rows = await services.registers.users.settle()
        inventory = services.registers.users.inventory
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        wanted = UserFilter(
            search=parse_search(query.text("q")),
            account_id=account.id if account is not None else None,
            locations=parse_locations(query, inventory),
            plans=frozenset(plan.value for plan in query.choices("plan", Plan)),
            without_number=query.flag("without_number"),
            without_phone=query.flag("without_phone"),
        )
        page = await page_of(
            rows,
            query,
            order=USER_ORDER,
            narrow=wanted.narrow,
            view=lambda row: view(call, inventory, inventory.get(User, row.id)),
        )
        return json_response(page)

    async def log_user_out(call: Call) -> web.Response:
        """Log out every number of a user, wherever it is logged in."""
        name = call.path("id")

        def edit(editor: Editor) -> None:
            log_out(editor, get_user(editor.draft, name))

        return await answer_change(
            service,
            call,
            edit,
            view=lambda inventory: view(call, inventory, get_user(inventory, name)),
            match=lambda inventory: [get_user(inventory, name)],
        )

    resource = Resource(
        path="users",
        kind="users",
        key="username",
        singular="user",
        creation=NewUser,
        alteration=UserChange,
        view_type=UserView,
        view=view,
        find=lambda inventory, text, _account: get_user(inventory, text),
        find_new=_find_new,
        account_of=lambda inventory, user: inventory.get(Account, user.account_id).name,
        expand=_expand,
        creating=(CONFIRM_MOVES,),
        path_params=(),
    )
    listing = Route(
        method="GET",
        path="/users",
        role=Role.VIEWER,
        handler=list_users,
        query=(
            Param("q", "Words that are all to be found in the name, user name, email, extension or numbers."),
            Param("account", "Only users of this account."),
            Param("location", f"Only users at these locations, by name or id; `{UNASSIGNED}` for none.", repeats=True),
            Param("plan", "Only users with these plans.", Plan, repeats=True),
            Param("without_number", "Only users whom a number can be assigned to (E2).", bool),
            Param("without_phone", "Only users without a phone.", bool),
            Param("sort", f"One of {', '.join(USER_ORDER.keys)}; with a dash before it, descending."),
            *PAGING,
        ),
        gives=CountedPage[UserView],
    )
    return [
        *resource_routes(services, resource, listing),
        Route(
            method="POST",
            path="/users/{id}/log-out",
            role=Role.OPERATOR,
            handler=log_user_out,
            query=(DRY_RUN,),
            gives=ChangeView[UserView],
            matches=True,
        ),
        *pin_routes(services, "users", get_user, view, UserView),  # type: ignore[arg-type]
    ]


def _find_new(inventory: Inventory, account: str, part: Part) -> User | None:
    get_account(inventory, account)
    return inventory.find_user(str(part["username"]))


def _expand(inventory: Inventory, part: Part) -> Parts:
    """The number and the device that a new user gets."""
    number, device, line = part.pop("number", None), part.pop("device", None), part.pop("line", None)
    others: dict[str, list[Part]] = {}
    if number is not None:
        others["numbers"] = [{"number": number, "user": part["username"]}]
    if device is not None:
        entry: Part = {"index": line or 1, "user": part["username"]}  # type: ignore[dict-item]
        others["devices"] = [{**device_part(get_device(inventory, str(device))), "lines": [entry]}]
    return others
