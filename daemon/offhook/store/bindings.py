"""Bindings on disk: one SQLite file, one writer thread, and every change that waits goes into the next commit.

A commit costs an fsync, whether it holds one change or a thousand. So whatever is submitted while one commit runs
becomes the next. A batch is handed to SQLite as one JSON text, read by ``json_each`` inside one statement: a
statement per row would make the thread ask for the interpreter lock as often, and starve beside a busy event loop.

A change may build on those before it. When a batch fails, everything that was submitted until the event loop has been
told so fails with it; what comes after that is tried anew, on a new connection.
"""

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from offhook.endpoint import Transport
from offhook.errors import SchemaTooNew, StoreError, StoreUnavailable
from offhook.observability.repeats import Repeats
from offhook.registrar.bindings import Binding, BindingChange
from offhook.registrar.ports import Flow
from offhook.store.failures import explain

SCHEMA_VERSION: Final = 1
FILE_MODE: Final = 0o600
BUSY_TIMEOUT_SECONDS: Final = 1.0

_COLUMNS: Final = (
    "id",
    "aor",
    "line_id",
    "device_id",
    "credential_id",
    "contact",
    "parameters",
    "instance",
    "reg_id",
    "transport",
    "source_host",
    "source_port",
    "local_host",
    "local_port",
    "call_id",
    "cseq",
    "expires_at",
    "registered_at",
    "refreshed_at",
    "user_agent",
    "nonce",
    "nc",
)
_SCHEMA: Final = """
CREATE TABLE bindings (
    id            INTEGER PRIMARY KEY,
    aor           TEXT    NOT NULL,
    line_id       INTEGER NOT NULL,
    device_id     INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    contact       TEXT    NOT NULL,
    parameters    TEXT    NOT NULL,
    instance      TEXT    NOT NULL,
    reg_id        INTEGER NOT NULL,
    transport     TEXT    NOT NULL,
    source_host   TEXT    NOT NULL,
    source_port   INTEGER NOT NULL,
    local_host    TEXT    NOT NULL,
    local_port    INTEGER NOT NULL,
    call_id       TEXT    NOT NULL,
    cseq          INTEGER NOT NULL,
    expires_at    REAL    NOT NULL,
    registered_at REAL    NOT NULL,
    refreshed_at  REAL    NOT NULL,
    user_agent    TEXT    NOT NULL,
    nonce         TEXT    NOT NULL,
    nc            INTEGER NOT NULL
) STRICT
"""
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM bindings WHERE expires_at > ?"  # noqa: S608 - constants only
_PUT: Final = (
    f"INSERT OR REPLACE INTO bindings ({', '.join(_COLUMNS)}) SELECT "  # noqa: S608 - constants only
    + ", ".join(f"json_extract(value, '$[{position}]')" for position in range(len(_COLUMNS)))
    + " FROM json_each(?)"
)
_REMOVE_EXPIRED: Final = "DELETE FROM bindings WHERE expires_at <= ?"
_REMEDY: Final = "Stop Offhook, move it away, and start again: phones then register anew, each within its expiry."
_REMOVE: Final = "DELETE FROM bindings WHERE id IN (SELECT value FROM json_each(?))"

Done = Callable[[StoreError | None], None]
CallSoon = Callable[[Callable[[], None]], object]

_log = structlog.get_logger()


