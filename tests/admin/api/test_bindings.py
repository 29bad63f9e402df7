import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon


async def test_bindings_have_the_shape_that_programs_rely_on(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.bind(daemon.device())
    daemon.clock.time += 600
    _, page = await ask("GET", "/bindings")
    assert page["items"] == [
        {
            "aor": "sip:2001@acme.test",
            "contact": "sip:2001@10.1.2.3:5060",
            "received": "udp:10.1.2.3:5060",
            "device": "00:15:65:12:34:56",
            "expires_in": 3000,
            "user_agent": "Yealink SIP-T46U 108.86.0.45",
        }
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("aor=sip:2001@acme.test", 1),
        ("aor=2001@ACME.test", 1),
        ("aor=2001", 1),
        ("aor=200", 0),
        ("device=001565123456", 1),
        ("device=Lobby", 0),
    ],
)
async def test_filters(ask: Ask, daemon: AdminDaemon, query: str, count: int) -> None:
    daemon.bind(daemon.device())
    _, page = await ask("GET", f"/bindings?{query}")
    assert len(page["items"]) == count


async def test_expired_ones_are_not_listed(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.bind(daemon.device())
    daemon.clock.time += 3601
    assert await ask("GET", "/bindings") == (200, {"items": [], "next": None})
