"""A backup of the real daemon while it works, restored on an empty machine."""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.acme import YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import DaemonProcess, find_ports
from tests.support.phone import Phone, PhoneShell, Registered, Yealink

from offhook.endpoint import Transport

PASSPHRASE: Final = "four words of mine"
NAME: Final = re.compile(r"Joan\d*|Jane")


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(f"{PASSPHRASE}\n")
    return path


@pytest.fixture
def other(tmp_path: Path, daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    """Another machine: nothing is on it yet."""
    folder = tmp_path / "other"
    folder.mkdir()
    process = DaemonProcess(folder, find_ports())
    yield process
    process.close_now()


def lasting(bindings: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return sorted((it["aor"], it["contact"], it["received"], it["device"]) for it in bindings)


async def inventory_of(daemon: DaemonProcess) -> str:
    """Everything with passwords, but for the name that was being changed."""
    return NAME.sub("Jane", (await daemon.run("export", "--secrets")).out)


async def test_a_backup_made_at_work_is_the_same_office_elsewhere(
    daemon: DaemonProcess, other: DaemonProcess, passphrase_file: Path, tmp_path: Path
) -> None:
    set_up(daemon)
    token = json.loads((await daemon.run("token", "create", "monitoring", "--role", "viewer", "--json")).out)["token"]
    file = tmp_path / "office.backup"
    phone = Phone(
        Yealink(),
        YEALINK_MAC,
        provisioning_url=provisioning_url(daemon, "http"),
        random=secrets.token_bytes,
        transport=Transport.UDP,
    )
    done = asyncio.Event()

    async def change_on_and_on() -> int:
        count = 0
        while not done.is_set():
            count += 1
            document = f"accounts: [{{name: acme, users: [{{username: jsmith, first_name: Joan{count}}}]}}]"
            await asyncio.to_thread(daemon.apply_now, document)
        return count

    async def register_on_and_on(shell: PhoneShell) -> int:
        count = 0
        while not done.is_set():
            told = shell.mark()
            shell.perform(shell.phone.register_now(shell.now()))
            await shell.wait_for(Registered, after=told)
            count += 1
        return count

    async with PhoneShell(phone) as shell:
        await shell.wait_for(Registered)
        work = asyncio.gather(change_on_and_on(), register_on_and_on(shell))
        said = await daemon.run("backup", str(file), "--passphrase-file", str(passphrase_file))
        done.set()
        assert min(await work) > 0
        bindings = lasting(await daemon.json("bindings"))
        assert PASSPHRASE not in said.out + said.err
        before, passwords = await inventory_of(daemon), daemon.passwords()
        provisioning_token = daemon.token_of("acme")
        await daemon.terminate()

        checked = await other.run("restore", str(file), "--passphrase-file", str(passphrase_file), "--check")
        assert "Nothing was changed" in checked.out
        assert not other.state_dir.exists()
        await other.run("restore", str(file), "--passphrase-file", str(passphrase_file))
        await other.start()
        assert await inventory_of(other) == before
        assert lasting(await other.json("bindings")) == bindings
        assert other.passwords() == passwords
        assert other.token_of("acme") == provisioning_token
        status, _ = await asyncio.to_thread(
            other.get_http, other.ports.admin, "/api/v1/status", {"Authorization": f"Bearer {token}"}
        )
        assert status == 200
    hidden = [PASSPHRASE, token, provisioning_token, *passwords]
    daemon.assert_log_is_clean(hidden)
    other.assert_log_is_clean(hidden)
    assert not [secret for secret in hidden if secret.encode() in file.read_bytes()]


async def test_a_restore_beside_a_running_daemon_is_refused(daemon: DaemonProcess, tmp_path: Path) -> None:
    file = tmp_path / "office.backup"
    await daemon.run("backup", "--without-key", str(file))
    refused = await daemon.run("restore", "--force", str(file), exit_code=1)
    assert "in use by another Offhook daemon" in refused.err
    await daemon.terminate()
    restored = await daemon.run("restore", "--force", str(file))
    assert "replaced-" in restored.out
    await daemon.start()
    assert daemon.ask("GET", "/status")["ready"]
