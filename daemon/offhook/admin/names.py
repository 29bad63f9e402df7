"""Finds what somebody means by a name or an id, and says what may have been meant where there is no such thing.

Devices have identifiers as well: :mod:`offhook.admin.device_names`.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeVar

from offhook.errors import Conflict, Invalid, NotFound
from offhook.inventory.identifiers import parse_e164
from offhook.inventory.models import Account, DectSystem, Location, Number, StationType, User
from offhook.inventory.snapshot import Inventory

N = TypeVar("N", Location, StationType, DectSystem)

#: Names compared in search of one that may have been meant.
_COMPARED: Final = 5000


def get_account(inventory: Inventory, text: str) -> Account:
    """The account of that name or id. Raises NotFound."""
    found = inventory.find_account(text) or inventory.find(Account, parse_id(text))
    if found is None:
        raise _missing("account", text, (account.name for account in inventory.all(Account)))
    return found


def get_user(inventory: Inventory, text: str) -> User:
    """The user of that name or id. Raises NotFound."""
    found = inventory.find_user(text) or inventory.find(User, parse_id(text))
    if found is None:
        raise _missing("user", text, (user.username for user in inventory.all(User)))
    return found


def get_number(inventory: Inventory, text: str) -> Number:
    """The number, in any notation, or of that id. Raises NotFound."""
    try:
        found = inventory.find_number(parse_e164(text))
    except Invalid:
        found = None
    found = found or inventory.find(Number, parse_id(text))
    if found is None:
        raise _missing("number", text, (number.number for number in inventory.all(Number)))
    return found


def get_location(inventory: Inventory, text: str, account: str = "") -> Location:
    """The location of that id, or of that name in the account that is named, or anywhere. Raises NotFound, Conflict."""
    return _get_part(inventory, Location, "location", text, account, inventory.find_location)


def get_station_type(inventory: Inventory, text: str, account: str = "") -> StationType:
    """The station type; see :func:`get_location`."""
    return _get_part(inventory, StationType, "station type", text, account, inventory.find_station_type)


def get_system(inventory: Inventory, text: str, account: str = "") -> DectSystem:
    """The DECT system; see :func:`get_location`."""
    return _get_part(inventory, DectSystem, "DECT system", text, account, inventory.find_system)


def parse_id(text: str) -> int | None:
    """An id as the API shows it; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def _get_part(
    inventory: Inventory,
    kind: type[N],
    word: str,
    text: str,
    account: str,
    find: Callable[[int, str], N | None],
) -> N:
    owners: Sequence[Account] = [get_account(inventory, account)] if account else list(inventory.all(Account))
    named = [part for owner in owners if (part := find(owner.id, text)) is not None]
    if not named:
        by_id = inventory.find(kind, parse_id(text))
        named = [by_id] if by_id is not None and by_id.account_id in {owner.id for owner in owners} else []
    if len(named) == 1:
        return named[0]
    field = word.lower().replace(" ", "_")
    if named:
        names = ", ".join(inventory.get(Account, part.account_id).name for part in named[:5])
        raise Conflict(
            f"{len(named)} accounts have a {word} {text[:128]}: {names}",
            field=field,
            rule=f"the name of a {word} is unique in its account",
            remedy="name the account too",
        )
    wanted = {owner.id for owner in owners}
    raise _missing(word, text, (part.name for part in inventory.all(kind) if part.account_id in wanted))


def _missing(word: str, text: str, known: Iterable[str]) -> NotFound:
    close = difflib.get_close_matches(text[:128], list(islice(known, _COMPARED)), 1)
    command = word.lower().replace(" ", "-").replace("dect-system", "dect")
    return NotFound(
        f"there is no {word} {text[:128]!r}",
        field=word.lower().replace(" ", "_"),
        remedy=f"did you mean {close[0]}?" if close else f"see: offhook {command} list",
    )
