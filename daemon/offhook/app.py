"""The composition root: what the daemon consists of, how it starts, re-reads its configuration, and stops.

Read from top to bottom, this is what happens: :func:`run` reads the configuration and starts a loop, :func:`serve`
takes the state_dir and lives until it is told to stop, and :class:`Daemon` puts the parts together.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from offhook import __version__, settings
from offhook.adapters import (
    BindingTargets,
    CatalogEvents,
    CurrentVendors,
    FlowSender,
    TftpFiles,
    TftpMetrics,
    count_bindings,
    count_devices,
    read_agent,
)
from offhook.addresses import Addresses
from offhook.administration import Administration
from offhook.clock import SystemClock
from offhook.config.emergency import read_emergency
from offhook.config.load import compare_for_reload, load_config
from offhook.config.schema import Config
from offhook.endpoint import Transport
from offhook.errors import ConfigError, DocumentError, OffhookError
from offhook.events import (
    ConfigFetched,
    EventBus,
    NotifyAnswered,
    Registered,
    ReloadEnded,
    RenderFailed,
)
from offhook.housekeeping import Housekeeping
from offhook.inventory.editor import Workshop
from offhook.inventory.facts import FactBook
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Device
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.observability import logging
from offhook.observability.health import Health, Verdict
from offhook.observability.metrics import Metrics
from offhook.observability.systemd import Notifier
from offhook.places import Places
from offhook.provisioning.answer import Answer, FileRequest, Provisioner
from offhook.provisioning.catalog import Catalog, find_shipped_templates, load_catalog
from offhook.provisioning.parameters import ParameterDigests
from offhook.registrar.bindings import BindingTable
from offhook.registrar.requests import Registrar
from offhook.reload.service import ReloadService
from offhook.servers.http import HttpServer
from offhook.servers.sip import SipServer
from offhook.servers.tftp import TftpServer
from offhook.sip.digest import NonceSource
from offhook.store.state_dir import StateDir
from offhook.stores import Stores

#: How long a thread that computes keeps the interpreter from one that waits for it. Each datagram that is read or sent
#: lets go of it, so with Python's own 5 ms a large import leaves time for fewer than 100 REGISTERs a second.
_SWITCH_SECONDS: Final = 0.0005
_STOP_SECONDS: Final = 5.0
_TROUBLE_SECONDS: Final = 30.0

log = structlog.get_logger()


def run(config_path: Path) -> int:
    """Runs the daemon until it is told to stop. Gives the exit status: 0 stopped, 1 failed, 2 configuration."""
    try:
        config = load_config(config_path)
        catalog = read_catalog(config)
    except DocumentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return 2
    logging.configure(config.log.format, config.log.level)
    sys.setswitchinterval(_SWITCH_SECONDS)
    status = 0
    try:
        uvloop.run(serve(config_path, config, catalog))
    except* DocumentError as group:
        status = 2
        for fault in group.exceptions:
            print(fault, file=sys.stderr)  # noqa: T201 - for whoever started it
    except* OffhookError as group:
        status = 1
        for refusal in group.exceptions:
            print(f"offhook cannot run: {refusal}", file=sys.stderr)  # noqa: T201 - for whoever started it
    return status


def read_catalog(config: Config) -> Catalog:
    """The vendor folders: the site's own first, then those shipped."""
    return load_catalog([*config.templates.paths, find_shipped_templates()])


async def serve(config_path: Path, config: Config, catalog: Catalog) -> None:
    """Starts, tells whoever waits for it, and stops on SIGTERM or SIGINT. SIGHUP reads the configuration again."""
    loop = asyncio.get_running_loop()
    notifier = Notifier.from_environment(os.environ, os.getpid())
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    state_dir = StateDir(config.state_dir)
    try:
        async with asyncio.TaskGroup() as tasks:
            daemon = Daemon(config_path, config, catalog, tasks)
            try:
                await daemon.start()
                loop.add_signal_handler(signal.SIGHUP, lambda: daemon.spawn(daemon.reread(notifier)))
                daemon.spawn(notifier.keep_alive(lambda: daemon.health.live))
                notifier.ready(f"serving {daemon.inventory.count(Device)} devices")
                if "NOTIFY_SOCKET" not in os.environ:
                    print(daemon.places.greeting(config_path), flush=True)  # noqa: T201 - for whoever started it by hand
                await stop.wait()
            finally:
                notifier.stopping()
                await daemon.stop()
    finally:
        state_dir.close()


