"""The form of a backup: a header that says how the key is found, then blocks sealed with AES-256-GCM.

The key comes from a passphrase by Argon2id (RFC 9106), with the parameters that the header names, or from the key of
the state_dir by HKDF (RFC 5869). Either way a random salt makes it another key for each archive, so a block's nonce is
its number; the last block is marked in its nonce, and the header is authenticated with each block. What was altered,
cut off, put in another order or added to does not open. Blocks are handled one at a time.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO, Final, Self

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offhook.errors import ArchiveUnusable
from offhook.secret import Secret
from offhook.store.keys import KEY_BYTES, KEY_ID_BYTES, Keyring

BLOCK_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16
_MAGIC: Final = b"offhook backup\x00\x01"
#: The last byte is the version of this form.
_HEADER: Final = struct.Struct(">16s B 16s 4s III")
_NONCE: Final = struct.Struct(">3x Q ?")
_SALT_BYTES: Final = 16
_PURPOSE: Final = "backups"
#: What an archive may ask of whoever opens it.
_MOST_PASSES: Final = 32
_MOST_MEMORY_KIB: Final = 1024 * 1024
_MOST_LANES: Final = 16


class Lock(IntEnum):
    """What opens an archive."""

    PASSPHRASE = 1
    STATE_KEY = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters of Argon2id."""

    passes: int
    memory_kib: int
    lanes: int


#: The second choice of RFC 9106 §4.
PASSPHRASE_COST: Final = Cost(3, 64 * 1024, 4)


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of an archive, in clear."""

    lock: Lock
    salt: bytes
    key_id: bytes = bytes(KEY_ID_BYTES)
    #: Names the state_dir's key where that opens it.
    cost: Cost = Cost(0, 0, 0)
    #: Where a passphrase does.

    @classmethod
    def for_passphrase(cls, cost: Cost | None = None) -> Self:
        """A header for an archive that a passphrase opens."""
        return cls(Lock.PASSPHRASE, os.urandom(_SALT_BYTES), cost=cost or PASSPHRASE_COST)

    @classmethod
    def for_keyring(cls, keyring: Keyring) -> Self:
        """A header for an archive that the state_dir's key opens: the one in use."""
        return cls(Lock.STATE_KEY, os.urandom(_SALT_BYTES), key_id=keyring.current.id)

    def __bytes__(self) -> bytes:
        cost = self.cost
        return _HEADER.pack(_MAGIC, self.lock, self.salt, self.key_id, cost.passes, cost.memory_kib, cost.lanes)

    def derive_from_passphrase(self, passphrase: Secret) -> bytes:
        """The archive's key. Takes tens of milliseconds, and the memory that the header names."""
        try:
            return hash_secret_raw(
                passphrase.reveal().encode(),
                self.salt,
                time_cost=self.cost.passes,
                memory_cost=self.cost.memory_kib,
                parallelism=self.cost.lanes,
                hash_len=KEY_BYTES,
                type=Type.ID,
            )
        except (HashingError, MemoryError):
            raise ArchiveUnusable(
                f"the backup's passphrase takes {self.cost.memory_kib // 1024} MiB of memory to check. Free some."
            ) from None

    def derive_from_keyring(self, keyring: Keyring) -> bytes:
        """The archive's key. Raises ArchiveUnusable where none of these keys made it."""
        root = keyring.find(self.key_id)
        if root is None:
            raise ArchiveUnusable(
                f"the backup was made with the key {self.key_id.hex()}, and the key here is {keyring.describe()}. "
                "Name the key file of that daemon, and of that time, with --key-file."
            )
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=self.salt, info=b"offhook archive").derive(
            root.derive(_PURPOSE)
        )


def read_header(file: BinaryIO) -> Header:
    """The header of an archive. Raises ArchiveUnusable for what is none."""
    content = file.read(_HEADER.size)
    if len(content) < _HEADER.size or not content.startswith(_MAGIC[:-1]):
        raise ArchiveUnusable("this is no backup that Offhook made, or only the beginning of one")
    magic, lock, salt, key_id, *cost = _HEADER.unpack(content)
    if magic != _MAGIC or lock not in set(Lock):
        raise ArchiveUnusable("this backup has a form that this version does not know. Use a newer Offhook.")
    passes, memory_kib, lanes = cost
    if lock == Lock.PASSPHRASE and not (
        1 <= passes <= _MOST_PASSES and 1 <= lanes <= _MOST_LANES and 8 * lanes <= memory_kib <= _MOST_MEMORY_KIB
    ):
        raise ArchiveUnusable("the beginning of the backup is damaged. Use another copy of it.")
    return Header(Lock(lock), salt, key_id, Cost(passes, memory_kib, lanes))


def sealed_size(plain_bytes: int) -> int:
    """How long the archive of so many bytes is."""
    blocks = max(1, -(-plain_bytes // BLOCK_BYTES))
    return _HEADER.size + plain_bytes + blocks * _TAG_BYTES


def seal(header: Header, key: bytes, files: Iterable[BinaryIO]) -> Iterator[bytes]:
    """The archive of these files' contents, one after the other, in pieces."""
    cipher, associated = AESGCM(key), bytes(header)
    yield associated
    number, held = 0, b""
    for block in _blocks(files):
        if held:
            yield cipher.encrypt(_NONCE.pack(number, False), held, associated)
            number += 1
        held = block
    yield cipher.encrypt(_NONCE.pack(number, True), held, associated)


def _blocks(files: Iterable[BinaryIO]) -> Iterator[bytes]:
    """Whole blocks; the last may be shorter."""
    buffer = bytearray()
    for file in files:
        while piece := file.read(BLOCK_BYTES):
            buffer += piece
            if len(buffer) >= BLOCK_BYTES:
                yield bytes(buffer[:BLOCK_BYTES])
                del buffer[:BLOCK_BYTES]
    if buffer:
        yield bytes(buffer)


class Unsealed:
    """The contents of an archive, in order. Nothing is given that is not authentic."""

    def __init__(self, header: Header, key: bytes, file: BinaryIO) -> None:
        self._blocks = _open(header, key, file)
        self._buffer = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Exactly so many bytes. Raises ArchiveUnusable where there are not as many, or they do not open."""
        parts: list[bytes] = []
        while size > 0:
            if not self._buffer:
                self._buffer = memoryview(self._next())
            part = bytes(self._buffer[:size])
            self._buffer = self._buffer[len(part) :]
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Raises ArchiveUnusable where anything is left."""
        if self._buffer or any(self._blocks):
            raise ArchiveUnusable("the backup is damaged: it holds more than it says. Use another copy of it.")

    def _next(self) -> bytes:
        block = next(self._blocks, b"")
        if not block:
            raise ArchiveUnusable("the backup is damaged: it holds less than it says. Use another copy of it.")
        return block


def _open(header: Header, key: bytes, file: BinaryIO) -> Iterator[bytes]:
    cipher, associated = AESGCM(key), bytes(header)
    number = 0
    sealed = file.read(BLOCK_BYTES + _TAG_BYTES)
    while True:
        following = file.read(BLOCK_BYTES + _TAG_BYTES)
        try:
            yield cipher.decrypt(_NONCE.pack(number, not following), sealed, associated)
        except (InvalidTag, ValueError):
            # The first block alone cannot tell one cause from the other.
            wrong = "wrong passphrase, or a damaged file" if header.lock is Lock.PASSPHRASE else "a damaged file"
            message = wrong if number == 0 else "the file is damaged or cut off"
            raise ArchiveUnusable(f"the backup does not open: {message}. Nothing was changed.") from None
        if not following:
            return
        sealed, number = following, number + 1
