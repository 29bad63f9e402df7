"""The admin side of a daemon: what the API works with, where it listens, and who is told what happens."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from offhook import __version__
from offhook.adapters import repeat
from offhook.addresses import Addresses
from offhook.admin.announcements import Announcements
from offhook.admin.announcer import Announcer
from offhook.admin.application import make_application
from offhook.admin.auth import Tokens
from offhook.admin.changes import Changes
from offhook.admin.imports_under_way import ImportsUnderWay
from offhook.admin.ports import Daemon, Services
from offhook.admin.registers import Registers
from offhook.clock import Clock
from offhook.config.schema import Config
from offhook.events import EventBus, InventoryChanged
from offhook.inventory.facts import FactBook
from offhook.inventory.generated import IdSource
from offhook.inventory.pins import Pins
from offhook.inventory.service import InventoryService
from offhook.observability.health import Health
from offhook.observability.metrics import Metrics
from offhook.places import Places
from offhook.previews import Previews
from offhook.provisioning.catalog import Catalog
from offhook.registrar.bindings import BindingTable
from offhook.reload.service import ReloadService
from offhook.servers.admin import AdminServer, MetricsServer
from offhook.store.audit import SqlAuditLog
from offhook.store.backup import Backups
from offhook.store.renewal import Renewal
from offhook.store.tokens import SqlTokenStore
from offhook.stores import Stores

_TEND_SECONDS: Final = 0.5


class Administration:
    """Everything that administrators reach."""

    def __init__(
        self,
        *,
        service: InventoryService,
        stores: Stores,
        facts: FactBook,
        bindings: BindingTable,
        reloads: ReloadService,
        addresses: Addresses,
        places: Places,
        ids: IdSource,
        bus: EventBus,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        executor: Executor,
        config_path: Path,
        current: Callable[[], tuple[Config, Catalog]],
    ) -> None:
        """``current`` gives the configuration and the vendor folders of the moment."""
        config, _ = current()
        self._metrics = metrics
        self._health = health
        self._places = places
        self._config = config
        self.registers = Registers(lambda: service.inventory, facts, bindings, clock)
        self.announcements = Announcements(
            clock,
            kept=config.limits.admin.events,
            listeners=config.limits.admin.listeners,
            observer=metrics.events_followed,
        )
        self._announcer = Announcer(
            self.announcements,
            inventory=lambda: service.inventory,
            registers=self.registers,
            facts=facts.of,
            bindings=bindings,
            reloads=reloads,
            bus=bus,
            clock=clock,
        )
        changes = Changes(clock.now())
        bus.subscribe(InventoryChanged, changes.note)
        self._tokens = Tokens(SqlTokenStore(stores.engine), clock, executor, ids.next)
        self._services = Services(
            inventory=service,
            registers=self.registers,
            pins=Pins(service, stores.box, executor),
            facts=facts.of,
            bindings=bindings,
            reloads=reloads,
            validation=addresses.validation,
            coverage=addresses.coverage,
            tokens=self._tokens,
            audit=SqlAuditLog(stores.engine),
            backups=Backups(config.state_dir, lambda: stores.keys.keyring, __version__),
            keys=stores.keys,
            renewal=Renewal(stores.keys, service, stores.inventory),
            changes=changes,
            announcements=self.announcements,
            imports=ImportsUnderWay(),
            provisioning_url=lambda token: f"{places.public_url(current()[0])}/p/{token.reveal()}/",
            device_url=lambda token: f"{places.public_url(current()[0])}/d/{token.reveal()}/",
            preview=Previews(service, stores.box, places, current),
            daemon=Daemon(
                version=__version__,
                pid=os.getpid(),
                started_at=clock.now(),
                config_file=str(config_path.resolve()),
                state_dir=str(config.state_dir),
                listening=lambda: tuple(places.all),
            ),
            health=health,
            clock=clock,
            executor=executor,
        )

    async def listen(self, servers: AsyncExitStack) -> None:
        """Listens, the API first; what is to be stopped in the end is left with ``servers``."""
        config = self._config
        await self._tokens.load()
        application = make_application(self._services, self._metrics, body_bytes=config.limits.admin.body_bytes)
        admin = AdminServer(application, config.admin.socket, config.admin.listen)
        servers.push_async_callback(admin.stop)
        servers.callback(self.announcements.close)
        await self._places.start("admin", config.admin.listen, admin)
        if config.metrics.listen is not None:
            metrics = MetricsServer(self._metrics, self._health, config.metrics.listen)
            servers.push_async_callback(metrics.stop)
            await self._places.start("metrics", config.metrics.listen, metrics)

    async def run(self) -> None:
        """Keeps lists current, and tells who listens. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(_TEND_SECONDS, self.registers.tend))
            tasks.create_task(self._announcer.run())

    def use(self, config: Config) -> None:
        """Takes what can change of the configuration while the daemon runs."""
        self.announcements.use(kept=config.limits.admin.events, listeners=config.limits.admin.listeners)
