"""The tables of inventory.db. A column has the name of the field that it holds; :mod:`.inventory` maps the two.

Uniqueness is judged in memory, over all changes of a document at once (extensions swap, names move); foreign keys
are checked when a transaction commits.
"""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.models import (
    AccessLevel,
    BaseRole,
    CredentialState,
    DeviceState,
    DeviceType,
    Features,
    NumberStatus,
    Plan,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class EnumText(TypeDecorator[StrEnum]):
    """An enum by its value."""

    impl = String(16)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self._enum = enum

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return value.value if value is not None else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return self._enum(value) if value is not None else None


class TupleText(TypeDecorator[tuple[Any, ...]]):
    """A tuple, of texts or of pairs of texts, as JSON."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: tuple[Any, ...] | None, dialect: Dialect) -> str:
        return json.dumps(value or (), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Any, ...]:
        return tuple(tuple(item) if isinstance(item, list) else item for item in json.loads(value or "[]"))


class AddressText(TypeDecorator[EmergencyAddress]):
    """An emergency address with its state, as JSON."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: EmergencyAddress | None, dialect: Dialect) -> str | None:
        return json.dumps(asdict(value), ensure_ascii=False) if value is not None else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> EmergencyAddress | None:
        if value is None:
            return None
        data = json.loads(value)
        in_force = data["in_force"]
        return EmergencyAddress(
            entered=CivicAddress(**data["entered"]),
            state=AddressState(data["state"]),
            in_force=CivicAddress(**in_force) if in_force is not None else None,
            message=data["message"],
            checked_at=data["checked_at"],
            in_force_at=data.get("in_force_at"),
            in_force_by=CheckedBy(data["in_force_by"]) if data.get("in_force_by") else None,
            original=data.get("original", ""),
        )


class FeaturesText(TypeDecorator[Features]):
    """Features as JSON, of which only what is set otherwise than by itself is written."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Features | None, dialect: Dialect) -> str:
        if value is None or value == Features():
            return "{}"
        by_itself = asdict(Features())
        return json.dumps({name: held for name, held in asdict(value).items() if held != by_itself[name]})

    def process_result_value(self, value: str | None, dialect: Dialect) -> Features:
        data = json.loads(value or "{}")
        # Before there were features, the column held an empty list.
        return Features(**data) if isinstance(data, dict) else Features()


def _id() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _ref(name: str, table: str, *, nullable: bool = True) -> Column[int]:
    key = ForeignKey(f"{table}.id", deferrable=True, initially="DEFERRED")
    return Column(name, BigInteger, key, nullable=nullable, index=True)


accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("name", String(128), nullable=False),
    Column("sip_domain", String(253), nullable=False),
    Column("former_domains", TupleText, nullable=False),
    Column("gateway", Text),
    Column("external_registrar", Text),
    Column("access", EnumText(AccessLevel), nullable=False),
    Column("digest_algorithms", TupleText, nullable=False),
    Column("language", String(16), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("ntp_server", Text),
    Column("tones", String(2), nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    Column("sealed_token", LargeBinary, nullable=False),
    Column("former_token_digest", LargeBinary),
    Column("former_token_until", Float),
)

locations = Table(
    "locations",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("name", String(128), nullable=False),
    Column("timezone", String(64)),
    Column("address", AddressText),
)

station_types = Table(
    "station_types",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("name", String(128), nullable=False),
    Column("features", TupleText, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("username", String(320), nullable=False),
    Column("first_name", String(128), nullable=False),
    Column("last_name", String(128), nullable=False),
    Column("email", String(320)),
    Column("plan", EnumText(Plan), nullable=False),
    Column("extension", String(10)),
    _ref("location_id", "locations"),
    Column("timezone", String(64)),
    Column("forward_unreachable", String(32)),
    Column("voicemail_to_email", Boolean, nullable=False),
    Column("offsite_address", AddressText),
    Column("is_authorised", Boolean, nullable=False),
    Column("sealed_default_pin", LargeBinary, nullable=False),
    Column("pin_hash", Text),
    Column("pin_failures", Integer, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("number", String(16), nullable=False),
    Column("extension", String(10)),
    _ref("location_id", "locations"),
    Column("status", EnumText(NumberStatus), nullable=False),
    Column("is_main", Boolean, nullable=False),
    _ref("station_type_id", "station_types"),
    Column("display_first", String(128), nullable=False),
    Column("display_last", String(128), nullable=False),
    _ref("user_id", "users"),
    Column("features", FeaturesText, nullable=False),
    Column("sealed_default_pin", LargeBinary, nullable=False),
    Column("pin_hash", Text),
    Column("pin_failures", Integer, nullable=False),
)

dect_systems = Table(
    "dect_systems",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("name", String(128), nullable=False),
    Column("vendor", String(32)),
    Column("model", String(128)),
)

devices = Table(
    "devices",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    Column("type", EnumText(DeviceType), nullable=False),
    Column("mac", String(12)),
    Column("ipei", String(12)),
    Column("name", String(128)),
    Column("vendor", String(32)),
    Column("model", String(128)),
    _ref("location_id", "locations"),
    Column("state", EnumText(DeviceState), nullable=False),
    Column("phone_id", String(12), nullable=False),
    _ref("system_id", "dect_systems"),
    Column("role", EnumText(BaseRole)),
    _ref("base_id", "devices"),
    Column("slot", Integer),
    Column("address", AddressText),
    Column("token_digest", LargeBinary, nullable=False),
    Column("sealed_token", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("former_identifiers", TupleText, nullable=False),
    Index(None, "mac"),
)

lines = Table(
    "lines",
    metadata,
    _id(),
    _ref("account_id", "accounts", nullable=False),
    _ref("device_id", "devices", nullable=False),
    Column("index", Integer, nullable=False),
    Column("appearances", Integer, nullable=False),
    Column("label", String(128)),
    _ref("number_id", "numbers"),
    _ref("user_id", "users"),
    Column("extension", String(10)),
    Column("logged_in_at", Float),
)

credentials = Table(
    "credentials",
    metadata,
    _id(),
    _ref("line_id", "lines", nullable=False),
    Column("auth_username", String(64), nullable=False),
    Column("realm", String(253), nullable=False),
    Column("aor_user", String(64), nullable=False),
    Column("ha1", LargeBinary, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("state", EnumText(CredentialState), nullable=False),
    Column("is_external", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("retire_at", Float),
    Index(None, "auth_username"),
)

carriers = Table(
    "carriers",
    metadata,
    Column(
        "id",
        BigInteger,
        ForeignKey("devices.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("revision", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("registration_digest", String(64), nullable=False),
    Column("registration_revision", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("origin", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Index(None, "at"),
    Index(None, "account_id", "id"),
    Index(None, "request_id"),
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    _id(),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("last_used_at", Float),
    Column("scopes", TupleText, nullable=False),
    Column("accounts", TupleText, nullable=False),
    Column("networks", TupleText, nullable=False),
)

#: The keys that secrets are sealed with, wrapped under the root key: see :mod:`offhook.store.envelope`.
data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("wrapped_at", Float, nullable=False),
)

#: Of a database that has no data keys yet: one row, a text sealed with the key that all its secrets are sealed with.
key_check = Table(
    "key_check",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)
