import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from offhook.errors import StoreError
from offhook.observability import logging as offhook_logging
from offhook.observability.log_settings import LogFormat, LogLevel
from offhook.observability.logging import configure, escape, redact, redact_path
from offhook.secret import Secret

TOKEN = "abcdefghijklmnopqrstuvwx27"
FORMATS = [LogFormat.JSON, LogFormat.CONSOLE]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    alembic = logging.getLogger("alembic").level
    yield
    root.handlers, root.level = handlers, level
    logging.getLogger("alembic").setLevel(alembic)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def written(log_format: LogFormat, level: LogLevel = LogLevel.INFO) -> io.StringIO:
    # pytest's own handlers would carry hostile texts into its reports, which xdist cannot send.
    logging.getLogger().handlers = [
        other for other in logging.getLogger().handlers if type(other).__module__ == offhook_logging.__name__
    ]
    stream = io.StringIO()
    configure(log_format, level, stream)
    return stream


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_has_time_level_and_event_first() -> None:
    stream = written(LogFormat.JSON)
    structlog.get_logger().info("sip.register.accepted", expires=60, device=None, ok=True, codes=(1, 2))
    (event,) = events(stream)
    assert list(event) == ["timestamp", "level", "event", "expires", "device", "ok", "codes"]
    assert event["event"] == "sip.register.accepted"
    assert (event["expires"], event["device"], event["ok"], event["codes"]) == (60, None, True, [1, 2])


def test_auto_is_json_where_nobody_looks_and_console_where_somebody_does() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = written(LogFormat.AUTO)
    structlog.get_logger().info("a.happened")
    assert events(stream)[0]["event"] == "a.happened"
    terminal = Terminal()
    configure(LogFormat.AUTO, LogLevel.INFO, terminal)
    structlog.get_logger().info("a.happened", why="so it is", what="x")
    assert terminal.getvalue().endswith(' info     a.happened why="so it is" what=x\n')


def test_less_than_the_level_is_not_written_and_the_level_can_change() -> None:
    log = structlog.get_logger()
    stream = written(LogFormat.JSON)
    log.debug("a.happened")
    logging.getLogger("asyncio").debug("b happened")
    assert stream.getvalue() == ""
    stream = written(LogFormat.JSON, LogLevel.DEBUG)
    log.debug("a.happened")
    logging.getLogger("asyncio").debug("b happened")
    assert [event["event"] for event in events(stream)] == ["a.happened", "b happened"]


@pytest.mark.parametrize("log_format", FORMATS)
def test_no_text_begins_a_line_or_moves_a_cursor(log_format: LogFormat) -> None:
    stream = written(log_format)
    hostile = "a\r\nb\x00\x1b[2J\x7f\x85\x9b\u2028\u2029\u202e\udc80é"
    structlog.get_logger().info(
        "a.happened", text=hostile, raw=hostile.encode("utf-8", "surrogateescape"), **{hostile: 1}
    )
    logging.getLogger("aiohttp").warning("peer sent %s", hostile)
    out = stream.getvalue()
    assert len(out.splitlines()) == 2
    assert out.count("\n") == 2
    assert "é" in out
    assert escape(out.replace("\n", "")) == out.replace("\n", "")


def test_what_was_escaped_can_still_be_read() -> None:
    assert escape("a\r\n\x1b\x85\u2028\udc80\\") == r"a\r\n\x1b\x85\u2028\udc80" + "\\"


@pytest.mark.parametrize("log_format", FORMATS)
def test_secrets_are_masked_wherever_they_stand(log_format: LogFormat) -> None:
    stream = written(log_format)
    structlog.get_logger().info(
        "a.happened",
        secret=Secret("hunter2"),
        found=[Secret("hunter2"), {"x": Secret("hunter2"), "Password": "hunter2"}],
        password="hunter2",
        path=f"/p/{TOKEN}/y0000.cfg",
        header='Authorization: Digest username="x", response="hunter2"',
        url="postgresql://offhook:hunter2@db/offhook",
        key={f"/d/{TOKEN}/x": 1},
    )
    logging.getLogger("aiohttp").error("GET /p/%s/x Authorization: hunter2", TOKEN)
    out = stream.getvalue()
    assert "hunter2" not in out
    assert TOKEN not in out
    assert "y0000.cfg" in out


