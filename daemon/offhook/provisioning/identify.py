"""Which device asks, and for what: the claims of a request held against the inventory."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offhook.inventory.models import Device, DeviceState
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.evidence import Claims
from offhook.provisioning.vendors import FileMatch, FileSpec, ModelSpec, Vendor


class Reason(StrEnum):
    """Why a request was answered as it was. For logs and operators; the device is told none of it."""

    GRANTED = "granted"
    MALFORMED_PATH = "malformed_path"
    UNKNOWN_FILE = "unknown_file"
    OPTIONAL = "optional"
    #: The firmware asks, and goes on without.
    UNKNOWN_DEVICE = "unknown_device"
    DISABLED = "disabled"
    NO_TEMPLATES = "no_templates"
    #: For a device of its type.
    WRONG_VENDOR = "wrong_vendor"
    WRONG_TOKEN = "wrong_token"
    TOKEN_NEEDED = "token_needed"
    TOKEN_TOO_WEAK = "token_too_weak"
    WRONG_DEVICE = "wrong_device"
    #: A token that belongs to another one.
    OUTSIDE_LAN = "outside_lan"
    RENDER_FAILED = "render_failed"


@dataclass(frozen=True, slots=True)
class Identity:
    """What is believed of a request. A ``reason`` refuses it, whatever it shows."""

    reason: Reason | None = None
    vendor: Vendor | None = None
    file: FileSpec | None = None
    mac: str | None = None
    device: Device | None = None
    model: ModelSpec | None = None
    #: To render for: the reported one where the vendor has it, else the one typed in.
    reported_model: str | None = None
    reported_firmware: str | None = None
    model_mismatch: bool = False
    #: The device is not the model that was typed in.
    mac_mismatch: bool = False
    #: Path and User-Agent name different MACs, as a phone on Wi-Fi may do.


NOBODY: Final = Identity()


def identify(claims: Claims, inventory: Inventory, catalog: Catalog) -> Identity:
    """Decides who asks. What the device reports wins over what was typed in."""
    agent = claims.agent
    mac = claims.mac
    named = mac or (agent.mac if agent else None)
    device = inventory.find_device_by_mac(named) if named else None
    match = _choose(claims, device)
    if match is None:
        return Identity(Reason.UNKNOWN_FILE, mac=mac)
    vendor = catalog.vendors[match.vendor]
    if mac is None and device is not None and (device.vendor or vendor.name) != vendor.name:
        device = None
    told_by_agent = agent if agent is not None and agent.vendor == vendor.name else None
    reported = told_by_agent.model if told_by_agent and told_by_agent.model else None
    if reported is None and match.models:
        reported = _best(match.models, vendor.find_templated_model(device.model if device else None)).name
    typed = vendor.find_templated_model(device.model) if device else None
    seen = vendor.find_templated_model(reported)
    return Identity(
        reason=_refuse(match, vendor, device, claims.mac_vendor),
        vendor=vendor,
        file=match.file,
        mac=mac,
        device=device,
        model=seen or typed,
        reported_model=seen.name if seen else reported,
        reported_firmware=told_by_agent.firmware if told_by_agent else None,
        model_mismatch=device is not None and device.model is not None and reported is not None and seen != typed,
        mac_mismatch=bool(mac and agent and agent.mac and agent.mac != mac),
    )


def _choose(claims: Claims, device: Device | None) -> FileMatch | None:
    """Of the vendors who ask for such a name the only one, else the device's, the MAC's, the User-Agent's."""
    if len(claims.files) == 1:
        return claims.files[0]
    for wanted in (device and device.vendor, claims.mac_vendor, claims.agent and claims.agent.vendor):
        for match in claims.files:
            if match.vendor == wanted:
                return match
    return None


def _refuse(match: FileMatch, vendor: Vendor, device: Device | None, mac_vendor: str | None) -> Reason | None:
    if match.mac is not None:
        believed = (device.vendor if device else None) or mac_vendor
        if believed is not None and believed != match.vendor:
            return Reason.WRONG_VENDOR
        if device is None:
            return Reason.OPTIONAL if match.file.template is None else Reason.UNKNOWN_DEVICE
    if device is not None and device.state is DeviceState.DISABLED:
        return Reason.DISABLED
    if match.file.template is None:
        return Reason.OPTIONAL
    if match.mac is not None and device is not None and device.type not in vendor.device_types:
        return Reason.NO_TEMPLATES
    return None


def _best(models: tuple[ModelSpec, ...], typed: ModelSpec | None) -> ModelSpec:
    """Of the models that share a common file the one typed in, else the first."""
    return typed if typed in models and typed is not None else models[0]
