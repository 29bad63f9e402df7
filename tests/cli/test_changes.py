import pytest

from offhook.cli.changes import count, fields_of, print_change

CHANGE = {
    "dry_run": False,
    "differences": [
        {"action": "create", "key": "user kim", "fields": [{"field": "first_name", "before": "", "after": "Kim"}]},
        {"action": "update", "key": "user jo", "fields": [{"field": "plan", "before": "pro", "after": ""}]},
        {"action": "delete", "key": "user al", "fields": [{"field": "extension", "before": "2001", "after": ""}]},
    ],
    "reloads": [
        {"device_id": "1", "device": "Lobby", "revision": 4, "is_new": False},
        {"device_id": "2", "device": "New", "revision": 1, "is_new": True},
    ],
    "warnings": [{"message": "look here", "path": "devices[0]", "file": "x.yaml", "line": 3, "column": 1}],
}


def test_an_empty_text_clears_and_what_is_not_given_is_left_out() -> None:
    assert fields_of(name="Kim", email="", plan=None, main=False) == {"name": "Kim", "email": None, "main": False}


def test_a_change_is_told_with_its_consequences(capsys: pytest.CaptureFixture[str]) -> None:
    print_change(CHANGE, False, "user kim is added")
    out = capsys.readouterr().out
    assert "+ user kim\n    first name Kim" in out
    assert "~ user jo\n    plan: pro → (none)" in out
    assert "- user al\n    extension 2001\n" in out
    assert "1 device has to fetch again" in out
    assert "    Lobby, to revision 4" in out
    assert "1 new device has a first configuration" in out
    assert "Warning: x.yaml:3:1: devices[0]: look here" in out
    assert out.endswith("User kim is added.\n")


def test_a_dry_run_and_no_change_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_change({**CHANGE, "dry_run": True}, False, "x")
    out = capsys.readouterr().out
    assert "1 device would have to fetch again" in out
    assert out.endswith("A dry run: nothing was changed.\n")
    print_change({**CHANGE, "differences": [], "reloads": [], "warnings": []}, False, "x")
    assert capsys.readouterr().out == "Nothing to change.\n"


def test_counts() -> None:
    assert (count(1, "device"), count(2, "device"), count(0, "user")) == ("1 device", "2 devices", "0 users")
