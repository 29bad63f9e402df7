from tests.cli.conftest import Commands

NUMBER = "+12125550177"


def test_a_number_gets_features(offhook: Commands) -> None:
    offhook.output("number", "add", NUMBER, "--account", "acme", "--display-first", "Front")
    offhook.output("number", "set", NUMBER, "--forward-always", "2001", "--no-call-waiting", "--display-last", "Desk")
    text = offhook.output("number", "show", NUMBER)
    assert "forward always 2001, no call waiting" in text
    assert "Front Desk" in text
    offhook.output("number", "set", NUMBER, "--forward-always", "")
    assert offhook.json("number", "show", NUMBER)["features"]["forward_always"] is None


def test_one_command_assigns_user_station_type_and_device(offhook: Commands) -> None:
    offhook.output("number", "add", NUMBER, "--account", "acme")
    offhook.output("station-type", "add", "Premium", "--account", "acme", "--feature", "voicemail")
    offhook.output("device", "add", "001565000099", "--account", "acme", "--type", "deskphone")
    offhook.output("user", "add", "kim", "--account", "acme")
    arguments = ["--user", "kim", "--station-type", "premium", "--device", "001565000099"]
    assert f"Number {NUMBER} is assigned." in offhook.output("number", "assign", NUMBER, *arguments)
    number = offhook.json("number", "show", NUMBER)
    assert (number["user"], number["station_type"]) == ("kim", "Premium")
    assert offhook.json("user", "show", "kim")["devices"] == ["00:15:65:00:00:99"]
    assert f"Number {NUMBER} is free." in offhook.output("number", "unassign", NUMBER)
    assert offhook("number", "assign", NUMBER).exit_code == 2


def test_a_number_is_logged_in_and_out_by_the_phone_id(offhook: Commands) -> None:
    offhook.output("number", "add", NUMBER, "--account", "acme")
    offhook.output("device", "add", "001565000099", "--account", "acme", "--type", "deskphone")
    phone_id = offhook.json("device", "show", "001565000099")["phone_id"]
    text = offhook.output("number", "log-in", NUMBER, phone_id)
    assert "is logged in to 00:15:65:00:00:99." in text
    assert [it["number"] for it in offhook.json("number", "list", "--logged-in")] == [NUMBER]
    assert offhook.json("number", "list", "--no-logged-in") == []
    assert "is logged out." in offhook.output("number", "log-out", NUMBER)
