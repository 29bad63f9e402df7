"""Bindings on disk: what is acknowledged is there, and what fails is told."""

import queue
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.registrar import FLOW, NOW

from offhook.endpoint import Transport
from offhook.errors import SchemaTooNew, StoreError, StoreUnavailable
from offhook.observability.metrics import Metrics
from offhook.registrar.bindings import Binding, BindingChange
from offhook.registrar.ports import Flow
from offhook.store.bindings import SqliteBindingStore, connect

STREAM = Flow(Transport.TCP, ("2001:db8::1", 40000), ("2001:db8::2", 5060), connection=7)


def make_binding(binding_id: int = 1, *, flow: Flow = FLOW, expires_at: float = NOW + 60, cseq: int = 1) -> Binding:
    return Binding(
        id=binding_id,
        aor="sip:2001@acme.test",
        line_id=10,
        device_id=1,
        credential_id=100,
        contact=f"sip:{binding_id}@h;x='\"é\\",
        parameters=';q=0.5;+sip.instance="<urn:x>"',
        instance="<urn:x>",
        reg_id=2,
        flow=flow,
        call_id="c",
        cseq=cseq,
        expires_at=expires_at,
        registered_at=NOW - 5,
        refreshed_at=NOW,
        user_agent="Phone",
        nonce="n",
        nc=3,
    )


@dataclass
class Loop:
    """Takes what the writer hands over, and runs it when the test says so."""

    calls: "queue.SimpleQueue[Callable[[], None]]" = field(default_factory=queue.SimpleQueue)
    outcomes: list[tuple[int, StoreError | None]] = field(default_factory=list)

    def run_one(self) -> None:
        self.calls.get(timeout=5)()

    def noting(self, number: int) -> Callable[[StoreError | None], None]:
        return lambda error: self.outcomes.append((number, error))


