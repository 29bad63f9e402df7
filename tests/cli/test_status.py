from tests.cli.conftest import Commands


def test_the_daemon_tells_where_it_listens(offhook: Commands) -> None:
    text = offhook.output("status")
    assert "accounts 2" in text
    assert "udp://0.0.0.0:5060" in text
    assert offhook.json("status")["ready"] is True
