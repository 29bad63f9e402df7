import re

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import START, AdminDaemon, revision_of

from offhook.admin.routes import ROOT
from offhook.events import ConfigFetched, RenderFailed
from offhook.inventory.editor import Editor
from offhook.inventory.service import DAEMON
from offhook.store.tokens import Role


def _fetch(daemon: AdminDaemon) -> None:
    device = daemon.device()
    daemon.facts.note_fetched(
        ConfigFetched(
            carrier_id=device.id,
            revision=revision_of(daemon, device),
            file="001565123456.cfg",
            kind="device",
            at=START,
            source="10.1.2.3",
            protocol="http",
            user_agent="Yealink SIP-T46U 108.86.0.45 00:15:65:12:34:56",
            vendor="yealink",
            model="T46U",
            firmware="108.86.0.45",
        )
    )


async def test_a_new_device(ask: Ask) -> None:
    status, device = await ask("GET", "/devices/00-15-65-12-34-56")
    assert status == 200
    assert (device["status"], device["config"], device["registration"]) == ("new", "never", "none")
    assert (device["revision"], device["fetched_revision"], device["last_provisioned_at"]) == (1, None, None)
    assert (device["firmware"], device["ip"], device["last_reload"]) == ("", "", None)
    assert (device["type"], device["mac"], device["name"]) == ("deskphone", "00:15:65:12:34:56", "Reception")
    assert (device["vendor"], device["model"], device["users"]) == ("yealink", "T46U", ["jsmith"])
    assert device["lines"][0]["aor"] == "sip:2001@acme.test"


async def test_a_device_that_fetched_and_registered(ask: Ask, daemon: AdminDaemon) -> None:
    _fetch(daemon)
    daemon.bind(daemon.device())
    _, device = await ask("GET", "/devices/001565123456")
    assert (device["status"], device["config"], device["registration"]) == ("registered", "current", "registered")
    assert (device["firmware"], device["ip"]) == ("108.86.0.45", "10.1.2.3")
    assert device["last_provisioned_at"] == "2027-01-15T08:00:00.000Z"
    assert (device["revision"], device["fetched_revision"]) == (1, 1)
    assert device["lines"][0]["registered"] is True


async def test_a_device_whose_file_cannot_be_rendered_says_why(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.facts.note_failed(RenderFailed(daemon.device().id, 1, "device.cfg.j2:7: 'lne' is undefined", START))
    _, device = await ask("GET", "/devices/001565123456")
    assert (device["status"], device["config"]) == ("failed", "failed")
    assert device["reason"] == "device.cfg.j2:7: 'lne' is undefined"


async def test_a_handset_is_carried_by_its_base(ask: Ask) -> None:
    _, device = await ask("GET", "/devices/0658500479393")
    assert (device["carrier"], device["base"], device["slot"]) == ("00:04:13:aa:bb:cc", "00:04:13:aa:bb:cc", 1)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Reception", "Floor 2", None, "Lobby"}),
        ("account=globex", {"Lobby", "Reception"}),
        ("type=dect_base", {"Floor 2"}),
        ("q=lob", {"Lobby"}),
        ("q=00:15:65:12:34:9", {"Lobby", "Reception"}),
        ("q=jsmith", {"Reception"}),
        ("q=2002", {None}),
        ("q=nothing", set()),
        ("status=new", {"Reception", "Floor 2", None, "Lobby"}),
        ("status=registered", set()),
        ("type=dect_base&type=dect_handset", {"Floor 2", None}),
        ("location=unassigned&account=globex", {"Lobby", "Reception"}),
        ("location=HQ", set()),
        ("q=smith reception", {"Reception"}),
        ("user=rlee", {None}),
        ("base=00:04:13:aa:bb:cc", {"Floor 2", None}),
        ("vendor=snom", {"Floor 2"}),
        ("assigned=yes", {"Reception", None}),
        ("without_address=true", {"Reception", None}),
        ("stock=true&q=lobby", {"Lobby"}),
        ("status=new&account=acme&type=deskphone", {"Reception"}),
    ],
)
async def test_filters(ask: Ask, query: str, names: set[str | None]) -> None:
    status, page = await ask("GET", f"/devices?{query}")
    assert status == 200
    assert {device["name"] for device in page["items"]} == names


