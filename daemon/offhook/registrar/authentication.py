"""Who sent a request: digest authentication that keeps nothing until somebody has proved who he is.

An unknown name, a wrong password and a disabled device take the same path and get the same answer, so that nobody
learns which names exist; only the operator is told the difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offhook.errors import SipError
from offhook.inventory.models import Account, Credential, CredentialState, Device, Line
from offhook.inventory.snapshot import Inventory
from offhook.registrar.policy import is_domain_of
from offhook.sip.digest import Algorithm, Challenge, Credentials, NonceSource, NonceState, parse_authorization, verify
from offhook.sip.message import Request

#: Verified against where there is no such user; nobody has a password with this HA1.
_NOBODY: Final = {Algorithm.MD5: "0" * 32, Algorithm.SHA_256: "0" * 64, Algorithm.SHA_512_256: "0" * 64}
#: From strong to weak, RFC 8760 §2.4.
_STRENGTH: Final = (Algorithm.SHA_512_256, Algorithm.SHA_256, Algorithm.MD5)
_NONCE_RANDOM_BYTES: Final = 6


class AuthFailure(StrEnum):
    """Why credentials were refused: for the operator, never for who showed them."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"
    ALGORITHM_NOT_OFFERED = "algorithm_not_offered"
    DEVICE_DISABLED = "device_disabled"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The sender knows the password of these credentials."""

    credential: Credential
    line: Line
    device: Device
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class NotAuthenticated:
    """The sender must be challenged."""

    is_stale: bool = False
    #: The password was right, only the nonce is not good any more.
    failure: AuthFailure | None = None
    #: None where no credentials for us were shown.
    auth_username: str = ""
    device_id: int = 0


class Authenticator:
    """Challenges, and judges the answers."""

    def __init__(self, nonces: NonceSource, random: Callable[[int], bytes]) -> None:
        self._nonces = nonces
        self._random = random

    def challenges(self, account: Account, realm: str, now: float, *, is_stale: bool) -> list[tuple[str, str]]:
        """A WWW-Authenticate header for each algorithm of the account, strongest first."""
        nonce = self._nonces.mint(now, realm, self._random(_NONCE_RANDOM_BYTES))
        return [
            ("WWW-Authenticate", str(Challenge(realm, nonce, algorithm, stale=is_stale)))
            for algorithm in _offered(account)
        ]

    def authenticate(
        self, request: Request, inventory: Inventory, account: Account, now: float
    ) -> Authenticated | NotAuthenticated:
        """Judges the Authorization headers of a request (RFC 3261 §22.1).

        Raises:
            SipError: 400 where the only credentials are malformed.
        """
        credentials = _choose(request, account)
        if credentials is None:
            return NotAuthenticated()
        candidates = _candidates(inventory, account, credentials, now)
        device = _device_of(inventory, candidates[0]) if candidates else None
        nonce_state = self._nonces.check(credentials.nonce, now, credentials.realm)
        proven = _find_proven(candidates, credentials, account, request.method)
        if proven is None or device is None or not inventory.is_in_service(device):
            if device is None:
                failure = AuthFailure.UNKNOWN_USER
            elif credentials.algorithm not in _offered(account):
                failure = AuthFailure.ALGORITHM_NOT_OFFERED
            else:
                failure = AuthFailure.WRONG_PASSWORD if proven is None else AuthFailure.DEVICE_DISABLED
            return NotAuthenticated(
                failure=failure, auth_username=credentials.username, device_id=device.id if device else 0
            )
        if nonce_state is not NonceState.VALID:
            return NotAuthenticated(is_stale=True)
        return Authenticated(proven, inventory.get(Line, proven.line_id), device, credentials)


def _offered(account: Account) -> list[Algorithm]:
    return [algorithm for algorithm in _STRENGTH if algorithm.value in account.digest_algorithms]


def _choose(request: Request, account: Account) -> Credentials | None:
    """The credentials meant for us among those shown: of a realm of ours, and of the strongest algorithm offered."""
    fault: SipError | None = None
    found: list[Credentials] = []
    for value in request.headers.get_all("Authorization"):
        try:
            credentials = parse_authorization(value)
        except SipError as error:
            fault = error
            continue
        if credentials is not None and is_domain_of(account, credentials.realm):
            found.append(credentials)
    if not found and fault is not None:
        raise fault
    offered = _offered(account)
    usable = [credentials for credentials in found if credentials.algorithm in offered]
    return min(
        usable or found,
        key=lambda credentials: offered.index(credentials.algorithm) if credentials.algorithm in offered else 0,
        default=None,
    )


def _candidates(inventory: Inventory, account: Account, credentials: Credentials, now: float) -> list[Credential]:
    """Every credential under that name in the account and realm: active, staged, and retiring until its grace ends."""
    return [
        credential
        for credential in inventory.credentials_named(credentials.username)
        if credential.realm == credentials.realm
        and inventory.account_of(inventory.get(Line, credential.line_id)).id == account.id
        and not (
            credential.state is CredentialState.RETIRING
            and credential.retire_at is not None
            and credential.retire_at <= now
        )
    ]


def _device_of(inventory: Inventory, credential: Credential) -> Device | None:
    return inventory.find(Device, inventory.get(Line, credential.line_id).device_id)


def _find_proven(
    candidates: Sequence[Credential | None], credentials: Credentials, account: Account, method: str
) -> Credential | None:
    """The candidate whose password the sender knows. Hashes at least once, also where there is no candidate."""
    algorithm = credentials.algorithm
    if algorithm is None or algorithm not in _offered(account):
        return None
    for candidate in candidates or [None]:
        ha1 = None if candidate is None else _find_ha1(candidate, algorithm)
        if verify(credentials, ha1 or _NOBODY[algorithm], method) and ha1 is not None:
            return candidate
    return None


def _find_ha1(credential: Credential, algorithm: Algorithm) -> str | None:
    for name, ha1 in credential.ha1:
        if name == algorithm.value:
            return ha1
    return None
