import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offhook.cli.checks import Finding, Level, examine, find_lock_holder, is_local
from offhook.config.load import parse_config
from offhook.config.schema import Config
from offhook.store.state_dir import StateDir

QUIET = """\
state_dir: .
admin: {listen: null}
metrics: {listen: null}
"""


def _config(
    folder: Path, sip: str = "{listen: ['udp://127.0.0.1:0']}", provisioning: str = "{http: [], tftp: []}"
) -> Config:
    return parse_config(f"{QUIET}sip: {sip}\nprovisioning: {provisioning}\n", folder / "offhook.yaml")


def _status(**values: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "pid": os.getpid(),
        "started_at": "2026-01-01T00:00:00Z",
        "checks": [],
        "listening": [],
        **values,
    }


def _find(config: Config, check: str, status: dict[str, Any] | None = None, **known: Any) -> list[Finding]:
    found = examine(Path("offhook.yaml"), config, status, known.get("accounts", ()), known.get("devices", ()), "none")
    return [finding for finding in found if finding.check == check]


def _only(findings: list[Finding]) -> Finding:
    [finding] = findings
    return finding


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_that_another_has_is_told_with_its_name(tmp_path: Path, taken: int) -> None:
    finding = _only(_find(_config(tmp_path, provisioning=f"{{http: ['127.0.0.1:{taken}'], tftp: []}}"), "HTTP port"))
    assert finding.level is Level.FAIL
    assert f"taken by process {os.getpid()}" in finding.text


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "http://10.0.0.1:{}"])
def test_a_port_that_the_daemon_has_is_well(tmp_path: Path, taken: int, address: str) -> None:
    status = _status(listening=[{"service": "HTTP", "address": address.format(taken)}])
    config = _config(tmp_path, provisioning=f"{{http: ['127.0.0.1:{taken}'], tftp: []}}")
    assert _only(_find(config, "HTTP port", status)).level is Level.OK


def test_a_port_that_the_daemon_does_not_have_wants_a_restart(tmp_path: Path, taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    finding = _only(_find(_config(tmp_path, f"{{listen: ['tcp://127.0.0.1:{free}']}}"), "SIP port", _status()))
    assert (finding.level, finding.remedy) == (Level.FAIL, "restart it: addresses changed")
    finding = _only(_find(_config(tmp_path, f"{{listen: ['tcp://127.0.0.1:{free}']}}"), "SIP port"))
    assert (finding.level, finding.text) == (Level.OK, f"tcp 127.0.0.1 port {free}: free")


def test_an_address_of_another_machine_cannot_be_listened_on(tmp_path: Path) -> None:
    finding = _only(_find(_config(tmp_path, "{listen: ['udp://10.255.255.1:45060']}"), "SIP port"))
    assert finding.level is Level.FAIL
    assert "Cannot assign" in finding.text


def test_tftp_beside_port_69_is_told_with_how_to_have_it(tmp_path: Path) -> None:
    finding = _only(_find(_config(tmp_path, provisioning="{http: [], tftp: ['127.0.0.1:6969']}"), "TFTP port")[1:])
    assert finding.level is Level.WARN
    for way in ("AmbientCapabilities", "authbind", "setcap", "redirect to :6969", "--to-ports 6969"):
        assert way in finding.remedy
    assert not _find(_config(tmp_path, provisioning="{http: [], tftp: []}"), "TFTP port")


@pytest.mark.parametrize(
    ("advertise", "level"),
    [("127.0.0.1", Level.WARN), ("localhost", Level.WARN), ("no-such-name.invalid", Level.FAIL)],
)
def test_what_phones_are_told_must_lead_somewhere(tmp_path: Path, advertise: str, level: Level) -> None:
    config = _config(tmp_path, f"{{listen: ['udp://127.0.0.1:0'], advertise: {advertise}}}")
    assert _only(_find(config, "sip.advertise")).level is level


def test_an_address_is_of_this_machine_or_not() -> None:
    assert is_local("127.0.0.1")
    assert is_local("::1")
    assert not is_local("192.0.2.1")


def test_the_process_that_holds_the_state_is_named(tmp_path: Path) -> None:
    assert find_lock_holder(tmp_path) is None
    held = StateDir(tmp_path)
    assert find_lock_holder(tmp_path) == str(os.getpid())
    finding = _find(_config(tmp_path), "state")[-1]
    assert (finding.level, finding.remedy) == (Level.FAIL, f"see its log, or stop it: kill {os.getpid()}")
    held.close()
    assert find_lock_holder(tmp_path) is None


def test_an_inventory_without_its_key(tmp_path: Path) -> None:
    assert _only(_find(_config(tmp_path), "key")).level is Level.OK
    (tmp_path / "inventory.db").touch()
    assert _only(_find(_config(tmp_path), "key")).level is Level.FAIL
    assert _only(_find(_config(tmp_path), "key", _status())).level is Level.OK


def test_a_clock_that_runs_behind_its_own_databases(tmp_path: Path) -> None:
    database = tmp_path / "inventory.db"
    database.touch()
    os.utime(database, (time.time() + 3600, time.time() + 3600))
    finding = _only(_find(_config(tmp_path), "clock"))
    assert finding.level is Level.FAIL
    assert "but a database was written at" in finding.text


def test_a_clock_that_believes_in_another_century(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 86400.0)
    finding = _only(_find(_config(tmp_path), "clock"))
    assert (finding.level, finding.text) == (Level.FAIL, "this machine believes that it is 1970-01-02")


def test_a_clock_that_was_set_since_the_daemon_started(tmp_path: Path) -> None:
    finding = _only(_find(_config(tmp_path), "clock", _status(started_at="2024-01-01T00:00:00Z")))
    assert finding.level is Level.WARN
    assert "was set by +" in finding.text


def test_a_failing_check_of_the_daemon_is_passed_on(tmp_path: Path) -> None:
    status = _status(checks=[{"name": "bindings", "ok": False, "text": "the disk is 3 seconds behind"}])
    assert _only(_find(_config(tmp_path), "daemon bindings", status)).text == "the disk is 3 seconds behind"


def test_a_template_that_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "acme"
    folder.mkdir(parents=True)
    (folder / "vendor.yaml").write_text("name: [\n")
    config = parse_config(f"{QUIET}templates: {{paths: [templates]}}\n", tmp_path / "offhook.yaml")
    assert _find(config, "templates")[0].level is Level.FAIL


def test_devices_whose_file_cannot_be_rendered(tmp_path: Path) -> None:
    devices = [{"device": "00:15:65:12:34:56", "type": "deskphone", "carrier": "x", "config": "failed"}]
    finding = _only(_find(_config(tmp_path), "devices", _status(), devices=devices))
    assert (finding.level, finding.remedy) == (Level.FAIL, "see why: offhook device show 00:15:65:12:34:56")
