"""Listens for the admin side: the local socket and TCP with the API, and a port of its own with metrics and health."""

import asyncio
import errno
import grp
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from offhook.endpoint import Endpoint
from offhook.errors import StoreError, StoreLocked
from offhook.observability.health import Health
from offhook.observability.metrics import CONTENT_TYPE, Metrics

log = structlog.get_logger()

GROUP: Final = "offhook"
_SOCKET_MODE: Final = 0o660
_BACKLOG: Final = 1024
#: Requests under way when the server stops have so long to end; a long poll ends early.
_STOP_SECONDS: Final = 1.0

_protocol_log: Final = logging.getLogger("offhook.servers.admin.protocol")
_protocol_log.addFilter(
    # What is no HTTP is answered 400, and is no error of ours that would deserve a traceback.
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
)


class AdminServer:
    """The API on a Unix socket, and on TCP where that is wanted."""

    def __init__(self, application: web.Application, path: Path, listen: Endpoint | None) -> None:
        self._runner = web.AppRunner(application, access_log=None, logger=_protocol_log, shutdown_timeout=_STOP_SECONDS)
        self._path = path
        self._listen = listen
        self._inode = 0

    async def start(self) -> None:
        """Listens. Raises StoreLocked where another daemon answers on the socket, OSError where a port is taken."""
        await self._runner.setup()
        try:
            listener = await asyncio.get_running_loop().run_in_executor(None, _open_socket, self._path)
            self._inode = self._path.stat().st_ino
            await web.SockSite(self._runner, listener, backlog=_BACKLOG).start()
            if self._listen is not None:
                await web.TCPSite(self._runner, self._listen.host, self._listen.port, backlog=_BACKLOG).start()
        except BaseException:
            await self.stop()
            raise

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens: ``127.0.0.1:8000``, ``unix:///var/lib/offhook/admin.sock``."""
        return tuple(_describe(address) for address in self._runner.addresses)

    async def stop(self) -> None:
        """Ends what is under way and stops listening; the socket's file goes, unless it is another daemon's by now."""
        await self._runner.cleanup()
        try:
            if self._inode and self._path.stat().st_ino == self._inode:
                self._path.unlink()
        except FileNotFoundError:
            return


class MetricsServer:
    """``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for whoever restarts and balances."""

    def __init__(self, metrics: Metrics, health: Health, listen: Endpoint) -> None:
        self._metrics = metrics
        self._health = health
        self._listen = listen
        application = web.Application()
        for path, handler in (("/metrics", self._exposition), ("/healthz", self._live), ("/readyz", self._ready)):
            application.router.add_get(path, self._counted(handler), allow_head=True)
        self._runner = web.AppRunner(application, access_log=None, logger=_protocol_log, shutdown_timeout=_STOP_SECONDS)

    async def start(self) -> None:
        """Listens. Raises OSError where the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._listen.host, self._listen.port, backlog=_BACKLOG).start()
        except BaseException:
            await self.stop()
            raise

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens."""
        return tuple(_describe(address) for address in self._runner.addresses)

    async def stop(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()

    def _counted(self, handler: Callable[[], web.Response]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_request: web.Request) -> web.Response:
            response = handler()
            response.headers.update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
            self._metrics.http_request("metrics", response.status)
            return response

        return answer

    def _exposition(self) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    def _live(self) -> web.Response:
        live = self._health.live
        return web.Response(status=200 if live else 503, text="live\n" if live else "the event loop is stalled\n")

    def _ready(self) -> web.Response:
        failing = [f"{name}: {verdict.text}\n" for name, verdict in self._health.report().items() if not verdict.ok]
        return web.Response(status=503 if failing else 200, text="".join(failing) or "ready\n")


def _describe(address: object) -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"unix://{address}"


def _open_socket(path: Path) -> socket.socket:
    """A bound socket with its mode set before anyone can connect: nobody can until it listens."""
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(_SOCKET_MODE)
        _give_to_group(path)
    except OSError as error:
        listener.close()
        raise StoreError(
            f"the admin socket {path} cannot be made: {error.strerror}. "
            "Make its folder, and let the daemon's user write there; or change admin.socket."
        ) from None
    return listener


def _remove_stale(path: Path) -> None:
    """A socket that a killed daemon left behind goes; one that answers is another daemon's."""
    if not path.is_socket():
        if path.exists():
            raise StoreError(f"{path} is in the way of the admin socket. Remove it, or change admin.socket.")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError as error:
            if error.errno in (errno.ECONNREFUSED, errno.ENOENT):
                path.unlink(missing_ok=True)
                return
    raise StoreLocked(
        f"another Offhook daemon answers on {path}. Stop that one, or give this one a socket of its own (admin.socket)."
    )


def _give_to_group(path: Path) -> None:
    try:
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
    except (KeyError, PermissionError):
        log.debug("admin.socket.group_not_set", group=GROUP, path=str(path))
