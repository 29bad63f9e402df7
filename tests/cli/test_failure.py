import io

import pytest

from offhook.cli.failure import Failure, Unusable, failure_of
from offhook.errors import (
    CatalogError,
    ConfigError,
    Conflict,
    DocumentError,
    Fault,
    OffhookError,
    StoreLocked,
)

FAULT = Fault("is wrong", "a.b", "x.yaml", 3, 4)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigError([FAULT]), 2),
        (CatalogError([FAULT]), 2),
        (DocumentError([FAULT]), 1),
        (Conflict("taken", remedy="choose another"), 1),
        (StoreLocked("in use"), 1),
    ],
)
def test_each_error_has_its_exit_code(error: OffhookError, exit_code: int) -> None:
    assert failure_of(error).exit_code == exit_code


def test_faults_keep_a_line_each_and_come_first() -> None:
    out = io.StringIO()
    failure_of(ConfigError([FAULT, Fault("is missing", file="x.yaml")])).show(out)
    assert out.getvalue() == (
        "x.yaml:3:4: a.b: is wrong\nx.yaml: is missing\nError: the configuration cannot be used\n"
    )


def test_the_remedy_stands_below() -> None:
    out = io.StringIO()
    failure_of(Conflict("taken", remedy="choose another")).show(out)
    assert out.getvalue() == "Error: taken\n  choose another\n"


def test_on_a_terminal_lines_break_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("LINES", "24")
    out = Terminal()
    Failure("a phone with a rather long-winded name is not there").show(out)
    plain = out.getvalue().replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert plain == "Error: a phone with a rather\n  long-winded name is not\n  there\n"


def test_nothing_in_a_message_obeys_the_terminal() -> None:
    out = io.StringIO()
    Unusable("\x1b[2Jx", faults=["\x9by"], remedy="\x07z").show(out)
    assert not set("\x1b\x9b\x07") & set(out.getvalue())