async def test_a_list_is_sorted_counted_and_gone_on_with(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.bind(daemon.device())
    _fetch(daemon)
    _, page = await ask("GET", "/devices?limit=2&sort=-name&account=acme")
    assert ([it["name"] for it in page["items"]], page["total"]) == (["Reception", "Floor 2"], 3)
    assert page["facets"] == {
        "status": {"new": 2, "registered": 1},
        "type": {"deskphone": 1, "dect_base": 1, "dect_handset": 1},
    }
    _, page = await ask("GET", f"/devices?limit=2&sort=-name&account=acme&cursor={page['next']}")
    assert ([it["name"] for it in page["items"]], page["next"]) == ([None], None)


async def test_handsets_are_listed_under_their_base(ask: Ask) -> None:
    _, page = await ask("GET", "/devices?group=base&account=acme")
    assert [it["type"] for it in page["items"]] == ["dect_base", "dect_handset", "deskphone"]


async def test_what_changes_is_in_the_next_list(ask: Ask, daemon: AdminDaemon) -> None:
    _, page = await ask("GET", "/devices?q=atrium")
    assert page["total"] == 0

    def rename(editor: Editor) -> None:
        editor.change(daemon.device("Lobby", "globex"), name="Atrium")

    await daemon.services.inventory.change(rename, DAEMON)
    _, page = await ask("GET", "/devices?q=atrium")
    assert [it["name"] for it in page["items"]] == ["Atrium"]


async def test_a_wrong_filter_is_told_with_what_there_is(ask: Ask) -> None:
    status, problem = await ask("GET", "/devices?status=ofline")
    assert (status, problem["field"], problem["remedy"]) == (422, "status", "did you mean offline?")


async def test_a_file_is_shown_masked_and_revealed_with_a_record(ask: Ask, daemon: AdminDaemon) -> None:
    _, rendered = await ask("GET", "/devices/001565123456/render?file=001565123456.cfg")
    assert rendered["text"] == "account.1.password = ***\n"
    assert rendered["files"] == ["001565123456.cfg", "y000000000108.cfg"]
    assert daemon.services.audit.read(1)[0].record.action != "reveal"
    _, rendered = await ask("GET", "/devices/001565123456/render?reveal=true&reason=test")
    assert rendered["text"] == "account.1.password = hunter2\n"
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.reason) == ("reveal", "test")
    assert "00:15:65:12:34:56" in record.key


async def test_a_file_that_it_is_not_given_is_404(ask: Ask) -> None:
    status, problem = await ask("GET", "/devices/001565123456/render?file=other.cfg")
    assert (status, problem["remedy"]) == (404, "it asks for 001565123456.cfg, y000000000108.cfg")


async def test_a_device_asked_for_by_name_tells_its_own_url_to_who_may_reveal(daemon: AdminDaemon, ask: Ask) -> None:
    _, shown = await ask("GET", "/devices/001565123456")
    assert re.fullmatch(r"http://10\.0\.0\.5:8080/d/[a-z2-7]{26}/", shown["provisioning_url"])
    _, page = await ask("GET", "/devices?q=001565123456")
    assert [it["provisioning_url"] for it in page["items"]] == [None]
    async with (
        await daemon.remote(Role.ADMINISTRATOR) as client,
        client.get(f"{ROOT}/devices/001565123456") as response,
    ):
        assert (await response.json())["provisioning_url"] is None
    assert (await ask("POST", "/devices/001565123456/rotate-token"))[0] == 200
    assert (await ask("GET", "/devices/001565123456"))[1]["provisioning_url"] != shown["provisioning_url"]
