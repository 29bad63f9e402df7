import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.announcements import EventType, Wanted
from offhook.cli import events as command
from offhook.cli.client import Client, Event
from offhook.cli.failure import Failure

AT = "2027-01-15T08:00:00.000Z"
THINGS = [{"action": "update", "kind": "user", "key": f"user u{number}"} for number in range(5)]
EVENTS = [
    Event("a-1", "change", {
        "at": AT, "actor": "jane", "request_id": "abc", "account": "acme",
        "things": THINGS, "thing_count": 7, "revised": ["00:15:65:12:34:56"], "revised_count": 1,
    }),
    Event("a-2", "change", {
        "at": AT, "actor": "offhook", "request_id": "-", "account": "acme",
        "things": [], "thing_count": 0, "revised": [], "revised_count": 2,
    }),
    Event("a-3", "device", {
        "at": AT, "device": "00:15:65:12:34:56", "name": "Reception", "before": "offline", "status": "registered",
    }),
    Event("a-4", "reload", {
        "device": "00:15:65:12:34:56", "state": "failed", "reason": "no answer", "created_at": AT,
        "sent_at": None, "answered_at": None, "fetched_at": None, "finished_at": AT,
    }),
    Event("a-5", "reset", {"missed": None}),
]  # fmt: skip


class CannedClient:
    """Tells what it was given, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def follow(self, *steps: str, **asked: Any) -> Iterator[Event]:
        self.asked = asked
        yield from EVENTS


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> CannedClient:
    canned = CannedClient()
    monkeypatch.setattr(command, "connect", lambda: canned)
    return canned


def test_each_event_is_a_line_for_people(client: CannedClient) -> None:
    result = CliRunner().invoke(command.events, ["--type", "change", "--type", "device", "--account", "acme"])
    lines = [line[14:] for line in result.output.splitlines()]
    assert lines == [
        "change  acme: update user u0, update user u1, update user u2 and 4 more; 1 device to reload, by jane",
        "change  acme: revisions; 2 devices to reload, by offhook",
        "device  Reception (00:15:65:12:34:56): offline → registered",
        "reload  00:15:65:12:34:56: failed, no answer",
        "reset   something was missed",
    ]
    assert client.asked == {"types": ("change", "device"), "account": "acme", "last_id": ""}


def test_each_event_is_an_object_for_programs(client: CannedClient) -> None:
    result = CliRunner().invoke(command.events, ["--json", "--since", "a-0"])
    assert [json.loads(line)["id"] for line in result.output.splitlines()] == [event.id for event in EVENTS]
    assert client.asked["last_id"] == "a-0"


def test_it_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(CannedClient):
        def follow(self, *steps: str, **asked: Any) -> Iterator[Event]:
            yield EVENTS[0]
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "connect", Interrupted)
    result = CliRunner().invoke(command.events, ["--json"])
    assert (result.exit_code, len(result.output.splitlines())) == (0, 1)


def test_the_client_reads_what_the_daemon_tells(offhook: Commands, daemon: AdminDaemon) -> None:
    wanted = Wanted(frozenset(EventType))
    with daemon.announcements.listen(wanted) as listener:
        last = listener.id
    daemon.call(lambda: daemon.apply("accounts: [{name: acme, users: [{username: kim}, {username: lee}]}]"))
    followed = Client(daemon.socket, offhook.config).follow("events", types=("change",), last_id=last)
    event = next(followed)
    assert (event.type, event.data["thing_count"]) == ("change", 2)
    daemon.call(daemon.announcements.close)
    assert list(followed) == []
    with pytest.raises(Failure, match="listen already"):
        list(Client(daemon.socket, offhook.config).follow("events"))
