"""The NOTIFY as phones want it, and credentials for those who may have them."""

import pytest

from offhook.reload.notify import Notification, answer_notify_challenge, build_notify
from offhook.secret import Secret
from offhook.sip.digest import Algorithm, ha1, parse_authorization, verify
from offhook.sip.message import Headers, Response

NOTIFICATION = Notification(
    contact_uri="sip:2001@192.0.2.7:5062;line=abc123",
    address_of_record="sip:2001@acme.test",
    domain="acme.test",
    event="check-sync;reboot=false",
    call_id="c1",
    from_tag="t1",
    cseq=42,
)
GENERATED = Secret("k7mq2vzw9xhbtr4dnc8fjpsy")


def challenged(*values: str, status: int = 401) -> Response:
    header = "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"
    return Response(status, "Unauthorized", Headers([(header, value) for value in values]))


def answer(response: Response, password: Secret = GENERATED) -> tuple[Notification, str] | None:
    answered = answer_notify_challenge(
        NOTIFICATION, response, auth_username="2001-abc", realm="acme.test", password=password, cnonce=lambda: "cn"
    )
    if answered is None:
        return None
    header = "Proxy-Authorization" if response.status == 407 else "Authorization"
    return answered[0], answered[1].headers.get(header) or ""


def test_the_request_goes_to_the_contact_to_the_letter() -> None:
    assert build_notify(NOTIFICATION).format() == (
        b"NOTIFY sip:2001@192.0.2.7:5062;line=abc123 SIP/2.0\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:offhook@acme.test>;tag=t1\r\n"
        b"To: <sip:2001@acme.test>\r\n"
        b"Call-ID: c1\r\n"
        b"CSeq: 42 NOTIFY\r\n"
        b"Event: check-sync;reboot=false\r\n"
        b"Subscription-State: terminated\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_is_answered_with_the_next_cseq(status: int) -> None:
    answered = answer(challenged('Digest realm="acme.test", nonce="n", qop="auth"', status=status))
    assert answered is not None
    again, value = answered
    assert (again.cseq, again.call_id) == (43, "c1")
    credentials = parse_authorization(value)
    assert credentials is not None
    assert credentials.uri == NOTIFICATION.contact_uri
    assert verify(credentials, ha1(Algorithm.MD5, "2001-abc", "acme.test", GENERATED.reveal()), "NOTIFY")


def test_a_phone_that_asks_for_more_is_given_the_topmost_that_we_know() -> None:
    answered = answer(
        challenged(
            'Digest realm="acme.test", nonce="n", algorithm=SHA-999',
            'Digest realm="acme.test", nonce="n", algorithm=SHA-256, qop="auth"',
            'Digest realm="acme.test", nonce="n"',
        )
    )
    assert answered is not None
    assert "algorithm=SHA-256" in answered[1]


def test_a_password_that_a_person_made_up_is_shown_to_its_own_realm_alone() -> None:
    short = Secret("Sesame234")
    assert answer(challenged('Digest realm="evil.test", nonce="n"'), short) is None
    assert answer(challenged('Digest realm="acme.test", nonce="n"'), short) is not None


def test_a_generated_password_cannot_be_cracked_and_answers_any_realm() -> None:
    assert answer(challenged('Digest realm="VOIP phone", nonce="n"')) is not None


def test_without_a_challenge_that_can_be_answered_nothing_is_shown() -> None:
    assert answer(challenged()) is None
    assert answer(challenged('Basic realm="acme.test"')) is None
    assert answer(challenged('Digest realm="acme.test", nonce="n", qop="auth-int"')) is None
