"""Which features a number can have, and which of them exclude each other (T1, E6)."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from offhook.inventory.features import allowed_features, find_set_features, has_call_waiting
from offhook.inventory.indexes import index_keys
from offhook.inventory.models import Entity, Feature, Line, Number, NumberStatus, StationType, User
from offhook.inventory.ports import Delete
from offhook.inventory.rules.breach import Breach, ids_of, name_first
from offhook.inventory.snapshot import Draft

_FORWARDS: Final = ("forward_always", "forward_busy", "forward_no_answer")


def judge_features(number: Number, draft: Draft) -> Iterator[Breach]:
    """The features of a number, alone and together with its user, its station type and its site."""
    yield from _of_station_type(number, draft)
    yield from _of_exclusions(number, draft)
    yield from _of_voicemail(number, draft)
    for name in _FORWARDS:
        target = getattr(number.features, name)
        if target is not None:
            yield from _of_target(number, name, target, draft)
    yield from _of_identity(number, draft)


def find_forbidden(number: Number, draft: Draft) -> list[str]:
    """Features that are set and that the number's station type does not allow."""
    allowed = allowed_features(draft, number)
    return [feature.value for feature in find_set_features(number.features) if feature not in allowed]


def _of_station_type(number: Number, draft: Draft) -> Iterator[Breach]:
    kind = draft.find(StationType, number.station_type_id)
    if kind is None:
        return
    for name in find_forbidden(number, draft):
        yield Breach(
            number,
            f"features.{name}",
            f"station type {kind.name} does not allow {name}",
            rests_on=ids_of(kind),
            rule="features of the station type (T1)",
            remedy="clear it, allow it in the station type, or choose another station type",
        )


def _of_exclusions(number: Number, draft: Draft) -> Iterator[Breach]:
    features = number.features
    before = draft.base.find(Number, number.id)
    if features.forward_busy is not None and has_call_waiting(draft, number):
        forwarded = before is not None and before.features.forward_busy == features.forward_busy
        yield Breach(
            number,
            "features.call_waiting" if forwarded else "features.forward_busy",
            "forwarding on busy and call waiting exclude each other",
            rests_on=(number.station_type_id,) if number.station_type_id is not None else (),
            rule="busy or waiting (E6)",
            remedy="turn call_waiting off, or clear forward_busy",
        )
    forwards = [name for name in _FORWARDS if getattr(features, name) is not None]
    if features.authorisation_code and forwards:
        wanted = before is not None and before.features.authorisation_code
        yield Breach(
            number,
            f"features.{forwards[0]}" if wanted else "features.authorisation_code",
            f"a number that wants an authorisation code forwards no calls, and this one has {', '.join(forwards)}",
            rule="a code disables forwarding (E6)",
            remedy=f"clear {' and '.join(forwards)}, or turn authorisation_code off",
        )


def _of_voicemail(number: Number, draft: Draft) -> Iterator[Breach]:
    if not number.features.voicemail_to_email:
        return
    rule = "voicemail to email (E6)"
    if not number.features.voicemail:
        message = f"number {number.number} sends voicemail to email, and has no voicemail"
        remedy = "turn voicemail on, or voicemail_to_email off"
        yield Breach(number, "features.voicemail_to_email", message, rule=rule, remedy=remedy)
    user = draft.find(User, number.user_id)
    if user is None or user.email is None:
        whom = "nobody" if user is None else f"user {user.username}, who has no email address"
        yield Breach(
            number,
            "features.voicemail_to_email",
            f"number {number.number} sends voicemail to email, and is assigned to {whom}",
            rests_on=ids_of(user) if user is not None else (),
            rule=rule,
            remedy="assign a user with an email address, or turn voicemail_to_email off",
        )


def _of_target(number: Number, name: str, target: str, draft: Draft) -> Iterator[Breach]:
    rule = "target of a forwarding (E6)"
    user = draft.find(User, number.user_id)
    known = draft.find_extension(number.account_id, target)
    own = draft.find_extension(number.account_id, number.number)
    if target == number.number or (known is not None and known == own):
        yield Breach(
            number,
            f"features.{name}",
            f"number {number.number} would forward to itself, {target}",
            rests_on=ids_of(user) if user is not None else (),
            rule=rule,
            remedy="choose another target",
        )
    elif known is None and not target.startswith("+"):
        yield Breach(
            number,
            f"features.{name}",
            f"the account has no extension {target} to forward to",
            rests_on=(("extensions", number.account_id),),
            rule=rule,
            remedy="correct it, or write a number of the outside like +12125550101",
        )


