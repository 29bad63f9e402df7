"""The lines of a device, and the passwords that they register with (T2, X6)."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from offhook.admin.api.device_actions import DeviceActing, get_line_of
from offhook.admin.api.device_views import DeviceView
from offhook.admin.api.users import CONFIRM_MOVES
from offhook.admin.changing import ChangeView
from offhook.admin.device_names import device_part
from offhook.admin.ports import Services
from offhook.admin.resource import Part
from offhook.admin.routes import DRY_RUN, Call, Handler, Param, Route
from offhook.errors import Conflict, Invalid, NotFound
from offhook.inventory.document import LineFields, LineIndex
from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Device, Line
from offhook.inventory.parts import apply_part
from offhook.inventory.rotation import activate_staged, drop_staged, new_password, stage_password
from offhook.inventory.rules import describe_device
from offhook.store.tokens import Role


class NewLine(LineFields):
    """A line to be added."""

    index: LineIndex


class LineChange(LineFields):
    """What to change of a line."""


_PASSWORDS: Final[tuple[tuple[str, str, Callable[[Editor, Line], object]], ...]] = (
    ("renew", "Give a line a new password; the present one is valid until its device has fetched it.", new_password),
    ("stage", "Make a password that is accepted beside the present one, and stands in no file yet.", stage_password),
    ("activate", "Put the staged password into the device's file; the present one retires.", activate_staged),
    ("drop", "Make the staged password void.", drop_staged),
)


def routes(services: Services) -> list[Route]:
    act = DeviceActing(services)

    def state(editor: Editor, device: Device, line: Part, *, confirm_moves: bool) -> None:
        account = editor.draft.get(Account, device.account_id).name
        part: Part = {**device_part(device), "lines": [line]}
        apply_part(editor, account, "devices", part, within="lines[0].", confirm_moves=confirm_moves)

    async def add(call: Call) -> web.Response:
        """Add a line to a device: a port of an ATA, or another registration of a phone."""
        part = await call.part(NewLine)
        moves = call.query.flag("confirm_moves")

        def edit(editor: Editor, device: Device) -> None:
            index = part["index"]
            if any(line.index == index for line in editor.draft.lines_of(device.id)):
                raise Conflict(
                    f"{describe_device(device)} has a line {index} already",
                    field="index",
                    rule="a line of a device has an index of its own (T2)",
                    remedy="change it, or choose another index",
                )
            state(editor, device, part, confirm_moves=moves)

        return await act(call, edit)

    async def change(call: Call) -> web.Response:
        """Change a line of a device.

        An absent field stays as it is, null clears it (RFC 7396).
        """
        part, index = await call.part(LineChange), _index(call)
        moves = call.query.flag("confirm_moves")

        def edit(editor: Editor, device: Device) -> None:
            get_line_of(editor.draft, device, index)
            state(editor, device, {**part, "index": index}, confirm_moves=moves)  # type: ignore[dict-item]

        return await act(call, edit)

    async def delete(call: Call) -> web.Response:
        """Delete a line of a device. The first one stays: release it instead."""
        index = _index(call)

        def edit(editor: Editor, device: Device) -> None:
            line = get_line_of(editor.draft, device, index)
            if index == 1:
                raise Invalid(
                    f"line 1 of {describe_device(device)} stays, so that the device can be reached",
                    field="index",
                    rule="a device that registers has a line (T2)",
                    remedy="release it: assign it to nobody",
                )
            editor.delete(line)

        return await act(call, edit)

    def password(name: str, about: str, work: Callable[[Editor, Line], object]) -> Route:
        async def handle(call: Call) -> web.Response:
            index = _index(call)
            return await act(call, lambda editor, device: work(editor, get_line_of(editor.draft, device, index)))

        handle.__doc__ = about
        return action("POST", f"/{{index}}/password/{name}", handle)

    def action(method: str, below: str, handler: Handler, *query: Param, takes: type[BaseModel] | None = None) -> Route:
        return Route(
            method=method,
            path=f"/devices/{{id}}/lines{below}",
            role=Role.OPERATOR,
            handler=handler,
            query=(DRY_RUN, *query),
            takes=takes,
            gives=ChangeView[DeviceView],
            matches=True,
        )

    return [
        action("POST", "", add, CONFIRM_MOVES, takes=NewLine),
        action("PATCH", "/{index}", change, CONFIRM_MOVES, takes=LineChange),
        action("DELETE", "/{index}", delete),
        *(password(name, about, work) for name, about, work in _PASSWORDS),
    ]


def _index(call: Call) -> int:
    text = call.path("index")
    if not (text.isascii() and text.isdecimal() and len(text) < 5):
        raise NotFound(f"{text[:32]!r} is no index of a line", field="index", remedy="write a number from 1")
    return int(text)
