"""Opens inventory.db: its pragmas, its schema brought up to date after a backup, a newer schema refused."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event

from offhook.errors import SchemaTooNew, StoreError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_BACKUPS_KEPT: Final = 5


def open_engine(path: Path) -> Engine:
    """An engine on a SQLite file: WAL, every commit on disk, foreign keys checked."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def migrate(engine: Engine, path: Path, backups: Path, now: datetime | None = None) -> Path | None:
    """Brings the schema up to date. A database that has one already is copied to ``backups`` first.

    Gives the backup's path where one was made. Raises SchemaTooNew where the schema is of a newer Offhook.
    """
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
    backup = _back_up(path, backups, current, now or datetime.now(UTC)) if current is not None else None
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    path.chmod(0o600)
    return backup


def _back_up(path: Path, backups: Path, revision: str, now: datetime) -> Path:
    backups.mkdir(mode=0o700, exist_ok=True)
    target = backups / f"{path.stem}-{revision}-{now:%Y%m%dT%H%M%SZ}.db"
    try:
        source = sqlite3.connect(path)
        try:
            source.execute("VACUUM INTO ?", (str(target),))
        finally:
            source.close()
    except sqlite3.Error as error:
        raise StoreError(f"no backup could be written to {target}, so the schema was left alone: {error}") from None
    target.chmod(0o600)
    for old in sorted(backups.glob(f"{path.stem}-*.db"), key=lambda file: file.stat().st_mtime)[:-_BACKUPS_KEPT]:
        old.unlink()
    return target
