import json

from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon


def test_the_list_names_what_other_commands_take(offhook: Commands) -> None:
    lines = offhook.output("device", "list").splitlines()
    assert lines[0].split()[:3] == ["DEVICE", "NAME", "TYPE"]
    assert ["00:15:65:12:34:56", "Reception", "deskphone", "yealink", "T46U"] in [line.split()[:5] for line in lines]
    assert len(lines) == 6
    assert offhook.output("device", "list", "lobby").count("\n") == 2
    of_globex = offhook.json("device", "list", "--account", "globex", "--sort", "-identifier")
    assert [it["device"] for it in of_globex] == ["00:15:65:12:34:99", "00:15:65:12:34:98"]


def test_an_empty_list_says_so_where_it_is_not_in_the_way(offhook: Commands) -> None:
    result = offhook("device", "list", "nothing")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No such device.\n")
    assert offhook.json("device", "list", "nothing") == []


def test_show_has_the_shape_that_programs_rely_on(offhook: Commands) -> None:
    device = offhook.json("device", "show", "001565123456")
    relied_on = {
        "status",
        "config",
        "registration",
        "firmware",
        "ip",
        "last_provisioned_at",
        "revision",
        "fetched_revision",
    }
    assert relied_on <= set(device)
    assert device["status"] == "new"


def test_show_for_people(offhook: Commands, daemon: AdminDaemon) -> None:
    daemon.call(lambda: daemon.bind(daemon.device()))
    text = offhook.output("device", "show", "0015.6512.3456")
    fields = dict(line.split(maxsplit=1) for line in text.partition("\n\n")[0].splitlines())
    assert (fields["status"], fields["revision"]) == ("new", "none of 1 fetched")
    assert fields["emergency"].endswith("none: nobody would know where to send help")
    assert "sip:2001@acme.test" in text


def test_a_device_that_is_not_there_or_there_twice(offhook: Commands) -> None:
    result = offhook("device", "show", "loby")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no device 'loby'\n  did you mean Lobby?\n"
    result = offhook("device", "show", "reception")
    assert result.exit_code == 1
    assert "00:15:65:12:34:56" in result.stderr
    assert "00:15:65:12:34:98" in result.stderr


def test_a_name_with_characters_of_urls_is_a_name(offhook: Commands) -> None:
    result = offhook("device", "show", "../accounts?x=1#y/%00 é")
    assert result.exit_code == 1
    assert "there is no device '../accounts?x=1#y/" in result.stderr


def test_what_a_phone_says_of_itself_cannot_move_the_cursor(offhook: Commands, daemon: AdminDaemon) -> None:
    daemon.call(lambda: daemon.bind(daemon.device(), user_agent="evil\x1b[2J\x9b31m"))
    for arguments in (("bindings",), ("bindings", "--json")):
        text = offhook.output(*arguments)
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert json.loads(offhook.output("bindings", "--json"))[0]["user_agent"] == "evil\x1b[2J\x9b31m"
