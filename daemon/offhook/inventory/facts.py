"""What devices reported of themselves: firmware, address, what they fetched and when. Read-only for people (R8)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from offhook.events import ConfigFetched, InventoryChanged, Registered, RenderFailed
from offhook.inventory.models import Carrier, Device
from offhook.inventory.snapshot import Inventory

_TEXT_LIMIT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """The latest of each; None and empty where it has not been seen."""

    device_id: int
    ip: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    user_agent: str = ""
    fetched_revision: int = 0
    #: Of the last file that proves a revision.
    last_provisioned_at: float | None = None
    last_registered_at: float | None = None
    failure: str = ""
    #: Why its file could not be rendered; empty since it could.


@dataclass(frozen=True, slots=True)
class Agent:
    """What a User-Agent says of a device; empty where it does not tell."""

    vendor: str = ""
    model: str = ""
    firmware: str = ""


def _read_nothing(user_agent: str) -> Agent:
    return Agent()


class FactBook:
    """The facts of all devices, kept current by events. ``take_changed`` hands over what is not on disk yet.

    ``read_agent`` makes out what the User-Agent of a REGISTER says: that of a phone which fetches by TFTP says nowhere
    else which firmware it runs.
    """

    def __init__(
        self, facts: Iterable[DeviceFacts] = (), *, read_agent: Callable[[str], Agent] = _read_nothing
    ) -> None:
        self._read_agent = read_agent
        self._facts = {entry.device_id: entry for entry in facts}
        self._changed: set[int] = set()
        self._watchers: list[Callable[[int], None]] = []

    def watch(self, note: Callable[[int], None]) -> None:
        """Calls ``note`` with the id of each device whose facts change. It must be quick: phones wait meanwhile."""
        self._watchers.append(note)

    def of(self, device_id: int) -> DeviceFacts:
        """The facts of a device; blank ones for a device that was never seen."""
        return self._facts.get(device_id) or DeviceFacts(device_id=device_id)

    def _note(self, facts: DeviceFacts) -> None:
        self._facts[facts.device_id] = facts
        self._changed.add(facts.device_id)
        for note in self._watchers:
            note(facts.device_id)

    def note_fetched(self, event: ConfigFetched) -> None:
        """A carrier has a file of its own, to the last byte. Only files that prove a revision carry one."""
        before = self.of(event.carrier_id)
        after = replace(
            before,
            ip=event.source,
            vendor=event.vendor or before.vendor,
            model=(event.model or before.model)[:_TEXT_LIMIT],
            firmware=(event.firmware or before.firmware)[:_TEXT_LIMIT],
            user_agent=(event.user_agent or before.user_agent)[:_TEXT_LIMIT],
        )
        if event.revision:
            after = replace(
                after,
                fetched_revision=event.revision,
                last_provisioned_at=event.at,
                failure="",
            )
        self._note(after)

    def note_failed(self, event: RenderFailed) -> None:
        self._note(replace(self.of(event.carrier_id), failure=event.message[:1024]))

    def note_registered(self, event: Registered) -> None:
        """A REGISTER tells the address, and a new binding's what the device is.

        Its User-Agent is shown only until the device has fetched with one of its own.
        """
        before = self.of(event.device_id)
        host = event.source.rpartition(":")[0].strip("[]")
        after = replace(
            before,
            ip=host,
            user_agent=before.user_agent or event.user_agent[:_TEXT_LIMIT],
            last_registered_at=event.at,
        )
        if event.user_agent and not event.refreshed:
            agent = self._read_agent(event.user_agent)
            after = replace(
                after,
                vendor=agent.vendor or before.vendor,
                model=(agent.model or before.model)[:_TEXT_LIMIT],
                firmware=(agent.firmware or before.firmware)[:_TEXT_LIMIT],
            )
        self._note(after)

    def forget(self, event: InventoryChanged, inventory: Inventory) -> list[int]:
        """Drops the facts of devices that are gone; gives their ids.

        A device that has no files any more has fetched nothing: the revisions of those it may get begin anew. One whose
        hardware was replaced is new (R13).
        """
        gone: list[int] = []
        for device_id in event.replaced & self._facts.keys():
            self._note(DeviceFacts(device_id=device_id))
        for device_id in event.device_ids & self._facts.keys():
            if inventory.find(Device, device_id) is None:
                gone.append(device_id)
                del self._facts[device_id]
                self._changed.discard(device_id)
            elif self._facts[device_id].fetched_revision and inventory.find(Carrier, device_id) is None:
                self._note(replace(self._facts[device_id], fetched_revision=0))
        return sorted(gone)

    def take_changed(self) -> list[DeviceFacts]:
        """What changed since the last call."""
        changed = [self._facts[device_id] for device_id in sorted(self._changed)]
        self._changed.clear()
        return changed

    def put_back(self, facts: Iterable[DeviceFacts]) -> None:
        """Marks as not on disk what could not be written."""
        self._changed.update(entry.device_id for entry in facts if entry.device_id in self._facts)
