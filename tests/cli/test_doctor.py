import json
from typing import Any

from tests.cli.conftest import Commands


def _levels(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in findings}


def test_with_a_daemon_it_knows_of_accounts_and_devices(offhook: Commands) -> None:
    findings = offhook.json("doctor")
    levels = _levels(findings)
    assert levels["daemon"] == "ok"
    assert levels["devices"] == "ok"
    assert levels["gateways"] == "warn"
    text = offhook.output("doctor")
    assert "1 account (globex) without gateway" in text
    assert "→ set gateway:" in text
    assert text.splitlines()[-1].endswith(" 0 wrong")


def test_a_device_without_templates_is_named(offhook: Commands) -> None:
    document = "accounts: [{name: acme, devices: [{type: deskphone, mac: 001565aabbcc, vendor: unheard}]}]"
    offhook.output("apply", "-", text=document)
    findings = {finding["check"]: finding for finding in offhook.json("doctor")}
    assert findings["devices"]["level"] == "warn"
    assert "00:15:65:aa:bb:cc" in findings["devices"]["text"]


def test_without_a_daemon_it_looks_at_the_rest(without_daemon: Commands) -> None:
    levels = _levels(without_daemon.json("doctor"))
    assert levels["daemon"] == "warn"
    assert levels["configuration"] == levels["templates"] == levels["key"] == levels["clock"] == "ok"
    assert "gateways" not in levels


def test_a_configuration_with_faults_is_all_there_is_to_say(without_daemon: Commands) -> None:
    without_daemon.config.write_text("nonsense: 1\nmore: 2\n")
    result = without_daemon("doctor", "--json")
    assert result.exit_code == 1
    assert [finding["check"] for finding in json.loads(result.stdout)] == ["configuration", "configuration"]


def test_something_wrong_makes_it_fail(without_daemon: Commands) -> None:
    key = without_daemon.folder / "secret.key"
    key.write_text("x")
    key.chmod(0o644)
    result = without_daemon("doctor")
    assert result.exit_code == 1
    assert f"chmod 0400 {key}" in result.stdout