def test_an_unexpected_error_brings_its_traceback_without_values() -> None:
    stream = written(LogFormat.JSON)
    log = structlog.get_logger()
    local_value = "hunter" + str(2)
    for logger in (log, logging.getLogger("aiohttp.server")):
        try:
            raise ValueError(f"/p/{TOKEN}/\x1b" + local_value[:0])
        except ValueError:
            logger.exception("a.failed")
    out = stream.getvalue()
    assert len(events(stream)) == 2
    for event in events(stream):
        assert event["exception"].startswith("Traceback (most recent call last):\n")
        assert event["exception"].endswith("ValueError: /p/***/\\x1b")
    assert "hunter2" not in out
    assert TOKEN not in out


def test_an_error_of_our_own_is_told_by_its_message() -> None:
    stream = written(LogFormat.JSON)
    structlog.get_logger().error("store.failed", exc_info=StoreError("disk full; make room"))
    (event,) = events(stream)
    assert event["error"] == "disk full; make room"
    assert "exception" not in event


def test_a_traceback_on_the_console_is_indented_below_its_event() -> None:
    stream = written(LogFormat.CONSOLE)
    try:
        raise ValueError("a\n12:00:00.000 info     sip.register.accepted")
    except ValueError:
        structlog.get_logger().exception("a.failed")
    first, *others = stream.getvalue().splitlines()
    assert first.endswith("a.failed")
    assert all(line.startswith("    ") for line in others)


def test_warnings_of_python_are_events() -> None:
    stream = written(LogFormat.JSON)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (event,) = events(stream)
    assert (event["level"], event["logger"]) == ("warning", "py.warnings")


def test_configuring_twice_writes_once() -> None:
    written(LogFormat.JSON)
    stream = written(LogFormat.JSON)
    logging.getLogger("aiohttp").error("once")
    assert len(events(stream)) == 1


def test_alembic_tells_of_steps_only_when_something_is_wrong() -> None:
    stream = written(LogFormat.JSON)
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    assert stream.getvalue() == ""


def test_long_and_deep_values_are_cut() -> None:
    stream = written(LogFormat.JSON)
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    structlog.get_logger().info("a.happened", text="x" * 100_000, many=list(range(1000)), deep=deep[0][0])
    assert len(stream.getvalue()) < 12_000


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"/p/{TOKEN}/y.cfg", "/p/***/y.cfg"),
        (f"d/{TOKEN.upper()}/y.cfg", "d/***/y.cfg"),
        (f"http://h:8080/p/{TOKEN}/", "http://h:8080/p/***/"),
        (f"/p//{TOKEN}.cfg", "/p//***.cfg"),
        (f"p%2F{TOKEN}%2Fx", "p%2F***%2Fx"),
        (f"/p/{TOKEN}x/y", "/p/***/y"),
        ("/p/001565123456.cfg", "/p/001565123456.cfg"),
        (f"/app/{TOKEN}/", "/app/***/"),
        (f"p/x/{TOKEN.upper()}.cfg", "p/x/***.cfg"),
        (f"{TOKEN}001565123456.cfg", "***001565123456.cfg"),
    ],
)
def test_tokens_are_taken_out_of_paths(text: str, clean: str) -> None:
    assert redact_path(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("REGISTER\r\nAuthorization: Digest x\r\nTo: y", "REGISTER\r\nAuthorization: ***\r\nTo: y"),
        ("proxy-authorization:Basic abc", "proxy-authorization: ***"),
        ("{'Authorization': 'Bearer abcdefghijk'}", "{'Authorization': ***"),
        ("got Bearer abcdefghijk here", "got Bearer *** here"),
        ('nonce="1", response="0123456789abcdef0123456789abcdef"', 'nonce="1", response ***'),
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("sip:2001@acme.test;transport=tcp", "sip:2001@acme.test;transport=tcp"),
        ("ClientConnectorCertificateError: x", "ClientConnectorCertificateError: x"),
    ],
)
def test_authorization_values_are_taken_out(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["Authorization: ", "p/", "://a:", "://", "response=", "Basic ", "p////", "/"])
def test_redaction_of_hostile_text_ends(text: str) -> None:
    """Backtracking over so many repetitions would take hours."""
    hostile = (text * 20_000)[:20_000]
    assert len(redact(hostile)) <= len(hostile) + len(" ***")


def test_formats_and_levels_are_those_of_the_configuration() -> None:
    assert [str(entry) for entry in LogFormat] == ["auto", "json", "console"]
    assert [str(entry) for entry in LogLevel] == ["debug", "info", "warning", "error"]
