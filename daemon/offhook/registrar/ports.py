"""What the registrar needs from outside, and where a request came from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from offhook.endpoint import Transport
from offhook.errors import StoreError

if TYPE_CHECKING:
    from offhook.registrar.bindings import Binding, BindingChange

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """The way between us and a phone (RFC 5626 §3): what it sent came by it, and what we send goes back by it."""

    transport: Transport
    source: Address
    #: Of the phone, or of the last NAT before us.
    local: Address
    #: Ours: the address that the phone sent to, and the one that answers leave from.
    connection: int = 0
    #: Which connection, of a stream; 0 of a datagram, and of a stream that is no more.

    @property
    def is_stream(self) -> bool:
        """Whether a request can only go down a connection that the phone has opened."""
        return self.transport is not Transport.UDP

    def __str__(self) -> str:
        """The phone's ``address:port``."""
        host, port = self.source
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class BindingStore(Protocol):
    """Where bindings are made durable.

    Changes become durable in the order in which they are submitted. A change may build on the ones before it, so a
    failure fails everything that was submitted until the caller has been told of that failure.
    """

    def submit(self, change: "BindingChange", done: Callable[[StoreError | None], None]) -> None:
        """Queues a change; ``done`` is called on the event loop, later, with None once it is on disk.

        Raises:
            StoreUnavailable: the queue is full or closed; ``done`` is not called.
        """
        ...

    def backlog_seconds(self) -> float:
        """Age of the oldest change that is not on disk yet, 0 where there is none."""
        ...

    def load(self, now: float) -> "list[Binding]":
        """Every binding that has not expired."""
        ...
