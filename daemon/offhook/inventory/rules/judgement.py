"""Judges a draft as a whole: which rules are asked about which of its changes."""

from collections.abc import Iterator

from offhook.inventory.models import Credential, Device, Entity, Line, Number, StationType, User
from offhook.inventory.ports import Delete, Put, Vendors
from offhook.inventory.rules.breach import Breach
from offhook.inventory.rules.capabilities import judge_capabilities
from offhook.inventory.rules.deletions import judge_deletion
from offhook.inventory.rules.devices import judge_device
from offhook.inventory.rules.duplicates import find_duplicates
from offhook.inventory.rules.features import (
    judge_features,
    judge_identity_of_others,
    judge_lost_extensions,
    judge_station_type,
)
from offhook.inventory.rules.lines import judge_credential, judge_line
from offhook.inventory.rules.numbers import judge_number
from offhook.inventory.rules.people import lines_of_person, users_concerned
from offhook.inventory.rules.users import judge_phones
from offhook.inventory.snapshot import Draft


def find_breaches(draft: Draft, vendors: Vendors) -> list[Breach]:
    """Everything that the draft's changes break. What was there already is not judged."""
    breaches = list(find_duplicates(draft))
    lines: dict[int, Line] = {}
    numbers: dict[int, Number] = {}
    for change in draft.changes:
        entity = change.entity
        if isinstance(change, Delete):
            breaches.extend(judge_deletion(entity, draft))
        elif isinstance(entity, Line):
            lines[entity.id] = entity
        else:
            breaches.extend(_judge(entity, draft))
        if isinstance(change, Put) and isinstance(entity, Number):
            line = draft.line_of_number(entity.id)
            lines.update({line.id: line} if line is not None else {})
            numbers[entity.id] = entity
        elif isinstance(change, Put) and isinstance(entity, User):
            numbers.update({number.id: number for number in draft.numbers_of_user(entity.id)})
    for user_id in users_concerned(draft):
        lines.update({line.id: line for line in lines_of_person(draft, user_id)})
        breaches.extend(judge_phones(user_id, draft))
    for line in lines.values():
        breaches.extend(judge_line(line, draft))
    breaches.extend(judge_capabilities(draft, vendors))
    for number in numbers.values():
        breaches.extend(judge_features(number, draft))
    breaches.extend(judge_lost_extensions(draft))
    return breaches


def _judge(entity: Entity, draft: Draft) -> Iterator[Breach]:
    match entity:
        case Device():
            yield from judge_device(entity, draft)
        case Number():
            yield from judge_number(entity, draft)
            yield from judge_identity_of_others(entity, draft)
        case StationType():
            yield from judge_station_type(entity, draft)
        case Credential():
            yield from judge_credential(entity, draft)
        case _:
            return
