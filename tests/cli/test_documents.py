import yaml
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

CHANGES = """\
accounts:
  - name: acme
    users:
      - {username: mlopez, first_name: Maria, extension: "2003"}
    devices:
      - {mac: "00:15:65:12:34:56", name: Front desk}
      - {type: deskphone, mac: "00:15:65:12:34:57", vendor: yealink, user: mlopez}
"""


def test_a_plan_reads_like_a_diff(offhook: Commands, daemon: AdminDaemon) -> None:
    lines = offhook.output("plan", "-", text=CHANGES).splitlines()
    assert lines[0] == "+ user mlopez"
    assert "first name Maria" in lines[1]
    assert "~ device Front desk (00:15:65:12:34:56)" in lines
    assert "    name: Reception → Front desk" in lines
    assert "1 device would have to fetch again (offhook reload DEVICE):" in lines
    assert "    Front desk (00:15:65:12:34:56), to revision 2" in lines
    assert "1 new device would have a first configuration to fetch." in lines
    assert lines[-1] == "Plan: 3 created, 1 changed."
    assert daemon.device().name == "Reception"


def test_applying_twice_changes_nothing_the_second_time(offhook: Commands, daemon: AdminDaemon) -> None:
    file = offhook.folder / "changes.yaml"
    file.write_text(CHANGES)
    assert offhook.output("apply", str(file)).splitlines()[-1] == "Applied: 3 created, 1 changed."
    assert daemon.device("Front desk").mac == "001565123456"
    assert offhook.output("apply", str(file)) == "Nothing to change.\n"
    assert offhook.json("apply", str(file))["differences"] == []


def test_each_fault_stands_on_its_line_with_its_place(offhook: Commands) -> None:
    file = offhook.folder / "bad.yaml"
    file.write_text("accounts:\n  - name: acme\n    gatway: x\n    devices: [{mac: zz}]\n")
    for command in ("plan", "apply"):
        result = offhook(command, str(file))
        assert result.exit_code == 1
        first, second, last = result.stderr.splitlines()
        assert first.startswith(f"{file}:3:5: accounts[0].gatway: unknown key; did you mean 'gateway'?")
        assert second.startswith(f"{file}:4:21: accounts[0].devices[0].mac: 'zz' is not a MAC address")
        assert last == "Error: the document has 2 faults; nothing was changed"


def test_pruning_says_what_it_would_delete_and_wants_a_yes(offhook: Commands) -> None:
    text = "accounts: [{name: globex, devices: [{mac: 001565123499}]}]"
    plan = offhook.output("plan", "--prune", "-", text=text)
    assert "- device Reception (00:15:65:12:34:98)" in plan
    assert plan.splitlines()[-1] == "Plan: 1 deleted (--prune: 1 device)."
    result = offhook("apply", "--prune", "-", text=text)
    assert result.exit_code == 1
    assert "then add --yes" in result.stderr
    assert offhook.output("apply", "--prune", "--yes", "-", text=text).splitlines()[-1].startswith("Applied: 1 deleted")


def test_a_file_that_is_not_there_is_a_usage_error(offhook: Commands) -> None:
    assert offhook("apply", "/nonexistent.yaml").exit_code == 2


def test_what_is_exported_can_be_applied(offhook: Commands, daemon: AdminDaemon) -> None:
    text = offhook.output("export")
    assert [account["name"] for account in yaml.safe_load(text)["accounts"]] == ["acme", "globex"]
    assert offhook.output("apply", "-", text=text) == "Nothing to change.\n"
    with_secrets = offhook.output("export", "--account", "acme", "--secrets")
    assert "password" in with_secrets
    assert "password" not in text
    assert daemon.services.audit.read(1)[0].record.action == "reveal"
