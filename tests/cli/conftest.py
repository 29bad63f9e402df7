import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.support.admin_daemon import AdminDaemon, in_background

from offhook.cli.main import main


class Commands:
    """Runs commands against the daemon whose state is in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "offhook.yaml"
        self.config.write_text(
            "state_dir: .\n"
            'sip: {listen: ["udp://127.0.0.1:0"]}\n'
            'provisioning: {http: ["127.0.0.1:0"], tftp: ["127.0.0.1:0"]}\n'
            "admin: {listen: null}\nmetrics: {listen: null}\n"
        )

    def __call__(self, *arguments: str, text: str | None = None, env: Mapping[str, str] | None = None) -> Result:
        """The result, whatever it is."""
        environment = {"OFFHOOK_CONFIG": str(self.config), **(env or {})}
        return CliRunner().invoke(main, list(arguments), input=text, env=environment)

    def output(self, *arguments: str, text: str | None = None) -> str:
        """What a command prints that must succeed."""
        result = self(*arguments, text=text)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, text: str | None = None) -> Any:
        """The same of ``--json``."""
        return json.loads(self.output(*arguments, "--json", text=text))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[AdminDaemon]:
    with in_background(tmp_path) as started:
        yield started


@pytest.fixture
def offhook(daemon: AdminDaemon) -> Commands:
    return Commands(daemon.socket.parent)


@pytest.fixture
def without_daemon(tmp_path: Path) -> Commands:
    return Commands(tmp_path)
