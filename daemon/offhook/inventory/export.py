"""The inventory as a document that ``apply`` takes back: applied to what it came from, it changes nothing."""

from dataclasses import asdict
from typing import Any, Final

import yaml

from offhook.errors import NotFound
from offhook.inventory.address import EmergencyAddress
from offhook.inventory.editor import Editor
from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import (
    Account,
    DectSystem,
    Device,
    DeviceState,
    Features,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.snapshot import Inventory


def export_document(inventory: Inventory, account_names: list[str] | None = None, secrets: Editor | None = None) -> str:
    """YAML of these accounts, or of all. With ``secrets`` it holds authentication names and passwords.

    Raises NotFound for an account that is not there.
    """
    accounts = sorted(inventory.all(Account), key=lambda account: account.name.casefold())
    if account_names is not None:
        for name in account_names:
            if inventory.find_account(name) is None:
                raise NotFound(
                    f"there is no account {name!r}", field="account", remedy="list them: offhook account list"
                )
        wanted = {name.casefold() for name in account_names}
        accounts = [account for account in accounts if account.name.casefold() in wanted]
    data = {"accounts": [_account(inventory, account, secrets) for account in accounts]}
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


#: Within a text that begins with a letter, these make nothing else of it.
_HARMLESS: Final = str.maketrans("", "", " _-.")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # libyaml's is 8 times faster
    """Quotes every text that a YAML reader could take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    looks_like_data = not text or not (text[0].isalpha() and text.translate(_HARMLESS).isalnum())
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if looks_like_data else None)


_Dumper.add_representer(str, _text)


def _set(values: dict[str, Any]) -> dict[str, Any]:
    """Drops what is not set, so that the document says only what there is to say."""
    return {name: value for name, value in values.items() if value not in (None, "", [], ())}


def _account(inventory: Inventory, account: Account, secrets: Editor | None) -> dict[str, Any]:
    def of(kind: Any, key: Any) -> list[Any]:
        return sorted((part for part in inventory.all(kind) if part.account_id == account.id), key=key)

    bases_first = {"dect_base": 0, "dect_handset": 2}
    return _set(
        {
            "name": account.name,
            "sip_domain": account.sip_domain,
            "gateway": account.gateway,
            "external_registrar": account.external_registrar,
            "access": account.access.value,
            "digest_algorithms": list(account.digest_algorithms),
            "language": account.language,
            "timezone": account.timezone,
            "ntp_server": account.ntp_server,
            "tones": account.tones,
            "locations": [_location(part) for part in of(Location, lambda part: part.name.casefold())],
            "station_types": [_station_type(part) for part in of(StationType, lambda part: part.name.casefold())],
            "users": [_user(inventory, part) for part in of(User, lambda part: part.username.casefold())],
            "numbers": [_number(inventory, part) for part in of(Number, lambda part: part.number)],
            "dect_systems": [_system(part) for part in of(DectSystem, lambda part: part.name.casefold())],
            "devices": [
                _device(inventory, part, secrets)
                for part in of(Device, lambda part: (bases_first.get(part.type.value, 1), part.name or "", part.id))
            ],
        }
    )


def _address(address: EmergencyAddress | None) -> dict[str, str] | None:
    return address.entered.elements() if address is not None else None


def _location(location: Location) -> dict[str, Any]:
    return _set({"name": location.name, "timezone": location.timezone, "address": _address(location.address)})


def _station_type(kind: StationType) -> dict[str, Any]:
    return {"name": kind.name, "features": list(kind.features)}


def _features(features: Features) -> dict[str, Any]:
    """Those that are set otherwise than by themselves."""
    by_itself = asdict(Features())
    return {name: value for name, value in asdict(features).items() if value != by_itself[name]}


def _user(inventory: Inventory, user: User) -> dict[str, Any]:
    location = inventory.find(Location, user.location_id)
    return _set(
        {
            "username": user.username,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "plan": user.plan.value,
            "extension": user.extension,
            "location": location.name if location else None,
            "timezone": user.timezone,
            "forward_unreachable": user.forward_unreachable,
            "voicemail_to_email": user.voicemail_to_email or None,
            "authorised": user.is_authorised or None,
            "offsite_address": _address(user.offsite_address),
        }
    )


def _number(inventory: Inventory, number: Number) -> dict[str, Any]:
    location = inventory.find(Location, number.location_id)
    user = inventory.find(User, number.user_id)
    kind = inventory.find(StationType, number.station_type_id)
    values = _set(
        {
            "number": number.number,
            "location": location.name if location else None,
            "status": number.status.value,
            "main": number.is_main or None,
            "extension": number.extension,
            "station_type": kind.name if kind else None,
            "display_name": _set({"first": number.display_first, "last": number.display_last}) or None,
            "features": _features(number.features) or None,
            "user": user.username if user else None,
        }
    )
    # Absent, it would be made of the last four digits.
    return values if number.extension is not None else {**values, "extension": None}


def _system(system: DectSystem) -> dict[str, Any]:
    return _set({"name": system.name, "vendor": system.vendor, "model": system.model})


def _device(inventory: Inventory, device: Device, secrets: Editor | None) -> dict[str, Any]:
    location = inventory.find(Location, device.location_id)
    base = inventory.find(Device, device.base_id)
    system = inventory.find(DectSystem, device.system_id)
    values = _set(
        {
            "type": device.type.value,
            "mac": format_mac(device.mac) if device.mac else None,
            "ipei": format_ipei(device.ipei) if device.ipei else None,
            "name": device.name,
            "vendor": device.vendor,
            "model": device.model,
            "location": location.name if location else None,
            "state": device.state.value if device.state is DeviceState.DISABLED else None,
            "base": format_mac(base.mac) if base is not None and base.mac else None,
            "system": system.name if system else None,
            "role": device.role.value if device.role else None,
            "address": _address(device.address),
            "lines": [
                entry
                for line in inventory.lines_of(device.id)
                if len(entry := _line(inventory, line, secrets)) > 1 or line.index > 1
            ],
        }
    )
    # Absent, it would be told by the MAC.
    return values if device.vendor is not None or device.mac is None else {**values, "vendor": None}


def _line(inventory: Inventory, line: Line, secrets: Editor | None) -> dict[str, Any]:
    user = inventory.find(User, line.user_id)
    number = inventory.find(Number, line.assigned_number_id)
    credential = inventory.active_credential(line.id) if secrets is not None else None
    return {
        "index": line.index,
        **_set(
            {
                "user": user.username if user else None,
                "number": number.number if number else None,
                "extension": line.extension,
                "label": line.label,
                "appearances": line.appearances if line.appearances != 1 else None,
                "auth_username": credential.auth_username if credential else None,
                "password": secrets.reveal(credential).reveal() if secrets is not None and credential else None,
            }
        ),
    }
