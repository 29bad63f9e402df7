"""What a number can be assigned to, and when (E1)."""

from collections.abc import Hashable, Iterator
from typing import Final

from offhook.inventory.models import Entity, Features, Line, Number, NumberStatus, StationType, User
from offhook.inventory.numbers import can_be_acted_on
from offhook.inventory.rules.breach import Breach, ids_of, judge_account
from offhook.inventory.rules.descriptions import describe
from offhook.inventory.snapshot import Draft

_RULE: Final = "active and not the main number (E1)"


def default_extension(number: str) -> str:
    """N2: the last four digits of the number."""
    return number[-4:]


def judge_number(number: Number, draft: Draft) -> Iterator[Breach]:
    """The rules of a number that was put."""
    user = draft.find(User, number.user_id)
    if user is not None:
        yield from judge_account(number, "user", user.account_id, number.account_id, f"user {user.username}")
    kind = draft.find(StationType, number.station_type_id)
    if kind is not None:
        what = describe(kind, draft)
        yield from judge_account(number, "station_type", kind.account_id, number.account_id, what)
    if not can_be_acted_on(number):
        yield from _of_state(number, draft)


def judge_logged_in(line: Line, number: Number, draft: Draft) -> Iterator[Breach]:
    """A number that comes to a line; one that was there already answers for itself."""
    before = draft.base.find(Line, line.id)
    if not can_be_acted_on(number) and (before is None or before.number_id != number.id):
        yield _refused(line, "number", number, ids_of(number))


def _of_state(number: Number, draft: Draft) -> Iterator[Breach]:
    """What a number that cannot be acted on has got: it comes too early, or keeps the number from its new state."""
    before = draft.base.find(Number, number.id)
    user = draft.find(User, number.user_id)
    line, former_line = draft.line_of_number(number.id), draft.base.line_of_number(number.id)
    had_user = before is not None and before.user_id == number.user_id
    had_features = before is not None and before.features == number.features
    if user is not None and not had_user:
        yield _refused(number, "user", number, ids_of(user))
    if number.features != Features() and not had_features:
        yield _refused(number, "features", number, ())
    if before is None or not can_be_acted_on(before):
        return
    holders: list[Entity] = []
    if user is not None and had_user:
        holders.append(user)
    if line is not None and former_line is not None and line.id == former_line.id:
        holders.append(line)
    held = [f"is assigned to {' and '.join(describe(holder, draft) for holder in holders)}"] if holders else []
    if number.features != Features() and had_features:
        held.append("has features set")
    if held:
        becomes = "become the main number" if number.is_main else f"be set back to {number.status.value}"
        yield Breach(
            number,
            "main" if number.is_main else "status",
            f"number {number.number} {' and '.join(held)}, so it cannot {becomes}",
            is_conflict=True,
            rests_on=ids_of(*holders),
            rule=_RULE,
            remedy="unassign it and clear its features first",
        )


def _refused(entity: Number | Line, field: str, number: Number, rests_on: tuple[Hashable, ...]) -> Breach:
    what = "the main number" if number.is_main else number.status.value
    return Breach(
        entity,
        field,
        f"number {number.number} is {what}: only active numbers that are not the main number can be acted on",
        rests_on=rests_on,
        rule=_RULE,
        remedy="choose another number" if number.status is NumberStatus.ACTIVE else "set it to active first",
    )
