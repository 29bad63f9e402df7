import io
import sys
import threading
from typing import Any

import pytest

from offhook.cli.failure import Failure
from offhook.cli.progress import with_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def use_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In the test itself: before it begins, pytest puts its own stderr in place."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("offhook.cli.progress._LOOK_SECONDS", 0.001)
    return shown


def never() -> Any:
    raise AssertionError("nobody looks")


def test_without_a_terminal_the_work_is_just_done() -> None:
    assert with_bar(lambda: 7, never) == 7


def test_a_terminal_shows_how_far_the_work_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    seen = threading.Event()
    stages = iter([{"stage": "waiting", "done": 0, "total": 0}, {"stage": "applying", "done": 3, "total": 10}])

    def look() -> Any:
        it = next(stages, None)
        if it is None:
            seen.set()
            raise Failure("there is no such import")
        return it

    def work() -> int:
        assert seen.wait(10)
        return 7

    assert with_bar(work, look) == 7
    assert "looking at the rows" in terminal.getvalue()
    assert "3/10" in terminal.getvalue()


def test_what_the_work_fails_with_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    use_terminal(monkeypatch)

    def fail() -> int:
        raise Failure("the table has faults")

    with pytest.raises(Failure, match="the table has faults"):
        with_bar(fail, lambda: {"stage": "reading", "done": 0, "total": 0})
