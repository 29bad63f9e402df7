from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

KEYS = ["device", "index", "extension", "aor", "auth_username", "password"]


async def test_lines_have_the_shape_that_programs_rely_on(ask: Ask, daemon: AdminDaemon) -> None:
    _, page = await ask("GET", "/lines?account=acme")
    reception, handset = page["items"]
    assert list(reception) == KEYS
    assert reception["device"] == "00:15:65:12:34:56"
    assert (reception["index"], reception["extension"], reception["aor"]) == (1, "2001", "sip:2001@acme.test")
    assert reception["auth_username"].startswith("2001-")
    assert reception["password"] is None
    assert (handset["device"], handset["extension"]) == ("0658500479393", "2002")
    assert daemon.services.audit.read(1)[0].record.action != "reveal"


async def test_a_line_without_assignment_has_its_service_address(ask: Ask, daemon: AdminDaemon) -> None:
    _, page = await ask("GET", "/lines?device=Lobby")
    [line] = page["items"]
    assert line["extension"] is None
    assert line["aor"] == f"sip:dev-{daemon.device('Lobby', 'globex').phone_id}@globex.test"


async def test_a_reveal_is_audited(ask: Ask, daemon: AdminDaemon) -> None:
    _, page = await ask("GET", "/lines?account=acme&reveal=true&reason=moving+the+PBX")
    assert [len(line["password"]) for line in page["items"]] == [24, 24]
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.kind, record.key) == ("reveal", "line", "lines of account acme")
    assert record.reason == "moving the PBX"
    assert record.actor.startswith("uid ")
    assert record.origin == "socket"


async def test_nothing_is_revealed_that_cannot_be_audited(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.services.executor.submit(_break_audit, daemon).result()
    status, problem = await ask("GET", "/lines?reveal=true")
    assert status == 503
    assert "password" not in str(problem)


def _break_audit(daemon: AdminDaemon) -> None:
    import sqlite3

    with sqlite3.connect(daemon.socket.parent / "inventory.db") as connection:
        connection.execute("DROP TABLE audit")


async def test_pages_hold_what_the_whole_holds(ask: Ask) -> None:
    _, whole = await ask("GET", "/lines")
    found, cursor = [], ""
    while cursor is not None:
        _, page = await ask("GET", f"/lines?limit=1&cursor={cursor}" if cursor else "/lines?limit=1")
        assert len(page["items"]) <= 1
        found += page["items"]
        cursor = page["next"]
    assert found == whole["items"]
    assert len(found) == 4
