"""Accounts, and what they hold but devices: each brought to what its part of a document says."""

from functools import partial

from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.apply_state import ApplyState
from offhook.inventory.document import (
    AccountPart,
    AddressPart,
    LocationPart,
    NumberPart,
    SystemPart,
    UserPart,
)
from offhook.inventory.emergency.validator import enter_address
from offhook.inventory.models import Account, DectSystem, Location, Number, User
from offhook.inventory.rules import default_extension
from offhook.yamldoc import Path


def apply_account(state: ApplyState, part: AccountPart, path: Path) -> Account:
    """The account itself, without its lists."""
    account = state.renamed(state.draft.find_account, part.name, part.rename_from, path)
    values = part.stated(
        "name",
        "sip_domain",
        "gateway",
        "external_registrar",
        "access",
        "language",
        "timezone",
        "ntp_server",
    )
    if "digest_algorithms" in part.model_fields_set:
        values["digest_algorithms"] = tuple(dict.fromkeys(part.digest_algorithms))
    if "tones" in part.model_fields_set:
        values["tones"] = part.tones.lower()
    if account is None and part.sip_domain is None:
        is_told = state.reading.remainder.is_doubtful((*path, "sip_domain")) or part.rename_from is not None
        if not is_told:
            state.fault((*path, "name"), f"account {part.name} is new and needs a sip_domain")
        # One that nobody has, so that what the account holds can be judged.
        values["sip_domain"] = ".".join(map(str, (*path, "invalid")))
    elif "sip_domain" in values and part.sip_domain is None:
        state.fault((*path, "sip_domain"), "an account cannot be without a SIP domain")
        del values["sip_domain"]
    if account is None:
        return state.named(state.editor.create_account(**values), path)
    return state.named(state.editor.change(account, **values), path)


def apply_location(state: ApplyState, account: Account, part: LocationPart, path: Path) -> None:
    find = partial(state.draft.find_location, account.id)
    location = state.renamed(find, part.name, part.rename_from, path)
    values = part.stated("name", "timezone")
    if "address" in part.model_fields_set:
        values["address"] = edit_address(part.address, location.address if location else None)
    state.put(Location, location, account, values, path)


def apply_system(state: ApplyState, account: Account, part: SystemPart, path: Path) -> None:
    find = partial(state.draft.find_system, account.id)
    system = state.renamed(find, part.name, part.rename_from, path)
    state.put(DectSystem, system, account, part.stated("name", "vendor", "model"), path)


def apply_user(state: ApplyState, account: Account, part: UserPart, path: Path) -> None:
    user = state.renamed(state.draft.find_user, part.username, part.rename_from, path)
    values = part.stated(
        "username",
        "first_name",
        "last_name",
        "email",
        "plan",
        "extension",
        "timezone",
        "forward_unreachable",
        "voicemail_to_email",
    )
    if "location" in part.model_fields_set:
        values["location_id"] = state.location_id(account, part.location, path)
    if "offsite_address" in part.model_fields_set:
        values["offsite_address"] = edit_address(part.offsite_address, user.offsite_address if user else None)
    state.put(User, user, account, values, path)


def apply_number(state: ApplyState, account: Account, part: NumberPart, path: Path) -> None:
    number = state.draft.find_number(part.number)
    values = part.stated("number", "status", "extension", "station_type")
    if "main" in part.model_fields_set:
        values["is_main"] = part.main
    if "location" in part.model_fields_set:
        values["location_id"] = state.location_id(account, part.location, path)
    if "display_name" in part.model_fields_set:
        values["display_first"] = part.display_name.first if part.display_name else ""
        values["display_last"] = part.display_name.last if part.display_name else ""
    if "user" in part.model_fields_set:
        user = state.user_named(account, part.user, (*path, "user"))
        values["user_id"] = user.id if user else None
    if number is None:
        values.setdefault("extension", default_extension(part.number))
    number = state.put(Number, number, account, values, path)
    if number is not None and part.user is not None and number.user_id is None:
        state.unjudged.add(number.id)


def edit_address(part: AddressPart | None, before: EmergencyAddress | None) -> EmergencyAddress | None:
    """An edited address is a draft again; the last valid one stays in force until it is valid too (U4)."""
    return enter_address(before, CivicAddress(**part.model_dump())) if part is not None else None
