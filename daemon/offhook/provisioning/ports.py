"""What provisioning needs from outside."""

from typing import Protocol

from offhook.inventory.ports import SecretBox
from offhook.inventory.snapshot import Inventory

__all__ = ["CurrentInventory", "EventSink", "SecretBox"]


class CurrentInventory(Protocol):
    """Gives the inventory as it is now."""

    def __call__(self) -> Inventory: ...


class EventSink(Protocol):
    """Takes :class:`~offhook.events.ConfigFetched` and :class:`~offhook.events.RenderFailed`."""

    def publish(self, event: object) -> None:
        """Hands the event on; does not raise."""
        ...