class Daemon:
    """Everything that runs."""

    def __init__(self, config_path: Path, config: Config, catalog: Catalog, tasks: asyncio.TaskGroup) -> None:
        self.config_path = config_path
        self.config = config
        self._started_with = config
        self.catalog = catalog
        self.clock = SystemClock()
        self.metrics = Metrics(__version__)
        self.health = Health(self.metrics)
        self.bus = EventBus(_log_handler_failure)
        self.ids = IdSource(self.clock)
        self.facts = FactBook()
        self.places = Places()
        self._tasks = tasks
        self._running: set[asyncio.Task[None]] = set()
        self._executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="offhook")
        self._rereading = asyncio.Lock()
        self._servers = AsyncExitStack()
        self._releases = AsyncExitStack()
        #: What is closed in the end: servers first, then what they work on.

    @property
    def inventory(self) -> Inventory:
        """The inventory as everyone sees it now."""
        return self.service.inventory

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside the rest. What it fails with is logged; it ends nothing else."""
        task = self._tasks.create_task(_guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    # -- starting -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Opens the stores, puts the parts together, and listens; the admin socket last."""
        self.stores = await Stores.open(self.config, self.metrics, self._executor)
        self._releases.push_async_callback(self._in_thread, self.stores.close)
        await self._assemble()
        await self._listen()
        await self.administration.listen(self._servers)
        self.spawn(self.health.watch_event_loop())
        self.spawn(self.housekeeping.run())
        self.spawn(self.addresses.run())
        self.spawn(self.administration.run())
        self.health.add_check("bindings", self._check_bindings)
        self.health.mark_started()
        log.info("daemon.started", version=__version__, devices=self.inventory.count(Device))

    async def _assemble(self) -> None:
        box = self.stores.box
        self.digests = ParameterDigests(self.catalog, box, settings.told_to_every_phone(self.config))
        self.service = InventoryService(
            self.stores.inventory,
            Workshop(self.ids, box, CurrentVendors(lambda: self.catalog)),
            self.digests,
            bus=self.bus,
            clock=self.clock,
            executor=self._executor,
            bounds=settings.document_bounds(self.config),
        )
        self._releases.push_async_callback(self.service.finish)
        self.facts = FactBook(
            await self._in_thread(self.stores.journal.load_facts),
            read_agent=lambda user_agent: read_agent(self.catalog, user_agent),
        )
        self._subscribe()
        await self.service.load()
        self.addresses = Addresses(self.service, self.metrics, self.clock, self._executor)
        self._releases.push_async_callback(self.addresses.close)
        self.addresses.use(await self._in_thread(partial(read_emergency, self.config.emergency)))

        self.bindings = BindingTable(await self._in_thread(partial(self.stores.bindings.load, self.clock.now())))
        self.targets = BindingTargets(self.bindings, self.clock)
        expires = self.config.sip.expires
        self.registrar = Registrar(
            lambda: self.inventory,
            self.bindings,
            NonceSource([("1", box.derive("nonces"))], lifetime_seconds=expires.max),
            settings.register_policy(self.config),
            tag_key=box.derive("to tags"),
        )
        self.sip = SipServer(
            self.registrar,
            self.stores.bindings,
            self.bus,
            self.clock,
            advertise=self.config.sip.advertise,
            limits=settings.sip_limits(self.config),
            observer=self.metrics,
        )
        self.provisioner = Provisioner(
            inventory=lambda: self.inventory,
            catalog=self.catalog,
            secrets=box,
            events=self.bus,
            settings=settings.provisioning_settings(self.config, 5060),
        )
        self.reloads = ReloadService(
            inventory=lambda: self.inventory,
            facts=self.facts.of,
            targets=self.targets,
            sender=FlowSender(self.sip, lambda: self.config.limits.reload.answer_seconds),
            events=CatalogEvents(lambda: self.catalog),
            passwords=self.service,
            ids=self.ids,
            bus=self.bus,
            clock=self.clock,
            spawn=self.spawn,
            limits=settings.reload_limits(self.config),
        )
        self.reloads.resume(await self._in_thread(self.stores.journal.load_reloads))
        self.housekeeping = Housekeeping(
            service=self.service,
            facts=self.facts,
            reloads=self.reloads,
            journal=self.stores.journal,
            bus=self.bus,
            metrics=self.metrics,
            executor=self._executor,
            sample=self._sample,
        )
        self._releases.push_async_callback(self.housekeeping.write_journal)
        self.administration = Administration(
            service=self.service,
            stores=self.stores,
            facts=self.facts,
            bindings=self.bindings,
            reloads=self.reloads,
            addresses=self.addresses,
            places=self.places,
            ids=self.ids,
            bus=self.bus,
            metrics=self.metrics,
            health=self.health,
            clock=self.clock,
            executor=self._executor,
            config_path=self.config_path,
            current=lambda: (self.config, self.catalog),
        )
        self.metrics.watch_bindings(lambda: count_bindings(self.bindings))
        self.metrics.watch_devices(lambda: count_devices(self.inventory, self.facts, self.targets))

    def _subscribe(self) -> None:
        """Who learns what, besides the parts that subscribe themselves."""
        self.bus.subscribe(ConfigFetched, self.facts.note_fetched)
        self.bus.subscribe(ConfigFetched, self.service.note_fetched)
        self.bus.subscribe(RenderFailed, self.facts.note_failed)
        self.bus.subscribe(Registered, self.facts.note_registered)
        self.bus.subscribe(Registered, self.service.note_registered)
        self.bus.subscribe(ReloadEnded, lambda event: self.metrics.reload_ended(event.outcome))
        self.bus.subscribe(NotifyAnswered, lambda event: self.metrics.notify_answered(event.status))

    # -- listening ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        config, listen = self.config, self.places.listen
        self._servers.push_async_callback(self.sip.close, _STOP_SECONDS)
        for endpoint in config.sip.listen:
            begin = self.sip.listen_udp if endpoint.transport is Transport.UDP else self.sip.listen_tcp
            await listen("sip", endpoint, partial(begin, endpoint.host, endpoint.port))
        self._use_provisioning()
        self.sip.reconcile()

        self.http = HttpServer(
            self._answer_file, self.clock, settings.http_limits(config), config.provisioning.trusted_proxies
        )
        self._servers.push_async_callback(self.http.close)
        for endpoint in config.provisioning.http:
            await listen("http", endpoint, partial(self.http.listen, endpoint.host, endpoint.port))

        self.tftp = TftpServer(
            TftpFiles(self._answer_file, self.clock),
            clock=self.clock,
            redact=logging.redact_path,
            limits=settings.tftp_limits(config),
            listed_networks=config.provisioning.lan_networks,
            observer=TftpMetrics(self.metrics),
        )
        self._servers.push_async_callback(self.tftp.close, _STOP_SECONDS)
        for endpoint in config.provisioning.tftp:
            await listen("tftp", endpoint, partial(self.tftp.listen, endpoint.host, endpoint.port))

    def _answer_file(self, request: FileRequest, now: float) -> Answer:
        answer = self.provisioner.answer(request, now)
        self.metrics.provisioning_request(request.protocol.value, answer.status.value)
        return answer

    # -- settings that SIGHUP can change --------------------------------------------------------------------------

    def _use_configuration(self) -> None:
        """Everything that can change while the daemon runs."""
        config, lan = self.config, self.config.provisioning.lan_networks
        logging.configure(config.log.format, config.log.level)
        self.registrar.use(settings.register_policy(config))
        self.sip.use(settings.sip_limits(config), config.sip.advertise)
        self.http.use(settings.http_limits(config), config.provisioning.trusted_proxies)
        self.tftp.use(settings.tftp_limits(config), lan)
        self.reloads.use(settings.reload_limits(config))
        self.administration.use(config)
        self.service.use(settings.document_bounds(config))
        self.stores.bindings.max_queued = config.limits.sip.commit_queue
        self._use_provisioning()

    def _use_provisioning(self) -> None:
        self.provisioner.use(self.catalog, settings.provisioning_settings(self.config, self.places.sip_port))
        self.digests.use(self.catalog, settings.told_to_every_phone(self.config))

    async def reread(self, notifier: Notifier) -> None:
        """Takes the configuration and the templates as they are now: all of it, or after an error nothing."""
        async with self._rereading:
            await self._reread(notifier)

    async def _reread(self, notifier: Notifier) -> None:
        notifier.reloading()
        try:
            config = await self._in_thread(partial(load_config, self.config_path))
            catalog = await self._in_thread(partial(read_catalog, config))
            emergency = await self._in_thread(partial(read_emergency, config.emergency))
        except (ConfigError, DocumentError) as error:
            for fault in error.faults:
                log.error("config.reread.refused", fault=str(fault))
            notifier.ready("the configuration has faults; the one before stays in force")
            return
        for name in compare_for_reload(self._started_with, config):
            log.warning("config.reread.needs_restart", key=name)
        self.config, self.catalog = config, catalog
        self._use_configuration()
        self.addresses.use(emergency)
        revised = await self.service.refresh_revisions()
        log.info("config.reread.done", revised=len(revised))
        notifier.ready(f"serving {self.inventory.count(Device)} devices")

    # -- while it runs --------------------------------------------------------------------------------------------

    def _sample(self) -> None:
        self.metrics.commit_queue(self.stores.bindings.queued)
        self.metrics.tftp_sessions(self.tftp.sessions)

    def _check_bindings(self) -> Verdict:
        trouble = self.stores.bindings.find_trouble(_TROUBLE_SECONDS)
        if trouble is not None:
            return Verdict(ok=False, text=trouble)
        behind = self.stores.bindings.backlog_seconds()
        if behind > 1.0:
            return Verdict(ok=False, text=f"the disk is {behind:.1f} seconds behind; registrations are refused")
        return Verdict(ok=True, text="bindings are written")

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    # -- stopping -------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Takes nothing new, finishes what was begun, writes everything down. Safe after a start that failed."""
        self.health.mark_stopping()
        await self._servers.aclose()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._releases.aclose()
        self._executor.shutdown(wait=True)
        log.info("daemon.stopped")


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("task.failed")


def _log_handler_failure(event: object, error: Exception) -> None:
    log.error("event.handler_failed", event_type=type(event).__name__, exc_info=error)
