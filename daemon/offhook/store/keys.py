"""The key that opens the stored secrets, and the box that it makes.

The key lies in ``$CREDENTIALS_DIRECTORY/offhook.key`` (systemd's LoadCredential=) or in ``secret.key`` of the
state_dir, mode 0400, where the first start makes it. From it come, by HKDF, one key for each purpose.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offhook.errors import KeyUnusable
from offhook.secret import Secret

_PREFIX: Final = "offhook-key-1:"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
#: First byte of everything sealed: the form of what follows. Then four bytes that name the key.
_FORM: Final = b"\x01"
_KEY_ID_BYTES: Final = 4


class Keyring:
    """Keys derived from the root key, by purpose."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self.key_id = hashlib.sha256(b"offhook key id" + root).digest()[:_KEY_ID_BYTES]

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; the same each time."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"offhook {purpose}".encode()).derive(self._root)

    def format(self) -> Secret:
        """The root key as its file holds it."""
        return Secret(_PREFIX + base64.b64encode(self._root).decode() + "\n")


class AesGcmBox:
    """Seals with AES-256-GCM; the context is authenticated, so sealed texts cannot be swapped between rows."""

    def __init__(self, keyring: Keyring) -> None:
        self._cipher = AESGCM(keyring.derive("secrets"))
        self._header = _FORM + keyring.key_id
        self._digest_key = keyring.derive("token digests")

    def seal(self, secret: Secret, context: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._header + nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> Secret:
        body = sealed[len(self._header) :]
        try:
            if not sealed.startswith(self._header):
                raise InvalidTag
            return Secret(self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], context.encode()).decode())
        except (InvalidTag, ValueError):
            raise KeyUnusable(
                f"a stored secret ({context}) does not open: it was sealed with another key, or altered. "
                "Put back the key file that belongs to this state_dir."
            ) from None

    def digest(self, text: str) -> bytes:
        return hmac.digest(self._digest_key, text.encode(), "sha256")


def load_keyring(state_dir: Path, *, create: bool, credentials_dir: Path | None = None) -> Keyring:
    """Reads the key, or makes one where ``create`` says that nothing has been sealed yet.

    Raises KeyUnusable where it is missing, open to others, or no key.
    """
    if credentials_dir is not None and (credential := credentials_dir / "offhook.key").exists():
        return Keyring(_read(credential, check_mode=False))
    path = state_dir / "secret.key"
    if not path.exists():
        if not create:
            raise KeyUnusable(
                f"{path} is missing, but the inventory holds secrets that were sealed with it. "
                "Put the key file back, or restore a backup that has it."
            )
        try:
            _write(path)
        except OSError as error:
            raise KeyUnusable(
                f"{path} cannot be written: {error.strerror}. Make the state_dir writable for the daemon's user."
            ) from None
    return Keyring(_read(path, check_mode=True))


def read_keyring(path: Path) -> Keyring:
    """Reads the key from a file of any name. Raises KeyUnusable where it is missing, open to others, or no key."""
    return Keyring(_read(path, check_mode=True))


def _write(path: Path) -> None:
    text = Keyring(secrets.token_bytes(_KEY_BYTES)).format().reveal()
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path, *, check_mode: bool) -> bytes:
    mode = 0
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read: {error.strerror}. The daemon's user must own it.") from None
    except UnicodeDecodeError:
        text = ""
    if check_mode and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnusable(f"{path} is open to other users (mode {mode & 0o777:04o}). Run: chmod 0400 {path}")
    try:
        key = base64.b64decode(text.strip().removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_PREFIX) or len(key) != _KEY_BYTES:
        raise KeyUnusable(
            f"{path} is not a key that Offhook made. Put back the key file that belongs to this state_dir."
        )
    return key
