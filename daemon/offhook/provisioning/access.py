"""What a request may have: the trust ladder.

====================  ======================================================================================
shown                 opens
====================  ======================================================================================
``d/<device token>``  that device's files, from anywhere, and common files
``p/<account token>`` files of the account's devices, where its level is ``token`` or ``lan``; secrets to a LAN
nothing               files of devices whose account's level is ``lan``, to a LAN
====================  ======================================================================================

Level ``certificate`` is opened by none of these.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from offhook.inventory.models import AccessLevel, Account, Device, DeviceState
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.evidence import PathToken, TokenKind, parse_source
from offhook.provisioning.identify import Identity, Reason
from offhook.provisioning.ports import SecretBox

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_BY_ACCOUNT_TOKEN = (AccessLevel.TOKEN, AccessLevel.LAN)


@dataclass(frozen=True, slots=True)
class Requester:
    """Whom the tokens and the address of a request stand for, found before it is known what they may open."""

    account: Account | None
    device: Device | None
    token_shown: bool
    in_lan: bool
    by_former_token: bool = False
    #: The account's token has been changed since, and this one is in its period of grace (R12).


def find_requester(
    inventory: Inventory, secrets: SecretBox, token: PathToken | None, source: str, lan: Sequence[Network], now: float
) -> Requester:
    """Looks up what a request shows."""
    address = parse_source(source)
    in_lan = address is not None and any(address in network for network in lan)
    if token is None or not token.is_well_formed:
        return Requester(None, None, token is not None, in_lan)
    digest = secrets.digest(token.text.reveal())
    if token.kind is TokenKind.DEVICE:
        return Requester(None, inventory.find_device_by_token(digest), True, in_lan)
    account = inventory.find_account_by_token(digest, now)
    return Requester(account, None, True, in_lan, account is not None and account.token_digest != digest)


def decide_access(inventory: Inventory, identity: Identity, requester: Requester) -> Reason:
    """GRANTED, or why not."""
    if identity.reason is not None:
        return identity.reason
    if requester.device is not None:
        return _by_device_token(inventory, identity, requester.device)
    if requester.token_shown:
        return _by_account_token(identity, requester)
    return _by_address(inventory, identity, requester)


def _by_device_token(inventory: Inventory, identity: Identity, owner: Device) -> Reason:
    if owner.state is DeviceState.DISABLED:
        return Reason.DISABLED
    if inventory.get(Account, owner.account_id).access is AccessLevel.CERTIFICATE:
        return Reason.TOKEN_TOO_WEAK
    if identity.mac is not None:
        return Reason.GRANTED if identity.device == owner else Reason.WRONG_DEVICE
    if identity.vendor is None or owner.vendor not in (None, identity.vendor.name):
        return Reason.WRONG_VENDOR
    return Reason.GRANTED


def _by_account_token(identity: Identity, requester: Requester) -> Reason:
    account = requester.account
    if account is None:
        return Reason.WRONG_TOKEN
    if identity.mac is not None and (identity.device is None or identity.device.account_id != account.id):
        return Reason.WRONG_TOKEN
    if account.access not in _BY_ACCOUNT_TOKEN:
        return Reason.TOKEN_TOO_WEAK
    return _secrets_stay_inside(identity, requester)


def _by_address(inventory: Inventory, identity: Identity, requester: Requester) -> Reason:
    if not requester.in_lan:
        return Reason.OUTSIDE_LAN
    if identity.mac is not None and identity.device is not None:
        accounts: Sequence[Account] = [inventory.get(Account, identity.device.account_id)]
    else:
        accounts = list(inventory.all(Account))
    if not any(account.access is AccessLevel.LAN for account in accounts):
        return Reason.TOKEN_NEEDED
    return Reason.GRANTED


def _secrets_stay_inside(identity: Identity, requester: Requester) -> Reason:
    holds_secrets = identity.file is None or identity.file.holds_secrets
    return Reason.OUTSIDE_LAN if holds_secrets and not requester.in_lan else Reason.GRANTED
