from datetime import datetime, timedelta

import click
import pytest
from tests.cli.conftest import Commands

from offhook.cli.audit import audit, parse_moment


def test_the_latest_change_comes_first(offhook: Commands) -> None:
    offhook.output("apply", "-", text="accounts: [{name: acme, devices: [{mac: 001565123456, name: Front desk}]}]")
    lines = offhook.output("audit", "-n", "2").splitlines()
    assert "device Front desk (00:15:65:12:34:56)" in lines[1]
    assert "name: Reception → Front desk" in lines[1]
    assert len(lines) == 3
    assert offhook.json("audit", "--limit", "1")[0]["after"] == {"name": "Front desk"}


def test_it_is_searched_by_who_what_and_when(offhook: Commands) -> None:
    offhook.output("apply", "-", text="accounts: [{name: acme, users: [{username: jsmith, email: jane@acme.test}]}]")
    offhook.output("line", "list", "--account", "acme", "--reveal", "--reason", "moving the PBX")

    def keys(*arguments: str) -> list[str]:
        return [record["key"] for record in offhook.json("audit", *arguments)]

    assert keys("jsmith", "--action", "update") == ["user jsmith"]
    assert keys("00-15-65-12-34-56") == [
        "line 1 of Reception (00:15:65:12:34:56)",
        "device Reception (00:15:65:12:34:56)",
    ]
    assert keys("--action", "reveal") == ["lines of account acme"]
    assert keys("-q", "moving") == ["lines of account acme"]
    assert set(keys("--kind", "account")) == {"account acme", "account globex"}
    assert keys("--account", "globex", "--kind", "account") == ["account globex"]
    assert keys("--actor", "offhook", "--kind", "user") == ["user rlee", "user jsmith"]
    [latest] = offhook.json("audit", "-n", "1")
    assert keys("--request", latest["request_id"]) == [latest["key"]]
    assert keys("--since", "2027-01-16") == []
    assert len(keys("--until", "2027-01-16")) > 3
    nothing = offhook("audit", "nobody")
    assert (nothing.exit_code, nothing.stderr) == (0, "Nothing of that kind was changed.\n")


def test_before_and_after_are_told(offhook: Commands) -> None:
    offhook.output("apply", "-", text="accounts: [{name: acme, users: [{username: jsmith, email: jane@acme.test}]}]")
    [_, update] = offhook.output("audit", "jsmith", "--action", "update").splitlines()
    assert "email: - → jane@acme.test" in update
    [_, create] = offhook.output("audit", "jsmith", "--action", "create").splitlines()
    assert "first_name: Jane" in create
    assert "→" not in create
    assert offhook.output("line", "list", "--reveal", "--reason", "moving the PBX")
    assert "moving the PBX" in offhook.output("audit", "-n", "1")


def moment(text: str) -> str | None:
    return parse_moment(click.Context(audit), click.Option(["--since"]), text)


def test_times_are_those_of_whoever_types_them() -> None:
    read, ago = moment("2026-11-22T08:30"), moment("2h")
    assert read is not None
    assert datetime.fromisoformat(read) == datetime(2026, 11, 22, 8, 30).astimezone()
    assert moment("2026-11-22T08:30:00+00:00") is not None
    assert ago is not None
    assert timedelta(hours=1) < datetime.now().astimezone() - datetime.fromisoformat(ago) < timedelta(hours=3)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="or how long ago"):
        moment(text)
