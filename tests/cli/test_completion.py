import os
import subprocess
import sys

import pytest
from tests.cli.conftest import Commands


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef offhook"), ("fish", "complete ")]
)
def test_a_script_for_each_shell(without_daemon: Commands, shell: str, word: str) -> None:
    text = without_daemon.output("completion", shell)
    assert word in text
    assert "_OFFHOOK_COMPLETE" in text


def _complete(offhook: Commands, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    environment = {
        **os.environ,
        "OFFHOOK_CONFIG": str(offhook.config),
        "_OFFHOOK_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("offhook", *words)),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-c", "from offhook.cli.main import main; main(prog_name='offhook')"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_names_are_completed_from_the_daemon(offhook: Commands) -> None:
    assert _complete(offhook, "account", "show", "a") == ["acme"]
    assert set(_complete(offhook, "user", "show", "")) == {"jsmith", "rlee"}
    assert _complete(offhook, "user", "list", "--without-nu") == ["--without-number"]


def test_without_a_daemon_nothing_is_offered(without_daemon: Commands) -> None:
    assert _complete(without_daemon, "account", "show", "") == []
