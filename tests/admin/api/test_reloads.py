import asyncio

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import START, AdminDaemon

from offhook.reload.progress import ReloadState


async def test_a_reload_is_begun_and_found_again(ask: Ask) -> None:
    status, begun = await ask("POST", "/reloads", json={"device": "00:15:65:12:34:56"})
    assert status == 202
    assert (begun["device"], begun["state"], begun["revision"]) == ("00:15:65:12:34:56", "queued", 2)
    assert begun["actor"].startswith("uid ")
    assert await ask("GET", f"/reloads/{begun['id']}") == (200, begun)
    assert await ask("GET", "/reloads") == (200, {"items": [begun], "next": None})
    _, device = await ask("GET", "/devices/001565123456")
    assert device["last_reload"] == begun


async def test_a_long_poll_ends_as_soon_as_the_state_is_another(ask: Ask, daemon: AdminDaemon) -> None:
    _, begun = await ask("POST", "/reloads", json={"device": "00:15:65:12:34:56"})
    poll = asyncio.create_task(ask("GET", f"/reloads/{begun['id']}?wait=30&state=queued"))
    await ask("GET", "/status")
    assert not poll.done()
    await daemon.reloads.advance(int(begun["id"]), ReloadState.SENT, sent_at=START + 1, event="check-sync;reboot=false")
    _, sent = await asyncio.wait_for(poll, 5)
    assert (sent["state"], sent["sent_at"]) == ("sent", "2027-01-15T08:00:01.000Z")
    _, same = await asyncio.wait_for(ask("GET", f"/reloads/{begun['id']}?wait=30&state=queued"), 5)
    assert same == sent


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"device": "nobody"}, 404),
        ({"device": "Reception"}, 409),
        ({"device": "0658500479393"}, 409),
        ({"device": ""}, 422),
        ({"device": 5}, 422),
        ({}, 422),
        ({"device": "Lobby", "force": True}, 422),
        ([], 422),
    ],
)
async def test_what_cannot_be_reloaded_is_refused(ask: Ask, body: object, status: int) -> None:
    answered, problem = await ask("POST", "/reloads", json=body)
    assert answered == status
    assert problem["detail"]


async def test_a_body_that_is_not_json_is_refused(ask: Ask) -> None:
    status, _ = await ask("POST", "/reloads", data=b"device=Lobby")
    assert status == 415
    status, _ = await ask("POST", "/reloads", data=b"{", headers={"Content-Type": "application/json"})
    assert status == 422


@pytest.mark.parametrize("reload_id", ["1", "x", "9" * 5000])
async def test_an_unknown_reload_is_404(ask: Ask, reload_id: str) -> None:
    status, _ = await ask("GET", f"/reloads/{reload_id}")
    assert status == 404
