"""Digest access authentication, RFC 3261 §22, RFC 7616 and RFC 8760, for both sides.

As a server: :class:`NonceSource` makes nonces that need no memory, :class:`Challenge` prints a challenge,
:func:`parse_authorization` and :func:`verify` judge the answer. As a client, for phones that challenge our NOTIFY:
:func:`choose_challenge` and :func:`answer_challenge`.

HA1 is H(username:realm:password) in hexadecimal, and stands in for the password of one realm and algorithm.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self
from urllib.parse import unquote

from offhook.errors import SipError
from offhook.sip.header_names import is_token
from offhook.sip.headers import parse_auth_parameters, quote_string

#: How far a nonce may be dated ahead of our clock: clocks are set back now and then.
CLOCK_SKEW_SECONDS: Final = 3.0

_MAC_BYTES: Final = 16
_TIME_BYTES: Final = 6


class Algorithm(Enum):
    """A hash of RFC 8760 §2.1, under its name on the wire."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"
    SHA_512_256 = "SHA-512-256"


class NonceState(Enum):
    """What :meth:`NonceSource.check` found."""

    VALID = "valid"
    STALE = "stale"
    #: Ours, but too old: with the right password the answer is a new challenge with ``stale=true``.
    FORGED = "forged"
    #: Not ours, or minted under a key that is gone.


_BY_NAME: Final = {algorithm.value.upper(): algorithm for algorithm in Algorithm}


def digest_hex(algorithm: Algorithm, text: str) -> str:
    """The hash of ``text`` in lower-case hexadecimal."""
    data = text.encode("utf-8", "surrogatepass")
    if algorithm is Algorithm.MD5:
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    if algorithm is Algorithm.SHA_256:
        return hashlib.sha256(data).hexdigest()
    return hashlib.new("sha512_256", data).hexdigest()


