"""What a reload needs from the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook.inventory.models import Credential
from offhook.secret import Secret
from offhook.sip.message import Request, Response


@dataclass(frozen=True, slots=True)
class Target:
    """A live binding, down whose flow a NOTIFY can go."""

    line_id: int
    credential_id: int
    address_of_record: str
    contact_uri: str
    #: Verbatim: phones check its user part.
    reachable: bool
    registered_at: float
    realm: str
    flow: object
    #: What the sender needs to find the flow again; opaque here.


class Targets(Protocol):
    def targets_of(self, device_id: int) -> Sequence[Target]:
        """Live bindings of a device's lines, now."""
        ...


class RequestSender(Protocol):
    async def send(self, request: Request, target: Target) -> Response:
        """Sends the request (without Via) down the target's own flow and gives the final answer.

        A local 408 where none came in time, 503 where the flow is gone (RFC 3261 §8.1.3.1).
        """
        ...


class ReloadEvents(Protocol):
    def reload_events(self, vendor: str | None, model: str | None) -> Sequence[str]:
        """Event header values that make this model fetch without a reboot, best first; empty where none is known."""
        ...


class Passwords(Protocol):
    def reveal_password(self, credential: Credential) -> Secret:
        """For the digest that a phone asks of us."""
        ...
