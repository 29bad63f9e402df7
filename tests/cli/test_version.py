from tests.cli.conftest import Commands

from offhook import __version__


def test_both_ways_to_ask_tell_the_version(without_daemon: Commands) -> None:
    assert without_daemon.output("version").startswith(f"offhook {__version__} (Python 3.")
    assert without_daemon.output("--version") == f"offhook {__version__}\n"