class CommitObserver(Protocol):
    """Whoever counts; called on the event loop's thread."""

    def commit(self, seconds: float, changes: int) -> None:
        """A batch is on disk, that long after the first of its changes was submitted."""
        ...

    def store_error(self, operation: str) -> None:
        """A batch could not be written; ``operation`` is ``commit``."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry:
    change: BindingChange
    done: Done
    submitted_at: float


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits survive a power cut."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


class SqliteBindingStore:
    """Satisfies :class:`offhook.registrar.ports.BindingStore`.

    ``submit`` and the callbacks belong to the event loop's thread.
    """

    def __init__(
        self,
        path: Path,
        call_soon: CallSoon,
        *,
        max_queued: int = 10_000,
        connect: Callable[[Path], sqlite3.Connection] = connect,
        monotonic: Callable[[], float] = time.monotonic,
        observer: CommitObserver | None = None,
    ) -> None:
        """Makes or checks the file, and starts the writer.

        Args:
            path: The database file; made with mode 0600.
            call_soon: How the writer reaches the event loop: ``loop.call_soon_threadsafe``.
            max_queued: Changes that may wait; one more is refused.
            connect: Opens the file; called again after each failure.
            monotonic: The clock by which the age of the queue is told.
            observer: Is told of every batch.

        Raises:
            SchemaTooNew: the file was written by a newer Offhook.
            StoreUnavailable: the file cannot be used.
        """
        self._path = path
        self._call_soon = call_soon
        self.max_queued = max_queued
        self._connect = connect
        self._monotonic = monotonic
        self._observer = observer
        self._changed = threading.Condition()
        self._queue: list[_Entry] = []
        self._writing_since: float | None = None
        self._failures_untold = 0
        self._trouble: tuple[str, float] | None = None
        self._closing = False
        self._repeats = Repeats()
        self._prepare()
        self._thread = threading.Thread(target=self._write_until_closed, name="bindings-writer", daemon=True)
        self._thread.start()

    def load(self, now: float) -> list[Binding]:
        """Every binding that has not expired; those that have are removed. To be called before anything is submitted.

        One that came over a stream is unreachable until its phone is back.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        try:
            with closing(self._connect(self._path)) as connection:
                connection.execute(_REMOVE_EXPIRED, (now,))
                return [_to_binding(row) for row in connection.execute(_SELECT, (now,))]
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(explain(error, self._path, "cannot be read", _REMEDY)) from None

    def submit(self, change: BindingChange, done: Done) -> None:
        """Queues a change for the next commit; ``done`` is called on the event loop with its outcome.

        Raises:
            StoreUnavailable: the queue is full, or the store is closed. ``done`` is not called.
        """
        with self._changed:
            if self._closing:
                raise StoreUnavailable("the binding store is closed")
            if len(self._queue) >= self.max_queued:
                raise StoreUnavailable(f"{self.max_queued} changes of bindings wait for the disk already")
            self._queue.append(_Entry(change, done, self._monotonic()))
            self._changed.notify()

    def backlog_seconds(self) -> float:
        """Age of the oldest change that is not on disk yet, 0 where there is none."""
        since = self._writing_since
        if since is None:
            with self._changed:
                if not self._queue:
                    return 0.0
                since = self._queue[0].submitted_at
        return max(0.0, self._monotonic() - since)

    def find_trouble(self, seconds: float) -> str | None:
        """Why the last commit failed, if that was not longer ago: without registrations nobody tries again."""
        if self._trouble is None or self._monotonic() - self._trouble[1] > seconds:
            return None
        return self._trouble[0]

    @property
    def queued(self) -> int:
        """Changes that wait for the next commit."""
        return len(self._queue)

    def close(self) -> None:
        """Commits what is queued, then ends the writer. Blocks until it has; the callbacks come by ``call_soon``."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    # -- the writer thread ----------------------------------------------------------------------------------------

    def _write_until_closed(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while True:
                with self._changed:
                    while not self._queue and not self._closing:
                        self._changed.wait()
                    if not self._queue:
                        return
                    batch, self._queue = self._queue, []
                    self._writing_since = batch[0].submitted_at
                    is_built_on_failure = self._failures_untold > 0
                error: StoreError | None = None
                if is_built_on_failure:
                    error = StoreUnavailable("an earlier change of bindings, on which this one builds, failed")
                else:
                    try:
                        connection = connection or self._connect(self._path)
                        _write(connection, batch)
                    except Exception as cause:  # whatever it is: the thread must live, and those who wait be told
                        error = StoreUnavailable(explain(cause, self._path, "was not written", _REMEDY))
                        self._log_failure(error, len(batch))
                        if connection is not None:
                            connection.close()
                            connection = None
                with self._changed:
                    self._writing_since = None
                    self._failures_untold += error is not None
                self._hand_over(batch, error)
        finally:
            if connection is not None:
                connection.close()

    def _log_failure(self, error: StoreError, changes: int) -> None:
        """Once a minute: on a full disk every batch fails, and the log is on the same disk."""
        text = str(error)
        about = (text,)
        self._repeats.log(
            _log, logging.ERROR, "bindings.commit.failed", about, self._monotonic(), changes=changes, error=text
        )

    def _hand_over(self, batch: list[_Entry], error: StoreError | None) -> None:
        try:
            self._call_soon(lambda: self._tell(batch, error))
        except RuntimeError:  # the event loop is closed: nobody is left to tell
            _log.debug("bindings.outcome.untold", changes=len(batch))

    # -- the event loop's thread ----------------------------------------------------------------------------------

    def _tell(self, batch: list[_Entry], error: StoreError | None) -> None:
        if error is not None:
            with self._changed:
                batch = [*batch, *self._queue]
                self._queue = []
                self._failures_untold -= 1
            self._trouble = (str(error), self._monotonic())
        else:
            self._trouble = None
        if self._observer is not None:
            if error is not None:
                self._observer.store_error("commit")
            else:
                self._observer.commit(self._monotonic() - batch[0].submitted_at, len(batch))
        for entry in batch:
            entry.done(error)

    # -- opening --------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            try:
                os.fchmod(descriptor, FILE_MODE)
            finally:
                os.close(descriptor)
            with closing(self._connect(self._path)) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version > SCHEMA_VERSION:
                    raise SchemaTooNew(
                        f"{self._path} has schema {version} and this Offhook knows {SCHEMA_VERSION}: "
                        "run the newer Offhook, or restore the backup that it made when it upgraded"
                    )
                if version == 0:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute(_SCHEMA)
                    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                    connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(explain(error, self._path, "cannot be opened", _REMEDY)) from None


def _write(connection: sqlite3.Connection, batch: list[_Entry]) -> None:
    """One transaction; of several changes of one binding the last counts. What fails is undone by closing."""
    last: dict[int, Binding | None] = {}
    for entry in batch:
        for binding in entry.change.removals:
            last[binding.id] = None
        for binding in entry.change.puts:
            last[binding.id] = binding
    rows = [_to_row(binding) for binding in last.values() if binding is not None]
    gone = [binding_id for binding_id, binding in last.items() if binding is None]
    if not last:
        return
    connection.execute("BEGIN IMMEDIATE")
    if rows:
        connection.execute(_PUT, (json.dumps(rows, ensure_ascii=False),))
    if gone:
        connection.execute(_REMOVE, (json.dumps(gone),))
    connection.execute("COMMIT")


def _to_row(binding: Binding) -> tuple[Any, ...]:
    flow = binding.flow
    return (
        binding.id,
        binding.aor,
        binding.line_id,
        binding.device_id,
        binding.credential_id,
        binding.contact,
        binding.parameters,
        binding.instance,
        binding.reg_id,
        flow.transport,
        flow.source[0],
        flow.source[1],
        flow.local[0],
        flow.local[1],
        binding.call_id,
        binding.cseq,
        binding.expires_at,
        binding.registered_at,
        binding.refreshed_at,
        binding.user_agent,
        binding.nonce,
        binding.nc,
    )


def _to_binding(row: tuple[Any, ...]) -> Binding:
    values = dict(zip(_COLUMNS, row, strict=True))
    transport = Transport(values.pop("transport"))
    source = (values.pop("source_host"), values.pop("source_port"))
    local = (values.pop("local_host"), values.pop("local_port"))
    flow = Flow(transport, source, local)
    return Binding(**values, flow=flow, reachable=not flow.is_stream)
