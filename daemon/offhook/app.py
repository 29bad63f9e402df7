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
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from offhook import __version__
from offhook.adapters import (
    BindingTargets,
    CatalogEvents,
    CurrentVendors,
    FlowSender,
    TftpFiles,
    TftpMetrics,
    count_bindings,
    count_devices,
    find_own_address,
    repeat,
)
from offhook.admin.application import make_application
from offhook.admin.auth import Tokens
from offhook.admin.ports import Daemon as DaemonView
from offhook.admin.ports import Listening, RenderedFile, Services
from offhook.clock import SystemClock
from offhook.config.load import compare_for_reload, load_config
from offhook.config.schema import Config
from offhook.endpoint import Endpoint, HostPort, Transport
from offhook.errors import ConfigError, DocumentError, OffhookError, StoreError, StoreUnavailable
from offhook.events import ConfigFetched, EventBus, InventoryChanged, NotifyAnswered, Registered, RenderFailed
from offhook.inventory.editor import Workshop
from offhook.inventory.facts import FactBook
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Carrier, Device
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.observability import logging
from offhook.observability.health import Health, Verdict
from offhook.observability.metrics import Metrics
from offhook.observability.systemd import Notifier
from offhook.provisioning.answer import Answer, FileRequest, Provisioner, ProvisioningSettings
from offhook.provisioning.catalog import Catalog, find_shipped_templates, load_catalog
from offhook.provisioning.parameters import ParameterDigests
from offhook.provisioning.preview import MaskedBox, preview_file
from offhook.registrar.bindings import BindingTable
from offhook.registrar.policy import RegisterPolicy, canonical_host
from offhook.registrar.requests import Registrar
from offhook.reload.service import ReloadLimits, ReloadService
from offhook.secret import Secret
from offhook.servers.admin import AdminServer, MetricsServer
from offhook.servers.http import HttpLimits, HttpServer
from offhook.servers.sip import SipLimits, SipServer
from offhook.servers.stream import StreamLimits
from offhook.servers.tftp import TftpLimits, TftpServer
from offhook.sip.digest import NonceSource
from offhook.sip.framing import FramingLimits
from offhook.store.audit import SqlAuditLog
from offhook.store.bindings import SqliteBindingStore
from offhook.store.journal import Journal
from offhook.store.keys import AesGcmBox, Keyring, load_keyring
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore
from offhook.store.state_dir import StateDir
from offhook.store.tokens import SqlTokenStore
from offhook.yamldoc import Bounds

_JOURNAL_SECONDS: Final = 0.5
_SAMPLE_SECONDS: Final = 1.0
_HOUSEKEEPING_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 5.0

log = structlog.get_logger()


class CannotStart(OffhookError):
    """The daemon cannot listen where it was told to."""


