"""The real daemon as a process of its own, with a folder and ports of its own, for tests that come from outside.

``offhook serve`` is run as an operator runs it; the commands are run as an operator types them. Nothing here sleeps
for a fixed time: whatever is waited for is asked for again until a deadline.
"""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
import yaml

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 20.0
COMMAND_SECONDS: Final = 45.0

OFFHOOK: Final = Path(sys.executable).with_name("offhook")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one daemon listens on 127.0.0.1."""

    sip: int
    #: UDP and TCP.
    http: int
    tftp: int
    admin: int
    metrics: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str

    def json(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)


class CommandFailed(AssertionError):
    """A command ended with another exit code than it was expected to."""


def find_ports() -> Ports:
    """Ports that nothing listens on now. All are held until the last is found, so that they differ."""
    with_both: list[socket.socket] = []
    try:
        numbers = [_reserve(with_both) for _ in range(5)]
    finally:
        for sock in with_both:
            sock.close()
    return Ports(*numbers)


def _reserve(held: list[socket.socket]) -> int:
    """A port that is free for TCP and UDP alike."""
    for _ in range(50):
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.append(stream)
        stream.bind(("127.0.0.1", 0))
        port = int(stream.getsockname()[1])
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held.append(datagrams)
        try:
            datagrams.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise OSError("no port is free for TCP and UDP alike")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=COMMAND_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, *, seconds: float = 10.0) -> T:
    """What ``look`` gives as soon as that is neither None nor false; AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} seconds; seen last: {seen!r}")
        await asyncio.sleep(0.02)


