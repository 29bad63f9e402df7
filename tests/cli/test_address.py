"""``location address``, ``user address``, ``device address``: entered, refused, chosen, cleared."""

import pytest
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon
from tests.support.validator import Answers

from offhook.inventory.address import CheckedBy
from offhook.inventory.emergency.validation import Authority

LINE = "1 Main Street, Reno, Nevada 89501"
IN_FORCE = "1 Main St, Reno, NV 89501"
PHONE = "00:15:65:12:34:56"


@pytest.fixture
def answers(daemon: AdminDaemon) -> Answers:
    validator = Answers()
    daemon.services.validation.authority = Authority(validator=validator, by=CheckedBy.HTTP)
    return validator


@pytest.mark.parametrize("command", [("location", "HQ"), ("user", "jsmith"), ("device", PHONE)])
def test_an_address_is_entered_in_one_line_shown_changed_and_cleared(
    offhook: Commands, answers: Answers, command: tuple[str, str]
) -> None:
    where = (command[0], "address", command[1])
    assert offhook(*where).exit_code == 1
    said = offhook.output(*where, "--text", LINE)
    assert f"The address of {command[0]} {command[1]} is valid, and in force." in said
    shown = offhook.output(*where)
    assert IN_FORCE in shown
    assert f"entered as         {LINE}" in shown
    assert "found valid by     the validator" in shown
    offhook.output(*where, "--floor", "3", "--suffix", "Ave")
    changed = offhook.json(*where)
    assert (changed["text"], changed["original"]) == ("1 Main Ave Fl 3, Reno, NV 89501", "")
    offhook.output(*where, "--floor", "")
    assert offhook.json(*where)["entered"]["floor"] == ""
    refused = offhook(*where, "--clear")
    assert (refused.exit_code, "--yes" in refused.output) == (1, True)
    assert "has no emergency address" in offhook.output(*where, "--clear", "--yes")
    assert offhook(*where, "--floor", "3").exit_code == 1


def test_what_is_refused_says_what_to_check_and_ends_with_1(offhook: Commands, answers: Answers) -> None:
    offhook.output("location", "address", "HQ", "--text", LINE)
    answers.refused = {"2"}
    result = offhook("location", "address", "HQ", "--house-number", "2")
    assert result.exit_code == 1
    assert "Error: there is no such street" in result.output
    assert "check the directional, suffix" in result.output
    assert IN_FORCE in offhook.output("location", "address", "HQ")


def test_out_of_reach_is_told_apart_and_can_be_tried_again(offhook: Commands, answers: Answers) -> None:
    answers.is_reachable = False
    result = offhook("location", "address", "HQ", "--text", LINE)
    assert result.exit_code == 1
    assert "gave no verdict" in result.output
    assert "kept as a draft" in result.output
    assert "try again" in result.output
    answers.is_reachable = True
    assert "is valid, and in force" in offhook.output("location", "address", "HQ", "--validate")
    answers.refused = {"1"}
    result = offhook("location", "address", "HQ", "--validate")
    assert (result.exit_code, f"in force stays: {IN_FORCE}" in result.output) == (1, True)
    result = offhook("location", "address", "HQ", "--validate", "--json")
    assert (result.exit_code, '"state": "rejected"' in result.stdout) == (1, True)


def test_of_several_readings_one_is_chosen(offhook: Commands, answers: Answers) -> None:
    line = "12 Avenue B, New York, NY 10009"
    result = offhook("location", "address", "HQ", "--text", line)
    assert result.exit_code == 1
    assert "  1  12 Avenue B, New York, NY 10009  (pre type Avenue, street B)" in result.output
    assert "--choose 1 to" in result.output
    assert offhook("location", "address", "HQ", "--text", line, "--choose", "9").exit_code == 1
    offhook.output("location", "address", "HQ", "--text", line, "--choose", "1")
    entered = offhook.json("location", "address", "HQ")["entered"]
    assert (entered["pre_type"], entered["street"]) == ("Avenue", "B")


def test_what_the_validator_would_correct_is_chosen_too(offhook: Commands, answers: Answers) -> None:
    answers.corrected = {"1"}
    result = offhook("location", "address", "HQ", "--text", LINE)
    assert (result.exit_code, "  1  1 Main Ave, Reno, NV 89501" in result.output) == (1, True)


def test_without_a_validator_that_is_said(offhook: Commands) -> None:
    result = offhook("location", "address", "HQ", "--text", LINE)
    assert result.exit_code == 0
    assert "emergency.validator" in result.stderr
    assert "nobody but its form" in offhook.output("location", "address", "HQ")


def test_a_dry_run_changes_nothing(offhook: Commands, answers: Answers) -> None:
    assert "nothing was changed" in offhook.output("location", "address", "HQ", "--text", LINE, "--dry-run")
    assert offhook("location", "address", "HQ").exit_code == 1
    offhook.output("location", "address", "HQ", "--text", LINE)
    assert "nothing was changed" in offhook.output("location", "address", "HQ", "--clear", "--dry-run")
    assert offhook("location", "address", "HQ").exit_code == 0


def test_one_thing_at_a_time(offhook: Commands) -> None:
    assert offhook("location", "address", "HQ", "--text", LINE, "--clear").exit_code == 2
    assert offhook("location", "address", "HQ", "--floor", "1", "--validate").exit_code == 2
    assert offhook("location", "address", "HQ", "--text", LINE, "--floor", "1").exit_code == 1


def test_a_warning_of_a_floor_that_is_missing(offhook: Commands, answers: Answers) -> None:
    offhook.output("location", "address", "HQ", "--text", "1 Main St Fl 2, Reno, NV 89501")
    assert "Warning: floor: the building has several floors" in offhook.output(
        "device", "address", PHONE, "--text", LINE
    )
