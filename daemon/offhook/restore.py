"""Puts a backup back into a state_dir that no daemon uses: all of it is verified before anything there changes.

It is verified by what a start does: the databases are opened in a folder of their own, brought to this version's
schema, and every secret in them is tried with the key.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from offhook import __version__
from offhook.config.schema import Config
from offhook.errors import ArchiveUnusable, KeyUnusable, SchemaTooNew, StoreError
from offhook.inventory.models import Account, Device
from offhook.inventory.snapshot import Inventory
from offhook.observability.metrics import Metrics
from offhook.secret import Secret
from offhook.store.archive import Header, Lock, Unsealed, read_header
from offhook.store.backup import KEY_FILE, Manifest, extract
from offhook.store.failures import explain
from offhook.store.keys import Keyring, load_keyring, read_keyring
from offhook.store.state_dir import StateDir
from offhook.stores import Stores

_DRAFT_PREFIX: Final = ".restore-"
_ASIDE_PREFIX: Final = "replaced-"
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    version: str
    #: Of the Offhook that made the backup.
    created_at: datetime
    has_key: bool
    accounts: int
    devices: int
    aside: Path | None
    #: Where what was there before is now.


def wants_passphrase(file: Path) -> bool:
    """Whether a passphrase opens this backup. Raises ArchiveUnusable for what is none."""
    with _opened(file) as archive:
        return read_header(archive).lock is Lock.PASSPHRASE


def restore(
    config: Config,
    file: Path,
    *,
    passphrase: Secret | None = None,
    key_file: Path | None = None,
    force: bool = False,
    only_check: bool = False,
) -> Restored:
    """Restores ``file`` into the configuration's state_dir.

    Args:
        config: Names the state_dir.
        file: The backup.
        passphrase: For one that has the key inside.
        key_file: For one without: the key, where it is not in the state_dir.
        force: Moves aside what the state_dir holds.
        only_check: Verifies the backup, in the folder for temporary files; a daemon may run.

    Raises:
        ArchiveUnusable: wrong passphrase, wrong key, or a damaged file.
        KeyUnusable: the key that it wants is not there.
        SchemaTooNew: a newer Offhook made it.
        StoreLocked: a daemon runs on that state_dir.
        StoreError: the state_dir is not empty, or cannot be written.
    """
    path = config.state_dir
    with _opened(file) as archive, ExitStack() as held:
        header = read_header(archive)
        if not only_check:
            if not path.exists():
                held.callback(_remove_if_bare, path)
            held.callback(StateDir(path).close)
        keyring = _keyring(path, key_file) if header.lock is Lock.STATE_KEY else None
        in_the_way = [] if only_check else _in_the_way(path, keeps_key=keyring is not None)
        if in_the_way and not force:
            names = ", ".join(entry.name for entry in in_the_way[:4])
            raise StoreError(
                f"{path} is not empty ({names}). Restore into another state_dir, or add --force: "
                "that moves what is there aside."
            )
        room = Path(tempfile.gettempdir()) if only_check else path
        try:
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT_PREFIX, dir=room))
            held.callback(shutil.rmtree, draft, ignore_errors=True)
            manifest = extract(Unsealed(header, _archive_key(header, passphrase, keyring), archive), draft)
            inventory = _verify(config, draft, manifest, keyring)
            aside = _move_aside(path, in_the_way)
            if not only_check:
                _install(path, draft, manifest)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(explain(error, room, "cannot take the backup", "Use another copy of it.")) from None
    return Restored(
        version=manifest.version,
        created_at=manifest.created_at,
        has_key=manifest.has_key,
        accounts=inventory.count(Account),
        devices=inventory.count(Device),
        aside=aside,
    )


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ArchiveUnusable(f"{file} cannot be read: {error.strerror}. Name a backup that you may read.") from None


def _remove_if_bare(path: Path) -> None:
    """A state_dir that was made for a restore goes again where nothing was restored."""
    if [entry.name for entry in path.iterdir()] == [_LOCK]:
        (path / _LOCK).unlink()
        path.rmdir()


def _in_the_way(path: Path, *, keeps_key: bool) -> list[Path]:
    """What a restore would replace: neither the lock, nor what earlier ones moved aside, nor the key that it wants."""
    return sorted(
        entry
        for entry in path.iterdir()
        if entry.name != _LOCK
        and not (keeps_key and entry.name == KEY_FILE)
        and not entry.name.startswith((_ASIDE_PREFIX, _DRAFT_PREFIX))
    )


def _keyring(path: Path, key_file: Path | None) -> Keyring:
    """The key that a backup without one wants."""
    if key_file is not None:
        return read_keyring(key_file)
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    try:
        return load_keyring(path, create=False, credentials_dir=Path(credentials) if credentials else None)
    except KeyUnusable:
        if (path / KEY_FILE).exists():
            raise
        raise KeyUnusable(
            f"the backup was made without the key, and there is none in {path}. Put that daemon's {KEY_FILE} there, "
            "mode 0400, or name it with --key-file."
        ) from None


def _archive_key(header: Header, passphrase: Secret | None, keyring: Keyring | None) -> bytes:
    if keyring is not None:
        return header.derive_from_keyring(keyring)
    if passphrase is None:
        raise ArchiveUnusable("the backup opens with a passphrase. Give it one.")
    return header.derive_from_passphrase(passphrase)


def _verify(config: Config, draft: Path, manifest: Manifest, keyring: Keyring | None) -> Inventory:
    """Opens everything as a daemon would, and reads it."""
    if keyring is not None:
        key = draft / KEY_FILE
        key.touch(mode=0o600)
        key.write_text(keyring.format().reveal())
    try:
        stores = Stores(config.model_copy(update={"state_dir": draft}), Metrics(__version__), lambda *_: None)
        try:
            return Inventory(stores.inventory.load())
        finally:
            stores.close()
    except SchemaTooNew:
        raise SchemaTooNew(
            f"the backup was made by Offhook {manifest.version}, whose databases this version ({__version__}) does "
            "not know. Install that version, or a newer one, and restore with it."
        ) from None
    except KeyUnusable:
        raise KeyUnusable(
            "the backup holds secrets that the key does not open. Use another backup, or the key that belongs to it."
        ) from None


def _move_aside(path: Path, entries: Sequence[Path]) -> Path | None:
    if not entries:
        return None
    aside = Path(tempfile.mkdtemp(prefix=f"{_ASIDE_PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%SZ}-", dir=path))
    for entry in entries:
        entry.rename(aside / entry.name)
    return aside


def _install(path: Path, draft: Path, manifest: Manifest) -> None:
    """Renames the files into place, the key and the inventory first: without them a start would begin anew."""
    names: list[str] = [part.name for part in manifest.parts]
    names.sort(key=lambda name: (name != KEY_FILE, name != "inventory.db"))
    for name in names:
        (draft / name).rename(path / name)
    owner = path.stat()
    if os.geteuid() == 0:
        for name in (*names, _LOCK):
            os.chown(path / name, owner.st_uid, owner.st_gid)
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
