from tests.cli.conftest import Commands


def test_a_user_is_added_with_number_and_phone_at_once(offhook: Commands) -> None:
    offhook.output("number", "add", "+12125550177", "--account", "acme")
    offhook.output("device", "add", "001565000099", "--account", "acme", "--type", "deskphone")
    offhook.output("user", "add", "kim", "--account", "acme", "--number", "+12125550177", "--device", "001565000099")
    user = offhook.json("user", "show", "kim")
    assert (user["numbers"], user["devices"], user["extension"]) == (["+12125550177"], ["00:15:65:00:00:99"], "0177")
    assert [it["username"] for it in offhook.json("user", "list", "--without-number", "--account", "acme")] == [
        "jsmith",
        "rlee",
    ]


def test_the_list_is_narrowed_and_searched(offhook: Commands) -> None:
    offhook.output("user", "add", "kim", "--account", "acme", "--plan", "basic", "--first-name", "Kim")
    assert [it["username"] for it in offhook.json("user", "list", "--plan", "basic")] == ["kim"]
    assert [it["username"] for it in offhook.json("user", "list", "KIM")] == ["kim"]
    assert "No such user." in offhook("user", "list", "nobody").stderr


def test_the_default_pin_is_shown_until_it_is_replaced(offhook: Commands) -> None:
    pin = offhook.json("user", "show", "jsmith")["pin"]["default_pin"]
    assert f"{pin} (default)" in offhook.output("user", "show", "jsmith")
    assert "to be replaced first" in offhook.output("user", "pin", "verify", "jsmith", text=f"{pin}\n")
    assert "in force" in offhook.output("user", "pin", "set", "jsmith", text=f"{pin}\n739251\n")
    assert "their own" in offhook.output("user", "show", "jsmith")
    wrong = offhook("user", "pin", "verify", "jsmith", text="111111\n")
    assert (wrong.exit_code, "2 left" in wrong.output) == (1, True)
    assert f"{pin} (default)" in offhook.output("user", "pin", "reset", "jsmith")
    silent = offhook("user", "pin", "verify", "jsmith", text="")
    assert (silent.exit_code, "standard input has no PIN" in silent.stderr) == (1, True)


def test_log_out_where_nothing_is_logged_in(offhook: Commands) -> None:
    refused = offhook("user", "log-out", "jsmith")
    assert (refused.exit_code, "no number of user jsmith is logged in" in refused.stderr) == (1, True)
