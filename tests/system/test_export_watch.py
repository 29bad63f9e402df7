"""A PBX's file is kept current by a command, from the real daemon's changes."""

import asyncio
import signal
import subprocess
from pathlib import Path

from tests.support.acme import set_up
from tests.support.daemon import OFFHOOK, DaemonProcess, eventually


def start_watching(daemon: DaemonProcess, folder: Path, command: str) -> subprocess.Popen[bytes]:
    arguments = ["export", "--for", "kamailio", "--watch", "--", "sh", "-c", command, "sh"]
    with (folder / "watch.log").open("wb") as log:
        return subprocess.Popen(
            [str(OFFHOOK), "--config", str(daemon.config_file), *arguments],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin"},
        )


def left_behind(folder: Path) -> list[Path]:
    return list(folder.glob("offhook-export-*"))


async def test_each_change_runs_the_command_with_the_fresh_file_until_it_is_stopped(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    set_up(daemon)
    seen = tmp_path / "seen"
    seen.mkdir()
    command = f'cp "$1" {seen}/$(ls {seen} | wc -l)'
    watching = start_watching(daemon, tmp_path, command)
    try:

        async def runs(count: int) -> bool:
            return len(list(seen.iterdir())) == count

        await eventually(lambda: runs(1), "it begins at once")
        assert "2001-" in (seen / "0").read_text()
        daemon.apply_now("accounts: [{name: acme, users: [{username: jsmith, first_name: Joan}]}]")
        daemon.apply_now(
            "accounts: [{name: acme, devices: [{mac: 'ec:74:d7:00:00:01', lines: [{index: 1, extension: '2095'}]}]}]"
        )
        await eventually(lambda: runs(2), "the change arrives")
        assert "'2095-" in (seen / "1").read_text()

        await daemon.terminate()
        await daemon.start()
        daemon.apply_now(
            "accounts: [{name: acme, devices: [{mac: 'ec:74:d7:00:00:01', lines: [{index: 2, extension: '2096'}]}]}]"
        )
        await eventually(lambda: runs(3), "it finds the daemon again", seconds=20.0)
        assert "'2096-" in (seen / "2").read_text()

        watching.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(watching.wait, 10) == 0
        assert not left_behind(tmp_path)
        reveals = [it for it in await daemon.json("audit") if it["reason"] == "export for kamailio"]
        assert 3 <= len(reveals) <= 5
    finally:
        if watching.poll() is None:
            watching.kill()
            watching.wait()
    assert "Traceback" not in (tmp_path / "watch.log").read_text()
