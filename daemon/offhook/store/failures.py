"""What a database file that cannot be used suffers from, and what an operator can do about it.

SQLite says "disk I/O error" where a full disk keeps it from making its shared memory, and names one and the same
exception for a full disk, a file of somebody else and a damaged one. The remedies have nothing in common.
"""

import errno
import sqlite3
from enum import Enum, auto
from pathlib import Path
from typing import Final


class Trouble(Enum):
    """Kinds that need different remedies."""

    FULL = auto()
    FORBIDDEN = auto()
    LOCKED = auto()
    DISK = auto()
    DAMAGED = auto()
    OTHER = auto()


_BY_CODE: Final = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: Trouble.FORBIDDEN,
    sqlite3.SQLITE_PERM: Trouble.FORBIDDEN,
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
}
_BY_ERRNO: Final = {errno.ENOSPC: Trouble.FULL, errno.EDQUOT: Trouble.FULL, errno.EIO: Trouble.DISK}
_PRIMARY: Final = 0xFF
#: The low byte of an extended result code, https://www.sqlite.org/rescode.html.


def find_trouble(error: BaseException) -> Trouble:
    """By SQLite's result code, or by the system's error number."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, Trouble.FORBIDDEN)
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return Trouble.OTHER
    return _BY_CODE.get(code) or _BY_CODE.get(code & _PRIMARY, Trouble.OTHER)


def explain(error: BaseException, path: Path, what: str, remedy: str) -> str:
    """A message for the operator.

    Args:
        error: What SQLite or the system said.
        path: The database file.
        what: What could not be done with it, as in ``cannot be opened``.
        remedy: What to do where the file itself is at fault.
    """
    match find_trouble(error):
        case Trouble.FULL:
            return f"{path} {what}: the disk of {path.parent} is full. Free some space there."
        case Trouble.FORBIDDEN:
            return f"{path} {what}: {error}. Make it and its folder writable for the daemon's user."
        case Trouble.LOCKED:
            return f"{path} {what}: {error}. Another program holds it; end that one."
        case Trouble.DISK:
            return f"{path} {what}: {error}. The disk fails; the system's log may say more."
        case Trouble.DAMAGED:
            return f"{path} is damaged: {error}. {remedy}"
        case Trouble.OTHER:
            return f"{path} {what}: {error}. {remedy}"
