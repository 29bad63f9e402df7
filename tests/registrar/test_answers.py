"""Responses that need no memory."""

from tests.support.registrar import FLOW, SipPhone

from offhook.registrar.answers import Refused, Responder


def test_same_request_gets_the_same_octets() -> None:
    request = SipPhone().register()
    responder = Responder(b"key")
    first = responder.format(request, FLOW, 404)
    assert first == responder.format(request, FLOW, 404)
    assert first != Responder(b"other key").format(request, FLOW, 404)
    assert b";tag=" in first.split(b"To: ")[1].split(b"\r\n")[0]


def test_tag_of_an_in_dialog_request_is_kept() -> None:
    answer = Responder(b"key").format(SipPhone().register(to="<sip:2001@acme.test>;tag=theirs"), FLOW, 481)
    assert answer.count(b"tag=") == 2
    assert b"tag=theirs" in answer


def test_malformed_to_is_answered_without_a_tag() -> None:
    assert b"To: <broken\r\n" in Responder(b"key").format(SipPhone().register(to="<broken"), FLOW, 400)


def test_refusal_carries_headers() -> None:
    error = Refused(423, "Interval Too Brief", [("Min-Expires", "60")])
    assert (error.status, error.reason, error.headers) == (423, "Interval Too Brief", (("Min-Expires", "60"),))
