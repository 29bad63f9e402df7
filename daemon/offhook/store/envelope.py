"""Envelope encryption: secrets are sealed under data keys, and only these are wrapped under the root key.

So a root key is changed by wrapping a few rows anew, and every secret can move to another data key while the daemon
works. What is sealed begins with its form and the id of its key:

    1, id of a root key (4 bytes), nonce (12), AES-256-GCM    before there were data keys; opened, never made
    2, id of a data key (4 bytes), nonce (12), AES-256-GCM

The context (kind, id and field) is authenticated with it, so sealed texts cannot be swapped between rows. A data key
that is wrapped has the first of these forms, and its purpose and id are authenticated.
"""

import hmac
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offhook.errors import KeyUnusable
from offhook.secret import Secret
from offhook.store.keys import KEY_BYTES, KEY_ID_BYTES, Keyring, RootKey

_NONCE_BYTES: Final = 12
_UNDER_ROOT_KEY: Final = b"\x01"
_UNDER_DATA_KEY: Final = struct.Struct(">BI")
_FORM: Final = 2
#: How much of what is sealed names its key.
HEADER_BYTES: Final = len(_UNDER_ROOT_KEY) + KEY_ID_BYTES


class Purpose(StrEnum):
    """What a data key is for."""

    SECRETS = "secrets"
    #: Seals. One is current; the others open what they sealed before.
    DERIVATION = "derivation"
    #: What must never change comes from it by HKDF: the digests under which tokens are found, those that tell whether
    #: a phone's configuration differs, the nonces that phones hold. There is one, for ever.


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """A data key, unwrapped."""

    id: int
    #: Never used again.
    purpose: Purpose
    key: bytes = field(repr=False)
    created_at: float
    is_current: bool = True
    #: Of those with its purpose.

    @property
    def header(self) -> bytes:
        """What everything begins with that it sealed."""
        return _UNDER_DATA_KEY.pack(_FORM, self.id)


def new_data_key(key_id: int, purpose: Purpose, now: float) -> DataKey:
    """Random."""
    return DataKey(id=key_id, purpose=purpose, key=secrets.token_bytes(KEY_BYTES), created_at=now)


def wrap(key: DataKey, root: RootKey) -> bytes:
    """The data key as it is stored."""
    header, nonce = _UNDER_ROOT_KEY + root.id, secrets.token_bytes(_NONCE_BYTES)
    return header + nonce + _wrapping(root).encrypt(nonce, key.key, _identity(header, key.id, key.purpose))


def wrapped_under(wrapped: bytes) -> bytes:
    """Id of the root key that opens a wrapped data key."""
    return wrapped[len(_UNDER_ROOT_KEY) : HEADER_BYTES]


def unwrap(wrapped: bytes, key_id: int, purpose: Purpose, keyring: Keyring) -> bytes:
    """The bytes of a data key. Raises KeyUnusable where none of the keys opens it."""
    header, nonce, body = _split(wrapped)
    root = keyring.find(wrapped_under(wrapped))
    if root is None:
        raise KeyUnusable(
            f"the secrets were sealed with another key: the root key {wrapped_under(wrapped).hex()}, and the key file "
            f"holds {keyring.describe()}. Put back the key file that belongs to this state_dir."
        )
    try:
        return _wrapping(root).decrypt(nonce, body, _identity(header, key_id, purpose))
    except (InvalidTag, ValueError):
        raise KeyUnusable(f"the data key {key_id} does not open: it was altered. Restore a backup.") from None


def _wrapping(root: RootKey) -> AESGCM:
    return AESGCM(root.derive("data keys"))


def _identity(header: bytes, key_id: int, purpose: Purpose) -> bytes:
    return header + f"{purpose.value} {key_id}".encode()


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, nonce, and the rest."""
    border = HEADER_BYTES + _NONCE_BYTES
    return sealed[:HEADER_BYTES], sealed[HEADER_BYTES:border], sealed[border:]


class Envelope:
    """Satisfies :class:`offhook.inventory.ports.SecretBox` with the data keys of a database.

    It is asked by the event loop and by worker threads while :meth:`use` gives it other keys.
    """

    def __init__(self, keys: Iterable[DataKey]) -> None:
        known = tuple(keys)
        self._derivation = RootKey(next(key.key for key in known if key.purpose is Purpose.DERIVATION))
        self._digest_key = self._derivation.derive("token digests")
        # In databases that are older than data keys this is the key that secrets were sealed with directly.
        self._ciphers = {_UNDER_ROOT_KEY + self._derivation.id: AESGCM(self._derivation.derive("secrets"))}
        self.use(known)

    def use(self, keys: Iterable[DataKey]) -> None:
        """Opens with these keys too, and seals with the one of them that is current.

        Keys that are not among them any more still open: somebody may hold an older state of the inventory.
        """
        sealing = [key for key in keys if key.purpose is Purpose.SECRETS]
        self._ciphers = {**self._ciphers, **{key.header: AESGCM(key.key) for key in sealing}}
        self._current = next(key.header for key in sealing if key.is_current)

    def seal(self, secret: Secret, context: str) -> bytes:
        header, nonce = self._current, secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[header].encrypt(nonce, secret.reveal().encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> Secret:
        header, nonce, body = _split(sealed)
        try:
            return Secret(self._ciphers[header].decrypt(nonce, body, context.encode()).decode())
        except (KeyError, InvalidTag, ValueError):
            raise KeyUnusable(
                f"a stored secret ({context}) does not open: it was sealed with another key, or altered. "
                "Restore a backup."
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        return sealed.startswith(self._current)

    def is_outdated(self, sealed: bytes) -> bool:
        """Whether it was sealed with a key that did so before, and opens still."""
        header = sealed[:HEADER_BYTES]
        return header != self._current and header in self._ciphers

    def digest(self, text: str) -> bytes:
        return hmac.digest(self._digest_key, text.encode(), "sha256")

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, which no change of keys alters."""
        return self._derivation.derive(purpose)
