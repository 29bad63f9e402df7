from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon


def test_passwords_are_shown_when_asked_for_and_audited(offhook: Commands, daemon: AdminDaemon) -> None:
    lines = offhook.json("line", "list", "--account", "acme")
    assert list(lines[0]) == ["device", "index", "extension", "aor", "auth_username", "password"]
    assert [line["password"] for line in lines] == [None, None]
    revealed = offhook.json("line", "list", "--account", "acme", "--reveal", "--reason", "PBX")
    assert all(len(line["password"]) == 24 for line in revealed)
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.reason) == ("reveal", "PBX")


def test_the_table_has_passwords_only_then(offhook: Commands) -> None:
    assert "PASSWORD" not in offhook.output("line", "list")
    assert "PASSWORD" in offhook.output("line", "list", "--reveal")


def test_a_reason_without_a_reveal_is_a_mistake(offhook: Commands) -> None:
    assert offhook("line", "list", "--reason", "x").exit_code == 2
