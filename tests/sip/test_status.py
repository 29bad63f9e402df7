"""Reason phrases."""

import pytest

from offhook.sip.status import REASON_PHRASES, reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (200, "OK"),
        (401, "Unauthorized"),
        (423, "Interval Too Brief"),
        (481, "Call/Transaction Does Not Exist"),
        (489, "Bad Event"),
        (503, "Service Unavailable"),
        (505, "Version Not Supported"),
        (513, "Message Too Large"),
    ],
)
def test_a_known_status_has_the_phrase_of_its_rfc(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


def test_an_unknown_status_has_the_phrase_of_its_class() -> None:
    """RFC 3261 §8.1.3.2: an unknown response is treated as x00."""
    assert reason_phrase(499) == "Bad Request"
    assert reason_phrase(299) == "OK"
    assert reason_phrase(999) == "Unknown"


def test_every_phrase_fits_into_a_status_line() -> None:
    assert all(100 <= status < 700 and phrase.isprintable() for status, phrase in REASON_PHRASES.items())
