"""What is done to a device beside changing its fields: each is a route of its own, so that its rules can be named."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from offhook.admin.api.device_views import DeviceView, Portrait
from offhook.admin.api.users import CONFIRM_MOVES
from offhook.admin.changing import ChangeView, answer_change
from offhook.admin.device_names import get_device
from offhook.admin.names import get_number, get_system, get_user
from offhook.admin.ports import Services
from offhook.admin.routes import DRY_RUN, Call, Handler, Param, Route
from offhook.errors import Invalid, NotFound
from offhook.inventory.assigning import assign_line, get_line
from offhook.inventory.disabling import disable, enable
from offhook.inventory.document import E164, Extension, Ipei, Label, LineIndex, Mac, Username, VendorName
from offhook.inventory.editor import Editor
from offhook.inventory.hotdesk import log_out
from offhook.inventory.models import Account, BaseRole, Device, Line
from offhook.inventory.pairing import move_base, pair, set_role, unpair
from offhook.inventory.replacement import replace_device
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role


class LineAssignment(BaseModel):
    """Whose a line is: a user's, a number's, an extension's of its own, or with null nobody's."""

    model_config = ConfigDict(extra="forbid")

    line: LineIndex = 1
    user: Username | None = None
    number: E164 | None = None
    extension: Extension | None = None


class NewHardware(BaseModel):
    """What is put in a dead device's place (R13): a MAC, or of a handset an IPEI."""

    model_config = ConfigDict(extra="forbid")

    mac: Mac | None = None
    ipei: Ipei | None = None
    vendor: VendorName | None = None
    #: Else the MAC's.
    model: Label | None = None


class Pairing(BaseModel):
    """The base that a handset is paired with: its MAC, name or id."""

    model_config = ConfigDict(extra="forbid")

    base: Label


class Membership(BaseModel):
    """The DECT system that a base belongs to, or none, and what it is in it."""

    model_config = ConfigDict(extra="forbid")

    system: Label | None = None
    role: BaseRole | None = None


class NewRole(BaseModel):
    """What a base is in its DECT system."""

    model_config = ConfigDict(extra="forbid")

    role: BaseRole


Action = Callable[[Editor, Device], object]


@dataclass(frozen=True, slots=True)
class DeviceActing:
    """Makes changes of one device, and answers with how it is afterwards."""

    services: Services

    async def __call__(self, call: Call, action: Action) -> web.Response:
        text = call.path("id")
        found: list[int] = []

        def get_it(inventory: Inventory) -> Device:
            # By its id once it is known: an action may change what it is called by.
            return inventory.get(Device, found[0]) if found else get_device(inventory, text)

        def match(inventory: Inventory) -> list[Device | Line]:
            device = get_device(inventory, text)
            found[:] = [device.id]
            return covered(inventory, device)

        def edit(editor: Editor) -> None:
            action(editor, get_it(editor.draft))

        return await answer_change(
            self.services.inventory,
            call,
            edit,
            view=lambda inventory: Portrait(self.services, inventory).view(get_it(inventory)),
            find=lambda inventory: covered(inventory, get_it(inventory)),
            match=match,
        )


def covered(inventory: Inventory, device: Device) -> list[Device | Line]:
    """What the entity tag of a device is about."""
    return [device, *inventory.lines_of(device.id)]


def get_line_of(inventory: Inventory, device: Device, index: int) -> Line:
    """The line of that index. Raises NotFound."""
    found = next((line for line in inventory.lines_of(device.id) if line.index == index), None)
    if found is None:
        indexes = ", ".join(str(line.index) for line in inventory.lines_of(device.id)) or "none"
        raise NotFound(
            f"{describe_device(device)} has no line {index}", field="line", remedy=f"it has: {indexes}; add it first"
        )
    return found


def routes(services: Services) -> list[Route]:
    act = DeviceActing(services)

    async def assign(call: Call) -> web.Response:
        """Assign a line of a device, or release it.

        A user who has another device is moved only where confirm_moves is true (R10).
        """
        body = await call.body(LineAssignment)
        if not body.model_fields_set & {"user", "number", "extension"}:
            raise Invalid(
                "it is not said whose the line is",
                field="user",
                rule="a user, a number, an extension of its own, or null for nobody",
                remedy='name one; to release the line, send {"user": null}',
            )
        confirm = call.query.flag("confirm_moves")

        def edit(editor: Editor, device: Device) -> None:
            draft = editor.draft
            line = get_line(editor, device) if body.line == 1 else get_line_of(draft, device, body.line)
            assign_line(
                editor,
                line,
                user=get_user(draft, body.user) if body.user is not None else None,
                number=get_number(draft, body.number) if body.number is not None else None,
                extension=body.extension,
                confirm_moves=confirm,
            )

        return await act(call, edit)

    async def replace(call: Call) -> web.Response:
        """Replace a dead device by a new one.

        Lines, location, handsets, name and history move to the new identifier; nothing that the dead one knew stays
        valid (R13).
        """
        body = await call.body(NewHardware)
        return await act(
            call,
            lambda editor, device: replace_device(
                editor, device, mac=body.mac, ipei=body.ipei, vendor=body.vendor, model=body.model
            ),
        )

    async def disable_it(call: Call) -> web.Response:
        """Disable a device that was lost: its secrets, bindings and files are gone at once (R14)."""
        return await act(call, disable)

    async def enable_it(call: Call) -> web.Response:
        """Enable a device again, with new secrets (R14)."""
        return await act(call, enable)

    async def pair_it(call: Call) -> web.Response:
        """Pair a handset with a base."""
        body = await call.body(Pairing)
        return await act(call, lambda editor, device: pair(editor, device, get_device(editor.draft, body.base)))

    async def unpair_it(call: Call) -> web.Response:
        """Take a handset from its base."""
        return await act(call, unpair)

    async def move(call: Call) -> web.Response:
        """Move a base to another DECT system, or out of the one that it is in."""
        body = await call.body(Membership)

        def edit(editor: Editor, device: Device) -> None:
            account = editor.draft.get(Account, device.account_id).name
            system = get_system(editor.draft, body.system, account) if body.system is not None else None
            move_base(editor, device, system, body.role)

        return await act(call, edit)

    async def change_role(call: Call) -> web.Response:
        """Make a base single, master or member of its DECT system; a new master takes the lead from the former."""
        body = await call.body(NewRole)
        return await act(call, lambda editor, device: set_role(editor, device, body.role))

    async def log_device_out(call: Call) -> web.Response:
        """Log out whatever number is logged in to a device (E5)."""
        return await act(call, log_out)

    async def rotate_token(call: Call) -> web.Response:
        """Give a device a new provisioning token; the present one is void at once."""
        return await act(call, lambda editor, device: editor.rotate_device_token(device))

    def action(name: str, handler: Handler, *query: Param, takes: type[BaseModel] | None = None) -> Route:
        return Route(
            method="POST",
            path=f"/devices/{{id}}/{name}",
            role=Role.OPERATOR,
            handler=handler,
            query=(DRY_RUN, *query),
            takes=takes,
            gives=ChangeView[DeviceView],
            matches=True,
        )

    return [
        action("assign", assign, CONFIRM_MOVES, takes=LineAssignment),
        action("replace", replace, takes=NewHardware),
        action("disable", disable_it),
        action("enable", enable_it),
        action("pair", pair_it, takes=Pairing),
        action("unpair", unpair_it),
        action("move", move, takes=Membership),
        action("role", change_role, takes=NewRole),
        action("log-out", log_device_out),
        action("rotate-token", rotate_token),
    ]
