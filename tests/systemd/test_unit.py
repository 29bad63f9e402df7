"""The unit and what goes with it, judged by systemd itself."""

import subprocess
import sys
from pathlib import Path

from tests.support.peers import require_peer

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "offhook.service"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_unit_is_exposed_no_more_than_two() -> None:
    done = run(require_peer("systemd-analyze"), "security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    analyze = require_peer("systemd-analyze")
    # Offhook is not installed where tests run; anything that can be executed stands for it.
    copy = tmp_path / "offhook.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/offhook", sys.executable))
    done = run(analyze, "verify", "--man=no", str(copy))
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_key_that_systemd_does_not_know_would_be_found(tmp_path: Path) -> None:
    analyze = require_peer("systemd-analyze")
    copy = tmp_path / "offhook.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/offhook", sys.executable) + "\n[Service]\nProtectPhones=true\n")
    assert "ProtectPhones" in run(analyze, "verify", "--man=no", str(copy)).stderr


def test_the_unit_starts_reloads_and_watches_as_the_daemon_expects() -> None:
    lines = UNIT.read_text().splitlines()
    for line in (
        "Type=notify",
        "ExecStart=/usr/bin/offhook serve --config /etc/offhook/offhook.yaml",
        "WatchdogSec=30",
        "Restart=on-failure",
        "User=offhook",
        "StateDirectory=offhook",
        "StateDirectoryMode=0700",
        "UMask=0077",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    ):
        assert line in lines


def test_the_user_and_the_folders_are_those_of_the_unit() -> None:
    def settings(path: Path) -> list[list[str]]:
        return [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]

    ((kind, user, *_),) = settings(FOLDER / "sysusers.d" / "offhook.conf")
    assert (kind, user) == ("u", "offhook")
    assert settings(FOLDER / "tmpfiles.d" / "offhook.conf") == [["d", "/etc/offhook", "0750", "root", "offhook", "-"]]
