"""A backup while the daemon runs: consistent copies of its databases, with or without the key, in one archive.

SQLite copies each database from one read transaction (``VACUUM INTO``), which lets its writer go on. Bindings and
journal are copied before the inventory, which they refer to.
"""

import hashlib
import io
import os
import shutil
import sqlite3
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offhook.errors import ArchiveUnusable, Conflict, StoreUnavailable
from offhook.secret import Secret
from offhook.store.archive import Header, Unsealed, seal, sealed_size
from offhook.store.failures import explain
from offhook.store.key_file import KEY_FILE
from offhook.store.keys import Keyring

DATABASES: Final = ("bindings.db", "journal.db", "inventory.db")
_DRAFT_PREFIX: Final = ".backup-"
_LENGTH: Final = struct.Struct(">I")
_MOST_MANIFEST_BYTES: Final = 64 * 1024
_PIECE_BYTES: Final = 1024 * 1024


class Part(BaseModel):
    """A file in the archive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["bindings.db", "journal.db", "inventory.db", "secret.key"]
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    schema_revision: str = ""
    #: Of a database: Alembic's revision, or SQLite's ``user_version``.


class Manifest(BaseModel):
    """What the archive begins with; the parts follow in its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    #: Of Offhook.
    created_at: datetime
    parts: Annotated[tuple[Part, ...], Field(max_length=8)]

    @property
    def has_key(self) -> bool:
        """Whether the key that opens the stored secrets is among its parts."""
        return any(part.name == KEY_FILE for part in self.parts)


class Backup:
    """Copies that wait to be sent. Close it: they take room on the disk, and no other backup is made meanwhile."""

    def __init__(self, header: Header, key: bytes, manifest: bytes, parts: list[BinaryIO], opened: ExitStack) -> None:
        self._header = header
        self._key = key
        self._contents = [io.BytesIO(_LENGTH.pack(len(manifest)) + manifest), *parts]
        self._opened = opened
        self.size = sealed_size(sum(file.seek(0, os.SEEK_END) for file in self._contents))

    def pieces(self) -> Iterator[bytes]:
        """The archive, about a mebibyte at a time. Blocks."""
        for file in self._contents:
            file.seek(0)
        piece = bytearray()
        for block in seal(self._header, self._key, self._contents):
            piece += block
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        if piece:
            yield bytes(piece)

    def close(self) -> None:
        self._opened.close()


class Backups:
    """Makes backups of one state_dir, one at a time."""

    def __init__(self, state_dir: Path, keyring: Callable[[], Keyring], version: str) -> None:
        """``keyring`` gives the root keys of the moment."""
        self._state_dir = state_dir
        self._keyring = keyring
        self._version = version
        self._turn = threading.Lock()

    def make(self, passphrase: Secret | None, now: float) -> Backup:
        """Copies everything. Blocks.

        With a passphrase the root keys are inside, and the passphrase opens the archive; else the root key in use
        does, and none is inside. Raises Conflict while another backup is made, StoreUnavailable where the disk is full.
        """
        if not self._turn.acquire(blocking=False):
            raise Conflict("a backup is being made already", remedy="wait until it is done, then try again")
        with ExitStack() as opened:
            opened.callback(self._turn.release)
            before = self._keyring()
            try:
                files = self._copy(opened)
                parts = [self._describe(path) for path in files]
                streams: list[BinaryIO] = [opened.enter_context(path.open("rb")) for path in files]
            except (OSError, sqlite3.Error) as error:
                text = explain(error, self._state_dir, "cannot be backed up", "See: offhook doctor")
                raise StoreUnavailable(text) from None
            # The keys may have changed while the databases were copied.
            keyring = self._keyring().including(before)
            header = Header.for_passphrase() if passphrase is not None else Header.for_keyring(keyring)
            if passphrase is not None:
                key = header.derive_from_passphrase(passphrase)
                keys = keyring.format().reveal().encode()
                parts.append(Part(name=KEY_FILE, size=len(keys), sha256=hashlib.sha256(keys).hexdigest()))
                streams.append(io.BytesIO(keys))
            else:
                key = header.derive_from_keyring(keyring)
            manifest = Manifest(version=self._version, created_at=datetime.fromtimestamp(now, UTC), parts=tuple(parts))
            return Backup(header, key, manifest.model_dump_json().encode(), streams, opened.pop_all())

    def _copy(self, opened: ExitStack) -> list[Path]:
        for left in self._state_dir.glob(f"{_DRAFT_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_DRAFT_PREFIX, dir=self._state_dir))
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        return [_copy_database(self._state_dir / name, folder / name) for name in DATABASES]

    @staticmethod
    def _describe(path: Path) -> Part:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Part.model_validate(
            {
                "name": path.name,
                "size": path.stat().st_size,
                "sha256": digest,
                "schema_revision": _schema_revision(path),
            }
        )


def _copy_database(source: Path, target: Path) -> Path:
    target.touch(mode=0o600)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    return target


def _schema_revision(path: Path) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if path.name == "inventory.db":
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        else:
            row = connection.execute("PRAGMA user_version").fetchone()
    return str(row[0]) if row is not None else ""


def extract(unsealed: Unsealed, folder: Path) -> Manifest:
    """Writes the parts into a folder, for their owner alone, and syncs them.

    Raises ArchiveUnusable where anything is not as it was; OSError where the disk is full.
    """
    manifest = _read_manifest(unsealed)
    for part in manifest.parts:
        mode = 0o400 if part.name == KEY_FILE else 0o600
        descriptor = os.open(folder / part.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        digest = hashlib.sha256()
        with os.fdopen(descriptor, "wb") as file:
            left = part.size
            while left:
                piece = unsealed.read(min(left, _PIECE_BYTES))
                left -= len(piece)
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != part.sha256:
            raise ArchiveUnusable(f"{part.name} in the backup is not what was backed up. Use another copy of it.")
    unsealed.finish()
    return manifest


def _read_manifest(unsealed: Unsealed) -> Manifest:
    (length,) = _LENGTH.unpack(unsealed.read(_LENGTH.size))
    newer = "the backup's table of contents is one that this version does not know. Restore it with a newer Offhook."
    if length > _MOST_MANIFEST_BYTES:
        raise ArchiveUnusable(newer)
    try:
        manifest = Manifest.model_validate_json(unsealed.read(length))
    except ValidationError:
        raise ArchiveUnusable(newer) from None
    names = [part.name for part in manifest.parts]
    if not set(DATABASES) <= set(names) or len(set(names)) < len(names):
        raise ArchiveUnusable(newer)
    return manifest
