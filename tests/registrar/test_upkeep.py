"""Sweeping, and following the inventory."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.registrar import RegistrarBench, SipPhone

from offhook.events import Unregistered
from offhook.inventory.models import Account, Device, DeviceState, DeviceType, Line, User
from offhook.inventory.snapshot import Draft
from offhook.registrar.answers import Proposal


@pytest.fixture
def bench() -> RegistrarBench:
    bench = RegistrarBench()
    assert SipPhone().run(bench).status == 200
    return bench


def aors(bench: RegistrarBench) -> list[str]:
    return [binding.aor for binding in bench.table.all(bench.now)]


def settle(bench: RegistrarBench, proposal: Proposal | None) -> list[str]:
    """Commits a change and gives the reasons it tells."""
    assert proposal is not None
    bench.table.commit(proposal.change)
    return [event.reason for event in proposal.events if isinstance(event, Unregistered)]


def edit(bench: RegistrarBench, change: Callable[[Draft], object]) -> None:
    draft = bench.inventory.draft()
    change(draft)
    bench.inventory = draft


def test_sweep_removes_what_has_expired(bench: RegistrarBench) -> None:
    assert bench.registrar.sweep(bench.now) is None
    bench.now += 600
    assert settle(bench, bench.registrar.sweep(bench.now)) == ["expired"]
    assert bench.registrar.sweep(bench.now) is None


def test_sweep_takes_what_it_may(bench: RegistrarBench) -> None:
    SipPhone("2002").run(bench)
    bench.now += 600
    assert settle(bench, bench.registrar.sweep(bench.now, limit=1)) == ["expired"]
    assert settle(bench, bench.registrar.sweep(bench.now, limit=1)) == ["expired"]


def test_nothing_happens_where_nothing_has_changed(bench: RegistrarBench) -> None:
    assert bench.registrar.reconcile([1, 2, 99], bench.now) is None


def disable(draft: Draft) -> None:
    draft.put(replace(draft.get(Device, 1), state=DeviceState.DISABLED))


def delete_line(draft: Draft) -> None:
    draft.delete(draft.get(Line, 11))


def delete_device(draft: Draft) -> None:
    delete_line(draft)
    draft.delete(draft.get(Device, 1))


@pytest.mark.parametrize("change", [disable, delete_line, delete_device])
def test_bindings_go_with_their_device_or_line(bench: RegistrarBench, change: Callable[[Draft], None]) -> None:
    edit(bench, change)
    assert settle(bench, bench.registrar.reconcile([1], bench.now)) == ["revoked"]
    assert aors(bench) == []


def change_credential(draft: Draft) -> None:
    """What was made for the line is gone, and there is another."""
    [held] = draft.credentials_of(11)
    draft.delete(held)
    draft.put(replace(held, id=held.id + 1000))


def test_bindings_go_with_credentials_that_were_revoked(bench: RegistrarBench) -> None:
    edit(bench, change_credential)
    assert settle(bench, bench.registrar.reconcile([1, 2], bench.now, {1})) == ["revoked"]
    assert aors(bench) == []


def test_bindings_outlast_credentials_whose_grace_is_over(bench: RegistrarBench) -> None:
    edit(bench, change_credential)
    assert bench.registrar.reconcile([1, 2], bench.now) is None
    assert bench.registrar.reconcile([1, 2], bench.now, {2}) is None
    assert aors(bench) == ["sip:2001@acme.test"]


def test_bindings_made_with_credentials_that_are_still_there_stay(bench: RegistrarBench) -> None:
    assert bench.registrar.reconcile([1], bench.now, {1}) is None


def test_bindings_of_a_handset_go_with_its_base(bench: RegistrarBench) -> None:
    def become_handset(draft: Draft) -> None:
        handset = replace(draft.get(Device, 1), type=DeviceType.DECT_HANDSET, mac=None, base_id=2)
        draft.put(handset)
        draft.put(replace(draft.get(Device, 2), type=DeviceType.DECT_BASE))

    edit(bench, become_handset)
    assert bench.registrar.reconcile([1], bench.now) is None
    edit(bench, lambda draft: draft.put(replace(draft.get(Device, 2), state=DeviceState.DISABLED)))
    assert settle(bench, bench.registrar.reconcile([1], bench.now)) == ["revoked"]


def test_binding_moves_to_the_service_address_when_the_line_is_assigned_anew(bench: RegistrarBench) -> None:
    edit(bench, lambda draft: draft.put(replace(draft.get(Line, 11), user_id=None)))
    assert settle(bench, bench.registrar.reconcile([1], bench.now)) == ["revoked"]
    assert aors(bench) == ["sip:dev-000001@acme.test"]
    assert bench.registrar.reconcile([1], bench.now) is None


def test_binding_at_the_service_address_stays_there_until_the_phone_registers(bench: RegistrarBench) -> None:
    edit(bench, lambda draft: draft.put(replace(draft.get(User, 1), extension="2009")))
    settle(bench, bench.registrar.reconcile([1], bench.now))
    edit(bench, lambda draft: draft.put(replace(draft.get(User, 1), extension="2010")))
    assert bench.registrar.reconcile([1], bench.now) is None


def test_binding_follows_the_domain(bench: RegistrarBench) -> None:
    edit(bench, lambda draft: draft.put(replace(draft.get(Account, 1), sip_domain="new.test")))
    assert settle(bench, bench.registrar.reconcile([1], bench.now)) == []
    assert aors(bench) == ["sip:2001@new.test"]


def test_registration_under_way_is_revoked_too(bench: RegistrarBench) -> None:
    phone = SipPhone("2002").challenged(bench)
    under_way = bench.handle(phone.register())
    assert isinstance(under_way, Proposal)
    edit(bench, lambda draft: draft.put(replace(draft.get(Device, 2), state=DeviceState.DISABLED)))
    revocation = bench.registrar.reconcile([2], bench.now)
    bench.table.commit(under_way.change)
    assert settle(bench, revocation) == ["revoked"]
    assert aors(bench) == ["sip:2001@acme.test"]
