"""Opens inventory.db: its pragmas, its schema brought up to date after a backup, a newer schema refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from offhook.errors import SchemaTooNew, StoreError
from offhook.store.failures import explain

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_BACKUPS_KEPT: Final = 5


def open_engine(path: Path) -> Engine:
    """An engine on a SQLite file: WAL, every commit on disk, foreign keys checked.

    Transactions begin where SQLAlchemy says so and not where Python's sqlite3 does, which leaves out what defines
    tables: a migration that is cut off leaves nothing behind. Raises StoreError where the file cannot be made.
    """
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(explain(error, path, "cannot be opened", "Restore a backup.")) from None
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def migrate(engine: Engine, path: Path, backups: Path, now: datetime | None = None) -> Path | None:
    """Brings the schema up to date. A database that has one already is copied to ``backups`` first.

    Gives the backup's path where one was made. Raises SchemaTooNew where the schema is of a newer Offhook, StoreError
    where the file cannot be used or the backup fails.
    """
    try:
        return _migrate(engine, path, backups, now or datetime.now(UTC))
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise StoreError(explain(cause, path, "cannot be used", f"Restore a backup from {backups}.")) from None


def _migrate(engine: Engine, path: Path, backups: Path, now: datetime) -> Path | None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"{path} has schema {current}, which this version does not know: a newer Offhook wrote it. "
            f"Install that version again, or restore a backup from {backups}."
        )
    if current == scripts.get_current_head():
        return None
    backup = _back_up(path, backups, current, now) if current is not None else None
    with engine.connect() as connection, _keys_unchecked(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return backup


@contextmanager
def _keys_unchecked(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by making it anew, and dropping the old one would delete what refers to it.

    After an error the connection is of no further use.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    yield
    driver.execute("PRAGMA foreign_keys=ON")


def _back_up(path: Path, backups: Path, revision: str, now: datetime) -> Path:
    target = backups / f"{path.stem}-{revision}-{now:%Y%m%dT%H%M%SZ}.db"
    try:
        backups.mkdir(mode=0o700, exist_ok=True)
        target.touch(mode=0o600)
        source = sqlite3.connect(path)
        try:
            source.execute("VACUUM INTO ?", (str(target),))
        finally:
            source.close()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"no backup could be written to {target}, so the schema was left alone: {error}. Make room, or make the "
            "folder writable for the daemon's user."
        ) from None
    for old in sorted(backups.glob(f"{path.stem}-*.db"), key=lambda file: file.stat().st_mtime)[:-_BACKUPS_KEPT]:
        old.unlink()
    return target
