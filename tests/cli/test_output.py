import pytest

from offhook.cli import output
from offhook.cli.output import Column, format_seconds, print_table

COLUMNS = (Column("DEVICE"), Column("NAME", 1), Column("MODEL", 2))
ROWS = [("00:15:65:12:34:56", "Reception", "yealink T46U"), ("0658500479393", "", None)]


@pytest.mark.parametrize(
    ("width", "header"),
    [(80, "DEVICE NAME MODEL"), (40, "DEVICE NAME"), (28, "DEVICE NAME"), (27, "DEVICE"), (10, "DEVICE")],
)
def test_columns_go_until_the_table_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, header: str
) -> None:
    monkeypatch.setattr(output, "_WIDE", width)
    print_table(COLUMNS, ROWS, "")
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == header
    assert all(len(line) <= width for line in lines)
    assert not any(line.endswith(" ") for line in lines)


def test_a_column_without_any_text_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [("a", "", "m")], "")
    assert capsys.readouterr().out.split() == ["DEVICE", "MODEL", "a", "m"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
