"""Copies of databases that are being written to, and what becomes of them in an archive."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from tests.support.keys import KEYRING, ROOT

from offhook.errors import ArchiveUnusable, Conflict, StoreUnavailable
from offhook.secret import Secret
from offhook.store import archive
from offhook.store.archive import Cost, Header, Unsealed, read_header, seal
from offhook.store.backup import DATABASES, Backups, extract
from offhook.store.key_file import KEY_FILE
from offhook.store.keys import Keyring, RootKey, parse_keyring

PASSPHRASE: Final = Secret("four words of mine")


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PASSPHRASE_COST", Cost(1, 64, 1))


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """Three databases with a writer each that keeps its WAL."""
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    writers = []
    for name in DATABASES:
        writer = sqlite3.connect(path / name, isolation_level=None)
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE alembic_version (version_num TEXT)")
        writer.execute("INSERT INTO alembic_version VALUES ('0001')")
        writer.execute("CREATE TABLE t (value TEXT)")
        writer.execute("INSERT INTO t VALUES ('committed')")
        writer.execute("PRAGMA user_version=1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES ('not committed')")
        writers.append(writer)
    yield path
    for writer in writers:
        writer.close()


def unsealed(content: bytes, passphrase: Secret | None) -> Unsealed:
    file = io.BytesIO(content)
    header = read_header(file)
    key = header.derive_from_passphrase(passphrase) if passphrase else header.derive_from_keyring(KEYRING)
    return Unsealed(header, key, file)


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_what_was_committed_is_in_it_and_nothing_is_left_behind(
    state_dir: Path, tmp_path: Path, passphrase: Secret | None
) -> None:
    backup = Backups(state_dir, lambda: KEYRING, "1.2.3").make(passphrase, 1_800_000_000.0)
    content = b"".join(backup.pieces())
    assert len(content) == backup.size
    assert KEYRING.format().reveal().encode() not in content
    assert b"committed" not in content
    backup.close()
    assert not [path for path in state_dir.iterdir() if path.name.startswith(".backup-")]

    folder = tmp_path / "out"
    folder.mkdir()
    manifest = extract(unsealed(content, passphrase), folder)
    assert (manifest.version, manifest.has_key) == ("1.2.3", passphrase is not None)
    assert {part.name: part.schema_revision for part in manifest.parts if part.name != KEY_FILE} == {
        "inventory.db": "0001",
        "bindings.db": "1",
        "journal.db": "1",
    }
    for name in DATABASES:
        assert (folder / name).stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(folder / name)) as copy:
            assert copy.execute("SELECT value FROM t").fetchall() == [("committed",)]
    assert (folder / KEY_FILE).exists() is manifest.has_key
    if manifest.has_key:
        assert (folder / KEY_FILE).read_text() == KEYRING.format().reveal()
        assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o400


def test_one_is_made_at_a_time(state_dir: Path) -> None:
    backups = Backups(state_dir, lambda: KEYRING, "1.2.3")
    first = backups.make(None, 0.0)
    with pytest.raises(Conflict, match="being made already"):
        backups.make(None, 0.0)
    first.close()
    backups.make(None, 0.0).close()


def test_copies_that_a_killed_daemon_left_go_with_the_next(state_dir: Path) -> None:
    left = state_dir / ".backup-left"
    left.mkdir()
    (left / "inventory.db").write_text("half")
    Backups(state_dir, lambda: KEYRING, "1.2.3").make(None, 0.0).close()
    assert not left.exists()


def test_a_disk_that_fails_is_said_and_holds_up_no_later_backup(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    backups = Backups(state_dir, lambda: KEYRING, "1.2.3")
    with monkeypatch.context() as patched:
        patched.setattr("offhook.store.backup._copy_database", fail)
        with pytest.raises(StoreUnavailable, match="full"):
            backups.make(None, 0.0)
    assert sorted(path.name for path in state_dir.iterdir() if path.suffix == ".db") == sorted(DATABASES)
    backups.make(None, 0.0).close()


def test_a_database_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "bindings.db").write_bytes(b"nothing" * 1000)
    with pytest.raises(StoreUnavailable, match="is damaged"):
        Backups(tmp_path, lambda: KEYRING, "1.2.3").make(None, 0.0)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02{}",
        b'\x00\x00\x00\x45{"version": "1", "created_at": "2026-01-01T00:00:00Z", "parts": []}   ',
    ],
)
def test_a_table_of_contents_that_is_not_understood_is_refused(content: bytes, tmp_path: Path) -> None:
    header = Header.for_keyring(KEYRING)
    file = b"".join(seal(header, header.derive_from_keyring(KEYRING), [io.BytesIO(content)]))
    with pytest.raises(ArchiveUnusable, match="newer Offhook"):
        extract(unsealed(file, None), tmp_path)


def test_the_keys_of_the_moment_are_inside_all_of_them(state_dir: Path, tmp_path: Path) -> None:
    """The key may change while the databases are copied: the copy opens with one from before or after."""
    rings = iter([KEYRING, Keyring(RootKey(b"n" * 32))])
    backup = Backups(state_dir, lambda: next(rings), "1.2.3").make(PASSPHRASE, 0.0)
    content = b"".join(backup.pieces())
    backup.close()
    extract(unsealed(content, PASSPHRASE), tmp_path)
    keys = parse_keyring((tmp_path / KEY_FILE).read_text())
    assert keys is not None
    assert [key.id for key in keys] == [RootKey(b"n" * 32).id, ROOT.id]
