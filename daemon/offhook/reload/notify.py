"""The NOTIFY that makes a phone fetch its configuration, and the answer to a phone that asks who we are.

It is sent out of any dialog, as phones expect it and RFC 6665 no longer describes: To without a tag, an Event that
the vendor chose, ``Subscription-State: terminated``. Cisco SPA and Grandstream challenge it with 401 and want the
line's own SIP credentials (RFC 3261 §22.2).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from offhook.secret import Secret
from offhook.sip.digest import (
    Algorithm,
    answer_challenge,
    authorization_header,
    challenge_header,
    choose_challenge,
    ha1,
)
from offhook.sip.message import Headers, Request, Response

#: A password at least this long cannot be guessed from a digest that was made for a realm of the other side's choice.
_UNGUESSABLE_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class Notification:
    """What to tell whom, and the names that tie a request to its retry."""

    contact_uri: str
    #: Request-URI: the registered Contact to the letter, since phones check its user part.
    address_of_record: str
    domain: str
    event: str
    call_id: str
    from_tag: str
    cseq: int


def build_notify(notification: Notification, *, authorization: tuple[str, str] | None = None) -> Request:
    """The request, without Via and Contact: whoever sends it knows the address that it leaves from."""
    headers = Headers(
        [
            ("Max-Forwards", "70"),
            ("From", f"<sip:offhook@{notification.domain}>;tag={notification.from_tag}"),
            ("To", f"<{notification.address_of_record}>"),
            ("Call-ID", notification.call_id),
            ("CSeq", f"{notification.cseq} NOTIFY"),
            ("Event", notification.event),
            ("Subscription-State", "terminated"),
        ]
    )
    if authorization is not None:
        headers.add(*authorization)
    return Request("NOTIFY", notification.contact_uri, headers, b"")


def answer_notify_challenge(
    notification: Notification,
    response: Response,
    *,
    auth_username: str,
    realm: str,
    password: Secret,
    cnonce: Callable[[], str],
) -> tuple[Notification, Request] | None:
    """The same NOTIFY with credentials and the next CSeq (RFC 3261 §8.1.3.5); None where none may be given.

    The phone chooses the realm. A password that a person made up is shown to the line's own realm only: in another,
    the digest would be the other side's to crack.
    """
    challenge = choose_challenge(response.headers.get_all(challenge_header(response.status)))
    if challenge is None:
        return None
    if challenge.realm != realm and len(password.reveal()) < _UNGUESSABLE_LENGTH:
        return None

    def get_ha1(algorithm: Algorithm, realm: str) -> str:
        return ha1(algorithm, auth_username, realm, password.reveal())

    value = answer_challenge(challenge, auth_username, get_ha1, "NOTIFY", notification.contact_uri, cnonce())
    again = replace(notification, cseq=notification.cseq + 1)
    return again, build_notify(again, authorization=(authorization_header(response.status), value))
