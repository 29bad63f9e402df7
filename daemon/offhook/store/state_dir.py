"""The folder that holds everything a daemon keeps: made with the right modes, and held by one daemon at a time."""

import fcntl
import os
from pathlib import Path

from offhook.errors import StoreError, StoreLocked


class StateDir:
    """An open state_dir. Close it to let another daemon have it."""

    def __init__(self, path: Path) -> None:
        """Makes the folder and takes its lock. Raises StoreLocked where another daemon has it."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"state_dir {path} cannot be used: {error.strerror}. Make it writable for the daemon's user."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 32).decode(errors="replace").strip()
            os.close(self._lock)
            raise StoreLocked(
                f"state_dir {path} is in use by another Offhook daemon"
                f"{f' (process {holder})' if holder else ''}. Stop that one, or give this one a state_dir of its own."
            ) from None
        except OSError as error:
            os.close(self._lock)
            raise StoreError(
                f"state_dir {path} cannot be locked: {error.strerror}. Put it on a disk of this machine."
            ) from None
        os.ftruncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        os.close(self._lock)