def run(config_path: Path) -> int:
    """Runs the daemon until it is told to stop. Gives the exit status: 0 stopped, 1 failed, 2 configuration."""
    try:
        config = load_config(config_path)
        catalog = read_catalog(config)
    except DocumentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log
        return 2
    logging.configure(config.log.format, config.log.level)
    status = 0
    try:
        uvloop.run(serve(config_path, config, catalog))
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
                    print(daemon.greeting(), flush=True)  # noqa: T201 - for whoever started it by hand
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
        self.catalog = catalog
        self.clock = SystemClock()
        self.metrics = Metrics(__version__)
        self.health = Health(self.metrics)
        self.bus = EventBus(_log_handler_failure)
        self.ids = IdSource(self.clock)
        self.facts = FactBook()
        self.listening: list[Listening] = []
        self._tasks = tasks
        self._running: set[asyncio.Task[None]] = set()
        self._executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="offhook")
        self._gone: list[int] = []
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []

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
        keyring = await self._open_stores()
        await self._assemble(keyring)
        await self._listen()
        await self._listen_for_administrators()
        self.spawn(self.health.watch_event_loop())
        self.spawn(repeat(_JOURNAL_SECONDS, self._write_journal))
        self.spawn(repeat(_SAMPLE_SECONDS, self._sample))
        self.spawn(repeat(_HOUSEKEEPING_SECONDS, self._keep_house))
        self.health.add_check("bindings", self._check_bindings)
        self.health.mark_started()
        log.info("daemon.started", version=__version__, devices=self.inventory.count(Device))

    async def _open_stores(self) -> Keyring:
        state_dir = self.config.state_dir
        inventory_path = state_dir / "inventory.db"
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        keyring = load_keyring(
            state_dir, create=not inventory_path.exists(), credentials_dir=Path(credentials) if credentials else None
        )
        self.box = AesGcmBox(keyring)
        self._engine = open_engine(inventory_path)
        backup = await self._in_thread(partial(migrate, self._engine, inventory_path, state_dir / "backups"))
        if backup is not None:
            log.info("store.migrated", backup=str(backup))
        self._inventory_store = SqlInventoryStore(self._engine, self.box)
        await self._in_thread(self._inventory_store.check_key)
        self._journal = await self._in_thread(partial(Journal, state_dir / "journal.db"))
        self._binding_store = await self._in_thread(
            partial(
                SqliteBindingStore,
                state_dir / "bindings.db",
                asyncio.get_running_loop().call_soon_threadsafe,
                max_queued=self.config.limits.sip.commit_queue,
                observer=self.metrics,
            )
        )
        return keyring

    async def _assemble(self, keyring: Keyring) -> None:
        self.digests = ParameterDigests(self.catalog, self.box, expires_seconds=self.config.sip.expires.default)
        self.service = InventoryService(
            self._inventory_store,
            Workshop(self.ids, self.box, CurrentVendors(lambda: self.catalog)),
            self.digests,
            bus=self.bus,
            clock=self.clock,
            executor=self._executor,
            bounds=Bounds(document_bytes=self.config.limits.inventory.document_bytes),
        )
        self.facts = FactBook(await self._in_thread(self._journal.load_facts))
        self._subscribe()
        await self.service.load()

        self.bindings = BindingTable(await self._in_thread(partial(self._binding_store.load, self.clock.now())))
        self.targets = BindingTargets(self.bindings, self.clock)
        expires = self.config.sip.expires
        self.registrar = Registrar(
            lambda: self.inventory,
            self.bindings,
            NonceSource([("1", keyring.derive("nonces"))], lifetime_seconds=expires.max),
            self._policy(),
            tag_key=keyring.derive("to tags"),
        )
        self.sip = SipServer(
            self.registrar,
            self._binding_store,
            self.bus,
            self.clock,
            advertise=self.config.sip.advertise,
            limits=_sip_limits(self.config),
            observer=self.metrics,
        )
        self.provisioner = Provisioner(
            inventory=lambda: self.inventory,
            catalog=self.catalog,
            secrets=self.box,
            events=self.bus,
            settings=self._provisioning_settings(),
        )
        self.reloads = ReloadService(
            inventory=lambda: self.inventory,
            facts=self.facts.of,
            targets=self.targets,
            sender=FlowSender(self.sip),
            events=CatalogEvents(lambda: self.catalog),
            passwords=self.service,
            ids=self.ids,
            bus=self.bus,
            clock=self.clock,
            spawn=self.spawn,
            limits=_reload_limits(self.config),
        )
        self.reloads.resume(await self._in_thread(self._journal.load_reloads))
        self.metrics.watch_bindings(lambda: count_bindings(self.bindings))
        self.metrics.watch_devices(lambda: count_devices(self.inventory, self.facts, self.targets))

    def _subscribe(self) -> None:
        """Who learns what, besides the parts that subscribe themselves."""
        self.bus.subscribe(ConfigFetched, self.facts.note_fetched)
        self.bus.subscribe(ConfigFetched, self.service.note_fetched)
        self.bus.subscribe(RenderFailed, self.facts.note_failed)
        self.bus.subscribe(Registered, self.facts.note_registered)
        self.bus.subscribe(Registered, self.service.note_registered)
        self.bus.subscribe(InventoryChanged, self._forget_devices)
        self.bus.subscribe(NotifyAnswered, lambda event: self.metrics.notify_answered(event.status))

    # -- listening ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        config = self.config
        for endpoint in config.sip.listen:
            if endpoint.transport is Transport.UDP:
                host, port = self._opened("SIP", endpoint, partial(self.sip.listen_udp, endpoint.host, endpoint.port))
            else:
                host, port = await self._opened_later(
                    "SIP", endpoint, self.sip.listen_tcp(endpoint.host, endpoint.port)
                )
            self._note_listening("sip", f"{endpoint.transport}://{HostPort(host, port)}")
        self._closers.append(partial(self.sip.close, _STOP_SECONDS))
        self.sip.reconcile()

        self.http = HttpServer(self._answer_file, self.clock, _http_limits(config), config.provisioning.trusted_proxies)
        for endpoint in config.provisioning.http:
            host, port = await self._opened_later("HTTP", endpoint, self.http.listen(endpoint.host, endpoint.port))
            self._note_listening("http", f"http://{HostPort(host, port)}")
        self._closers.append(self.http.close)

        self.tftp = TftpServer(
            TftpFiles(self._answer_file, self.clock),
            clock=self.clock,
            redact=logging.redact_path,
            limits=_tftp_limits(config),
            listed_networks=config.provisioning.lan_networks,
            observer=TftpMetrics(self.metrics),
        )
        for endpoint in config.provisioning.tftp:
            host, port = self._opened("TFTP", endpoint, partial(self.tftp.listen, endpoint.host, endpoint.port))
            self._note_listening("tftp", f"tftp://{HostPort(host, port)}")
        self._closers.append(partial(self.tftp.close, _STOP_SECONDS))

    async def _listen_for_administrators(self) -> None:
        config = self.config
        tokens = Tokens(SqlTokenStore(self._engine), self.clock, self._executor, self.ids.next)
        await tokens.load()
        services = Services(
            inventory=self.service,
            facts=self.facts.of,
            bindings=self.bindings,
            reloads=self.reloads,
            tokens=tokens,
            audit=SqlAuditLog(self._engine),
            provisioning_url=self._provisioning_url,
            preview=self._preview,
            daemon=DaemonView(
                version=__version__,
                pid=os.getpid(),
                started_at=self.clock.now(),
                config_file=str(self.config_path.resolve()),
                state_dir=str(config.state_dir),
                listening=lambda: tuple(self.listening),
            ),
            health=self.health,
            clock=self.clock,
            executor=self._executor,
        )
        application = make_application(services, self.metrics, body_bytes=config.limits.admin.body_bytes)
        admin = AdminServer(application, config.admin.socket, config.admin.listen)
        self._closers.append(admin.stop)
        await self._started("admin", config.admin.listen, admin)
        if config.metrics.listen is not None:
            metrics = MetricsServer(self.metrics, self.health, config.metrics.listen)
            self._closers.append(metrics.stop)
            await self._started("metrics", config.metrics.listen, metrics)

    async def _started(self, what: str, endpoint: Endpoint | None, server: AdminServer | MetricsServer) -> None:
        try:
            await server.start()
        except OSError as error:
            raise _cannot_listen(what, endpoint, error) from None
        for address in server.addresses:
            self._note_listening(what, address if "://" in address else f"http://{address}")

    def _provisioning_url(self, token: Secret) -> str:
        """What a phone is pointed at: the URL of the configuration, else of an address that phones can reach."""
        return f"{self._public_url()}/p/{token.reveal()}/"

    def _public_url(self) -> str:
        if self.config.provisioning.public_url is not None:
            return self.config.provisioning.public_url
        if not self.config.provisioning.http:
            tftp = next((entry.address for entry in self.listening if entry.service == "tftp"), "tftp://127.0.0.1:69")
            return _reachable(tftp)
        return _reachable(next(entry.address for entry in self.listening if entry.service == "http"))

    def _preview(self, device: Device, file: str, *, reveal: bool) -> RenderedFile:
        """What the device would be given, if it asked where most phones do."""
        account = self.inventory.get(Account, device.account_id)
        token = self.service.reveal_account_token(account).reveal() if reveal else Secret.MASK
        sip = next(entry.address for entry in self.listening if entry.service == "sip")
        proxy = self.config.sip.advertise or HostPort.parse(_reachable(sip).partition("://")[2])
        previewed = preview_file(
            self.inventory,
            device,
            file,
            catalog=self.catalog,
            secrets=self.box if reveal else MaskedBox(),
            base_url=f"{self._public_url()}/p/{token}/",
            proxy=proxy,
            expires_seconds=self.config.sip.expires.default,
        )
        return RenderedFile(previewed.name, previewed.content_type, previewed.text, previewed.names)

    def _opened(self, what: str, endpoint: Endpoint, listen: Callable[[], tuple[str, int]]) -> tuple[str, int]:
        try:
            return listen()
        except OSError as error:
            raise _cannot_listen(what, endpoint, error) from None

    async def _opened_later(
        self, what: str, endpoint: Endpoint, listen: Coroutine[Any, Any, tuple[str, int]]
    ) -> tuple[str, int]:
        try:
            return await listen
        except OSError as error:
            raise _cannot_listen(what, endpoint, error) from None

    def _note_listening(self, what: str, address: str) -> None:
        self.listening.append(Listening(what, address))
        log.info("server.listening", server=what, address=address)

    def _answer_file(self, request: FileRequest, now: float) -> Answer:
        answer = self.provisioner.answer(request, now)
        self.metrics.provisioning_request(request.protocol.value, answer.status.value)
        return answer

    def greeting(self) -> str:
        """What somebody at a terminal wants to know next."""
        lines = [f"Offhook {__version__} is running. It listens on:", ""]
        lines += [f"  {entry.service:8} {entry.address}" for entry in self.listening]
        if not any(entry.address.endswith(":69") for entry in self.listening if entry.service == "tftp"):
            lines += ["", "Phones ask TFTP on port 69, which needs a right: docs/operations.md tells how to have it."]
        lines += [
            "",
            "In another terminal:",
            "",
            f"  export OFFHOOK_CONFIG={self.config_path.resolve()} PATH={Path(sys.executable).parent}:$PATH",
            "",
            "  offhook doctor                                        is everything as it should be?",
            "  offhook apply config/inventory/first-phone.yaml       one phone, to begin with",
            "  offhook account show acme                             the URL that the phone wants",
            "",
            "Ctrl-C stops it.",
        ]
        return "\n".join(lines)

    # -- settings that SIGHUP can change --------------------------------------------------------------------------

    def _policy(self) -> RegisterPolicy:
        sip = self.config.sip
        own_hosts = frozenset({canonical_host(sip.advertise.host)}) if sip.advertise else frozenset()
        return RegisterPolicy(
            min_expires=sip.expires.min,
            default_expires=sip.expires.default,
            max_expires=sip.expires.max,
            max_bindings=self.config.limits.sip.contacts_per_aor,
            own_hosts=own_hosts,
        )

    def _provisioning_settings(self) -> ProvisioningSettings:
        config = self.config
        return ProvisioningSettings(
            public_url=config.provisioning.public_url,
            lan_networks=config.provisioning.lan_networks,
            sip_advertise=config.sip.advertise,
            sip_port=next((entry.port for entry in config.sip.listen if entry.transport is Transport.UDP), 5060),
            expires_seconds=config.sip.expires.default,
            cache_bytes=config.limits.provisioning.render_cache_bytes,
        )

    async def reread(self, notifier: Notifier) -> None:
        """Takes the configuration and the templates as they are now: all of it, or after an error nothing."""
        notifier.reloading()
        try:
            config = await self._in_thread(partial(load_config, self.config_path))
            catalog = await self._in_thread(partial(read_catalog, config))
        except (ConfigError, DocumentError) as error:
            for fault in error.faults:
                log.error("config.reread.refused", fault=str(fault))
            notifier.ready("the configuration has faults; the one before stays in force")
            return
        for name in compare_for_reload(self.config, config):
            log.warning("config.reread.needs_restart", key=name)
        self.config, self.catalog = config, catalog
        logging.configure(config.log.format, config.log.level)
        self.registrar.use(self._policy())
        self.provisioner.use(catalog, self._provisioning_settings())
        self.http.trusted_proxies = config.provisioning.trusted_proxies
        self.digests.use(catalog, expires_seconds=config.sip.expires.default)
        revised = await self.service.refresh_revisions()
        log.info("config.reread.done", revised=len(revised))
        notifier.ready(f"serving {self.inventory.count(Device)} devices")

    # -- while it runs --------------------------------------------------------------------------------------------

    async def _write_journal(self) -> None:
        facts, reloads = self.facts.take_changed(), self.reloads.take_changed()
        gone, self._gone = self._gone, []
        if not (facts or reloads or gone):
            return
        try:
            await self._in_thread(partial(self._journal.write, facts, reloads, gone))
        except StoreUnavailable as error:
            self.facts.put_back(facts)
            self.reloads.put_back(reloads)
            self._gone += gone
            self.metrics.store_error("journal")
            log.error("store.journal.failed", error=str(error))

    def _sample(self) -> None:
        self.metrics.commit_queue(self._binding_store.queued)
        self.metrics.tftp_sessions(self.tftp.sessions)

    async def _keep_house(self) -> None:
        try:
            await self.service.retire(self._is_behind)
        except StoreError as error:
            self.metrics.store_error("inventory")
            log.error("store.inventory.failed", error=str(error))

    def _is_behind(self, inventory: Inventory, account: Account) -> bool:
        return any(
            carrier.revision > self.facts.of(carrier.id).fetched_revision
            for carrier in inventory.all(Carrier)
            if inventory.get(Device, carrier.id).account_id == account.id
        )

    def _forget_devices(self, event: InventoryChanged) -> None:
        for device_id in self.facts.forget(event, self.inventory):
            self._gone.append(device_id)
            self.reloads.forget_carrier(device_id)

    def _check_bindings(self) -> Verdict:
        behind = self._binding_store.backlog_seconds()
        if behind > 1.0:
            return Verdict(ok=False, text=f"the disk is {behind:.1f} seconds behind; registrations are refused")
        return Verdict(ok=True, text="bindings are written")

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    # -- stopping -------------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Finishes what was begun, writes everything down, and lets go. Safe after a start that failed half-way."""
        self.health.mark_stopping()
        for close in reversed(self._closers):
            with suppress(OSError):
                await close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if hasattr(self, "_binding_store"):
            await self._in_thread(self._binding_store.close)
        if hasattr(self, "reloads"):
            await self._write_journal()
        if hasattr(self, "_journal"):
            await self._in_thread(self._journal.close)
        if hasattr(self, "_engine"):
            self._engine.dispose()
        self._executor.shutdown(wait=True)
        log.info("daemon.stopped")


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("task.failed")


