"""From proposals to what is committed and told."""

import asyncio
from dataclasses import replace

from tests.support.registrar import FakeStore, RegistrarBench, SipPhone

from offhook.errors import StoreError, StoreUnavailable
from offhook.events import EventBus, Registered
from offhook.inventory.snapshot import Draft
from offhook.registrar.answers import Proposal
from offhook.servers.sip_commits import BindingCommits
from offhook.servers.sip_observer import EventReporter, Unobserved


class Clock:
    def __init__(self, bench: RegistrarBench) -> None:
        self._bench = bench

    def now(self) -> float:
        return self._bench.now

    def monotonic(self) -> float:
        return self._bench.now


class Commits:
    """A registrar whose proposals go to a store that the test decides for."""

    def __init__(self) -> None:
        self.bench = RegistrarBench()
        self.store = FakeStore()
        self.events: list[object] = []
        self.outcomes: list[StoreError | None] = []
        bus = EventBus(lambda *_: None)
        bus.subscribe(Registered, self.events.append)
        self.commits = BindingCommits(
            self.bench.registrar,
            self.store,
            EventReporter(bus, Unobserved()),
            Clock(self.bench),
            is_open=lambda _: False,
            sweep_limit=10,
        )

    def register(self, phone: SipPhone, expires: int = 600) -> None:
        outcome = self.bench.handle(phone.register(expires=expires), phone.flow)
        assert isinstance(outcome, Proposal)
        self.commits.submit(outcome, self.outcomes.append)


async def test_change_is_seen_and_told_once_it_is_committed() -> None:
    setting = Commits()
    setting.register(SipPhone().challenged(setting.bench))
    assert (setting.bench.aor("2001"), setting.events, setting.outcomes) == ([], [], [])
    setting.store.settle()
    assert (len(setting.bench.aor("2001")), len(setting.events), setting.outcomes) == (1, 1, [None])


async def test_failed_changes_and_those_built_on_them_leave_nothing() -> None:
    setting = Commits()
    phone = SipPhone().challenged(setting.bench)
    setting.register(phone)
    setting.register(phone, expires=300)
    setting.store.settle(StoreUnavailable("disk full"))
    assert len(setting.outcomes) == 2
    assert all(setting.outcomes)
    assert (setting.bench.aor("2001"), setting.events) == ([], [])
    assert setting.bench.table.pending_of("sip:2001@acme.test", setting.bench.now) == ()


async def test_refused_change_is_told_at_once() -> None:
    setting = Commits()
    setting.store.is_full = True
    setting.register(SipPhone().challenged(setting.bench))
    assert isinstance(setting.outcomes[0], StoreUnavailable)
    assert not setting.bench.table.has_pending("sip:2001@acme.test")


async def test_wait_lasts_until_everything_is_settled() -> None:
    setting = Commits()
    await setting.commits.wait_settled(0.0)
    setting.register(SipPhone().challenged(setting.bench))
    waiting = asyncio.create_task(setting.commits.wait_settled(5.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    setting.store.settle()
    await waiting


async def test_what_could_not_be_swept_is_swept_the_next_time() -> None:
    setting = Commits()
    setting.register(SipPhone().challenged(setting.bench))
    setting.store.settle()
    setting.bench.now += 600
    setting.commits.sweep()
    setting.store.settle(StoreUnavailable("locked"))
    assert setting.bench.table.expired(setting.bench.now, 10)
    setting.commits.sweep()
    setting.store.settle()
    assert not setting.bench.table.expired(setting.bench.now, 10)


def revoke(draft: Draft) -> None:
    """The credential of line 11 is gone, and there is another."""
    [held] = draft.credentials_of(11)
    draft.delete(held)
    draft.put(replace(held, id=held.id + 1000))


async def bound_and_revoked() -> Commits:
    setting = Commits()
    setting.register(SipPhone().challenged(setting.bench))
    setting.store.settle()
    draft = setting.bench.inventory.draft()
    revoke(draft)
    setting.bench.inventory = draft
    return setting


async def test_bindings_of_revoked_devices_go_also_when_the_disk_failed_first() -> None:
    setting = await bound_and_revoked()
    setting.commits.reconcile({1})
    assert setting.store.waiting == []
    setting.commits.reconcile({1}, {1})
    setting.store.settle(StoreUnavailable("locked"))
    assert len(setting.bench.aor("2001")) == 1
    setting.commits.sweep()
    setting.store.settle()
    assert setting.bench.aor("2001") == []


async def test_at_start_whatever_was_bound_with_void_credentials_goes() -> None:
    setting = await bound_and_revoked()
    setting.commits.reconcile()
    setting.store.settle()
    assert setting.bench.aor("2001") == []
