"""What this registrar grants, and which account a request is for."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from offhook.inventory.models import Account
from offhook.inventory.snapshot import Inventory
from offhook.sip.headers import DEFAULT_EXPIRES


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPolicy:
    """The settings of ``sip:`` and ``limits:`` that decide about a REGISTER. Times are in seconds."""

    min_expires: int = 60
    default_expires: int = 3600
    max_expires: int = 7200
    max_bindings: int = 10
    #: Per address of record; one more displaces the stalest.
    own_hosts: frozenset[str] = frozenset()
    #: Hosts besides the SIP domains that mean this server, e.g. the advertised one; see :func:`canonical_host`.

    def grant(self, asked: int) -> int | None:
        """Seconds granted to a binding that asked for so many; None where that is too brief (RFC 3261 §10.3 step 7).

        Too brief is only what is below an hour as well as below the minimum: a phone that asks for an hour or more
        cannot be told to ask for more.
        """
        if 0 < asked < min(self.min_expires, DEFAULT_EXPIRES):
            return None
        return min(asked, self.max_expires)


@lru_cache(maxsize=4096)
def canonical_host(host: str) -> str:
    """One spelling for a host name or address, so that two can be compared."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return host.lower().rstrip(".")


def find_account(
    inventory: Inventory, request_host: str, to_host: str | None, own_hosts: Collection[str]
) -> Account | None:
    """The account that a request is for.

    The host of the Request-URI names it where it is a SIP domain; else that of the To; else, where the request was
    sent to one of our own addresses and there is one account, it is that one. Phones that were given an address
    instead of a domain are served by the last rule.
    """
    account = inventory.find_domain(canonical_host(request_host))
    if account is None and to_host is not None:
        account = inventory.find_domain(canonical_host(to_host))
    if account is None and canonical_host(request_host) in own_hosts and inventory.count(Account) == 1:
        account = next(iter(inventory.all(Account)))
    return account


def is_domain_of(account: Account, host: str) -> bool:
    """Whether the host is the account's SIP domain, or was until lately."""
    host = canonical_host(host)
    return host == account.sip_domain or host in account.former_domains
