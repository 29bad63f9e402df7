from tests.cli.conftest import Commands


def test_the_latest_change_comes_first(offhook: Commands) -> None:
    offhook.output("apply", "-", text="accounts: [{name: acme, devices: [{mac: 001565123456, name: Front desk}]}]")
    lines = offhook.output("audit", "-n", "2").splitlines()
    assert "device Front desk (00:15:65:12:34:56)" in lines[1]
    assert "name: Reception → Front desk" in lines[1]
    assert len(lines) == 3
    assert offhook.json("audit", "--limit", "1")[0]["after"] == {"name": "Front desk"}
