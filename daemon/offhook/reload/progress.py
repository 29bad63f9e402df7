"""One reload, from its NOTIFY to the proof that the device runs what it should.

    queued ──sent──> sent ──2xx──> answered ──fetched revision n──> fetched ──lines bound──> done
       │               │              │                               │
       └───────────────┴──────────────┴────────────── failed <────────┘

A 200 to NOTIFY promises nothing; only the fetch of revision n, to its last byte, counts (X1). Bindings made with the
credentials of revision n are awaited only where the device did not hold these credentials before: phones do not
register again otherwise. What is awaited arrives in any order, so a phone that fetches before its 200 arrives is
done all the same.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class ReloadState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    ANSWERED = "answered"
    FETCHED = "fetched"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (ReloadState.DONE, ReloadState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRecord:
    """Where one reload stands. Times are seconds since the epoch."""

    id: int
    device_id: int
    #: Whose reload was asked for: a handset, say.
    carrier_id: int
    #: Who performs it.
    revision: int
    #: What the carrier should run in the end.
    awaits_registration: bool
    actor: str
    created_at: float
    state: ReloadState = ReloadState.QUEUED
    event: str = ""
    #: The Event of the NOTIFY sent last.
    answer_status: int | None = None
    attempts: int = 0
    reason: str = ""
    #: Why it failed, and what to do.
    sent_at: float | None = None
    answered_at: float | None = None
    fetched_at: float | None = None
    finished_at: float | None = None


def note_sent(record: ReloadRecord, event: str, now: float) -> ReloadRecord:
    """A NOTIFY goes out, the first or a further one."""
    if record.state.is_final:
        return record
    sent = replace(record, event=event, attempts=record.attempts + 1, sent_at=now)
    return replace(sent, state=ReloadState.SENT) if record.state is ReloadState.QUEUED else sent


def note_answer(record: ReloadRecord, status: int, now: float) -> ReloadRecord:
    """The final answer to it; a refusal is judged by who sends, since another event may do."""
    if record.state.is_final:
        return record
    answered = replace(record, answer_status=status, answered_at=now)
    if record.state is ReloadState.SENT and 200 <= status < 300:
        return replace(answered, state=ReloadState.ANSWERED)
    return answered


def note_fetched(record: ReloadRecord, revision: int, now: float) -> ReloadRecord:
    """The carrier was given a file that proves this revision."""
    if record.state.is_final or record.state is ReloadState.QUEUED or revision < record.revision:
        return record
    return replace(record, state=ReloadState.FETCHED, fetched_at=now)


def note_lines(record: ReloadRecord, *, all_bound: bool, now: float) -> ReloadRecord:
    """Whether every line that should be bound is, with the credentials of the revision where these are new."""
    if record.state is not ReloadState.FETCHED or not all_bound:
        return record
    return replace(record, state=ReloadState.DONE, finished_at=now)


def fail(record: ReloadRecord, reason: str, now: float) -> ReloadRecord:
    """Ends it with a reason, unless it has ended."""
    if record.state.is_final:
        return record
    return replace(record, state=ReloadState.FAILED, reason=reason, finished_at=now)
