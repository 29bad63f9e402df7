from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon


async def test_the_daemon_tells_of_itself(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.bind(daemon.device())
    _, status = await ask("GET", "/status")
    assert (status["version"], status["uptime_seconds"], status["ready"]) == ("0.0.0", 60, True)
    assert status["listening"][0] == {"service": "SIP", "address": "udp://0.0.0.0:5060"}
    assert status["checks"] == [{"name": "daemon", "ok": True, "text": "running"}]
    assert status["counts"] == {
        "accounts": 2,
        "users": 2,
        "numbers": 0,
        "devices": 5,
        "lines": 4,
        "bindings": 1,
        "reloads": 0,
    }
