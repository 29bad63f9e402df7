from tests.cli.conftest import Commands


def test_the_file_is_alone_on_standard_output(offhook: Commands) -> None:
    result = offhook("render", "Lobby")
    assert result.stdout == "account.1.password = ***\n"
    assert "secrets masked" in result.stderr
    assert "y000000000108.cfg" in result.stderr
    assert offhook.output("render", "Lobby", "001565123456.cfg", "--reveal") == "account.1.password = hunter2\n"


def test_a_file_that_it_is_not_given(offhook: Commands) -> None:
    result = offhook("render", "Lobby", "other.cfg")
    assert result.exit_code == 1
    assert "it asks for 001565123456.cfg" in result.stderr
