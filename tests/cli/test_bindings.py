from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon


def test_who_is_registered(offhook: Commands, daemon: AdminDaemon) -> None:
    assert offhook("bindings").stderr == "Nobody is registered.\n"
    daemon.call(lambda: daemon.bind(daemon.device()))
    [binding] = offhook.json("bindings")
    assert list(binding) == ["aor", "contact", "received", "device", "expires_in", "user_agent"]
    assert "sip:2001@acme.test" in offhook.output("bindings", "--aor", "2001")
    assert offhook.json("bindings", "--device", "Lobby") == []
