import pytest
from tests.cli.conftest import Commands

from offhook.cli.pins import describe_pin


@pytest.mark.parametrize(
    ("pin", "text"),
    [
        ({"state": "default", "default_pin": "482913"}, "482913 (default)"),
        ({"state": "default", "default_pin": None}, "default"),
        ({"state": "own", "default_pin": None}, "their own"),
        ({"state": "locked", "default_pin": "482913"}, "locked"),
    ],
)
def test_how_it_stands_with_a_pin(pin: dict[str, str | None], text: str) -> None:
    assert describe_pin(pin) == text


def test_a_locked_pin_is_told_and_reset(offhook: Commands) -> None:
    for _ in range(3):
        answer = offhook("user", "pin", "verify", "rlee", text="000000\n")
    assert (answer.exit_code, answer.output) == (1, "The PIN is locked.\n")
    assert "locked" in offhook.output("user", "show", "rlee")
    text = offhook.output("user", "pin", "reset", "rlee", "--renew")
    assert "(default)" in text


def test_a_pin_that_everybody_tries_is_refused(offhook: Commands) -> None:
    pin = offhook.json("user", "show", "rlee")["pin"]["default_pin"]
    refused = offhook("user", "pin", "set", "rlee", text=f"{pin}\n123456\n")
    assert (refused.exit_code, "choose another" in refused.stderr) == (1, True)
