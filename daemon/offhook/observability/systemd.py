"""What systemd is told: sd_notify(3), sd_watchdog_enabled(3).

Without systemd nothing is sent, and no caller has to ask whether it is there.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping


class Notifier:
    """Sends the daemon's state to the service manager."""

    def __init__(self, address: str | None, watchdog_seconds: float | None = None) -> None:
        self.watchdog_seconds = watchdog_seconds
        #: How long systemd waits for :meth:`alive` before it restarts the daemon; None: it does not.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], pid: int) -> "Notifier":
        """Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        meant = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        watchdog = int(microseconds) / 1e6 if meant and microseconds.isdecimal() and len(microseconds) < 19 else None
        return cls(environment.get("NOTIFY_SOCKET"), watchdog or None)

    def ready(self, status: str) -> None:
        """Started, or done with reloading."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def reloading(self) -> None:
        """Reloading has begun; :meth:`ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Stopping has begun."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def status(self, text: str) -> None:
        """A line for ``systemctl status``."""
        self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """Puts the watchdog off."""
        self._send("WATCHDOG=1")

    async def keep_alive(
        self, is_live: Callable[[], bool], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Puts the watchdog off at half its time for as long as ``is_live``. Runs until it is cancelled."""
        if self.watchdog_seconds is None:
            return
        while True:
            if is_live():
                self.alive()
            await sleep(self.watchdog_seconds / 2)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
                notify.setblocking(False)
                notify.sendto(message.encode(), self._address)
        except OSError:
            # A manager that cannot be told has noticed more than could be said here.
            return


def _line(text: str) -> str:
    return " ".join(text.split())
