"""From what the registrar proposes to what is on disk, in the table and told to the others."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import structlog

from offhook.clock import Clock
from offhook.errors import StoreError, StoreUnavailable
from offhook.registrar.answers import Proposal
from offhook.registrar.ports import BindingStore
from offhook.registrar.requests import Registrar
from offhook.servers.sip_observer import EventReporter

Settle = Callable[[StoreError | None], None]

_log = structlog.get_logger()


class BindingCommits:
    """Commits proposals, and makes the ones that no phone asks for."""

    def __init__(
        self,
        registrar: Registrar,
        store: BindingStore,
        reporter: EventReporter,
        clock: Clock,
        *,
        is_open: Callable[[int], bool],
        sweep_limit: int,
    ) -> None:
        """``is_open`` tells whether a connection still is; ``sweep_limit`` bounds one :meth:`sweep`."""
        self._registrar = registrar
        self._table: Final = registrar.bindings
        self._store = store
        self._reporter = reporter
        self._clock = clock
        self._is_open = is_open
        self._sweep_limit = sweep_limit
        self._uncommitted = 0
        self._settled = asyncio.Event()
        self._settled.set()
        self._unreconciled: set[int] = set()
        self._revoked: set[int] = set()
        #: Those of them whose void credentials may still have bindings.

    @property
    def backlog_seconds(self) -> float:
        """How far the disk is behind."""
        return self._store.backlog_seconds()

    async def wait_settled(self, grace_seconds: float) -> None:
        """Waits until nothing is on its way to disk, or the grace is over."""
        try:
            async with asyncio.timeout(grace_seconds):
                await self._settled.wait()
        except TimeoutError:
            _log.warning("sip.close.uncommitted", changes=self._uncommitted)

    def submit(self, proposal: Proposal, settle: Settle) -> None:
        """Commits a proposal; ``settle`` learns how that went when the table knows it already."""

        def done(error: StoreError | None) -> None:
            self._uncommitted -= 1
            if not self._uncommitted:
                self._settled.set()
            if error is not None:
                self._table.abort(proposal.change)
                settle(error)
                return
            self._table.commit(proposal.change)
            for binding in proposal.change.puts:
                connection = binding.flow.connection
                if connection and not self._is_open(connection):
                    self._table.connection_lost(connection)
            settle(None)
            self._reporter.publish(proposal.events)

        self._uncommitted += 1
        self._settled.clear()
        try:
            self._store.submit(proposal.change, done)
        except StoreUnavailable as error:
            done(error)

    def reconcile(self, device_ids: Iterable[int] | None = None, revoked: Iterable[int] = ()) -> None:
        """Brings bindings in line with the inventory: those of some devices, or all. What fails is tried again.

        ``revoked`` are those of which credentials were made void; where it is about all, any of them may be.
        """
        now = self._clock.now()
        if device_ids is None:
            device_ids = revoked = {binding.device_id for binding in self._table.all(now)}
        concerned, void = self._unreconciled.union(device_ids), self._revoked.union(revoked)
        self._unreconciled, self._revoked = set(), set()
        proposal = self._registrar.reconcile(concerned, now, void)
        if proposal is not None:
            self.submit(proposal, partial(self._note_unreconciled, concerned, void))

    def sweep(self) -> None:
        """Removes what has expired. To be called now and then."""
        proposal = self._registrar.sweep(self._clock.now(), self._sweep_limit)
        if proposal is not None:
            self.submit(proposal, _leave_for_next_time)
        if self._unreconciled:
            self.reconcile(())

    def _note_unreconciled(self, device_ids: set[int], revoked: set[int], error: StoreError | None) -> None:
        if error is not None:
            self._unreconciled |= device_ids
            self._revoked |= revoked


def _leave_for_next_time(error: StoreError | None) -> None:
    """What was not swept now still stands in the table, and never is given out."""
