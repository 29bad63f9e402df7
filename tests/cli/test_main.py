import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Commands

from offhook import __version__
from offhook.cli.main import _COMMANDS, main


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_can_be_imported_and_helps(without_daemon: Commands, name: str) -> None:
    with click.Context(main) as ctx:
        command = main.get_command(ctx, name)
    assert command is not None
    assert command.name == name
    assert without_daemon.output(name, "--help").startswith("Usage: ")


def test_the_help_names_every_command_in_full_at_80_columns(without_daemon: Commands) -> None:
    text = without_daemon.output("--help")
    commands = text.partition("Commands:")[2]
    for name in _COMMANDS:
        assert f"  {name}" in commands
    assert "..." not in commands


def test_help_imports_neither_pydantic_nor_rich() -> None:
    code = (
        "import sys; from offhook.cli.main import main; main(['--help'], standalone_mode=False); "
        "sys.exit(bool({'pydantic', 'rich', 'http.client', 'asyncio'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_a_mistyped_command_is_told_with_the_one_meant(without_daemon: Commands) -> None:
    result = without_daemon("devise", "list")
    assert result.exit_code == 2
    assert "there is no command 'devise'. Did you mean device?" in result.stderr


def test_a_configuration_that_cannot_be_used_is_told_with_every_fault_and_2(without_daemon: Commands) -> None:
    without_daemon.config.write_text("state_dirr: .\nsip: {listen: [nowhere]}\n")
    result = without_daemon("device", "list")
    assert result.exit_code == 2
    first, second, last = result.stderr.splitlines()
    assert first.startswith(f"{without_daemon.config}:1:1: state_dirr: ")
    assert second.startswith(f"{without_daemon.config}:2:")
    assert last == "Error: the configuration cannot be used"


@pytest.mark.parametrize("leftover", [False, True])
def test_without_a_daemon_it_says_which_socket_was_tried_and_how_to_start_one(
    without_daemon: Commands, leftover: bool
) -> None:
    path = without_daemon.folder / "admin.sock"
    if leftover:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    result = without_daemon("device", "list")
    assert result.exit_code == 1
    assert f"no daemon answers on {path}" in result.stderr
    assert f"offhook serve --config {without_daemon.config}" in result.stderr


def test_config_may_stand_before_or_after_the_command(without_daemon: Commands) -> None:
    other = without_daemon.folder / "other.yaml"
    for arguments in (("--config", str(other), "check-config"), ("check-config", "--config", str(other))):
        result = without_daemon(*arguments)
        assert result.exit_code == 2
        assert str(other) in result.stderr


def test_what_answers_with_nonsense_is_no_traceback(without_daemon: Commands) -> None:
    path = without_daemon.folder / "admin.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        process = subprocess.Popen(
            [sys.executable, "-c", "from offhook.cli.main import main; main()", "device", "list"],
            env={**os.environ, "OFFHOOK_CONFIG": str(without_daemon.config)},
            stderr=subprocess.PIPE,
        )
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"SIP/2.0 200 OK\r\n\r\n")
        connection.close()
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"broke off" in stderr
    assert b"Traceback" not in stderr


def test_the_process_ends_with_the_exit_code(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("offhook")), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    good = tmp_path / "good.yaml"
    good.write_text("state_dir: .\n")
    assert run("version").stdout.startswith(f"offhook {__version__} ")
    assert run("check-config", "--config", str(good)).returncode == 0
    assert run("device", "list", "--config", str(good)).returncode == 1
    assert run("serve", "--config", str(tmp_path / "none.yaml")).returncode == 2
