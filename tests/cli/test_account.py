from tests.cli.conftest import Commands


def test_the_list(offhook: Commands) -> None:
    lines = offhook.output("account", "list").splitlines()
    assert lines[1].split() == ["acme", "acme.test", "sip:pbx.acme.test", "token", "2", "3"]
    assert [account["name"] for account in offhook.json("account", "list")] == ["acme", "globex"]


def test_show_has_the_provisioning_url(offhook: Commands) -> None:
    account = offhook.json("account", "show", "acme")
    assert account["provisioning_url"] == f"http://10.0.0.5:8080/p/{account['provisioning_token']}/"
    assert account["provisioning_url"] in offhook.output("account", "show", "acme")
    assert "none: calls of its phones fail" in offhook.output("account", "show", "globex")
