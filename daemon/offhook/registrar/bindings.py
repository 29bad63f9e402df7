"""Bindings, and the table that holds them: what is committed, and what is on its way to disk.

A REGISTER is decided before the one ahead of it has been committed. So the table keeps two views: the committed one,
which look-ups, lists and NOTIFY see, and that with every pending change laid over it, on which later REGISTERs decide.
A change that fails takes itself out of the overlay; the store fails whatever was built on it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from offhook.endpoint import Transport
from offhook.registrar.ports import Flow

K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where an address of record can be reached (RFC 3261 §10), and who said so."""

    id: int
    aor: str
    #: ``sip:user@domain``, canonical.
    line_id: int
    device_id: int
    credential_id: int
    #: What was shown when it was last refreshed.
    contact: str
    #: The URI as the phone wrote it.
    parameters: str = ""
    #: Of the Contact header, verbatim with the leading semicolon; without ``expires``.
    instance: str = ""
    #: ``+sip.instance`` (RFC 5626 §4.1); empty where the phone gives none.
    reg_id: int = 0
    flow: Flow
    call_id: str
    cseq: int
    expires_at: float
    registered_at: float
    #: When the binding was made.
    refreshed_at: float
    user_agent: str = ""
    nonce: str = ""
    nc: int = 0
    #: The nonce that was used last, and the highest count seen with it; 0 in the form without counts.
    reachable: bool = True
    #: False where its connection is gone: the phone must come back before anything can be sent to it.


@dataclass(frozen=True, slots=True)
class BindingChange:
    """Bindings put (added, or replaced under the same id) and removed, all or none."""

    puts: tuple[Binding, ...] = ()
    removals: tuple[Binding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.puts or self.removals)

    def __iter__(self) -> Iterator[Binding]:
        yield from self.puts
        yield from self.removals


