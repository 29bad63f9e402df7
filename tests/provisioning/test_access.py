from typing import Any

import pytest
from tests.support.inventory import (
    ACCOUNT_TOKEN,
    BOX,
    DEVICE_TOKEN,
    account,
    credential,
    device,
    inventory_of,
    line,
    user,
)
from tests.support.provisioning import Desk

from offhook.inventory.models import AccessLevel, DeviceState
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.identify import Reason

OTHER_TOKEN = "otherotherotherotherother2"
OTHER_DEVICE_TOKEN = "deskdeskdeskdeskdeskdesk22"
STRANGER = "198.51.100.7"
MINE = "001565123456.cfg"
COMMON = "y000000000108.cfg"


def two_accounts(access: AccessLevel, **changes: Any) -> Inventory:
    """The first account's level is what the test is about; the second's is ``certificate``."""
    return inventory_of(
        account(access=access),
        account(2, token=OTHER_TOKEN, access=AccessLevel.CERTIFICATE),
        user(),
        device(token=DEVICE_TOKEN, **changes),
        device(2, token=OTHER_DEVICE_TOKEN),
        line(user_id=1),
        credential(),
    )


def reason(inventory: Inventory, path: str, source: str = "10.0.0.9", now: float = 1000.0) -> Reason:
    return Desk(inventory).ask(path, source=source, now=now).decision.reason


LEVELS = tuple(AccessLevel)


@pytest.mark.parametrize(
    ("shown", "opened_at"),
    [
        ("", {AccessLevel.LAN}),
        (f"p/{ACCOUNT_TOKEN}/", {AccessLevel.LAN, AccessLevel.TOKEN}),
        (f"p/{ACCOUNT_TOKEN.upper()}/", {AccessLevel.LAN, AccessLevel.TOKEN}),
        (f"d/{DEVICE_TOKEN}/", {AccessLevel.LAN, AccessLevel.TOKEN, AccessLevel.DEVICE}),
        (f"d/{OTHER_DEVICE_TOKEN}/", set()),
        (f"p/{OTHER_TOKEN}/", set()),
        (f"d/{ACCOUNT_TOKEN}/", set()),
        (f"p/{DEVICE_TOKEN}/", set()),
        (f"p/{'a' * 26}/", set()),
        ("p/short/", set()),
    ],
)
@pytest.mark.parametrize("level", LEVELS)
def test_what_opens_a_device_file(shown: str, opened_at: set[AccessLevel], level: AccessLevel) -> None:
    granted = reason(two_accounts(level), shown + MINE) is Reason.GRANTED
    assert granted == (level in opened_at)


@pytest.mark.parametrize(
    ("shown", "opened_at"),
    [
        ("", {AccessLevel.LAN}),
        (f"p/{ACCOUNT_TOKEN}/", {AccessLevel.LAN, AccessLevel.TOKEN}),
        (f"d/{DEVICE_TOKEN}/", {AccessLevel.LAN, AccessLevel.TOKEN, AccessLevel.DEVICE}),
        (f"p/{OTHER_TOKEN}/", set()),
        ("p/short/", set()),
    ],
)
@pytest.mark.parametrize("level", LEVELS)
def test_what_opens_a_common_file(shown: str, opened_at: set[AccessLevel], level: AccessLevel) -> None:
    granted = reason(two_accounts(level), shown + COMMON) is Reason.GRANTED
    assert granted == (level in opened_at)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (MINE, Reason.OUTSIDE_LAN),
        (COMMON, Reason.OUTSIDE_LAN),
        (f"p/{ACCOUNT_TOKEN}/{MINE}", Reason.OUTSIDE_LAN),
        (f"p/{ACCOUNT_TOKEN}/{COMMON}", Reason.GRANTED),
        (f"d/{DEVICE_TOKEN}/{MINE}", Reason.GRANTED),
    ],
)
def test_secrets_leave_the_lan_for_a_device_token_only(path: str, expected: Reason) -> None:
    assert reason(two_accounts(AccessLevel.LAN), path, STRANGER) is expected


@pytest.mark.parametrize("source", ["10.255.0.1", "::ffff:10.1.2.3", "fd00::7"])
def test_lan_is_known_in_every_notation(source: str) -> None:
    assert reason(two_accounts(AccessLevel.LAN), MINE, source) is Reason.GRANTED


def test_disabled_device_opens_nothing_with_its_token() -> None:
    inventory = two_accounts(AccessLevel.TOKEN, state=DeviceState.DISABLED)
    assert reason(inventory, f"d/{DEVICE_TOKEN}/{MINE}") is Reason.DISABLED
    assert reason(inventory, f"d/{DEVICE_TOKEN}/{COMMON}") is Reason.DISABLED
    assert reason(inventory, f"p/{ACCOUNT_TOKEN}/{MINE}") is Reason.DISABLED


def test_device_token_opens_no_files_of_another_vendor() -> None:
    inventory = two_accounts(AccessLevel.TOKEN, vendor="snom", mac="0004131a2b3c")
    assert reason(inventory, f"d/{DEVICE_TOKEN}/{COMMON}") is Reason.WRONG_VENDOR


def test_former_account_token_opens_until_its_end() -> None:
    former = account(former_token_digest=BOX.digest(OTHER_TOKEN), former_token_until=2000.0)
    inventory = inventory_of(former, user(), device(), line(user_id=1), credential())
    assert reason(inventory, f"p/{OTHER_TOKEN}/{MINE}", now=1999.0) is Reason.GRANTED
    assert reason(inventory, f"p/{OTHER_TOKEN}/{MINE}", now=2000.0) is Reason.WRONG_TOKEN
