"""Things of the inventory for tests: each with what a test rarely cares about already filled in.

Ids are given by the caller where things refer to each other, so that a test shows all that it depends on.
"""

import hashlib
import json
from typing import Any

from offhook.errors import KeyUnusable
from offhook.inventory.models import (
    AccessLevel,
    Account,
    Carrier,
    Credential,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret

ACCOUNT_TOKEN = "acmeacmeacmeacmeacmeacme22"
DEVICE_TOKEN = "phonephonephonephonephone2"


class FakeSecretBox:
    """Seals by writing the context beside the secret."""

    def seal(self, secret: Secret, context: str) -> bytes:
        return json.dumps([context, secret.reveal()]).encode()

    def open(self, sealed: bytes, context: str) -> Secret:
        stored, text = json.loads(sealed)
        if stored != context:
            raise KeyUnusable(f"sealed for {stored}, opened for {context}")
        return Secret(text)

    def digest(self, text: str) -> bytes:
        return hashlib.sha256(b"fake key" + text.encode()).digest()


BOX = FakeSecretBox()


def account(account_id: int = 1, *, token: str = ACCOUNT_TOKEN, **changes: Any) -> Account:
    """An account of level ``token``."""
    given: dict[str, Any] = {
        "name": f"account{account_id}" if account_id > 1 else "acme",
        "sip_domain": f"account{account_id}.test" if account_id > 1 else "acme.test",
        "access": AccessLevel.TOKEN,
        "timezone": "America/New_York",
        "token_digest": BOX.digest(token),
        "sealed_token": BOX.seal(Secret(token), f"account:{account_id}:token"),
    }
    return Account(id=account_id, **{**given, **changes})


def location(location_id: int = 1, *, account_id: int = 1, **changes: Any) -> Location:
    return Location(id=location_id, account_id=account_id, **{"name": f"place {location_id}", **changes})


def user(user_id: int = 1, *, account_id: int = 1, **changes: Any) -> User:
    """Jane Smith, extension 2001."""
    given: dict[str, Any] = {
        "username": f"user{user_id}",
        "first_name": "Jane",
        "last_name": "Smith",
        "extension": f"{2000 + user_id}",
    }
    return User(id=user_id, account_id=account_id, **{**given, **changes})


def number(number_id: int = 1, *, account_id: int = 1, **changes: Any) -> Number:
    return Number(id=number_id, account_id=account_id, **{"number": f"+1212555{number_id:04}", **changes})


def device(device_id: int = 1, *, account_id: int = 1, token: str | None = None, **changes: Any) -> Device:
    """A Yealink T46U with the MAC 001565123456."""
    given: dict[str, Any] = {
        "type": DeviceType.DESKPHONE,
        "mac": f"{0x001565123456 + device_id - 1:012x}",
        "vendor": "yealink",
        "model": "T46U",
        "phone_id": f"{100000 + device_id}",
    }
    if token is not None:
        given["token_digest"] = BOX.digest(token)
        given["sealed_token"] = BOX.seal(Secret(token), f"device:{device_id}:token")
    return Device(id=device_id, account_id=account_id, **{**given, **changes})


def line(line_id: int = 1, *, account_id: int = 1, device_id: int = 1, index: int = 1, **changes: Any) -> Line:
    return Line(id=line_id, account_id=account_id, device_id=device_id, index=index, **changes)


def credential(
    credential_id: int = 1, *, line_id: int = 1, aor_user: str = "2001", password: str = "Sesame234", **changes: Any
) -> Credential:
    """An active credential with an MD5 HA1, as the digest RFCs make it."""
    realm = changes.pop("realm", "acme.test")
    name = changes.pop("auth_username", f"{aor_user}-abc{credential_id:03}")
    ha1 = hashlib.md5(f"{name}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()
    given: dict[str, Any] = {
        "ha1": (("MD5", ha1),),
        "sealed_secret": BOX.seal(Secret(password), f"credential:{credential_id}:secret"),
    }
    return Credential(
        id=credential_id,
        line_id=line_id,
        auth_username=name,
        realm=realm,
        aor_user=aor_user,
        **{**given, **changes},
    )


def carrier(device_id: int = 1, *, revision: int = 1, **changes: Any) -> Carrier:
    given: dict[str, Any] = {
        "digest": f"config {revision}",
        "registration_digest": f"registration {revision}",
        "registration_revision": revision,
    }
    return Carrier(id=device_id, revision=revision, **{**given, **changes})


def inventory_of(*entities: Entity) -> Inventory:
    """A snapshot of these."""
    return Inventory(entities)


def one_phone(**changes: Any) -> Inventory:
    """An account with one phone, on whose first line Jane Smith has extension 2001; ``changes`` are the device's."""
    return inventory_of(account(), user(), device(**changes), line(user_id=1), credential(), carrier(revision=7))