class BindingTable:
    """All bindings, by address of record, device and connection. Expired ones are never given out."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self._by_id: dict[int, Binding] = {}
        self._by_aor: dict[str, tuple[int, ...]] = {}
        self._by_device: dict[int, tuple[int, ...]] = {}
        self._by_connection: dict[int, tuple[int, ...]] = {}
        self._counts = dict.fromkeys(Transport, 0)
        self._pending_by_aor: dict[str, list[BindingChange]] = {}
        self._pending_by_device: dict[int, list[BindingChange]] = {}
        self._last_id = 0
        self._watchers: list[Callable[[int], None]] = []
        for binding in bindings:
            self._put(binding)
            self._last_id = max(self._last_id, binding.id)

    def watch(self, note: Callable[[int], None]) -> None:
        """Calls ``note`` with the id of each device of which a committed binding is put or removed.

        It must be quick: phones wait meanwhile. A binding that has run out is told when it is swept.
        """
        self._watchers.append(note)

    # -- the committed view ---------------------------------------------------------------------------------------

    def bindings_of(self, aor: str, now: float) -> tuple[Binding, ...]:
        """Committed bindings of an address of record."""
        return self._live(self._by_aor.get(aor, ()), now)

    def bindings_of_device(self, device_id: int, now: float) -> tuple[Binding, ...]:
        """Committed bindings of all lines of a device."""
        return self._live(self._by_device.get(device_id, ()), now)

    def all(self, now: float) -> tuple[Binding, ...]:
        """Every committed binding."""
        return self._live(self._by_id, now)

    def count(self, transport: Transport) -> int:
        """How many bindings came over a transport, expired ones until they are swept."""
        return self._counts[transport]

    def has_connection(self, connection: int) -> bool:
        """Whether a binding hangs on that connection."""
        return connection in self._by_connection

    def expired(self, now: float, limit: int) -> tuple[Binding, ...]:
        """Up to ``limit`` committed bindings that have expired and that no pending change is about."""
        found: list[Binding] = []
        for binding in self._by_id.values():
            if binding.expires_at <= now and binding.device_id not in self._pending_by_device:
                found.append(binding)
                if len(found) == limit:
                    break
        return tuple(found)

    # -- the view that decisions are made on ----------------------------------------------------------------------

    def new_id(self) -> int:
        """An id for a new binding. Not used again, whatever becomes of the change."""
        self._last_id += 1
        return self._last_id

    def has_pending(self, aor: str) -> bool:
        """Whether a change of that address of record is on its way to disk."""
        return aor in self._pending_by_aor

    def pending_of(self, aor: str, now: float) -> tuple[Binding, ...]:
        """Bindings of an address of record as they will be once everything pending is committed."""
        committed = self.bindings_of(aor, now)
        changes = self._pending_by_aor.get(aor)
        return _overlay(committed, changes, now, lambda binding: binding.aor == aor) if changes else committed

    def pending_of_device(self, device_id: int, now: float) -> tuple[Binding, ...]:
        """The same for a device."""
        committed = self.bindings_of_device(device_id, now)
        changes = self._pending_by_device.get(device_id)
        if not changes:
            return committed
        return _overlay(committed, changes, now, lambda binding: binding.device_id == device_id)

    def propose(self, change: BindingChange) -> None:
        """Lays a change over what is committed, until :meth:`commit` or :meth:`abort`."""
        for aor in {binding.aor for binding in change}:
            self._pending_by_aor.setdefault(aor, []).append(change)
        for device_id in {binding.device_id for binding in change}:
            self._pending_by_device.setdefault(device_id, []).append(change)

    def abort(self, change: BindingChange) -> None:
        """The change was not made durable: it never was."""
        for aor in {binding.aor for binding in change}:
            _drop(self._pending_by_aor, aor, change)
        for device_id in {binding.device_id for binding in change}:
            _drop(self._pending_by_device, device_id, change)

    def commit(self, change: BindingChange) -> None:
        """The change is on disk: everyone sees it now."""
        self.abort(change)
        for binding in change.removals:
            self._remove(binding.id)
        for binding in change.puts:
            self._remove(binding.id)
            self._put(binding)

    def connection_lost(self, connection: int) -> tuple[Binding, ...]:
        """Marks the bindings of a connection that is gone as unreachable; gives them as they were."""
        lost = [self._by_id[binding_id] for binding_id in self._by_connection.get(connection, ())]
        for binding in lost:
            self._remove(binding.id)
            self._put(replace(binding, flow=replace(binding.flow, connection=0), reachable=False))
        return tuple(lost)

    # -- indexes --------------------------------------------------------------------------------------------------

    def _live(self, ids: Iterable[int], now: float) -> tuple[Binding, ...]:
        by_id = self._by_id
        return tuple([binding for binding_id in ids if (binding := by_id[binding_id]).expires_at > now])

    def _put(self, binding: Binding) -> None:
        self._by_id[binding.id] = binding
        _index(self._by_aor, binding.aor, binding.id)
        _index(self._by_device, binding.device_id, binding.id)
        if binding.flow.connection:
            _index(self._by_connection, binding.flow.connection, binding.id)
        self._counts[binding.flow.transport] += 1
        for note in self._watchers:
            note(binding.device_id)

    def _remove(self, binding_id: int) -> None:
        binding = self._by_id.pop(binding_id, None)
        if binding is None:
            return
        _unindex(self._by_aor, binding.aor, binding_id)
        _unindex(self._by_device, binding.device_id, binding_id)
        if binding.flow.connection:
            _unindex(self._by_connection, binding.flow.connection, binding_id)
        self._counts[binding.flow.transport] -= 1
        for note in self._watchers:
            note(binding.device_id)


def _overlay(
    committed: tuple[Binding, ...], changes: list[BindingChange], now: float, belongs: Callable[[Binding], bool]
) -> tuple[Binding, ...]:
    merged = {binding.id: binding for binding in committed}
    for change in changes:
        for binding in change.removals:
            merged.pop(binding.id, None)
        for binding in change.puts:
            if belongs(binding):
                merged[binding.id] = binding
    return tuple(binding for binding in merged.values() if binding.expires_at > now)


def _drop(pending: dict[K, list[BindingChange]], key: K, change: BindingChange) -> None:
    rest = [other for other in pending.get(key, ()) if other is not change]
    if rest:
        pending[key] = rest
    else:
        pending.pop(key, None)


def _index(index: dict[K, tuple[int, ...]], key: K, binding_id: int) -> None:
    index[key] = (*index.get(key, ()), binding_id)


def _unindex(index: dict[K, tuple[int, ...]], key: K, binding_id: int) -> None:
    rest = tuple(other for other in index[key] if other != binding_id)
    if rest:
        index[key] = rest
    else:
        del index[key]
