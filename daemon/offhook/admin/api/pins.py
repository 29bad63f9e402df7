"""PINs of numbers and users (E4): the default is shown to who runs the inventory, a person's own to nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.changing import ChangeView, view_reloads
from offhook.admin.ports import Services
from offhook.admin.routes import DRY_RUN, Call, Route, json_response
from offhook.errors import NotFound
from offhook.inventory.models import PIN_ATTEMPTS
from offhook.inventory.pins import PinSubject
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret
from offhook.store.tokens import Role

Pin = Annotated[str, Field(min_length=1, max_length=32, pattern="^[0-9]+$")]


class PinQuestion(BaseModel):
    """A PIN that somebody has dialled."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    pin: Pin


class OwnPin(BaseModel):
    """A PIN of one's own, in place of the one in force."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    pin: Pin
    #: The one in force.
    new_pin: Pin


class PinReset(BaseModel):
    """How a PIN is reset."""

    model_config = ConfigDict(extra="forbid")

    renew: bool = False
    #: To another default than before.


@dataclass(frozen=True, slots=True)
class PinAnswerView:
    """What is said of a PIN."""

    right: bool
    answer: str
    #: right, must_change (right, but still the default), wrong or locked.
    attempts_left: int


@dataclass(frozen=True, slots=True)
class PinView:
    """How it stands with a PIN."""

    state: str
    #: default, own or locked.
    default_pin: str | None
    #: While it is in force, for operators.
    attempts_left: int


def view_pin(services: Services, call: Call, subject: PinSubject) -> PinView:
    """The view of a PIN for who asks."""
    is_locked = subject.pin_failures >= PIN_ATTEMPTS
    default = services.pins.default_of(subject) if call.identity.role.allows(Role.OPERATOR) else None
    return PinView(
        state="locked" if is_locked else "default" if subject.pin_hash is None else "own",
        default_pin=default.reveal() if default is not None else None,
        attempts_left=max(0, PIN_ATTEMPTS - subject.pin_failures),
    )


def pin_routes(
    services: Services,
    path: str,
    find: Callable[[Inventory, str], PinSubject],
    view: Callable[[Call, Inventory, PinSubject], object],
    view_type: type[object],
) -> list[Route]:
    """The routes of the PINs of one kind of subject, below ``path``."""
    service, pins = services.inventory, services.pins

    def subject_of(call: Call) -> PinSubject:
        return find(service.inventory, call.path("id"))

    async def verify(call: Call) -> web.Response:
        """Ask whether a PIN is right.

        Three wrong ones in a row lock it. `must_change` says that it is right, and is to be replaced first.
        """
        body = await call.body(PinQuestion)
        verdict = await pins.verify(subject_of(call), Secret(body.pin), call.actor)
        return json_response(PinAnswerView(verdict.is_right, verdict.answer.value, verdict.attempts_left))

    async def set_own(call: Call) -> web.Response:
        """Replace the PIN in force by one of one's own."""
        body = await call.body(OwnPin)
        verdict = await pins.set_own(subject_of(call), Secret(body.pin), Secret(body.new_pin), call.actor)
        return json_response(PinAnswerView(verdict.is_right, verdict.answer.value, verdict.attempts_left))

    async def reset(call: Call) -> web.Response:
        """Bring the default PIN back, and unlock."""
        body = await call.body(PinReset)
        subject, dry_run = subject_of(call), call.query.flag("dry_run")
        changed = await pins.reset(subject, call.actor, renew=body.renew, dry_run=dry_run)
        after = changed.inventory.find(type(subject), subject.id)
        if after is None:
            raise NotFound("it is gone")
        item = view(call, changed.inventory, after)
        plan = changed.plan
        return json_response(ChangeView(dry_run, item, plan.differences, view_reloads(plan), plan.warnings))

    return [
        Route(
            method="POST",
            path=f"/{path}/{{id}}/pin/verify",
            role=Role.OPERATOR,
            handler=verify,
            takes=PinQuestion,
            gives=PinAnswerView,
        ),
        Route(
            method="PUT",
            path=f"/{path}/{{id}}/pin",
            role=Role.OPERATOR,
            handler=set_own,
            takes=OwnPin,
            gives=PinAnswerView,
        ),
        Route(
            method="POST",
            path=f"/{path}/{{id}}/pin/reset",
            role=Role.OPERATOR,
            handler=reset,
            query=(DRY_RUN,),
            takes=PinReset,
            gives=ChangeView[view_type],  # type: ignore[valid-type]
        ),
    ]
