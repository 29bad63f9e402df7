"""The first at once, then a line a minute, whatever is sent."""

import logging

import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from offhook.observability.repeats import Repeats

STRANGER = ("192.0.2.66", "wrong_password")


def test_the_first_is_told_at_once_and_the_rest_with_the_next_after_a_minute() -> None:
    repeats = Repeats()
    assert repeats.count("refused", STRANGER, 100.0) == 0
    assert [repeats.count("refused", STRANGER, 100.0 + second) for second in (0, 1, 59.9)] == [None, None, None]
    assert repeats.count("refused", STRANGER, 160.0) == 3
    assert repeats.count("refused", STRANGER, 161.0) is None
    assert repeats.count("refused", STRANGER, 500.0) == 1
    assert repeats.count("refused", STRANGER, 600.0) == 0


def test_sources_reasons_and_events_are_told_apart() -> None:
    repeats = Repeats()
    for event, *about in (("refused", "a", "x"), ("refused", "b", "x"), ("refused", "a", "y"), ("lost", "a", "x")):
        assert repeats.count(event, tuple(about), 1.0) == 0


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    repeats = Repeats()
    assert repeats.count("refused", STRANGER, 5000.0) == 0
    assert repeats.count("refused", STRANGER, 1000.0) == 0
    assert repeats.count("refused", STRANGER, 1001.0) is None


def test_what_was_told_long_ago_makes_room() -> None:
    repeats = Repeats(kept=2)
    assert repeats.count("refused", ("a",), 0.0) == 0
    assert repeats.count("refused", ("b",), 50.0) == 0
    assert repeats.count("refused", ("c",), 61.0) == 0
    assert repeats.count("refused", ("b",), 62.0) is None


def test_those_who_find_no_room_share_a_line() -> None:
    repeats = Repeats(kept=2)
    lines = [repeats.count("refused", (f"spoofed {number}",), 1.0) for number in range(1000)]
    assert [left_out for left_out in lines if left_out is not None] == [0, 0, 0]
    assert repeats.count("lost", ("a",), 1.0) == 0
    assert repeats.count("lost", ("b",), 1.0) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 5)), max_size=200))
def test_lines_and_memory_are_bounded(steps: list[tuple[int, float]]) -> None:
    repeats = Repeats(seconds=10.0, kept=4)
    now = 0.0
    lines: list[float] = []
    for source, later in steps:
        now += later
        if repeats.count("refused", (source,), now) is not None:
            lines.append(now)
        assert len(repeats._told) <= 4
        assert len([at for at in lines if now - 10.0 < at <= now]) <= 5 + 4


def test_log_says_how_many_were_left_out_and_shows_those_at_debug() -> None:
    repeats = Repeats()
    with capture_logs() as logs:
        for now in (0.0, 1.0, 2.0, 60.0):
            repeats.log(structlog.get_logger(), logging.WARNING, "refused", STRANGER, now, source=f"h:{now:.0f}")
    assert logs == [
        {"event": "refused", "log_level": "warning", "source": "h:0"},
        {"event": "refused", "log_level": "debug", "source": "h:1"},
        {"event": "refused", "log_level": "debug", "source": "h:2"},
        {"event": "refused", "log_level": "warning", "source": "h:60", "repeated": 2},
    ]
