from tests.admin.conftest import Ask
from tests.support.admin_daemon import DOCUMENT, AdminDaemon

from offhook.admin.routes import ROOT

RENAMED = "accounts: [{name: acme, devices: [{mac: 001565123456, name: Front desk}]}]"


async def test_a_plan_says_what_would_change_and_changes_nothing(ask: Ask, daemon: AdminDaemon) -> None:
    status, plan = await ask("POST", "/inventory/plan?file=new.yaml", data=RENAMED)
    assert (status, plan["applied"]) == (200, False)
    [difference] = plan["differences"]
    assert (difference["action"], difference["kind"]) == ("update", "device")
    assert difference["fields"] == [{"field": "name", "before": "Reception", "after": "Front desk"}]
    [reload] = plan["reloads"]
    assert (reload["device"], reload["revision"], reload["is_new"]) == ("Front desk (00:15:65:12:34:56)", 2, False)
    assert daemon.device().name == "Reception"


async def test_applying_changes_it_once(ask: Ask, daemon: AdminDaemon) -> None:
    status, first = await ask("POST", "/inventory/apply", data=RENAMED)
    assert (status, first["applied"], len(first["differences"])) == (200, True, 1)
    assert daemon.device("Front desk").mac == "001565123456"
    _, second = await ask("POST", "/inventory/apply", data=RENAMED)
    assert (second["differences"], second["reloads"]) == ([], [])
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.actor.split()[0]) == ("update", "uid")


async def test_faults_come_all_at_once_with_their_places(ask: Ask, daemon: AdminDaemon) -> None:
    before = daemon.inventory
    text = 'accounts:\n  - name: acme\n    users:\n      - {username: x, extension: "1"}\n    devices: [{mac: zz}]\n'
    status, problem = await ask("POST", "/inventory/apply?file=bad.yaml", data=text)
    assert status == 422
    assert [(fault["file"], fault["line"]) for fault in problem["faults"]] == [("bad.yaml", 4), ("bad.yaml", 5)]
    assert daemon.inventory is before


async def test_pruning_wants_a_yes(ask: Ask, daemon: AdminDaemon) -> None:
    text = "accounts: [{name: globex, devices: [{mac: 001565123499}]}]"
    status, problem = await ask("POST", "/inventory/apply?prune", data=text)
    assert (status, problem["field"]) == (422, "prune")
    status, plan = await ask("POST", "/inventory/apply?prune&yes", data=text)
    assert (status, plan["pruned"]) == (200, [{"kind": "devices", "count": 1}])
    assert daemon.inventory.find_device_by_mac("001565123498") is None


async def test_moving_a_user_wants_a_confirmation(ask: Ask) -> None:
    text = "accounts: [{name: acme, devices: [{type: deskphone, mac: 001565123457, vendor: yealink, user: jsmith}]}]"
    status, _ = await ask("POST", "/inventory/plan", data=text)
    assert status == 422
    status, _ = await ask("POST", "/inventory/plan?confirm_moves=true", data=text)
    assert status == 200


async def test_what_is_exported_changes_nothing_when_applied(ask: Ask, daemon: AdminDaemon) -> None:
    async with daemon.local() as client:
        async with client.get(f"{ROOT}/inventory/export") as response:
            assert response.content_type == "application/yaml"
            text = await response.text()
        assert "password" not in text
        async with client.get(f"{ROOT}/inventory/export?account=globex&secrets=true") as response:
            with_secrets = await response.text()
    _, plan = await ask("POST", "/inventory/plan", data=text)
    assert plan["differences"] == []
    assert "password" in with_secrets
    assert "acme" not in with_secrets
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.key) == ("reveal", "globex")


async def test_an_unknown_account_is_not_exported_as_nothing(ask: Ask) -> None:
    status, problem = await ask("GET", "/inventory/export?account=akme")
    assert (status, problem["remedy"]) == (404, "did you mean acme?")


async def test_what_is_no_document_is_a_fault(ask: Ask) -> None:
    for text in (b"", b"\xff\xfe", b"a: [", DOCUMENT.encode()[:200]):
        status, problem = await ask("POST", "/inventory/plan", data=text)
        assert (status, bool(problem["faults"])) == (422, True)
