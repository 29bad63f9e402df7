"""A backup of a real state_dir goes back, or nothing changes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from tests.support.acme import DOCUMENT
from tests.support.admin_daemon import FakeClock, FakeDigests, FakeVendors

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
        await service.apply(DOCUMENT.encode(), "acme.yaml", ApplyOptions(), DAEMON)
    return stores


@pytest.fixture
async def backups(tmp_path: Path) -> dict[bool, Path]:
    """The same state twice: with the key and without."""
    stores = await make_state(tmp_path / "origin")
    made = Backups(tmp_path / "origin", stores.keyring, "1.2.3")
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
    backup = Backups(tmp_path / "origin", stores.keyring, "9.9.9").make(PASSPHRASE, 0.0)
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