def _of_identity(number: Number, draft: Draft) -> Iterator[Breach]:
    text = number.features.caller_identity
    if text is None:
        return
    identity = draft.find_number(text)
    rests_on: tuple[Hashable, ...] = ids_of(identity) if identity else (("extensions", number.account_id),)
    if identity is None or identity.account_id != number.account_id:
        wrong = f"{text} is no number of the account"
    elif identity.status is not NumberStatus.ACTIVE:
        wrong = f"number {text} is {identity.status.value}"
    elif identity.location_id != number.location_id:
        wrong = f"number {text} is one of another location than number {number.number}"
    else:
        return
    yield Breach(
        number,
        "features.caller_identity",
        f"{wrong}, and the caller identity is an active number of the same location",
        rests_on=rests_on,
        rule="caller identity (E6)",
        remedy="choose another number, or clear caller_identity",
    )


# -- what features of others rest on --------------------------------------------------------------------------------


def judge_station_type(kind: StationType, draft: Draft) -> Iterator[Breach]:
    """A station type stays such that its numbers can have what they have set."""
    numbers = _unchanged(draft.numbers_of_station_type(kind.id), draft)
    forbidden = {number: names for number in numbers if (names := find_forbidden(number, draft))}
    if forbidden:
        names = [feature.value for feature in Feature if any(feature.value in held for held in forbidden.values())]
        yield Breach(
            kind,
            "features",
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} set for {name_first(list(forbidden), draft)}, "
            f"so station type {kind.name} cannot forbid {'it' if len(names) == 1 else 'them'}",
            is_conflict=True,
            rests_on=ids_of(*forbidden),
            rule="features of the station type (T1)",
            remedy="clear what they have set first, or give them another station type",
        )
    busy = [number for number in numbers if any(_of_exclusions(number, draft))]
    if busy:
        yield Breach(
            kind,
            "features",
            f"{name_first(busy, draft)} forward on busy, so station type {kind.name} cannot turn their call waiting on",
            is_conflict=True,
            rests_on=ids_of(*busy),
            rule="busy or waiting (E6)",
            remedy="turn call_waiting off for them first, or clear forward_busy",
        )


def judge_identity_of_others(number: Number, draft: Draft) -> Iterator[Breach]:
    """A number that others show as their caller identity stays an active one of their location."""
    ids = draft.ids_under("number.caller_identity", number.number)
    shown = _unchanged((draft.get(Number, number_id) for number_id in ids), draft)
    broken = [other for other in shown if any(_of_identity(other, draft))]
    if broken:
        active = number.status is NumberStatus.ACTIVE
        yield Breach(
            number,
            "location" if active else "status",
            f"number {number.number} is the caller identity of {name_first(broken, draft)}, "
            f"so it {'stays at their location' if active else 'stays active'}",
            is_conflict=True,
            rests_on=ids_of(*broken),
            rule="caller identity (E6)",
            remedy="give them another caller_identity first",
        )


def judge_lost_extensions(draft: Draft) -> Iterator[Breach]:
    """Extensions that the changes took away, and that numbers forward to."""
    for change in draft.changes:
        before = draft.base.find(type(change.entity), change.entity.id)
        if not isinstance(before, (User, Number, Line)):
            continue
        for name, key in index_keys(before):
            if name != "extension" or draft.ids_under(name, key):
                continue
            ids = draft.ids_under("number.forward", key)
            forwarding = _unchanged((draft.get(Number, number_id) for number_id in ids), draft)
            if forwarding:
                verb = "deleted" if isinstance(change, Delete) else "taken away"
                yield _lost(change.entity, before, verb, forwarding, draft)


def _unchanged(numbers: Iterable[Number], draft: Draft) -> list[Number]:
    """Those that the draft leaves as they were; the others are judged themselves."""
    return [number for number in numbers if draft.base.find(Number, number.id) == number]


def _lost(entity: Entity, before: User | Number | Line, verb: str, forwarding: list[Number], draft: Draft) -> Breach:
    forwards = f"{name_first(forwarding, draft)} would forward to"
    return Breach(
        entity,
        "extension",
        f"extension {before.extension} is where {forwards}, so it cannot be {verb}",
        is_conflict=True,
        rests_on=(("extensions", before.account_id), *ids_of(*forwarding)),
        rule="target of a forwarding (E6)",
        remedy="forward elsewhere first",
    )
