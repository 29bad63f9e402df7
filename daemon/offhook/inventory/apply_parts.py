"""Accounts, and what they hold but devices: each brought to what its part of a document says."""

from dataclasses import replace
from functools import partial

from offhook.inventory.apply_addresses import edit_address
from offhook.inventory.apply_state import ApplyState
from offhook.inventory.document import (
    AccountPart,
    FeaturesPart,
    LocationPart,
    NumberPart,
    StationTypePart,
    SystemPart,
    UserPart,
)
from offhook.inventory.models import Account, DectSystem, Feature, Features, Location, Number, StationType, User
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
            state.fault((*path, "name"), f"account {part.name} is new and has no sip_domain", remedy="state one")
        # One that nobody has, so that what the account holds can be judged.
        values["sip_domain"] = ".".join(map(str, (*path, "invalid")))
    elif "sip_domain" in values and part.sip_domain is None:
        state.fault((*path, "sip_domain"), "an account cannot be without a SIP domain", remedy="state another one")
        del values["sip_domain"]
    if account is None:
        return state.named(state.editor.create_account(**values), path)
    return state.named(state.editor.change(account, **values), path)


def apply_location(state: ApplyState, account: Account, part: LocationPart, path: Path) -> None:
    find = partial(state.draft.find_location, account.id)
    location = state.renamed(find, part.name, part.rename_from, path)
    values = part.stated("name", "timezone")
    if "address" in part.model_fields_set:
        values["address"] = edit_address(
            state, part.address, location.address if location else None, (*path, "address")
        )
    state.put(Location, location, account, values, path)


def apply_station_type(state: ApplyState, account: Account, part: StationTypePart, path: Path) -> None:
    find = partial(state.draft.find_station_type, account.id)
    kind = state.renamed(find, part.name, part.rename_from, path)
    values = part.stated("name")
    if "features" in part.model_fields_set:
        values["features"] = tuple(feature.value for feature in Feature if feature in part.features)
    state.put(StationType, kind, account, values, path)


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
    if "authorised" in part.model_fields_set:
        values["is_authorised"] = part.authorised
    if "location" in part.model_fields_set:
        values["location_id"] = state.location_id(account, part.location, path)
    if "offsite_address" in part.model_fields_set:
        values["offsite_address"] = edit_address(
            state, part.offsite_address, user.offsite_address if user else None, (*path, "offsite_address")
        )
    state.put(User, user, account, values, path)


def apply_number(state: ApplyState, account: Account, part: NumberPart, path: Path) -> None:
    number = state.draft.find_number(part.number)
    values = part.stated("number", "status", "extension")
    if "station_type" in part.model_fields_set:
        values["station_type_id"] = state.station_type_id(account, part.station_type, path)
    if "features" in part.model_fields_set:
        values["features"] = _edit_features(part.features, number.features if number else Features())
    if "main" in part.model_fields_set:
        values["is_main"] = part.main
    if "location" in part.model_fields_set:
        values["location_id"] = state.location_id(account, part.location, path)
    if "display_name" in part.model_fields_set:
        stated = part.display_name.stated("first", "last") if part.display_name else {"first": "", "last": ""}
        values.update({f"display_{name}": text for name, text in stated.items()})
    if "user" in part.model_fields_set:
        user = state.user_named(account, part.user, (*path, "user"))
        values["user_id"] = user.id if user else None
        if part.user is None and number is not None and not (part.features and part.features.voicemail_to_email):
            # What went to the user's email address does so no longer.
            values["features"] = replace(values.get("features", number.features), voicemail_to_email=False)
    if number is None:
        values.setdefault("extension", default_extension(part.number))
    number = state.put(Number, number, account, values, path)
    if number is not None and part.user is not None and number.user_id is None:
        state.unjudged.add(number.id)


def _edit_features(part: FeaturesPart | None, before: Features) -> Features:
    """Null sets every feature back; of those that are stated each is set, the others stay."""
    return replace(before, **part.stated(*part.model_fields_set)) if part is not None else Features()
