"""A backup of a real state_dir goes back, or nothing changes."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from tests.support.acme import DOCUMENT
from tests.support.admin_daemon import FakeClock, FakeDigests, FakeVendors
from tests.support.keys import KEYRING, secrets_of

from offhook.config.load import parse_config
from offhook.config.schema import Config
from offhook.errors import ArchiveUnusable, KeyUnusable, SchemaTooNew, StoreError, StoreLocked
from offhook.events import EventBus
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.editor import Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.service import DAEMON, InventoryService
from offhook.observability.metrics import Metrics
from offhook.restore import restore, wants_passphrase
from offhook.secret import Secret
from offhook.store import archive
from offhook.store.archive import Cost
from offhook.store.backup import Backups
from offhook.store.state_dir import StateDir
from offhook.stores import Stores

PASSPHRASE: Final = Secret("four words of mine")


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PASSPHRASE_COST", Cost(1, 64, 1))


def config_of(folder: Path) -> Config:
    return parse_config(f"state_dir: {folder}\n", folder.parent / "offhook.yaml")


def new_stores(folder: Path) -> Stores:
    folder.mkdir(mode=0o700)
    return Stores(config_of(folder), Metrics("test"), lambda *_: None)


async def make_state(folder: Path) -> Stores:
    """A state_dir with the office of the handbook in it."""
    stores = new_stores(folder)
    clock = FakeClock()
    with ThreadPoolExecutor(1) as executor:
        workshop = Workshop(IdSource(clock), stores.box, FakeVendors())
        bus = EventBus(lambda *_: None)
        service = InventoryService(stores.inventory, workshop, FakeDigests(), bus=bus, clock=clock, executor=executor)
        await service.load()
        await service.apply(service.document(DOCUMENT.encode(), "acme.yaml"), ApplyOptions(), DAEMON)
    return stores


@pytest.fixture
async def backups(tmp_path: Path) -> dict[bool, Path]:
    """The same state twice: with the key and without."""
    stores = await make_state(tmp_path / "origin")
    made = Backups(tmp_path / "origin", lambda: stores.keys.keyring, "1.2.3")
    files = {with_key: tmp_path / f"{with_key}.backup" for with_key in (True, False)}
    for with_key, file in files.items():
        backup = made.make(PASSPHRASE if with_key else None, 1_800_000_000.0)
        file.write_bytes(b"".join(backup.pieces()))
        backup.close()
    stores.close()
    return files


def listing(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_into_nothing_with_the_modes_of_a_first_start(backups: dict[bool, Path], tmp_path: Path) -> None:
    target = tmp_path / "deep" / "state"
    restored = restore(config_of(target), backups[True], passphrase=PASSPHRASE)
    assert (restored.accounts, restored.devices, restored.has_key, restored.version) == (1, 4, True, "1.2.3")
    assert target.stat().st_mode & 0o777 == 0o700
    assert listing(target) == {
        "secret.key": 0o400,
        "inventory.db": 0o600,
        "bindings.db": 0o600,
        "journal.db": 0o600,
        "lock": 0o600,
    }
    stores = Stores(config_of(target), Metrics("test"), lambda *_: None)
    origin = Stores(config_of(tmp_path / "origin"), Metrics("test"), lambda *_: None)
    assert list(stores.inventory.load()) == list(origin.inventory.load())
    stores.close()
    origin.close()


@pytest.mark.parametrize("place", ["wrong passphrase", "header", "first block", "middle", "end", "cut off", "empty"])
async def test_what_does_not_open_changes_nothing(backups: dict[bool, Path], tmp_path: Path, place: str) -> None:
    content = bytearray(backups[True].read_bytes())
    positions = {"header": 20, "first block": 100, "middle": len(content) // 2, "end": len(content) - 1}
    if place in positions:
        content[positions[place]] ^= 1
    elif place == "cut off":
        del content[-70_000:]
    elif place == "empty":
        content.clear()
    file = tmp_path / "bad.backup"
    file.write_bytes(content)
    passphrase = Secret("four words of theirs") if place == "wrong passphrase" else PASSPHRASE
    target = tmp_path / "state"
    with pytest.raises(ArchiveUnusable):
        restore(config_of(target), file, passphrase=passphrase)
    assert not target.exists()
    target.mkdir()
    with pytest.raises(ArchiveUnusable):
        restore(config_of(target), file, passphrase=passphrase)
    assert set(listing(target)) <= {"lock"}


async def test_without_the_key_it_wants_the_one_in_place(backups: dict[bool, Path], tmp_path: Path) -> None:
    target, key = tmp_path / "state", tmp_path / "origin" / "secret.key"
    assert not wants_passphrase(backups[False])
    with pytest.raises(KeyUnusable, match="made without the key"):
        restore(config_of(target), backups[False])
    assert not target.exists()

    target.mkdir()
    other = "offhook-key-1:" + "A" * 43 + "=\n"
    (target / "secret.key").write_text(other)
    (target / "secret.key").chmod(0o400)
    with pytest.raises(ArchiveUnusable, match="and the key here is"):
        restore(config_of(target), backups[False])

    (target / "secret.key").unlink()
    (target / "secret.key").write_bytes(key.read_bytes())
    (target / "secret.key").chmod(0o400)
    restored = restore(config_of(target), backups[False])
    assert (restored.has_key, restored.devices, restored.aside) == (False, 4, None)
    assert (target / "secret.key").read_bytes() == key.read_bytes()
    Stores(config_of(target), Metrics("test"), lambda *_: None).close()


def opened(folder: Path) -> dict[str, str]:
    """Every secret of a state_dir, as a start finds it."""
    stores = Stores(config_of(folder), Metrics("test"), lambda *_: None)
    try:
        return secrets_of(stores.inventory.load(), stores.box)
    finally:
        stores.close()


@pytest.fixture
async def rotated(backups: dict[bool, Path], tmp_path: Path) -> dict[bool, Path]:
    """Backups of the same state after its root key was changed; those before it are ``backups``."""
    stores = Stores(config_of(tmp_path / "origin"), Metrics("test"), lambda *_: None)
    shutil.copy(tmp_path / "origin" / "secret.key", tmp_path / "old.key")
    stores.keys.rotate()
    made = Backups(tmp_path / "origin", lambda: stores.keys.keyring, "1.2.3")
    files = {with_key: tmp_path / f"rotated-{with_key}.backup" for with_key in (True, False)}
    for with_key, file in files.items():
        backup = made.make(PASSPHRASE if with_key else None, 1_800_000_000.0)
        file.write_bytes(b"".join(backup.pieces()))
        backup.close()
    stores.close()
    return files


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("with_key", [True, False])
async def test_backups_from_before_and_after_a_change_of_the_key_open_with_what_is_in_place(
    backups: dict[bool, Path], rotated: dict[bool, Path], tmp_path: Path, when: str, with_key: bool
) -> None:
    origin = tmp_path / "origin"
    before = opened(origin)
    file = (backups if when == "before" else rotated)[with_key]
    restored = restore(config_of(origin), file, passphrase=PASSPHRASE if with_key else None, force=True)
    assert restored.has_key is with_key
    assert opened(origin) == before


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_is_restored_is_wrapped_under_the_key_that_the_machine_has(
    backups: dict[bool, Path], rotated: dict[bool, Path], tmp_path: Path, when: str
) -> None:
    expected, file = opened(tmp_path / "origin"), (backups if when == "before" else rotated)[False]
    target = tmp_path / "state"
    new_stores(target).close()
    key = (target / "secret.key").read_bytes()
    with pytest.raises(ArchiveUnusable, match="and of that time, with --key-file"):
        restore(config_of(target), file, force=True)
    restore(config_of(target), file, key_file=tmp_path / "origin" / "secret.key", force=True)
    assert (target / "secret.key").read_bytes() == key
    assert opened(target) == expected


async def test_a_key_from_before_its_change_opens_what_was_made_with_it_alone(
    backups: dict[bool, Path], rotated: dict[bool, Path], tmp_path: Path
) -> None:
    old = tmp_path / "old.key"
    assert restore(config_of(tmp_path / "a"), backups[False], key_file=old, only_check=True).devices == 4
    with pytest.raises(ArchiveUnusable, match="and the key here is"):
        restore(config_of(tmp_path / "a"), rotated[False], key_file=old, only_check=True)


async def test_under_a_credential_a_backup_with_its_key_goes_on(
    backups: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = opened(tmp_path / "origin")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "offhook.key").write_text(KEYRING.format().reveal())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    restore(config_of(tmp_path / "state"), backups[True], passphrase=PASSPHRASE)
    (tmp_path / "state" / "secret.key").unlink()
    assert opened(tmp_path / "state") == expected


async def test_a_secret_that_does_not_open_is_found_before_anything_changes(tmp_path: Path) -> None:
    stores = await make_state(tmp_path / "origin")
    with stores.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE devices SET sealed_token = (SELECT sealed_token FROM accounts LIMIT 1)")
    backup = Backups(tmp_path / "origin", lambda: stores.keys.keyring, "1.2.3").make(PASSPHRASE, 0.0)
    file = tmp_path / "swapped.backup"
    file.write_bytes(b"".join(backup.pieces()))
    backup.close()
    stores.close()
    with pytest.raises(KeyUnusable, match="secrets that the key does not open"):
        restore(config_of(tmp_path / "state"), file, passphrase=PASSPHRASE)
    assert not (tmp_path / "state").exists()


async def test_a_key_that_is_kept_elsewhere_stays_there(backups: dict[bool, Path], tmp_path: Path) -> None:
    target = tmp_path / "state"
    restore(config_of(target), backups[False], key_file=tmp_path / "origin" / "secret.key")
    assert "secret.key" not in listing(target)
    assert "inventory.db" in listing(target)


async def test_what_is_there_is_refused_and_with_force_moved_aside(backups: dict[bool, Path], tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    inventory = (origin / "inventory.db").read_bytes()
    with pytest.raises(StoreError, match=r"not empty \(bindings.db, .*--force"):
        restore(config_of(origin), backups[True], passphrase=PASSPHRASE)
    assert (origin / "inventory.db").read_bytes() == inventory
    for _ in range(2):
        restored = restore(config_of(origin), backups[True], passphrase=PASSPHRASE, force=True)
        assert restored.aside is not None
        assert {"inventory.db", "secret.key"} <= set(listing(restored.aside))
    assert len([name for name in listing(origin) if name.startswith("replaced-")]) == 2


async def test_a_check_changes_nothing(backups: dict[bool, Path], tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    before = listing(origin)
    holder = StateDir(tmp_path / "held")
    for folder in ("origin", "held", "none"):
        checked = restore(config_of(tmp_path / folder), backups[True], passphrase=PASSPHRASE, only_check=True)
        assert (checked.devices, checked.aside) == (4, None)
    holder.close()
    assert listing(origin) == before
    assert not (tmp_path / "none").exists()
    with pytest.raises(ArchiveUnusable):
        restore(config_of(origin), backups[True], passphrase=Secret("x"), only_check=True)


async def test_a_running_daemon_is_left_alone(backups: dict[bool, Path], tmp_path: Path) -> None:
    holder = StateDir(tmp_path / "state")
    try:
        with pytest.raises(StoreLocked, match="Stop that one"):
            restore(config_of(tmp_path / "state"), backups[True], passphrase=PASSPHRASE, force=True)
    finally:
        holder.close()


async def test_a_newer_schema_is_refused_with_the_version_to_install(tmp_path: Path) -> None:
    stores = await make_state(tmp_path / "origin")
    with stores.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    backup = Backups(tmp_path / "origin", lambda: stores.keys.keyring, "9.9.9").make(PASSPHRASE, 0.0)
    file = tmp_path / "newer.backup"
    file.write_bytes(b"".join(backup.pieces()))
    backup.close()
    stores.close()
    with pytest.raises(SchemaTooNew, match=r"made by Offhook 9\.9\.9"):
        restore(config_of(tmp_path / "state"), file, passphrase=PASSPHRASE)
    assert not (tmp_path / "state").exists()


async def test_a_full_disk_leaves_everything_as_it_was(
    backups: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = (tmp_path / "origin" / "inventory.db").read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    for folder in ("origin", "state"):
        with pytest.raises(StoreError, match="full"):
            restore(config_of(tmp_path / folder), backups[True], passphrase=PASSPHRASE, force=True)
    assert not (tmp_path / "state").exists()
    assert (tmp_path / "origin" / "inventory.db").read_bytes() == before
    assert not [name for name in listing(tmp_path / "origin") if name.startswith((".restore", "replaced"))]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnusable, match="cannot be read"):
        wants_passphrase(tmp_path / "none")
