"""How the daemon starts, and what it says when it cannot."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.daemon import DaemonProcess, eventually, running_daemon

from offhook.app import run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _write(folder: Path, sip: str) -> Path:
    path = folder / "offhook.yaml"
    path.write_text(
        f"state_dir: state\nsip: {{listen: [{sip}]}}\nprovisioning: {{http: [], tftp: []}}\n"
        "admin: {listen: null}\nmetrics: {listen: null}\nlog: {format: json, level: error}\n"
    )
    return path


def test_a_port_that_is_taken_ends_the_start_with_what_to_do(
    tmp_path: Path, taken_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(_write(tmp_path, f'"udp://127.0.0.1:{taken_port}"')) == 1
    said = capfd.readouterr().err
    assert f"SIP cannot listen on udp://127.0.0.1:{taken_port}" in said
    assert "stop it, or choose another port" in said
    assert "Traceback" not in said


def test_a_start_that_failed_lets_go_of_the_state_dir(
    tmp_path: Path, taken_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path = _write(tmp_path, f'"udp://127.0.0.1:{taken_port}"')
    assert run(path) == 1
    assert run(path) == 1
    assert "in use by another" not in capfd.readouterr().err


def test_a_configuration_with_a_typo_is_exit_status_two(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "offhook.yaml"
    path.write_text("spi: {}\n")
    assert run(path) == 2
    assert f"{path}:1:1: spi: " in capfd.readouterr().err


def test_a_lost_key_is_said_with_the_remedy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, '"udp://127.0.0.1:0"')
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "inventory.db").touch()
    assert run(path) == 1
    assert "Put the key file back" in capfd.readouterr().err


async def test_what_is_read_again_counts_at_once_and_what_needs_a_restart_is_named_each_time(tmp_path: Path) -> None:
    settings = {"limits": {"sip": {"connections_per_source": 50}}}
    with running_daemon(tmp_path, settings) as daemon:
        await _fill_connections(daemon, expected=50)
        daemon.write_config({"limits": {"sip": {"connections_per_source": 3}}, "metrics": {"listen": "127.0.0.1:9"}})
        for times in (1, 2):
            daemon.send_signal(signal.SIGHUP)
            await eventually(partial(_has_events, daemon, "config.reread.done", times), "the configuration is read")
            named = [event["key"] for event in daemon.log_events("config.reread.needs_restart")]
            assert named == ["metrics.listen"] * times
        await _fill_connections(daemon, expected=3)
        daemon.assert_log_is_clean()


async def _has_events(daemon: DaemonProcess, name: str, count: int) -> bool:
    return len(daemon.log_events(name)) >= count


async def _fill_connections(daemon: DaemonProcess, *, expected: int) -> None:
    """Opens four connections; those beyond the bound are closed by the server at once."""
    pairs = [await asyncio.open_connection(*daemon.sip_address) for _ in range(4)]
    try:
        for index, (reader, writer) in enumerate(pairs):
            writer.write(b"\r\n\r\n")
            got = await reader.read(2)
            assert got == (b"\r\n" if index < expected else b"")
    finally:
        for _, writer in pairs:
            writer.close()
