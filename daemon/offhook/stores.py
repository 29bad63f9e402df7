"""The databases of one state_dir, opened and closed together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial

import structlog
from sqlalchemy import Engine

from offhook.clock import SystemClock
from offhook.config.schema import Config
from offhook.observability.metrics import Metrics
from offhook.store.bindings import SqliteBindingStore
from offhook.store.journal import Journal
from offhook.store.key_file import KeyFile
from offhook.store.keys import Keyring
from offhook.store.rotation import Keys
from offhook.store.sql.data_keys import SqlDataKeys
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore

log = structlog.get_logger()

CallSoon = Callable[..., object]


class Stores:
    """Open databases. :meth:`close` writes down what is queued."""

    def __init__(
        self, config: Config, metrics: Metrics, call_soon: CallSoon, *, keyring: Keyring | None = None
    ) -> None:
        """Opens everything, or raises StoreError and leaves nothing open. Blocks.

        ``keyring`` stands in for the state_dir's own.
        """
        state_dir = config.state_dir
        inventory_path = state_dir / "inventory.db"
        key_file = KeyFile.of(state_dir)
        with ExitStack() as opened:
            keyring = keyring or key_file.open(create=not inventory_path.exists())
            self.engine: Engine = open_engine(inventory_path)
            opened.callback(self.engine.dispose)
            backup = migrate(self.engine, inventory_path, state_dir / "backups")
            if backup is not None:
                log.info("store.migrated", backup=str(backup))
            self.keys = Keys(key_file, keyring, SqlDataKeys(self.engine), SystemClock())
            self.box = self.keys.box
            self.inventory = SqlInventoryStore(self.engine, self.box)
            self.journal = Journal(state_dir / "journal.db")
            opened.callback(self.journal.close)
            self.bindings = SqliteBindingStore(
                state_dir / "bindings.db",
                call_soon,
                max_queued=config.limits.sip.commit_queue,
                observer=metrics,
            )
            opened.callback(self.bindings.close)
            self._opened = opened.pop_all()

    @classmethod
    async def open(cls, config: Config, metrics: Metrics, executor: Executor) -> "Stores":
        """Opens them in a worker thread; their callbacks come on the running loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, partial(cls, config, metrics, loop.call_soon_threadsafe))

    def close(self) -> None:
        """Commits what is queued, and closes everything. Blocks."""
        self._opened.close()
