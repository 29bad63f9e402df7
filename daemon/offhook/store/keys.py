"""Root keys, of which the first in the key file wraps the data keys: see :mod:`offhook.store.envelope`.

From a root key, and from the data key that never changes, come by HKDF (RFC 5869) the keys of each purpose.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offhook.secret import Secret

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
#: Of a line in the key file.
_PREFIX: Final = "offhook-key-1:"


class RootKey:
    """256 bits from which keys are derived, with an id that tells nothing about them."""

    __slots__ = ("_root", "id")

    def __init__(self, root: bytes) -> None:
        self._root = root
        self.id: Final = hashlib.sha256(b"offhook key id" + root).digest()[:KEY_ID_BYTES]

    @classmethod
    def generate(cls) -> Self:
        """A new one, from the system's source of randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; the same each time."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"offhook {purpose}".encode()).derive(
            self._root
        )

    def reveal(self) -> bytes:
        """The key itself, to be wrapped or written down."""
        return self._root


class Keyring:
    """The root keys that a key file holds: the first is in use, the others open what was made with them before."""

    __slots__ = ("keys",)

    def __init__(self, *keys: RootKey) -> None:
        self.keys: Final = tuple({key.id: key for key in keys}.values())

    def __iter__(self) -> Iterator[RootKey]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def current(self) -> RootKey:
        """The one that wraps."""
        return self.keys[0]

    def find(self, key_id: bytes) -> RootKey | None:
        """The key of that id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def including(self, others: Iterable[RootKey]) -> "Keyring":
        """The same with more keys at its end."""
        return Keyring(*self.keys, *others)

    def without(self, key_id: bytes) -> "Keyring":
        """The same without the key of that id."""
        return Keyring(*(key for key in self.keys if key.id != key_id))

    def describe(self) -> str:
        """The ids, for people."""
        return ", ".join(key.id.hex() for key in self.keys)

    def format(self) -> Secret:
        """What the key file holds: a key a line."""
        return Secret("".join(f"{_PREFIX}{base64.b64encode(key.reveal()).decode()}\n" for key in self.keys))


def parse_keyring(text: str) -> Keyring | None:
    """The keys of a key file; None where it is none."""
    keys = [_parse_key(line.strip()) for line in text.splitlines() if line.strip()]
    whole = [key for key in keys if key is not None]
    return Keyring(*whole) if whole and len(whole) == len(keys) else None


def _parse_key(line: str) -> RootKey | None:
    try:
        root = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return None
    return RootKey(root) if line.startswith(_PREFIX) and len(root) == KEY_BYTES else None