class Gate:
    """Opens files whose commits wait for the test, and fail where it wants."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_open.set()
        self.has_arrived = threading.Event()
        self.error: sqlite3.Error | None = None
        self.opened = 0

    def shut(self) -> None:
        """Commits wait from now on; ``has_arrived`` tells that one does."""
        self.is_open.clear()
        self.has_arrived.clear()

    def connect(self, path: Path) -> sqlite3.Connection:
        self.opened += 1
        connection = connect(path)
        connection.close()
        gate = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, /, *arguments: object) -> sqlite3.Cursor:
                if sql == "COMMIT":
                    gate.has_arrived.set()
                    assert gate.is_open.wait(5)
                    if gate.error is not None:
                        raise gate.error
                return super().execute(sql, *arguments)  # type: ignore[arg-type]

        return sqlite3.connect(path, isolation_level=None, factory=Connection)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bindings.db"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def store(path: Path, loop: Loop, gate: Gate) -> Iterator[SqliteBindingStore]:
    store = SqliteBindingStore(path, loop.calls.put, connect=gate.connect, max_queued=3)
    yield store
    gate.is_open.set()
    store.close()


def put(store: SqliteBindingStore, loop: Loop, number: int, *, removals: tuple[Binding, ...] = ()) -> None:
    store.submit(BindingChange((make_binding(number),), removals), loop.noting(number))


def test_binding_comes_back_as_it_was(path: Path, store: SqliteBindingStore, loop: Loop) -> None:
    put(store, loop, 1)
    loop.run_one()
    assert loop.outcomes == [(1, None)]
    assert store.load(NOW) == [make_binding()]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_stream_is_unreachable_after_a_restart(store: SqliteBindingStore, loop: Loop) -> None:
    store.submit(BindingChange((make_binding(flow=STREAM),)), loop.noting(1))
    loop.run_one()
    stored = make_binding(flow=replace(STREAM, connection=0))
    assert store.load(NOW) == [replace(stored, reachable=False)]


def test_expired_bindings_are_dropped_when_loading(path: Path, store: SqliteBindingStore, loop: Loop) -> None:
    store.submit(BindingChange((make_binding(1, expires_at=NOW), make_binding(2))), loop.noting(1))
    loop.run_one()
    assert [binding.id for binding in store.load(NOW)] == [2]
    with connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM bindings").fetchone() == (1,)
    connection.close()


def test_what_waits_during_a_commit_is_the_next_batch(store: SqliteBindingStore, loop: Loop, gate: Gate) -> None:
    gate.shut()
    put(store, loop, 1)
    assert gate.has_arrived.wait(5)
    put(store, loop, 2)
    put(store, loop, 3, removals=(make_binding(1), make_binding(2)))
    store.submit(BindingChange((make_binding(3, cseq=9),)), loop.noting(4))
    gate.is_open.set()
    loop.run_one()
    assert loop.outcomes == [(1, None)]
    loop.run_one()
    assert loop.outcomes == [(1, None), (2, None), (3, None), (4, None)]
    assert store.load(NOW) == [make_binding(3, cseq=9)]


def test_full_queue_refuses_at_once(store: SqliteBindingStore, loop: Loop, gate: Gate) -> None:
    gate.shut()
    put(store, loop, 1)
    assert gate.has_arrived.wait(5)
    for number in (2, 3, 4):
        put(store, loop, number)
    with pytest.raises(StoreUnavailable):
        put(store, loop, 5)


def test_failure_fails_what_was_built_on_it_and_nothing_after(
    store: SqliteBindingStore, loop: Loop, gate: Gate
) -> None:
    gate.error = sqlite3.OperationalError("database or disk is full")
    put(store, loop, 1)
    first_outcome = loop.calls.get(timeout=5)
    gate.error = None
    put(store, loop, 2)
    second_outcome = loop.calls.get(timeout=5)
    first_outcome()
    put(store, loop, 3)
    third_outcome = loop.calls.get(timeout=5)
    second_outcome()
    third_outcome()
    assert [(number, isinstance(error, StoreUnavailable)) for number, error in loop.outcomes] == [
        (1, True),
        (2, True),
        (3, True),
    ]
    assert "disk is full" in str(loop.outcomes[0][1])
    put(store, loop, 4)
    loop.run_one()
    assert loop.outcomes[3] == (4, None)
    assert [binding.id for binding in store.load(NOW)] == [4]


def test_what_is_queued_when_a_failure_is_told_fails_with_it(store: SqliteBindingStore, loop: Loop, gate: Gate) -> None:
    gate.error = sqlite3.OperationalError("locked")
    put(store, loop, 1)
    outcome = loop.calls.get(timeout=5)
    gate.error = None
    put(store, loop, 2)
    outcome_of_second = loop.calls.get(timeout=5)
    outcome()
    outcome_of_second()
    assert [error is not None for _, error in loop.outcomes] == [True, True]


def test_connection_is_opened_anew_after_a_failure(store: SqliteBindingStore, loop: Loop, gate: Gate) -> None:
    put(store, loop, 1)
    loop.run_one()
    opened = gate.opened
    gate.error = sqlite3.OperationalError("disk I/O error")
    put(store, loop, 2)
    loop.run_one()
    gate.error = None
    put(store, loop, 3)
    loop.run_one()
    assert gate.opened == opened + 1
    assert [binding.id for binding in store.load(NOW)] == [1, 3]


def test_trouble_is_told_until_a_commit_succeeds_or_it_is_long_ago(path: Path, loop: Loop, gate: Gate) -> None:
    now = [100.0]
    store = SqliteBindingStore(path, loop.calls.put, connect=gate.connect, monotonic=lambda: now[0])
    assert store.find_trouble(30.0) is None
    gate.error = sqlite3.OperationalError("disk I/O error")
    put(store, loop, 1)
    loop.run_one()
    assert "was not written" in (store.find_trouble(30.0) or "")
    now[0] += 31.0
    assert store.find_trouble(30.0) is None
    assert store.find_trouble(60.0) is not None
    gate.error = None
    put(store, loop, 2)
    loop.run_one()
    assert store.find_trouble(60.0) is None
    store.close()


def test_locked_database_is_a_failure_that_passes(path: Path, loop: Loop) -> None:
    def connect_impatiently(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA busy_timeout = 1")
        return connection

    store = SqliteBindingStore(path, loop.calls.put, connect=connect_impatiently)
    with connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        put(store, loop, 1)
        loop.run_one()
        other.execute("ROLLBACK")
    other.close()
    put(store, loop, 2)
    loop.run_one()
    store.close()
    assert [error is None for _, error in loop.outcomes] == [False, True]


def test_age_of_the_queue_is_that_of_its_oldest(path: Path, loop: Loop, gate: Gate) -> None:
    now = 100.0
    store = SqliteBindingStore(path, loop.calls.put, connect=gate.connect, monotonic=lambda: now)
    assert store.backlog_seconds() == 0
    gate.shut()
    put(store, loop, 1)
    assert gate.has_arrived.wait(5)
    now = 100.5
    put(store, loop, 2)
    now = 101.0
    assert store.backlog_seconds() == 1.0
    gate.is_open.set()
    loop.run_one()
    loop.run_one()
    assert store.backlog_seconds() == 0
    store.close()


def test_close_writes_what_is_queued(store: SqliteBindingStore, loop: Loop, gate: Gate) -> None:
    gate.shut()
    put(store, loop, 1)
    assert gate.has_arrived.wait(5)
    put(store, loop, 2)
    gate.is_open.set()
    store.close()
    loop.run_one()
    loop.run_one()
    assert [error for _, error in loop.outcomes] == [None, None]
    with pytest.raises(StoreUnavailable):
        put(store, loop, 3)


def test_closed_event_loop_is_survived(path: Path) -> None:
    def call_soon(_: object) -> None:
        raise RuntimeError("Event loop is closed")

    store = SqliteBindingStore(path, call_soon)
    store.submit(BindingChange((make_binding(),)), lambda _: None)
    store.close()
    assert len(store.load(NOW)) == 1


def test_batches_are_observed(path: Path, loop: Loop, gate: Gate) -> None:
    seen: list[object] = []

    class Observer:
        def commit(self, seconds: float, changes: int) -> None:
            seen.append((seconds >= 0, changes))

        def store_error(self, operation: str) -> None:
            seen.append(operation)

    store = SqliteBindingStore(path, loop.calls.put, connect=gate.connect, observer=Observer())
    put(store, loop, 1)
    loop.run_one()
    gate.error = sqlite3.OperationalError("full")
    put(store, loop, 2)
    loop.run_one()
    store.close()
    assert seen == [(True, 1), "commit"]


def test_newer_schema_is_refused(path: Path) -> None:
    with connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaTooNew, match="schema 99"):
        SqliteBindingStore(path, lambda call: call())


def test_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable, match=r"bindings\.db is damaged: .*move it away.*phones then register anew"):
        SqliteBindingStore(path, lambda call: call())


def test_full_disk_is_said_so_at_start(path: Path) -> None:
    def connect_to_full_disk(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    with pytest.raises(StoreUnavailable, match=r"the disk of .* is full") as refused:
        SqliteBindingStore(path, lambda call: call(), connect=connect_to_full_disk)
    assert "move it away" not in str(refused.value)


def test_failures_are_a_line_a_minute_and_are_all_counted(path: Path, loop: Loop, gate: Gate) -> None:
    now = 100.0
    metrics = Metrics("test")
    store = SqliteBindingStore(path, loop.calls.put, connect=gate.connect, monotonic=lambda: now, observer=metrics)
    gate.error = sqlite3.OperationalError("database or disk is full")
    gate.error.sqlite_errorcode = sqlite3.SQLITE_FULL
    with capture_logs() as logs:
        for number, at in ((1, 100.0), (2, 100.5), (3, 159.0), (4, 160.0)):
            now = at
            put(store, loop, number)
            loop.run_one()
    store.close()
    lines = [(entry["log_level"], entry.get("repeated")) for entry in logs]
    assert lines == [("error", None), ("debug", None), ("debug", None), ("error", 2)]
    assert logs[0]["error"].endswith("is full. Free some space there.")
    assert b'offhook_store_errors_total{op="commit"} 4.0' in metrics.exposition()


WRITER = """
import queue, sys
from pathlib import Path
from offhook.registrar.bindings import BindingChange
from offhook.store.bindings import SqliteBindingStore
from tests.store.test_bindings import make_binding

calls = queue.SimpleQueue()
store = SqliteBindingStore(Path(sys.argv[1]), calls.put)
done = lambda number: lambda error: sys.stdout.write(f"{number}\\n")
number = 0
while True:
    for _ in range(10):
        number += 1
        store.submit(BindingChange((make_binding(number),)), done(number))
    calls.get()()
    sys.stdout.flush()
"""


def test_killed_writer_loses_nothing_that_it_acknowledged(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged: list[int] = []
    for line in process.stdout:
        acknowledged.append(int(line))
        if len(acknowledged) == 300:
            process.send_signal(signal.SIGKILL)
    process.stdout.close()
    assert process.wait(5) == -signal.SIGKILL
    store = SqliteBindingStore(path, lambda call: call())
    kept = {binding.id for binding in store.load(NOW)}
    store.close()
    assert len(acknowledged) >= 300
    assert set(acknowledged) <= kept
