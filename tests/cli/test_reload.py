import threading
from functools import partial
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import Commands
from tests.support.admin_daemon import START, AdminDaemon

from offhook.reload.progress import ReloadState

STEPS: dict[ReloadState, dict[str, Any]] = {
    ReloadState.SENT: {"sent_at": START + 1, "event": "check-sync;reboot=false", "attempts": 1},
    ReloadState.ANSWERED: {"answered_at": START + 2, "answer_status": 200},
    ReloadState.FETCHED: {"fetched_at": START + 3},
    ReloadState.DONE: {"finished_at": START + 4},
    ReloadState.FAILED: {"finished_at": START + 4, "reason": "it did not fetch revision 2 within 30 s"},
}


def _reload_while(offhook: Commands, daemon: AdminDaemon, states: list[ReloadState], *arguments: str) -> Result:
    """Runs the command while the device goes through these states."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(offhook("reload", "001565123456", *arguments)))
    thread.start()
    record = daemon.reloads.started.get(timeout=10)
    for state in states:
        daemon.call(partial(daemon.reloads.advance, record.id, state, **STEPS[state]))
    thread.join(10)
    return results[0]


def test_each_step_is_shown_with_its_time(offhook: Commands, daemon: AdminDaemon) -> None:
    states = [ReloadState.SENT, ReloadState.ANSWERED, ReloadState.FETCHED, ReloadState.DONE]
    result = _reload_while(offhook, daemon, states)
    assert result.exit_code == 0
    first, *steps = result.stdout.splitlines()
    assert first.startswith("00:15:65:12:34:56: reload ")
    assert [step.split(maxsplit=2)[1:] for step in steps] == [
        ["sent", "NOTIFY with Event: check-sync;reboot=false"],
        ["answered", "200"],
        ["fetched", "revision 2"],
        ["done", "its lines are registered"],
    ]
    assert [step.split()[0][-6:] for step in steps] == ["01.000", "02.000", "03.000", "04.000"]


def test_a_failure_is_named(offhook: Commands, daemon: AdminDaemon) -> None:
    result = _reload_while(offhook, daemon, [ReloadState.SENT, ReloadState.FAILED])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].split()[1:] == ["failed"]
    assert "failed: it did not fetch revision 2 within 30 s" in result.stderr


def test_json_is_the_end_of_it(offhook: Commands, daemon: AdminDaemon) -> None:
    result = _reload_while(offhook, daemon, [ReloadState.SENT, ReloadState.FAILED], "--json")
    assert result.exit_code == 1
    assert '"state": "failed"' in result.stdout
    assert "sent  " not in result.stdout


def test_not_waiting_begins_it(offhook: Commands) -> None:
    assert "has begun" in offhook.output("reload", "--no-wait", "001565123456")
    assert offhook.json("reload", "--no-wait", "Lobby")["state"] == "queued"


@pytest.mark.parametrize("device", ["nobody", "Reception", "0658500479393"])
def test_what_cannot_be_reloaded(offhook: Commands, device: str) -> None:
    assert offhook("reload", device).exit_code == 1
