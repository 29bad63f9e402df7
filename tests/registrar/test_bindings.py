"""The table: two views, indexes, and what happens when changes fail."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.registrar import FLOW, NOW

from offhook.endpoint import Transport
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.ports import Flow

AOR = "sip:2001@acme.test"
STREAM = Flow(Transport.TCP, ("10.0.0.21", 40000), ("10.0.0.1", 5060), connection=7)


def make_binding(binding_id: int = 1, *, aor: str = AOR, device_id: int = 1, flow: Flow = FLOW) -> Binding:
    return Binding(
        id=binding_id,
        aor=aor,
        line_id=device_id * 10,
        device_id=device_id,
        credential_id=100,
        contact=f"sip:{binding_id}@h",
        flow=flow,
        call_id="c",
        cseq=1,
        expires_at=NOW + 60,
        registered_at=NOW,
        refreshed_at=NOW,
    )


def test_pending_change_is_seen_by_decisions_alone() -> None:
    table = BindingTable()
    change = BindingChange((make_binding(),))
    table.propose(change)
    assert table.pending_of(AOR, NOW) == change.puts
    assert table.pending_of_device(1, NOW) == change.puts
    assert table.bindings_of(AOR, NOW) == table.bindings_of_device(1, NOW) == table.all(NOW) == ()
    table.commit(change)
    assert table.bindings_of(AOR, NOW) == table.bindings_of_device(1, NOW) == table.all(NOW) == change.puts
    assert not table.has_pending(AOR)


def test_aborted_change_never_was() -> None:
    table = BindingTable([make_binding()])
    removal = BindingChange(removals=(make_binding(),))
    table.propose(removal)
    assert table.pending_of(AOR, NOW) == ()
    table.abort(removal)
    assert table.pending_of(AOR, NOW) == (make_binding(),)


def test_changes_are_laid_over_in_their_order() -> None:
    table = BindingTable([make_binding()])
    refreshed = replace(make_binding(), cseq=2)
    changes = [BindingChange((refreshed,)), BindingChange(removals=(refreshed,)), BindingChange((make_binding(2),))]
    for change in changes:
        table.propose(change)
    assert [binding.id for binding in table.pending_of(AOR, NOW)] == [2]
    for change in changes:
        table.commit(change)
    assert [binding.id for binding in table.bindings_of(AOR, NOW)] == [2]


def test_ids_are_not_used_again() -> None:
    table = BindingTable([make_binding(41)])
    assert [table.new_id(), table.new_id()] == [42, 43]


def test_expired_bindings_are_never_given_out() -> None:
    table = BindingTable([make_binding()])
    for found in (table.bindings_of, table.pending_of):
        assert found(AOR, NOW + 59.9)
        assert not found(AOR, NOW + 60)
    assert table.all(NOW + 60) == table.bindings_of_device(1, NOW + 60) == ()
    assert table.expired(NOW + 60, 10) == (make_binding(),)
    assert table.expired(NOW + 59, 10) == ()


def test_expired_binding_that_a_change_is_about_is_left_alone() -> None:
    table = BindingTable([make_binding()])
    table.propose(BindingChange((replace(make_binding(), expires_at=NOW + 600),)))
    assert table.expired(NOW + 60, 10) == ()


def test_lost_connection_makes_its_bindings_unreachable() -> None:
    table = BindingTable([make_binding(1, flow=STREAM), make_binding(2)])
    assert table.has_connection(7)
    assert [binding.id for binding in table.connection_lost(7)] == [1]
    assert {binding.id: binding.reachable for binding in table.all(NOW)} == {1: False, 2: True}
    assert not table.has_connection(7)
    assert table.connection_lost(7) == ()


def test_counts_are_by_transport() -> None:
    table = BindingTable([make_binding(1, flow=STREAM), make_binding(2), make_binding(3)])
    assert [table.count(transport) for transport in (Transport.UDP, Transport.TCP)] == [2, 1]
    table.commit(BindingChange((replace(make_binding(3), flow=STREAM),), (make_binding(2),)))
    assert [table.count(transport) for transport in (Transport.UDP, Transport.TCP)] == [0, 2]


bindings = st.builds(
    make_binding, st.integers(1, 6), aor=st.sampled_from([AOR, "sip:2@acme.test"]), device_id=st.integers(1, 2)
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), bindings), max_size=20), st.integers(0, 20))
def test_what_decisions_saw_is_what_commits_make(steps: list[tuple[bool, Binding]], committed_first: int) -> None:
    table = BindingTable()
    changes: list[BindingChange] = []
    homes: dict[int, Binding] = {}
    for is_put, drawn in steps:
        binding = replace(homes.setdefault(drawn.id, drawn), cseq=len(changes))
        change = BindingChange((binding,)) if is_put else BindingChange(removals=(binding,))
        table.propose(change)
        changes.append(change)
    for change in changes[:committed_first]:
        table.commit(change)
    aors, devices = [AOR, "sip:2@acme.test"], [1, 2]
    seen = [set(table.pending_of(aor, NOW)) for aor in aors]
    seen += [set(table.pending_of_device(device, NOW)) for device in devices]
    for change in changes[committed_first:]:
        table.commit(change)
    made = [set(table.bindings_of(aor, NOW)) for aor in aors]
    made += [set(table.bindings_of_device(device, NOW)) for device in devices]
    assert seen == made
    assert not any(table.has_pending(aor) for aor in aors)


def test_who_watches_learns_of_what_is_committed_and_of_a_lost_connection() -> None:
    told: list[int] = []
    table = BindingTable([make_binding()])
    table.watch(told.append)
    change = BindingChange((make_binding(2, device_id=2, flow=STREAM),), (make_binding(),))
    table.propose(change)
    assert told == []
    table.commit(change)
    assert set(told) == {1, 2}
    told.clear()
    table.connection_lost(7)
    assert set(told) == {2}
    table.propose(BindingChange((make_binding(9, device_id=9),)))
    table.abort(BindingChange((make_binding(9, device_id=9),)))
    assert 9 not in told
