"""A reload is done by what the carrier does, in whatever order that is seen."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from offhook.reload import progress
from offhook.reload.progress import ReloadRecord, ReloadState

QUEUED = ReloadRecord(
    id=1, device_id=2, carrier_id=2, revision=7, awaits_registration=False, actor="jane", created_at=1.0
)
SENT = progress.note_sent(QUEUED, "check-sync", 2.0)


def test_the_way_to_done() -> None:
    assert (SENT.state, SENT.attempts, SENT.sent_at, SENT.event) == (ReloadState.SENT, 1, 2.0, "check-sync")
    answered = progress.note_answer(SENT, 200, 3.0)
    assert (answered.state, answered.answer_status, answered.answered_at) == (ReloadState.ANSWERED, 200, 3.0)
    fetched = progress.note_fetched(answered, 7, 4.0)
    assert (fetched.state, fetched.fetched_at) == (ReloadState.FETCHED, 4.0)
    assert progress.note_lines(fetched, all_bound=False, now=5.0) == fetched
    done = progress.note_lines(fetched, all_bound=True, now=5.0)
    assert (done.state, done.finished_at) == (ReloadState.DONE, 5.0)


def test_a_fetch_before_the_answer_counts() -> None:
    fetched = progress.note_fetched(SENT, 8, 3.0)
    assert progress.note_answer(fetched, 200, 4.0) == replace(fetched, answer_status=200, answered_at=4.0)
    assert fetched.state is ReloadState.FETCHED


def test_neither_a_fetch_before_the_notify_nor_one_of_an_older_revision_counts() -> None:
    assert progress.note_fetched(QUEUED, 7, 3.0) == QUEUED
    assert progress.note_fetched(SENT, 6, 3.0) == SENT


def test_a_refusal_is_noted_and_judged_elsewhere() -> None:
    refused = progress.note_answer(SENT, 489, 3.0)
    assert (refused.state, refused.answer_status) == (ReloadState.SENT, 489)


def test_a_failure_has_its_reason() -> None:
    failed = progress.fail(SENT, "no power", 9.0)
    assert (failed.state, failed.reason, failed.finished_at) == (ReloadState.FAILED, "no power", 9.0)


STEPS = st.lists(st.sampled_from(["sent", "200", "408", "fetched", "old", "bound", "fail"]), max_size=12)


@given(STEPS)
def test_what_has_ended_stays_as_it_is(steps: list[str]) -> None:
    record, ended = QUEUED, None
    for step in steps:
        before = record
        match step:
            case "sent":
                record = progress.note_sent(record, "check-sync", 2.0)
            case "200" | "408":
                record = progress.note_answer(record, int(step), 3.0)
            case "fetched":
                record = progress.note_fetched(record, 7, 4.0)
            case "old":
                record = progress.note_fetched(record, 6, 4.0)
            case "bound":
                record = progress.note_lines(record, all_bound=True, now=5.0)
            case _:
                record = progress.fail(record, "no power", 6.0)
        if ended is not None:
            assert record == ended
        if record.state is ReloadState.DONE:
            assert record.fetched_at is not None
            assert record.sent_at is not None
        if record.state.is_final:
            ended = record
        assert record.state is not ReloadState.QUEUED or before.state is ReloadState.QUEUED
