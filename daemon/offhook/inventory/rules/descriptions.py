"""How messages and the audit name a thing: by kind and natural key, as people know it."""

from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import (
    Account,
    Credential,
    DectSystem,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.snapshot import Inventory


def name_type(kind: DeviceType) -> str:
    """A type with its article, as sentences have it."""
    return f"{'an' if kind is DeviceType.ATA else 'a'} {kind.value}"


def describe_device(device: Device) -> str:
    """A device as people know it: its name and identifier."""
    identifier = (
        format_mac(device.mac)
        if device.mac
        else f"IPEI {format_ipei(device.ipei)}"
        if device.ipei
        else device.type.value
    )
    return f"{device.name} ({identifier})" if device.name else identifier


def describe(entity: Entity, inventory: Inventory) -> str:
    """Kind and natural key, as messages and the audit name a thing."""
    match entity:
        case Account():
            return f"account {entity.name}"
        case Location():
            return f"location {entity.name}"
        case StationType():
            return f"station type {entity.name}"
        case User():
            return f"user {entity.username}"
        case Number():
            return f"number {entity.number}"
        case DectSystem():
            return f"DECT system {entity.name}"
        case Device():
            return f"device {describe_device(entity)}"
        case Line():
            device = inventory.find(Device, entity.device_id)
            return f"line {entity.index} of {describe_device(device) if device else 'a deleted device'}"
        case Credential():
            return f"credential {entity.auth_username}"
        case _:
            return f"revision of device {entity.id}"
