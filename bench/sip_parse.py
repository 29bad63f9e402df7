"""Times what one authenticated REGISTER costs before the registrar sees it, beside sipmessage.

    .venv/bin/python bench/sip_parse.py

Both parse the same octets and read the same values: top Via with branch, From and To with tags, Call-ID, CSeq, the
contact, Expires and the digest credentials. The best of several rounds is printed, since the rest is other
programs' doing. Then the single steps that follow a parsed REGISTER.
"""

import os
import time
from collections.abc import Callable

import sipmessage

from offhook.sip.digest import Algorithm, NonceSource, ha1, parse_authorization, verify
from offhook.sip.message import Request, build_response
from offhook.sip.parser import parse_message
from offhook.sip.transactions import transaction_key
from offhook.sip.uri import SipUri

REGISTER = (
    b"REGISTER sip:acme.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.168.10.21:5062;rport;branch=z9hG4bK1530231893\r\n"
    b'From: "Jane Smith" <sip:2001@acme.example.com>;tag=1826117083\r\n'
    b'To: "Jane Smith" <sip:2001@acme.example.com>\r\n'
    b"Call-ID: 0_2434541735@192.168.10.21\r\n"
    b"CSeq: 2 REGISTER\r\n"
    b"Contact: <sip:2001@192.168.10.21:5062;line=5f1a8e>\r\n"
    b'Authorization: Digest username="2001-k7q2mx", realm="acme.example.com",'
    b' nonce="k1.AZz3Q6sAXY4sW7cG1pQ2Zt9mY0aVbUjX5rT8nLw", uri="sip:acme.example.com",'
    b' response="6629fae49393a05397450978507c4ef1", algorithm=MD5, cnonce="0a4f113b", opaque="offhook",'
    b" qop=auth, nc=00000001\r\n"
    b"Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE\r\n"
    b"Max-Forwards: 70\r\n"
    b"User-Agent: Yealink SIP-T46U 108.86.0.20 001565123456\r\n"
    b"Expires: 3600\r\n"
    b"Allow-Events: talk,hold,conference,refer,check-sync\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def read_with_offhook() -> object:
    request = parse_message(REGISTER)
    assert isinstance(request, Request)
    authorization = request.headers.get("Authorization")
    assert authorization is not None
    return (
        request.top_via.branch,
        request.from_.tag,
        request.to.tag,
        request.call_id,
        request.cseq,
        request.contacts[0].uri,
        request.contacts[0].expires,
        request.expires,
        parse_authorization(authorization),
    )


def read_with_sipmessage() -> object:
    request = sipmessage.Message.parse(REGISTER)
    authorization = request.authorization
    return (
        request.via[0].parameters.get("branch"),
        request.from_address.parameters.get("tag"),
        request.to_address.parameters.get("tag"),
        request.call_id,
        request.cseq,
        str(request.contact[0].uri),
        request.contact[0].parameters.get("expires"),
        request.expires,
        authorization.parameters if isinstance(authorization, sipmessage.AuthCredentials) else authorization,
    )


def microseconds(function: Callable[[], object], rounds: int = 200, calls: int = 200) -> float:
    """The best mean over ``calls`` calls of any of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            function()
        best = min(best, (time.perf_counter() - started) / calls)
    return best * 1e6


def main() -> None:
    request = parse_message(REGISTER)
    assert isinstance(request, Request)
    authorization = request.headers.get("Authorization")
    assert authorization is not None
    credentials = parse_authorization(authorization)
    assert credentials is not None
    secret = ha1(Algorithm.MD5, credentials.username, credentials.realm, "secret")
    nonces = NonceSource([("k1", os.urandom(32))], 3600)
    nonce = nonces.mint(1e9, "acme.example.com", os.urandom(6))
    extra = [("Contact", "<sip:2001@192.168.10.21:5062;line=5f1a8e>;expires=3600"), ("Server", "Offhook")]
    ours = microseconds(read_with_offhook)
    theirs = microseconds(read_with_sipmessage, rounds=40, calls=50)
    print(f"REGISTER of {len(REGISTER)} octets, parsed and read")
    print(f"  offhook     {ours:7.2f} µs")
    print(f"  sipmessage  {theirs:7.2f} µs   {theirs / ours:.1f} times as much")
    steps: dict[str, Callable[[], object]] = {
        "parse_message alone": lambda: parse_message(REGISTER),
        "parse_authorization": lambda: parse_authorization(authorization),
        "verify (MD5)": lambda: verify(credentials, secret, "REGISTER"),
        "nonce minted": lambda: nonces.mint(1e9, "acme.example.com", b"123456"),
        "nonce checked": lambda: nonces.check(nonce, 1e9, "acme.example.com"),
        "transaction key": lambda: transaction_key(request),
        "address of record": lambda: SipUri.parse(request.to.uri).address_of_record(),
        "response built and formatted": lambda: bytes(
            build_response(request, 200, to_tag="a1b2c3", headers=extra, received=("203.0.113.9", 5062))
        ),
    }
    for name, function in steps.items():
        print(f"  {name:30} {microseconds(function):6.2f} µs")


if __name__ == "__main__":
    main()
