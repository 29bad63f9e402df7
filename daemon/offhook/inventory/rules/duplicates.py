"""What is unique and stands twice."""

from collections.abc import Hashable, Iterator
from typing import Final

from offhook.inventory.identifiers import format_mac
from offhook.inventory.models import (
    Account,
    DectSystem,
    Device,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.rules.breach import Breach, ids_of
from offhook.inventory.rules.descriptions import describe
from offhook.inventory.snapshot import Draft

_ANOTHER_NAME: Final = "choose another name"

#: By index: the field at fault, what is wrong, the rule, and the remedy.
_DUPLICATES: Final = {
    "account.name": ("name", "the account name {} is taken", "an account name is unique", _ANOTHER_NAME),
    "account.domain": (
        "sip_domain",
        "the SIP domain {} belongs to another account already",
        "a SIP domain is unique",
        "choose another domain, or one below it",
    ),
    "location.name": ("name", "the account has a location {} already", "a location is unique", _ANOTHER_NAME),
    "station_type.name": (
        "name",
        "the account has a station type {} already",
        "a station type is unique (T1)",
        _ANOTHER_NAME,
    ),
    "user.username": (
        "username",
        "the user name {} is taken",
        "a user name is unique in the daemon (N1)",
        "choose another, for instance the email address",
    ),
    "number.number": (
        "number",
        "the number {} stands in the inventory already",
        "a number is unique in the daemon (T1)",
        "correct the number, or delete it where it stands",
    ),
    "number.main": (
        "main",
        "the location has a main number already",
        "one main number per location (E1)",
        "choose which of the two it is",
    ),
    "system.name": ("name", "the account has a DECT system {} already", "a DECT system is unique", _ANOTHER_NAME),
    "device.mac": (
        "mac",
        "the MAC {} belongs to another device already",
        "a MAC is unique in the daemon (R1)",
        "compare it with the label, or delete the other device",
    ),
    "device.ipei": (
        "ipei",
        "the IPEI {} belongs to another handset already",
        "an IPEI is unique in the daemon (R1)",
        "compare it with what *#06# shows, or delete the other handset",
    ),
    "device.phone_id": (
        "phone_id",
        "the phone ID {} is taken",
        "a phone ID is unique in the daemon (E5)",
        "leave it out, and one is made up",
    ),
    "line.place": ("index", "line {} exists twice on this device", "a line has one place (T2)", "drop one of the two"),
    "line.number": (
        "number",
        "the number is logged in on another line already",
        "one line per number (E5)",
        "log it out there first",
    ),
    "extension": ("extension", "the extension {} is taken", "extension is unique (N2)", "choose another extension"),
}

_OWNERS: Final[dict[str, tuple[type[Entity], ...]]] = {
    "account": (Account,),
    "location": (Location,),
    "station_type": (StationType,),
    "user": (User,),
    "number": (Number,),
    "system": (DectSystem,),
    "device": (Device,),
    "line": (Line,),
    "extension": (User, Number, Line),
}


def find_duplicates(draft: Draft) -> Iterator[Breach]:
    """Unique keys that the draft's changes have put twice."""
    crowded = [key for key in draft.touched_keys() if len(draft.ids_under(*key)) > 1]
    for name, value in sorted(crowded, key=repr):
        owners = _owners(draft, name, value)
        shown = value[-1] if isinstance(value, tuple) else value
        shown = format_mac(str(shown)) if name == "device.mac" else shown
        field, message, rule, remedy = _DUPLICATES[name]
        culprit = max(owners, key=lambda owner: (_novelty(owner, draft), owner.id))
        others = ", ".join(describe(owner, draft) for owner in owners if owner is not culprit)
        yield Breach(
            culprit,
            field,
            f"{message.format(shown)}: by {others}" if others else message.format(shown),
            is_conflict=True,
            rests_on=ids_of(*owners),
            rule=rule,
            remedy=remedy,
        )


def _novelty(entity: Entity, draft: Draft) -> int:
    """New things are at fault before changed ones, and those before what was there."""
    before = draft.base.find(type(entity), entity.id)
    return 2 if before is None else 1 if before != entity else 0


def _owners(draft: Draft, name: str, value: Hashable) -> list[Entity]:
    """Who stands under a unique key. Extensions belong to users, numbers and lines alike."""
    kinds = _OWNERS[name.partition(".")[0]]
    ids = draft.ids_under(name, value)
    return [entity for entity_id in ids for kind in kinds if (entity := draft.find(kind, entity_id)) is not None]
