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
from offhook.inventory.resealing import find_sealed
from offhook.inventory.snapshot import KINDS, Inventory
from offhook.observability.metrics import Metrics
from offhook.secret import Secret
from offhook.store.archive import Header, Lock, Unsealed, read_header
from offhook.store.backup import Manifest, extract
from offhook.store.failures import explain
from offhook.store.key_file import KEY_FILE, KeyFile
from offhook.store.keys import Keyring
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
        keyring = _find_keyring(path, key_file, only_check=only_check) if header.lock is Lock.STATE_KEY else None
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
            inventory = _verify(config, draft, manifest, keyring or _archived_keyring(path, draft))
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


def _find_keyring(path: Path, key_file: Path | None, *, only_check: bool) -> Keyring:
    """The keys for a backup that has none inside: first those that the daemon will find here, then those named.

    In that order, because what the backup holds is wrapped anew under the first.
    """
    named = KeyFile(key_file).read() if key_file is not None else None
    here = KeyFile.of(path)
    if named is not None and (only_check or not here.exists()):
        return named
    if not here.exists():
        raise KeyUnusable(
            f"the backup was made without the key, and there is none in {path}. Put that daemon's {KEY_FILE} there, "
            "mode 0400, or name it with --key-file."
        )
    return here.read().including(named or ())


def _archived_keyring(path: Path, draft: Path) -> Keyring:
    """The keys of a backup that has them inside, after those that systemd hands to the daemon."""
    archived, here = KeyFile(draft / KEY_FILE).read(), KeyFile.of(path)
    return archived if here.is_ours else here.read().including(archived)


def _archive_key(header: Header, passphrase: Secret | None, keyring: Keyring | None) -> bytes:
    if keyring is not None:
        return header.derive_from_keyring(keyring)
    if passphrase is None:
        raise ArchiveUnusable("the backup opens with a passphrase. Give it one.")
    return header.derive_from_passphrase(passphrase)


def _verify(config: Config, draft: Path, manifest: Manifest, keyring: Keyring) -> Inventory:
    """Opens everything as a daemon would, and reads it."""
    drafted = config.model_copy(update={"state_dir": draft})
    try:
        stores = Stores(drafted, Metrics(__version__), lambda *_: None, keyring=keyring)
        try:
            inventory = Inventory(stores.inventory.load())
            for kind in KINDS:
                for entity in inventory.all(kind):
                    for sealed in find_sealed(entity):
                        stores.box.open(sealed.content, sealed.context)
            return inventory
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
