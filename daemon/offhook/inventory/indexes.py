"""Under which keys each thing is found, and which of them are its own."""

from collections.abc import Hashable, Iterator
from typing import Final

from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    DectSystem,
    Device,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)

#: Name of an index and what an entity stands under in it.
Key = tuple[str, Hashable]

#: Indexes under which at most one entity may stand; ``rules.duplicates`` tells where it is otherwise.
UNIQUE: Final = frozenset(
    {
        "account.name",
        "account.domain",
        "location.name",
        "station_type.name",
        "user.username",
        "number.number",
        "number.main",
        "system.name",
        "device.mac",
        "device.ipei",
        "device.phone_id",
        "line.place",
        "line.number",
        "extension",
    }
)


def index_keys(entity: Entity) -> Iterator[Key]:
    """The keys under which an entity is found."""
    match entity:
        case Account():
            yield "account.name", entity.name.casefold()
            for domain in (entity.sip_domain, *entity.former_domains):
                yield "account.domain", domain
            if entity.token_digest:
                yield "account.token", entity.token_digest
            if entity.former_token_digest is not None:
                yield "account.token", entity.former_token_digest
        case Location():
            yield "location.name", (entity.account_id, entity.name.casefold())
        case StationType():
            yield "station_type.name", (entity.account_id, entity.name.casefold())
        case User():
            yield "user.username", entity.username.casefold()
            if entity.extension is not None:
                yield "extension", (entity.account_id, entity.extension)
        case Number():
            yield "number.number", entity.number
            if entity.extension is not None and entity.user_id is None:
                yield "extension", (entity.account_id, entity.extension)
            if entity.user_id is not None:
                yield "number.user", entity.user_id
            if entity.station_type_id is not None:
                yield "number.station_type", entity.station_type_id
            if entity.is_main:
                yield "number.main", (entity.account_id, entity.location_id)
            if entity.features.caller_identity is not None:
                yield "number.caller_identity", entity.features.caller_identity
            for target in entity.features.forward_targets:
                yield "number.forward", (entity.account_id, target)
        case DectSystem():
            yield "system.name", (entity.account_id, entity.name.casefold())
        case Device():
            if entity.mac is not None:
                yield "device.mac", entity.mac
            if entity.ipei is not None:
                yield "device.ipei", entity.ipei
            if entity.name is not None:
                yield "device.name", entity.name.casefold()
            if entity.phone_id:
                yield "device.phone_id", entity.phone_id
            if entity.base_id is not None:
                yield "device.base", entity.base_id
            if entity.system_id is not None:
                yield "device.system", entity.system_id
            if entity.token_digest:
                yield "device.token", entity.token_digest
        case Line():
            yield "line.place", (entity.device_id, entity.index)
            yield "line.device", entity.device_id
            if entity.user_id is not None:
                yield "line.user", entity.user_id
            if entity.number_id is not None:
                yield "line.number", entity.number_id
            if entity.extension is not None:
                yield "extension", (entity.account_id, entity.extension)
        case Credential():
            yield "credential.line", entity.line_id
            yield "credential.username", entity.auth_username
        case Carrier():
            return
