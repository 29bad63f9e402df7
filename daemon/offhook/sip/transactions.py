"""Non-INVITE transactions, RFC 3261 §17.1.2 and §17.2, as state machines without a socket or a clock.

The client side carries our NOTIFY. The server side is a bounded table of final answers: after authentication a
retransmitted request is answered from it, byte for byte, and does not reach the registrar twice.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from offhook.sip.message import DEFAULT_PORT, Request, Response

T1: Final = 0.5
#: Round-trip estimate, RFC 3261 §17.1.1.1. All timers are in seconds.
T2: Final = 4.0
#: The longest interval between retransmissions.
T4: Final = 5.0
#: How long a message can stay in the network: timer K.
TIMER_F: Final = 64 * T1
TIMER_J: Final = 64 * T1

MAGIC_COOKIE: Final = "z9hG4bK"

TransactionKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """The octets must be sent to the transaction's destination."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Provisional:
    """A 1xx came."""

    response: Response


@dataclass(frozen=True, slots=True)
class Completed:
    """The transaction has its result; comes once."""

    status: int
    #: Of the response, or 408 for silence and 503 for a failed transport (RFC 3261 §8.1.3.1).
    response: Response | None
    #: None where none came.


ClientEvent = Send | Provisional | Completed


class ClientState(Enum):
    """The states of RFC 3261 §17.1.2, figure 6."""

    IDLE = "idle"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    TERMINATED = "terminated"


class ClientTransaction:
    """One non-INVITE request of ours, from the first sending to its result.

    The shell sends what :class:`Send` holds, calls :meth:`handle_timer` when :meth:`next_timer` is due, and hands in
    each response for which :meth:`matches` holds. ``branch`` is that of the request's top Via.
    """

    def __init__(self, request: bytes, branch: str, method: str = "NOTIFY", *, reliable: bool = False) -> None:
        self._request = request
        self._branch = branch
        self._method = method
        self._reliable = reliable
        self._interval = T1
        self._timer_e: float | None = None
        self._deadline: float | None = None
        self.state = ClientState.IDLE

    @property
    def branch(self) -> str:
        """The branch under which responses come back."""
        return self._branch

    def matches(self, response: Response) -> bool:
        """Whether the response belongs to this transaction: branch and CSeq method (§17.1.3).

        Raises:
            SipError: 400 where its Via or CSeq cannot be read.
        """
        return response.top_via.branch == self._branch and response.cseq.method == self._method

    def start(self, now: float) -> list[ClientEvent]:
        """Sends the request. Timers E and F start."""
        self.state = ClientState.TRYING
        self._deadline = now + TIMER_F
        self._timer_e = None if self._reliable else now + T1
        return [Send(self._request)]

    def receive(self, response: Response, now: float) -> list[ClientEvent]:
        """Takes a response that matches. Repeated final responses are absorbed."""
        if self.state not in (ClientState.TRYING, ClientState.PROCEEDING):
            return []
        if response.status < 200:
            self.state = ClientState.PROCEEDING
            return [Provisional(response)]
        self._timer_e = None
        if self._reliable:
            self._terminate()
        else:
            self.state = ClientState.COMPLETED
            self._deadline = now + T4
        return [Completed(response.status, response)]

    def transport_failed(self, now: float) -> list[ClientEvent]:
        """The request could not be sent, or an ICMP error came back (§17.1.4)."""
        return self._fail(503)

    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due; None where nothing is awaited any more."""
        if self._deadline is None:
            return None
        return self._deadline if self._timer_e is None else min(self._timer_e, self._deadline)

    def handle_timer(self, now: float) -> list[ClientEvent]:
        """Retransmits (timer E), gives up (F) or forgets (K), whatever is due; nothing if nothing is."""
        if self._deadline is not None and now >= self._deadline:
            return self._fail(408)
        if self._timer_e is None or now < self._timer_e:
            return []
        self._interval = T2 if self.state is ClientState.PROCEEDING else min(2 * self._interval, T2)
        self._timer_e = now + self._interval
        return [Send(self._request)]

    def _fail(self, status: int) -> list[ClientEvent]:
        undecided = self.state in (ClientState.TRYING, ClientState.PROCEEDING)
        self._terminate()
        return [Completed(status, None)] if undecided else []

    def _terminate(self) -> None:
        self.state = ClientState.TERMINATED
        self._timer_e = self._deadline = None


def transaction_key(request: Request) -> TransactionKey:
    """What is equal for a request and its retransmissions, and for nothing else (§17.2.3).

    A branch without the magic cookie, or with nothing after it (RFC 4475 §3.1.2.14), comes from a client of
    RFC 2543 and names nothing; then the whole of what identifies the request counts.

    Raises:
        SipError: 400 for a header that is missing or malformed.
    """
    via = request.top_via
    branch = via.branch
    method = "INVITE" if request.method == "ACK" else request.method
    if branch is not None and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.host, str(via.port or DEFAULT_PORT), method
    return (
        request.uri,
        request.to.tag or "",
        request.from_.tag or "",
        request.call_id,
        str(request.cseq.number),
        method,
        str(via),
    )


class Pending(Enum):
    """Stands in the table for an answer that is being worked out."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING


class ServerTransactions:
    """The final answers of the last 32 seconds (timer J), by transaction; bounded.

    Only requests that were authenticated get in, so nobody fills it from outside. Over capacity the oldest goes:
    its retransmissions are then processed anew.
    """

    def __init__(self, capacity: int, lifetime_seconds: float = TIMER_J) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self._lifetime_seconds = lifetime_seconds
        self._answers: OrderedDict[Hashable, tuple[float, bytes | Pending]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, key: Hashable) -> bytes | Pending | None:
        """The answer, :data:`PENDING` while there is none yet, None for a transaction that is not known."""
        entry = self._answers.get(key)
        return None if entry is None else entry[1]

    def begin(self, key: Hashable, now: float) -> None:
        """A request was taken up; its retransmissions are absorbed until :meth:`finish` or :meth:`forget`."""
        self._put(key, PENDING, now)

    def finish(self, key: Hashable, answer: bytes, now: float) -> None:
        """The final answer was sent; the lifetime starts anew."""
        self._put(key, answer, now)

    def forget(self, key: Hashable) -> None:
        """The request was given up without an answer."""
        self._answers.pop(key, None)

    def expire(self, now: float) -> None:
        """Drops what is older than the lifetime. Costs as much as it drops."""
        while self._answers:
            deadline, _ = next(iter(self._answers.values()))
            if deadline > now:
                return
            self._answers.popitem(last=False)

    def _put(self, key: Hashable, answer: bytes | Pending, now: float) -> None:
        self._answers[key] = (now + self._lifetime_seconds, answer)
        self._answers.move_to_end(key)
        if len(self._answers) > self.capacity:
            self._answers.popitem(last=False)
