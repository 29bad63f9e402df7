"""How much is logged, and in which form: for the configuration, which every command reads."""

from enum import StrEnum


class LogFormat(StrEnum):
    """How an event is written."""

    AUTO = "auto"
    #: ``console`` on a terminal, else ``json``.
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
