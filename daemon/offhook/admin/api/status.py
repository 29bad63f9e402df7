"""The daemon itself: version, where it listens, its checks, and how much there is."""

from dataclasses import dataclass

from aiohttp import web

from offhook.admin.ports import Listening, Services
from offhook.admin.routes import Call, Route, format_time, json_response
from offhook.inventory.emergency.coverage import CoverageCounts
from offhook.inventory.models import Account, Device, Line, Number, User
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check of the daemon's health."""

    name: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is."""

    accounts: int
    users: int
    numbers: int
    devices: int
    lines: int
    bindings: int
    reloads: int
    #: Under way.


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """The daemon."""

    version: str
    pid: int
    started_at: str | None
    uptime_seconds: int
    config_file: str
    state_dir: str
    ready: bool
    listening: tuple[Listening, ...]
    checks: tuple[CheckView, ...]
    counts: Counts
    emergency: CoverageCounts
    #: How far emergency addresses go (U5); `/emergency/coverage` has the devices.


def routes(services: Services) -> list[Route]:
    async def show_status(call: Call) -> web.Response:
        """Show the daemon: its version, where it listens, its checks, and how much there is."""
        covered = await services.coverage.current()
        daemon, inventory, now = services.daemon, services.inventory.inventory, services.clock.now()
        view = StatusView(
            version=daemon.version,
            pid=daemon.pid,
            started_at=format_time(daemon.started_at),
            uptime_seconds=round(now - daemon.started_at),
            config_file=daemon.config_file,
            state_dir=daemon.state_dir,
            ready=services.health.ready,
            listening=tuple(daemon.listening()),
            checks=tuple(CheckView(name, it.ok, it.text) for name, it in services.health.report().items()),
            counts=Counts(
                accounts=inventory.count(Account),
                users=inventory.count(User),
                numbers=inventory.count(Number),
                devices=inventory.count(Device),
                lines=inventory.count(Line),
                bindings=len(services.bindings.all(now)),
                reloads=sum(not record.state.is_final for record in services.reloads.recent()),
            ),
            emergency=covered.report.total,
        )
        return json_response(view)

    return [
        Route(method="GET", path="/status", role=Role.VIEWER, handler=show_status, gives=StatusView, daemon_wide=True)
    ]
