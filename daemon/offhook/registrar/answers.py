"""What comes of a request: an answer, an answer that waits for the disk, or none."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from offhook.errors import SipError
from offhook.registrar.bindings import BindingChange
from offhook.registrar.ports import Flow
from offhook.sip.message import Request, build_response

HeaderFields = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that can be sent now."""

    response: bytes
    status: int
    events: tuple[object, ...] = ()
    #: For the bus, see :mod:`offhook.events`.
    is_authenticated: bool = False
    #: The sender has proved who it is; so the answer may be kept for its retransmissions.
    is_stale: bool = False
    #: A challenge to somebody who knows the password but used an old nonce.


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that must be on disk before the response is sent and the events are published.

    It lies on the table's overlay already: whoever takes it must commit or abort it there.
    """

    change: BindingChange
    response: bytes = b""
    #: Empty for a change that no request has asked for.
    events: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing may be answered."""

    reason: str


Outcome = Answer | Proposal | Silence


class Refused(SipError):
    """A request that is answered with an error, and what goes into the answer beside the status."""

    def __init__(self, status: int, reason: str, headers: HeaderFields = ()) -> None:
        super().__init__(status, reason)
        self.headers = tuple(headers)


class Responder:
    """Builds responses that come out the same for a retransmitted request, without remembering it.

    The To tag is an HMAC over what identifies the transaction (RFC 3261 §8.2.6.2, §8.2.7).
    """

    def __init__(self, tag_key: bytes) -> None:
        self._tag_key = tag_key

    def format(
        self, request: Request, flow: Flow, status: int, reason: str | None = None, headers: HeaderFields = ()
    ) -> bytes:
        """The octets of a response.

        Raises:
            SipError: the request has no Via that an answer could follow.
        """
        return build_response(
            request, status, reason, to_tag=self._to_tag(request), headers=headers, received=flow.source
        ).format()

    def _to_tag(self, request: Request) -> str | None:
        """A tag for a To that can have one; None where it is missing or cannot be read."""
        try:
            if request.to.tag is not None:
                return None
        except SipError:
            return None
        headers = request.headers
        identity = "\0".join(headers.get(name) or "" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
        mac = hmac.digest(self._tag_key, identity.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return mac[:8].hex()
