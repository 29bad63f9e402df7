"""Logs: one event a line, for people on a terminal and as JSON otherwise.

Whatever a phone sends can end in a log, so every text is made harmless first: control characters are escaped in both
formats, provisioning tokens and authorization values are replaced by ``***``, and long texts are cut. What the
libraries say through :mod:`logging` goes the same way. An error of Offhook's own tree is told by its message alone;
any other brings its traceback, without the values of variables.
"""

import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from offhook.errors import OffhookError
from offhook.observability.log_settings import LogFormat, LogLevel
from offhook.secret import Secret

_TEXT_LIMIT: Final = 4096
_TRACEBACK_LIMIT: Final = 16_384
_DEPTH_LIMIT: Final = 6
_ENTRIES_LIMIT: Final = 100

#: C0, DEL, C1, line and paragraph separators, text direction, byte order mark, lone surrogates.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: A token is 26 characters; a mistyped one is told just as little.
_TOKEN: Final = re.compile(r"(?<![a-z0-9])([pd])(/+|%2f)[a-z0-9]{16,}", re.IGNORECASE)
#: In a path a token may stand where a file's name should, and with what was typed around it. A MAC is shorter.
_TOKEN_ANYWHERE: Final = re.compile(r"[a-z2-7]{26,}", re.IGNORECASE)
_AUTHORIZATION: Final = re.compile(r"((?:proxy-)?authorization[\"']?\s*[:=])[^\r\n]+", re.IGNORECASE)
_CREDENTIALS: Final = re.compile(r"\b(Basic|Bearer) [A-Za-z0-9+/=._~-]{8,}|\b(response)=\"?[0-9a-fA-F]{32,}\"?")
_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@]{1,255}:)[^\s/@]{1,255}@")
#: Texts of these alone, most of them, have nothing to escape or redact.
_HARMLESS: Final = re.compile(r"[a-zA-Z0-9_.:@+\-]{0,128}")
_SECRET_KEYS: Final = frozenset({"password", "secret", "token", "pin", "authorization", "ha1"})


def redact_path(text: str) -> str:
    """Replaces by ``***`` the token of ``/p/<token>/`` and ``/d/<token>/``, and what looks like one elsewhere."""
    return _TOKEN_ANYWHERE.sub(Secret.MASK, _redact_tokens(text))


def _redact_tokens(text: str) -> str:
    return _TOKEN.sub(rf"\1\2{Secret.MASK}", text)


def redact(text: str) -> str:
    """Replaces what opens something: tokens of paths, authorization values, passwords of URLs."""
    text = _AUTHORIZATION.sub(rf"\1 {Secret.MASK}", _redact_tokens(text))
    text = _CREDENTIALS.sub(lambda found: f"{found[1] or found[2]} {Secret.MASK}", text)
    return _URL_PASSWORD.sub(rf"\1{Secret.MASK}@", text)


def escape(text: str) -> str:
    """Makes control characters visible, so that no text begins a line or moves a cursor."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Sets up the process's logs; may be called again, as when the configuration is reloaded."""
    stream = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    console = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and stream.isatty())
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if console:
        renderer = _ConsoleRenderer(color=stream.isatty() and not os.environ.get("NO_COLOR"))
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            stamp,
            clean_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, stamp],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, clean_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(number)
    # Its info is a line for every step of every migration.
    logging.getLogger("alembic").setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)


class _Handler(logging.StreamHandler[TextIO]):
    """The handler that :func:`configure` put in place, and replaces."""


def clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Orders an event's keys, and makes its values safe to write."""
    error = _exception(event.pop("exc_info", None))
    event.pop("stack_info", None)
    clean: dict[str, Any] = {key: event.pop(key) for key in ("timestamp", "level") if key in event}
    clean["event"] = _clean(event.pop("event", ""), 0)
    for key, value in event.items():
        clean[_safe(key)] = Secret.MASK if key.lower() in _SECRET_KEYS else _clean(value, 0)
    if isinstance(error, OffhookError):
        clean["error"] = _safe(str(error))
    elif error is not None:
        clean["exception"] = _format_traceback(error)
    return clean


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _format_traceback(error: BaseException) -> str:
    """Its lines are the only ones that stay lines."""
    text = "".join(traceback.format_exception(error))[-_TRACEBACK_LIMIT:]
    return "\n".join(escape(redact(line)) for line in text.rstrip().split("\n"))


def _safe(text: str) -> str:
    if _HARMLESS.fullmatch(text) and "authorization" not in text.lower():
        return text
    # Redacted before the cut, or the cut could leave a part of a token that no longer looks like one.
    text = escape(redact(text[: 2 * _TEXT_LIMIT]))
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


def _clean(value: object, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return _safe(bytes(value[: 2 * _TEXT_LIMIT]).decode("utf-8", "backslashreplace"))
    if isinstance(value, (Mapping, list, tuple, set, frozenset)) and depth >= _DEPTH_LIMIT:
        return "…"
    if isinstance(value, Mapping):
        entries = list(value.items())[:_ENTRIES_LIMIT]
        return {
            _safe(str(key)): Secret.MASK if str(key).lower() in _SECRET_KEYS else _clean(entry, depth + 1)
            for key, entry in entries
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(entry, depth + 1) for entry in list(value)[:_ENTRIES_LIMIT]]
    return _safe(str(value))


_NEEDS_QUOTES: Final = re.compile(r"[\s\"=]")
_COLORS: Final = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}


class _ConsoleRenderer:
    """``12:30:45.123 warning  sip.register.refused status=403 reason="wrong password"``, and a traceback indented."""

    def __init__(self, *, color: bool) -> None:
        self._colors = _COLORS if color else {}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> str:
        exception = event.pop("exception", "")
        level = event.pop("level", "")
        line = io.StringIO()
        line.write(f"{str(event.pop('timestamp', ''))[11:23]} {level:<8} {event.pop('event')}")
        for key, value in event.items():
            text = str(value)
            line.write(f" {key}={text}" if text and not _NEEDS_QUOTES.search(text) else f' {key}="{text}"')
        if exception:
            line.write("\n    " + exception.replace("\n", "\n    "))
        color = self._colors.get(level, "")
        return f"{color}{line.getvalue()}\x1b[0m" if color else line.getvalue()
