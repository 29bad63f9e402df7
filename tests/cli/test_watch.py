"""What watching does at each step: the daemon is made up here, and real in tests/system."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from offhook.cli.failure import Failure
from offhook.cli.pbx import Fetched, PbxExport
from offhook.cli.watch import Watch


@dataclass
class FakeExport:
    """A daemon whose inventory changes as told."""

    changes: list[str]
    #: What each wait gives.
    texts: list[str]
    #: What each export gives.
    waited: list[tuple[str, int]] = field(default_factory=list)

    def wait_for_change(self, known: str, seconds: int) -> str:
        self.waited.append((known, seconds))
        return self.changes.pop(0)

    def fetch(self) -> Fetched:
        text = self.texts.pop(0)
        if text == "unreachable":
            raise Failure("no daemon answers")
        return Fetched(text, ("a note",))


@dataclass
class Desk:
    """A watch, what its command was given, and how long it slept."""

    watch: Watch
    export: FakeExport
    log: Path
    slept: list[float]

    @property
    def given(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Desk]:
    def make_desk(changes: list[str], texts: list[str], ending: str = "") -> Desk:
        log, slept = tmp_path / "log", list[float]()
        command = ["sh", "-c", f'cat "$1" >> {log}; echo >> {log}; {ending}', "sh"]
        export = FakeExport(changes, texts)
        return Desk(Watch(cast("PbxExport", export), tmp_path / "file", command, slept.append), export, log, slept)

    return make_desk


def test_it_begins_at_once_and_then_waits_for_a_change(make: Callable[..., Desk]) -> None:
    desk = make(["1", "1", "2", "2"], ["old", "new"])
    assert desk.watch.step("") == "1"
    assert desk.given == ["old"]
    assert desk.watch.step("1") == "1"
    assert desk.given == ["old"]
    assert desk.watch.step("1") == "2"
    assert desk.given == ["old", "new"]


def test_changes_that_follow_each_other_are_one(make: Callable[..., Desk]) -> None:
    desk = make(["2", "3", "4", "4"], ["new"])
    assert desk.watch.step("1") == "4"
    assert desk.given == ["new"]
    assert [seconds for _, seconds in desk.export.waited] == [30, 1, 1, 1]


def test_changes_without_end_are_not_waited_out(make: Callable[..., Desk]) -> None:
    desk = make([str(number) for number in range(2, 100)], ["new"])
    desk.watch.step("1")
    assert desk.given == ["new"]


def test_a_change_that_alters_nothing_runs_nothing(make: Callable[..., Desk]) -> None:
    desk = make(["1", "2", "2"], ["same", "same"])
    desk.watch.step(desk.watch.step(""))
    assert desk.given == ["same"]


def test_what_failed_is_tried_again_ever_later(make: Callable[..., Desk], capfd: pytest.CaptureFixture[str]) -> None:
    desk = make(["1"] * 3, ["unreachable", "unreachable", "new"])
    assert [desk.watch.step("") for _ in range(3)] == ["", "", "1"]
    assert desk.slept == [1, 2]
    assert desk.given == ["new"]
    assert "no daemon answers" in capfd.readouterr().err


def test_a_command_that_fails_is_run_again(make: Callable[..., Desk], capfd: pytest.CaptureFixture[str]) -> None:
    desk = make(["1"] * 2, ["new", "new"], ending="exit 7")
    assert [desk.watch.step(""), desk.watch.step("")] == ["", ""]
    assert desk.given == ["new", "new"]
    said = capfd.readouterr().err
    assert "sh ended with 7" in said
    assert said.count("a note") == 1


def test_a_command_that_is_not_there_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export = cast("PbxExport", FakeExport(["1"], ["new"]))
    assert Watch(export, tmp_path / "file", ["/nonexistent"], lambda _: None).step("") == ""
    assert "/nonexistent cannot be run" in capfd.readouterr().err
