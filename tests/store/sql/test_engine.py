"""The schema is brought up to date after a backup, and a newer one is left alone."""

import shutil
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text

from offhook.errors import SchemaTooNew, StoreError
from offhook.store.sql import engine as engine_module
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.tables import metadata

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
HEAD = max(file.name for file in (engine_module._MIGRATIONS / "versions").glob("0*.py"))[:4]
SECOND = '''
"""Another table."""
from alembic import op
revision = "9999"
down_revision = {head!r}
def upgrade() -> None:
    op.execute("CREATE TABLE second (id INTEGER)")
    op.execute({failing!r})
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.db"


@pytest.fixture
def engine(path: Path) -> Engine:
    return open_engine(path)


def add_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "SELECT 1") -> None:
    """As if this version had one more migration."""
    folder = tmp_path / "migrations"
    shutil.copytree(engine_module._MIGRATIONS, folder)
    (folder / "versions" / "9999_second.py").write_text(SECOND.format(failing=failing, head=HEAD))
    monkeypatch.setattr(engine_module, "_MIGRATIONS", folder)


def tables_of(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    connection.close()
    return names


def test_the_migrations_make_what_the_tables_say(engine: Engine, path: Path) -> None:
    assert migrate(engine, path, path.parent / "backups") is None
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_new_database_is_its_owners_alone_and_needs_no_backup(engine: Engine, path: Path) -> None:
    migrate(engine, path, path.parent / "backups")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not (path.parent / "backups").exists()
    assert migrate(engine, path, path.parent / "backups") is None
    engine.dispose()


def test_commits_are_on_disk_and_foreign_keys_are_checked(engine: Engine) -> None:
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert pragmas == ["wal", 2, 1]


def test_an_older_schema_is_backed_up_and_brought_up(
    engine: Engine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine, path, tmp_path / "backups")
    add_migration(tmp_path, monkeypatch)
    backup = migrate(engine, path, tmp_path / "backups", NOW)
    engine.dispose()
    assert backup == tmp_path / "backups" / f"inventory-{HEAD}-20260501T120000Z.db"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert "second" in tables_of(path)
    assert "second" not in tables_of(backup)
    assert "accounts" in tables_of(backup)


def test_a_migration_that_fails_leaves_the_old_schema(
    engine: Engine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine, path, tmp_path / "backups")
    add_migration(tmp_path, monkeypatch, failing="INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StoreError, match="no such table: nowhere"):
        migrate(engine, path, tmp_path / "backups", NOW)
    assert "second" not in tables_of(path)
    engine.dispose()


def test_without_a_backup_the_schema_is_left_alone(
    engine: Engine, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine, path, tmp_path / "backups")
    add_migration(tmp_path, monkeypatch)
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(StoreError, match="so the schema was left alone"):
        migrate(engine, path, tmp_path / "backups", NOW)
    engine.dispose()
    assert "second" not in tables_of(path)


def test_a_few_backups_are_kept(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"")
    for day in range(8):
        engine_module._back_up(path, tmp_path / "backups", "0001", NOW + timedelta(days=day))
    assert len(list((tmp_path / "backups").iterdir())) == 5


def test_a_newer_schema_is_refused_and_left_alone(engine: Engine, path: Path) -> None:
    migrate(engine, path, path.parent / "backups")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(SchemaTooNew, match=r"has schema 0999, which this version does not know: a newer Offhook"):
        migrate(engine, path, path.parent / "backups")
    engine.dispose()


def test_what_is_no_database_is_said_so(path: Path) -> None:
    path.write_bytes(b"This is no database, whatever it is called. " * 50)
    engine = open_engine(path)
    with pytest.raises(StoreError, match=r"is damaged: file is not a database\. Restore a backup from"):
        migrate(engine, path, path.parent / "backups")
    engine.dispose()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_engine(path.parent / "missing" / "inventory.db")


def test_a_full_disk_calls_for_room_and_not_for_a_backup(engine: Engine, path: Path) -> None:
    @event.listens_for(engine, "connect")
    def _fill(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    with pytest.raises(StoreError, match=r"cannot be used: the disk of .* is full\. Free some space") as refused:
        migrate(engine, path, path.parent / "backups")
    engine.dispose()
    assert "backup" not in str(refused.value)
