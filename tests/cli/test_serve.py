from pathlib import Path

import pytest
from tests.cli.conftest import Commands

from offhook import app


@pytest.mark.parametrize("status", [0, 1, 2])
def test_it_runs_the_daemon_and_ends_as_that_does(
    without_daemon: Commands, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    started: list[Path] = []

    def run(config: Path) -> int:
        started.append(config)
        return status

    monkeypatch.setattr(app, "run", run)
    assert without_daemon("serve").exit_code == status
    assert started == [without_daemon.config]