def ha1(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """H(A1) of RFC 7616 §3.4.2, in hexadecimal."""
    return digest_hex(algorithm, f"{username}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The Digest credentials in an Authorization or Proxy-Authorization header, RFC 7616 §3.4."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    algorithm: Algorithm | None = Algorithm.MD5
    #: MD5 where the client names none; None for one that we do not know.
    opaque: str | None = None
    qop: str | None = None
    #: Lower case; None in the older form of RFC 2069.
    cnonce: str | None = None
    nc: int | None = None
    nc_text: str | None = None
    #: As the client wrote and hashed it.


def parse_authorization(value: str) -> Credentials | None:
    """Reads an Authorization header; None for a scheme other than Digest (RFC 4475 §3.3.7).

    Raises:
        SipError: 400 where it is Digest and malformed or incomplete.
    """
    scheme, _, rest = value.partition(" ")
    if scheme != "Digest" and scheme.strip("\t").lower() != "digest":
        return None
    parameters = parse_auth_parameters(rest)
    get = parameters.get
    username = get("username")
    if username is None:
        username = _extended_value(get("username*"))
    realm, nonce, uri, response = get("realm"), get("nonce"), get("uri"), get("response")
    if username is None or realm is None or nonce is None or uri is None or response is None:
        raise SipError(400, "Incomplete Digest credentials")
    algorithm, qop, nc_text = get("algorithm"), get("qop"), get("nc")
    return Credentials(
        username,
        realm,
        nonce,
        uri,
        response,
        Algorithm.MD5 if algorithm is None else _BY_NAME.get(algorithm.upper()),
        get("opaque"),
        qop.lower() if qop else None,
        get("cnonce"),
        None if nc_text is None else _parse_nonce_count(nc_text),
        nc_text,
    )


def _extended_value(text: str | None) -> str | None:
    """A ``username*``, RFC 5987 §3.2 (RFC 7616 §3.4)."""
    if text is None:
        return None
    charset, _, rest = text.partition("'")
    _, quote, encoded = rest.partition("'")
    if charset.upper() != "UTF-8" or not quote:
        raise SipError(400, "Malformed Digest credentials")
    return unquote(encoded)


def _parse_nonce_count(text: str) -> int:
    if not 0 < len(text) <= 8 or not text.isascii() or not text.isalnum():
        raise SipError(400, "Malformed nonce count")
    try:
        return int(text, 16)
    except ValueError:
        raise SipError(400, "Malformed nonce count") from None


def expected_response(credentials: Credentials, ha1: str, method: str) -> str:
    """The response that whoever knows ``ha1`` would have computed (RFC 7616 §3.4.1, RFC 2617 §3.2.2.1).

    Raises:
        ValueError: for an algorithm or qop that :func:`verify` refuses.
    """
    algorithm, qop = credentials.algorithm, credentials.qop
    if algorithm is None or qop not in (None, "auth"):
        raise ValueError("only credentials with a known algorithm and qop can be computed")
    ha2 = digest_hex(algorithm, f"{method}:{credentials.uri}")
    if qop is None:
        return digest_hex(algorithm, f"{ha1}:{credentials.nonce}:{ha2}")
    return digest_hex(algorithm, f"{ha1}:{credentials.nonce}:{credentials.nc_text}:{credentials.cnonce}:{qop}:{ha2}")


def verify(credentials: Credentials, ha1: str, method: str) -> bool:
    """Whether the client knows ``ha1``, which must be of the credentials' algorithm; compared in constant time.

    The form without qop (RFC 2069) is accepted, since pyVoIP and older phones send it.
    """
    if credentials.algorithm is None or credentials.qop not in (None, "auth"):
        return False
    if credentials.qop is not None and (credentials.cnonce is None or credentials.nc is None):
        return False
    expected = expected_response(credentials, ha1, method)
    return hmac.compare_digest(expected.encode(), credentials.response.lower().encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Challenge:
    """The Digest challenge of a WWW-Authenticate or Proxy-Authenticate header, RFC 7616 §3.3."""

    realm: str
    nonce: str
    algorithm: Algorithm | None = Algorithm.MD5
    #: MD5 where the server names none; None for one that we do not know.
    qop: tuple[str, ...] = ("auth",)
    #: Lower case; empty in the older form of RFC 2069.
    opaque: str | None = None
    stale: bool = False
    names_algorithm: bool = True
    #: Whether the algorithm is written out; the answer repeats it then.

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """Reads a challenge; None for a scheme other than Digest.

        Raises:
            SipError: 400.
        """
        scheme, _, rest = value.partition(" ")
        if scheme.strip("\t").lower() != "digest":
            return None
        parameters = parse_auth_parameters(rest)
        realm, nonce, algorithm = parameters.get("realm"), parameters.get("nonce"), parameters.get("algorithm")
        if realm is None or nonce is None:
            raise SipError(400, "Incomplete Digest challenge")
        return cls(
            realm,
            nonce,
            Algorithm.MD5 if algorithm is None else _BY_NAME.get(algorithm.upper()),
            tuple(part for part in parameters.get("qop", "").lower().replace(" ", "").split(",") if part),
            parameters.get("opaque"),
            parameters.get("stale", "").lower() == "true",
            algorithm is not None,
        )

    def __str__(self) -> str:
        parts = [f"Digest realm={quote_string(self.realm)}, nonce={quote_string(self.nonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={quote_string(self.opaque)}")
        if self.stale:
            parts.append("stale=true")
        if self.names_algorithm and self.algorithm is not None:
            parts.append(f"algorithm={self.algorithm.value}")
        if self.qop:
            parts.append(f'qop="{",".join(self.qop)}"')
        return ", ".join(parts)

    @property
    def is_answerable(self) -> bool:
        """Whether we know its algorithm and one of its qops."""
        return self.algorithm is not None and (not self.qop or "auth" in self.qop)


def choose_challenge(values: Iterable[str]) -> Challenge | None:
    """The topmost challenge that we can answer (RFC 8760 §2.4); malformed ones are passed over."""
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except SipError:
            continue
        if challenge is not None and challenge.is_answerable:
            return challenge
    return None


def challenge_header(status: int) -> str:
    """The header that holds the challenges of a 401 or 407."""
    return "Proxy-Authenticate" if status == 407 else "WWW-Authenticate"


def authorization_header(status: int) -> str:
    """The header that holds the answer to a 401 or 407."""
    return "Proxy-Authorization" if status == 407 else "Authorization"


def answer_challenge(
    challenge: Challenge,
    username: str,
    get_ha1: Callable[[Algorithm, str], str],
    method: str,
    uri: str,
    cnonce: str,
    nc: int = 1,
) -> str:
    """The value of the Authorization header that answers ``challenge``.

    Args:
        challenge: One that :func:`choose_challenge` gave.
        username: The authentication name.
        get_ha1: Gives the HA1 for an algorithm and a realm. The realm is the phone's own choice.
        method: Of the request.
        uri: The Request-URI.
        cnonce: Fresh randomness.
        nc: How often this nonce has been used, this time included.

    Raises:
        ValueError: where the challenge cannot be answered.
    """
    algorithm = challenge.algorithm
    if algorithm is None or not challenge.is_answerable:
        raise ValueError("the challenge asks for an algorithm or qop that is not supported")
    with_qop = bool(challenge.qop)
    credentials = Credentials(
        username,
        challenge.realm,
        challenge.nonce,
        uri,
        "",
        algorithm,
        challenge.opaque,
        "auth" if with_qop else None,
        cnonce if with_qop else None,
        nc if with_qop else None,
        f"{nc:08x}" if with_qop else None,
    )
    response = expected_response(credentials, get_ha1(algorithm, challenge.realm), method)
    parts = [
        f"Digest username={quote_string(username)}, realm={quote_string(challenge.realm)}",
        f'nonce={quote_string(challenge.nonce)}, uri={quote_string(uri)}, response="{response}"',
    ]
    if challenge.names_algorithm:
        parts.append(f"algorithm={algorithm.value}")
    if challenge.opaque is not None:
        parts.append(f"opaque={quote_string(challenge.opaque)}")
    if with_qop:
        parts.append(f"qop=auth, nc={nc:08x}, cnonce={quote_string(cnonce)}")
    return ", ".join(parts)


class NonceSource:
    """Mints nonces and knows them again without keeping them (RFC 7616 §3.3, RFC 3261 §8.2.7).

    A nonce is ``<key id>.<base64url of time, randomness and HMAC>``. The HMAC covers the realm, but not the
    algorithm: pyVoIP answers with MD5 and whichever nonce it meets first. Keys are rolled over by putting a new one
    first; nonces of the others stay good until their key is removed.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]], lifetime_seconds: float) -> None:
        if not keys or not all(is_token(key_id) and "." not in key_id for key_id, _ in keys):
            raise ValueError("a nonce source needs at least one key, with ids that are tokens without dots")
        self._keys = dict(keys)
        self._key_id, self._key = keys[0]
        self._lifetime_seconds = lifetime_seconds

    def mint(self, now: float, realm: str, random: bytes) -> str:
        """A new nonce. ``now`` is seconds since the epoch; ``random`` makes nonces of one millisecond differ."""
        payload = int(now * 1000).to_bytes(_TIME_BYTES, "big") + random
        return _format_nonce(self._key_id, self._key, payload, realm)

    def check(self, nonce: str, now: float, realm: str) -> NonceState:
        """Whether the nonce is one of ours for this realm, and still good."""
        key_id, _, encoded = nonce.partition(".")
        key = self._keys.get(key_id)
        if key is None or len(nonce) > 512 or not encoded.isascii():
            return NonceState.FORGED
        try:
            raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return NonceState.FORGED
        payload = raw[:-_MAC_BYTES]
        if len(payload) < _TIME_BYTES:
            return NonceState.FORGED
        # The whole text is compared, since base64 has several spellings for the same octets.
        if not hmac.compare_digest(nonce, _format_nonce(key_id, key, payload, realm)):
            return NonceState.FORGED
        age = now - int.from_bytes(payload[:_TIME_BYTES], "big") / 1000
        return NonceState.VALID if -CLOCK_SKEW_SECONDS <= age <= self._lifetime_seconds else NonceState.STALE


def _format_nonce(key_id: str, key: bytes, payload: bytes, realm: str) -> str:
    message = b"\0".join((key_id.encode(), realm.encode("utf-8", "surrogatepass"), payload))
    mac = hmac.digest(key, message, "sha256")[:_MAC_BYTES]
    return f"{key_id}.{base64.urlsafe_b64encode(payload + mac).decode().rstrip('=')}"
