"""The API as somebody has it whose token is limited to accounts.

The same routes are made a second time, of services that show only what belongs to those accounts: the rest is not
there, so no route has to think of it. Whoever adds a service decides here what is left of it: nothing is passed on that
is not named below.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from typing import Final

from offhook.admin.announcements import Listener, Wanted
from offhook.admin.ports import AuditLog, Bindings, Coverage, Followed, Reloads, Services
from offhook.admin.routes import Handler, Route
from offhook.inventory.emergency.coverage import AddressCounts, limit_report
from offhook.inventory.emergency.coverage_book import Covered
from offhook.inventory.models import Device
from offhook.inventory.reach import Reach
from offhook.inventory.service import InventoryService
from offhook.registrar.bindings import Binding
from offhook.reload.progress import ReloadRecord
from offhook.store.audit import EVERY_RECORD, AuditEntry, AuditFilter

#: Sets of accounts whose routes are kept made.
_KEPT: Final = 64

Key = tuple[str, str]


class Handlers:
    """Finds the handler of a route for those who reach everything, and for those who do not."""

    def __init__(self, services: Services, make: Callable[[Services], Sequence[Route]]) -> None:
        self.routes = tuple(make(services))
        self._all = _by_key(self.routes)
        self._limited = lru_cache(maxsize=_KEPT)(lambda reach: _by_key(make(limit_services(services, reach))))

    def find(self, route: Route, reach: Reach | None) -> Handler:
        """The handler of a route, for accounts or, with None, for all."""
        handlers = self._all if reach is None else self._limited(reach)
        return handlers[route.method, route.path]


def _by_key(routes: Sequence[Route]) -> Mapping[Key, Handler]:
    return {(route.method, route.path): route.handler for route in routes}


def limit_services(services: Services, reach: Reach) -> Services:
    """What is left of the services for those who reach these accounts only.

    Tokens, backups and whatever else concerns the daemon as a whole are kept from them by ``Route.daemon_wide``.
    """
    inventory = services.inventory.limited_to(reach)
    return Services(
        inventory=inventory,
        registers=services.registers.limited_to(reach),
        pins=services.pins,
        facts=services.facts,
        bindings=_LimitedBindings(services.bindings, inventory),
        reloads=_LimitedReloads(services.reloads, inventory),
        validation=services.validation,
        coverage=_LimitedCoverage(services.coverage, reach),
        tokens=services.tokens,
        audit=_LimitedAudit(services.audit, reach),
        backups=services.backups,
        keys=services.keys,
        renewal=services.renewal,
        changes=services.changes,
        announcements=_LimitedAnnouncements(services.announcements, reach),
        imports=services.imports,
        provisioning_url=services.provisioning_url,
        device_url=services.device_url,
        preview=services.preview,
        daemon=services.daemon,
        health=services.health,
        clock=services.clock,
        executor=services.executor,
    )


class _LimitedBindings:
    """Bindings of the devices that are reached."""

    def __init__(self, bindings: Bindings, inventory: InventoryService) -> None:
        self._bindings = bindings
        self._inventory = inventory

    def all(self, now: float) -> Sequence[Binding]:
        return [binding for binding in self._bindings.all(now) if _reaches(self._inventory, binding.device_id)]

    def bindings_of_device(self, device_id: int, now: float) -> Sequence[Binding]:
        return self._bindings.bindings_of_device(device_id, now) if _reaches(self._inventory, device_id) else ()


class _LimitedReloads:
    """Reloads of the devices that are reached."""

    def __init__(self, reloads: Reloads, inventory: InventoryService) -> None:
        self._reloads = reloads
        self._inventory = inventory

    def start(self, device: Device, actor: str) -> ReloadRecord:
        return self._reloads.start(self._inventory.inventory.get(Device, device.id), actor)

    def find(self, reload_id: int) -> ReloadRecord | None:
        record = self._reloads.find(reload_id)
        return record if record is not None and _reaches(self._inventory, record.device_id) else None

    def recent(self) -> Sequence[ReloadRecord]:
        return [record for record in self._reloads.recent() if _reaches(self._inventory, record.device_id)]

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        return await self._reloads.wait(reload_id, state, seconds)


class _LimitedCoverage:
    """The report as far as it is about the accounts."""

    def __init__(self, coverage: Coverage, reach: Reach) -> None:
        self._coverage = coverage
        self._reach = reach

    async def current(self) -> Covered:
        covered = await self._coverage.current()
        return replace(covered, report=limit_report(covered.report, self._reach), addresses=AddressCounts())


class _LimitedAnnouncements:
    """What happens to the accounts that are reached."""

    def __init__(self, announcements: Followed, reach: Reach) -> None:
        self._announcements = announcements
        self._reach = reach

    def listen(self, wanted: Wanted, last_id: str = "") -> AbstractContextManager[Listener]:
        accounts = self._reach if wanted.accounts is None else self._reach & wanted.accounts
        return self._announcements.listen(replace(wanted, accounts=accounts), last_id)

    def id_of(self, number: int) -> str:
        return self._announcements.id_of(number)


class _LimitedAudit:
    """Records that concern one of the accounts."""

    def __init__(self, audit: AuditLog, reach: Reach) -> None:
        self._audit = audit
        self._reach = reach

    def read(self, limit: int, before: int | None = None, wanted: AuditFilter = EVERY_RECORD) -> Sequence[AuditEntry]:
        accounts = self._reach if wanted.accounts is None else self._reach & wanted.accounts
        return self._audit.read(limit, before, replace(wanted, accounts=accounts))


def _reaches(inventory: InventoryService, device_id: int) -> bool:
    return inventory.inventory.find(Device, device_id) is not None
