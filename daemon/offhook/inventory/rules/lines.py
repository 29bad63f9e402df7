"""What a line can be assigned to, and what it shows to the registrar."""

from collections.abc import Iterator

from offhook.inventory.models import Credential, Device, DeviceType, Line, Number, User
from offhook.inventory.rules.breach import Breach, ids_of, judge_account
from offhook.inventory.rules.numbers import judge_logged_in
from offhook.inventory.rules.people import PHYSICAL_PHONES
from offhook.inventory.snapshot import Draft


def judge_line(line: Line, draft: Draft) -> Iterator[Breach]:
    """The rules of a line that was put, or whose user or number was."""
    device = draft.get(Device, line.device_id)
    if device.type is DeviceType.DECT_BASE:
        message = "a DECT base has no lines of its own"
        yield Breach(line, "lines", message, rule="handsets have the lines (R7)", remedy="give them to its handsets")
    if device.type is DeviceType.DECT_HANDSET and line.index != 1:
        message = "a handset has one line, with index 1"
        yield Breach(line, "index", message, rule="one line per handset (E5)", remedy="drop the others")
    # While a number is logged in (E5), an extension of the line's own waits until it logs out.
    own_extension = line.extension if line.logged_in_at is None else None
    if sum(value is not None for value in (line.user_id, line.number_id, own_extension)) > 1:
        message = "a line has one assignment: a number, a user, or an extension of its own"
        yield Breach(line, "user", message, rule="one assignment per line (T2)", remedy="drop the others")
    user = draft.find(User, line.user_id)
    if user is not None:
        yield from judge_account(line, "user", user.account_id, device.account_id, f"user {user.username}")
        yield from _of_plan(line, "user", device, user)
        if draft.extension_of(line) is None:
            yield Breach(
                line,
                "user",
                f"user {user.username} has no extension",
                rests_on=(device.id, user.id, ("numbers", user.id)),
                rule="a line has an extension (N2)",
                remedy="give the user one, or a number",
            )
    number = draft.find(Number, line.number_id)
    if number is not None:
        yield from judge_account(line, "number", number.account_id, device.account_id, f"number {number.number}")
        yield from judge_logged_in(line, number, draft)
        if (owner := draft.find(User, number.user_id)) is not None:
            yield from _of_plan(line, "number", device, owner)
        if draft.extension_of(line) is None:
            yield Breach(
                line,
                "number",
                f"number {number.number} has no extension",
                rests_on=ids_of(device, number),
                rule="a line has an extension (N2)",
                remedy="give it one",
            )


def _of_plan(line: Line, field: str, device: Device, user: User) -> Iterator[Breach]:
    if device.type in PHYSICAL_PHONES and not user.plan.allows_physical_phone:
        yield Breach(
            line,
            field,
            f"user {user.username} has plan {user.plan.value}, which allows no physical phone",
            rests_on=ids_of(device, user),
            rule="plan (U2)",
            remedy="change the plan to plus or pro",
        )


def judge_credential(credential: Credential, draft: Draft) -> Iterator[Breach]:
    """An authentication name made here is one line's, so that a REGISTER names its device."""
    if credential.is_external:
        return
    others = draft.credentials_named(credential.auth_username)
    lines = {other.line_id for other in others if not other.is_external}
    if len(lines) > 1:
        yield Breach(
            credential,
            "auth_username",
            f"the authentication name {credential.auth_username} is used by another line already",
            is_conflict=True,
            rests_on=tuple(lines),
            rule="an authentication name is unique in the daemon",
            remedy="choose another, or leave it out and one is made up",
        )
