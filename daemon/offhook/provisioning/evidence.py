"""What a request says about its sender, before anything is believed.

A path and a User-Agent are claims of a stranger: they find a device, they never prove one.
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offhook.observability.logging import redact_path
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.vendors import AgentKind, AgentMatch, FileMatch
from offhook.secret import Secret

#: Longer names are not looked at; the longest that a phone asks for has about 130 characters with its token.
MAX_PATH_CHARACTERS: Final = 512
_MAX_AGENT_CHARACTERS: Final = 256
#: C0, DEL, C1, marks of writing direction, line and paragraph separators, surrogates.
_UNSHOWABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_TOKEN: Final = re.compile(r"[a-z2-7]{26}")


class TokenKind(StrEnum):
    """Whose token a path carries, as its first letter says."""

    ACCOUNT = "p"
    DEVICE = "d"


@dataclass(frozen=True, slots=True)
class PathToken:
    """A token that a path shows, true or not."""

    kind: TokenKind
    text: Secret

    @property
    def is_well_formed(self) -> bool:
        """26 characters of base32, as all tokens are."""
        return _TOKEN.fullmatch(self.text.reveal()) is not None


@dataclass(frozen=True, slots=True)
class RequestPath:
    """A path taken apart: a token if it shows one, and the name of a file. Other folders mean nothing."""

    name: str
    token: PathToken | None = None

    @property
    def redacted(self) -> str:
        """For logs and events. A token that stands where the name should is told just as little."""
        name = redact_path(self.name)
        return f"{self.token.kind}/{Secret.MASK}/{name}" if self.token else name


def parse_request_path(path: str) -> RequestPath | None:
    """Takes a decoded path apart; None for one that no phone would send.

    The name is looked up in tables and never used as a path, so the refusals here are for clear logs, not the wall.
    """
    if len(path) > MAX_PATH_CHARACTERS or _FORBIDDEN.search(path):
        return None
    segments = [segment for segment in path.split("/") if segment]
    if not segments or any(segment in (".", "..") for segment in segments):
        return None
    name = segments.pop()
    if segments and segments[-1].lower() in ("p", "d"):
        return None
    for index, segment in enumerate(segments[:-1]):
        if segment.lower() in ("p", "d"):
            return RequestPath(name, PathToken(TokenKind(segment.lower()), Secret(segments[index + 1].lower())))
    return RequestPath(name)


def clean_user_agent(text: str) -> str:
    """A User-Agent fit to be stored and shown: at most 256 characters, none that could draw over its neighbours."""
    return _UNSHOWABLE.sub("", text[: 2 * _MAX_AGENT_CHARACTERS])[:_MAX_AGENT_CHARACTERS]


def parse_source(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a request came from; IPv4 inside IPv6 is IPv4, and the zone of a link is dropped."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


@dataclass(frozen=True, slots=True)
class Claims:
    """All that a request says."""

    files: tuple[FileMatch, ...]
    #: What the name means, to each vendor whose firmware asks for such a one.
    agent: AgentMatch | None
    mac: str | None
    #: In the name.
    mac_vendor: str | None
    #: To whom that MAC's address block belongs.


def gather_claims(catalog: Catalog, path: RequestPath, user_agent: str) -> Claims:
    """Reads path and User-Agent by the tables of the vendors."""
    files = catalog.match_file(path.name)
    mac = next((match.mac for match in files if match.mac), None)
    return Claims(
        files=files,
        agent=catalog.match_agent(AgentKind.HTTP, user_agent) if user_agent else None,
        mac=mac,
        mac_vendor=catalog.find_vendor_by_mac(mac) if mac else None,
    )
