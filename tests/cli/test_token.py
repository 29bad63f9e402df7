import aiohttp
import click
import pytest
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

from offhook.cli.token import parse_duration, token


def test_a_token_is_printed_alone_works_and_can_be_revoked(offhook: Commands, daemon: AdminDaemon) -> None:
    text = offhook.output("token", "create", "ci", "--role", "viewer", "--expires", "90d").strip()

    async def ask() -> int:
        headers = {"Authorization": f"Bearer {text}"}
        async with aiohttp.ClientSession() as client, client.get(f"{daemon.url}/api/v1/status", headers=headers) as it:
            return it.status

    assert daemon.call(ask) == 200
    [listed] = offhook.json("token", "list")
    assert (listed["name"], listed["role"], listed["expires_at"][:10]) == ("ci", "viewer", "2027-04-15")
    assert text not in offhook.output("token", "list")
    assert offhook.output("token", "revoke", "ci") == "token ci is revoked\n"
    assert daemon.call(ask) == 401


def test_a_token_can_be_limited(offhook: Commands) -> None:
    limits = ("--scope", "reveal", "--account", "acme", "--account", "globex", "--network", "10.0.0.0/8")
    made = offhook("token", "create", "ci", "--role", "operator", *limits)
    assert made.stderr == "ci: operator + reveal, of acme and globex, from 10.0.0.0/8. It is not shown again.\n"
    offhook.output("token", "create", "all", "--role", "viewer")
    limited, every = offhook.output("token", "list").splitlines()[1:]
    assert every.split()[:3] == ["all", "viewer", "all"]
    assert "operator + reveal" in limited
    assert "acme, globex" in limited
    assert "10.0.0.0/8" in limited


def test_a_token_for_what_is_not_there_is_not_made(offhook: Commands) -> None:
    refused = offhook("token", "create", "ci", "--role", "viewer", "--account", "akme")
    assert refused.exit_code == 1
    assert "did you mean acme?" in refused.stderr


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("12h", 43200), ("90D", 90 * 86400), ("1y", 365 * 86400)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(click.Context(token), click.Option(["--expires"]), text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "9999999d", "٣d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="12h, 90d"):
        parse_duration(click.Context(token), click.Option(["--expires"]), text)
