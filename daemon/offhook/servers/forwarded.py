"""Who really asks, when a request comes through HTTP proxies that the operator trusts.

Each proxy appends the address that it was asked from to X-Forwarded-For. Read from the right, the first address that
is no trusted proxy is the requester; what stands left of it was written by the requester and means nothing.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def find_requester_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The requester's address; ``forwarded_for`` are the header's values in order.

    None where a trusted proxy passes on something that is no address: such a request must not count as the proxy's.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = peer
    while hops and _is_trusted(address, trusted):
        hop = hops.pop().strip('"')
        try:
            address = str(ip_address(hop.removeprefix("[").removesuffix("]")))
        except ValueError:
            return None
    return address


def was_secure(peer: str, forwarded_proto: str, trusted: Sequence[Network]) -> bool:
    """Whether a trusted proxy says that it was asked by https."""
    return _is_trusted(peer, trusted) and forwarded_proto.strip().lower() == "https"


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = ip_address(address.partition("%")[0])
    return any(parsed in network for network in trusted)
