"""Header names: one spelling for each, whatever its case or form on the wire (RFC 3261 §7.3.1 and §7.3.3)."""

import re
from functools import lru_cache
from typing import Final

from offhook.errors import SipError

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]++")

_COMPACT: Final[dict[str, str]] = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_KNOWN: Final = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Authentication-Info",
    "Authorization",
    "Call-Info",
    "Content-Disposition",
    "Content-Language",
    "CSeq",
    "Date",
    "Error-Info",
    "Expires",
    "Flow-Timer",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Organization",
    "Path",
    "Priority",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Reason",
    "Record-Route",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "Server",
    "Service-Route",
    "Subscription-State",
    "Timestamp",
    "Unsupported",
    "User-Agent",
    "Warning",
    "WWW-Authenticate",
)


def _canonical_table() -> dict[str, str]:
    table: dict[str, str] = {}
    for name in (*_KNOWN, *_COMPACT.values()):
        table.update({name: name, name.lower(): name, name.upper(): name})
    for compact, name in _COMPACT.items():
        table.update({compact: name, compact.upper(): name})
    return table


#: Usual spellings of the names that are met daily; the rest goes through :func:`canonical_name`.
CANONICAL_NAMES: Final = _canonical_table()


@lru_cache(maxsize=1024)
def canonical_name(name: str) -> str:
    """The one spelling of a header name: case and compact forms resolved (RFC 3261 §7.3.1, §7.3.3).

    Raises:
        SipError: 400 where it is not a token.
    """
    known = CANONICAL_NAMES.get(name) or CANONICAL_NAMES.get(name.lower())
    if known:
        return known
    if not _TOKEN.fullmatch(name):
        raise SipError(400, "Malformed header name")
    return name.title()


def is_token(text: str) -> bool:
    """Whether ``text`` is a token, RFC 3261 §25.1."""
    return _TOKEN.fullmatch(text) is not None