def _log_handler_failure(event: object, error: Exception) -> None:
    log.error("event.handler_failed", event_type=type(event).__name__, exc_info=error)


def _reachable(address: str) -> str:
    """A listener's address, with an address of this machine in place of a wildcard."""
    scheme, _, rest = address.partition("://")
    place = HostPort.parse(rest)
    if place.host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        place = HostPort(find_own_address(ipv6=place.host == "::"), place.port)
    return f"{scheme}://{place}"


def _cannot_listen(what: str, endpoint: Endpoint | None, error: OSError) -> CannotStart:
    remedies = {
        13: "ports below 1024 need a right: see docs/operations.md, or choose a higher one",
        98: "something else listens there: stop it, or choose another port",
        99: "this machine has no such address: correct it",
    }
    remedy = remedies.get(error.errno or 0, "choose another address or port")
    return CannotStart(f"{what} cannot listen on {endpoint}: {os.strerror(error.errno or 0)}; {remedy}")


def _sip_limits(config: Config) -> SipLimits:
    limits = config.limits.sip
    streams = StreamLimits(
        connections=limits.connections,
        connections_per_source=limits.connections_per_source,
        first_byte_seconds=limits.first_byte_seconds,
        message_seconds=limits.message_seconds,
        framing=FramingLimits(body_bytes=limits.stream_message_bytes),
    )
    return SipLimits(streams=streams, kept_answers=limits.transactions, client_transactions=limits.transactions)


def _http_limits(config: Config) -> HttpLimits:
    limits = config.limits.http
    return HttpLimits(connections=limits.connections, request_seconds=limits.request_seconds)


def _tftp_limits(config: Config) -> TftpLimits:
    limits = config.limits.tftp
    return TftpLimits(
        sessions=limits.sessions,
        sessions_per_source=limits.sessions_per_source_listed,
        sessions_per_unlisted_source=limits.sessions_per_source_other,
    )


def _reload_limits(config: Config) -> ReloadLimits:
    limits = config.limits.reload
    return ReloadLimits(
        in_flight=limits.in_flight,
        fetch_seconds=limits.fetch_seconds,
        register_seconds=limits.register_seconds,
    )
