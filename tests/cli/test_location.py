from tests.cli.conftest import Commands


def test_the_list_shows_emergency_addresses(offhook: Commands) -> None:
    offhook.output("location", "add", "Branch", "--account", "acme", "--timezone", "Etc/UTC")
    text = offhook.output("location", "list", "--account", "acme")
    assert "EMERGENCY ADDRESS" in text
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["Branch", "none"], ["HQ", "none"]]
    assert "none: nobody would know where to send help" in offhook.output("location", "show", "Branch")


def test_a_name_of_two_accounts_wants_the_account(offhook: Commands) -> None:
    offhook.output("location", "add", "HQ", "--account", "globex")
    refused = offhook("location", "show", "HQ")
    assert (refused.exit_code, "name the account too" in refused.stderr) == (1, True)
    assert "globex" in offhook.output("location", "show", "HQ", "--account", "globex")