@dataclass(slots=True)
class DaemonProcess:
    """One daemon: its files, and its process while it runs."""

    folder: Path
    ports: Ports
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: Merged over the configuration, section by section.
    expected_errors: set[str] = field(default_factory=set)
    #: Names of events that a test provokes on purpose.
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.write_config(self.settings)

    @property
    def config_file(self) -> Path:
        return self.folder / "offhook.yaml"

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    @property
    def log_file(self) -> Path:
        """Both outputs of every process started here, one after the other."""
        return self.folder / "daemon.log"

    @property
    def sip_address(self) -> tuple[str, int]:
        return "127.0.0.1", self.ports.sip

    def write_config(self, changes: Mapping[str, Any]) -> None:
        """Writes the configuration: this daemon's ports, then ``changes`` section by section."""
        ports = self.ports
        config: dict[str, Any] = {
            "state_dir": str(self.state_dir),
            "sip": {"listen": [f"udp://127.0.0.1:{ports.sip}", f"tcp://127.0.0.1:{ports.sip}"]},
            "provisioning": {"http": [f"127.0.0.1:{ports.http}"], "tftp": [f"127.0.0.1:{ports.tftp}"]},
            "admin": {"listen": f"127.0.0.1:{ports.admin}"},
            "metrics": {"listen": f"127.0.0.1:{ports.metrics}"},
            "log": {"format": "json", "level": "debug"},
        }
        for section, value in changes.items():
            both = isinstance(value, Mapping) and isinstance(config.get(section), Mapping)
            config[section] = {**config[section], **value} if both else value
        self.config_file.write_text(yaml.safe_dump(config, sort_keys=False))

    # -- the process ----------------------------------------------------------------------------------------------

    def start_now(self) -> None:
        """Starts it, and returns when it is ready. Blocks; for fixtures that no loop runs."""
        self.spawn()
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._running.poll() is not None:
                raise AssertionError(f"the daemon ended with {self._running.returncode}:\n{self.log_text()[-4000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the daemon is not ready after {START_SECONDS:g} s:\n{self.log_text()[-4000:]}")
            time.sleep(0.02)

    async def start(self) -> None:
        """The same, beside whatever else runs on the loop."""
        await asyncio.to_thread(self.start_now)

    def spawn(self) -> None:
        """Starts it, and waits for nothing."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFHOOK_")}
        environment.pop("NOTIFY_SOCKET", None)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(OFFHOOK), "serve", "--config", str(self.config_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
            )

    async def kill(self) -> None:
        """SIGKILL: it gets no chance to write anything down."""
        self._running.kill()
        await self.wait()

    async def terminate(self) -> int:
        """SIGTERM; gives its exit code."""
        self._running.terminate()
        return await self.wait()

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self._running.wait, STOP_SECONDS)

    def send_signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError("the daemon was not started")
        return self.process

    def close_now(self) -> None:
        """Ends it, whatever state it is in. Blocks."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _is_ready(self) -> bool:
        return self.get_http(self.ports.metrics, "/readyz")[0] == 200

    def get_http(self, port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    # -- the API, over the admin socket -------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/yaml") -> Any:
        """What the API answers to a request below ``/api/v1``: for whatever a test needs, but does not test."""
        connection = _UnixConnection(self.state_dir / "admin.sock")
        try:
            headers = {"Content-Type": content_type} if body is not None else {}
            connection.request(method, f"/api/v1{path}", body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise CommandFailed(f"{method} {path} was answered {response.status}: {content.decode()}")
        return json.loads(content)

    def apply_now(self, *documents: str) -> None:
        """Applies documents by the API."""
        for document in documents:
            self.ask("POST", "/inventory/apply?file=document.yaml", document.encode())

    def show_device(self, name: str) -> Any:
        """What ``offhook device show --json`` prints."""
        return self.ask("GET", f"/devices/{name}")

    def token_of(self, account: str) -> str:
        """The provisioning token of an account."""
        token = self.ask("GET", f"/accounts/{account}")["provisioning_token"]
        assert isinstance(token, str)
        return token

    def lines(self) -> list[dict[str, Any]]:
        """Every line with its password."""
        items = self.ask("GET", "/lines?reveal=true&limit=1000")["items"]
        assert isinstance(items, list)
        return items

    def passwords(self) -> list[str]:
        """What no log may hold."""
        return [line["password"] for line in self.lines() if line["password"]]

    # -- commands -------------------------------------------------------------------------------------------------

    async def run(self, *arguments: str, exit_code: int | None = 0) -> Finished:
        """Runs ``offhook ARGUMENTS`` on this daemon's configuration.

        Raises:
            CommandFailed: where it ends with another code; None takes any.
        """
        command, *rest = arguments
        process = await asyncio.create_subprocess_exec(
            str(OFFHOOK),
            "--config",
            str(self.config_file),
            command,
            *rest,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        finished = Finished(process.returncode or 0, out.decode(), err.decode())
        if exit_code is not None and finished.exit_code != exit_code:
            raise CommandFailed(
                f"offhook {' '.join(arguments)} ended with {finished.exit_code}, not {exit_code}:\n"
                f"{finished.out}\n{finished.err}"
            )
        return finished

    async def json(self, *arguments: str) -> Any:
        """What the command prints with ``--json``."""
        return (await self.run(*arguments, "--json")).json()

    async def apply(self, document: str, *arguments: str, exit_code: int | None = 0) -> Finished:
        """Applies a document, given as text."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".yaml", delete=False) as file:
            file.write(document)
        return await self.run("apply", file.name, *arguments, exit_code=exit_code)

    # -- logs -----------------------------------------------------------------------------------------------------

    def log_text(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def log_events(self, name: str) -> list[dict[str, Any]]:
        """The events of that name, in order."""
        return [event for event in self._events() if event["event"] == name]

    def _events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def assert_log_is_clean(self, secrets: Sequence[str] = ()) -> None:
        """No traceback, no error but those expected, and none of the secrets."""
        text = self.log_text()
        assert "Traceback" not in text, text[max(0, text.index("Traceback") - 1000) :][:4000]
        errors = [event for event in self._events() if event["level"] in ("error", "critical")]
        assert not [event for event in errors if event["event"] not in self.expected_errors], errors
        assert not [secret for secret in secrets if secret in text], "the log holds a secret"


@contextmanager
def running_daemon(folder: Path, settings: Mapping[str, Any] | None = None) -> Iterator[DaemonProcess]:
    """A daemon that is ready; ended at the end."""
    process = DaemonProcess(folder, find_ports(), settings or {})
    try:
        process.start_now()
        yield process
    finally:
        process.close_now()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon with an empty inventory, whose log must be clean in the end."""
    with running_daemon(tmp_path) as process:
        yield process
    process.assert_log_is_clean()
