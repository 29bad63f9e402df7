"""What a device must have by its type; :mod:`tests.inventory.test_apply_devices` has more of it."""

from tests.support.inventory import account, device, inventory_of, location
from tests.support.workbench import VENDORS

from offhook.inventory.models import DeviceType
from offhook.inventory.rules import find_breaches


def test_softphones_are_told_apart_by_name() -> None:
    one = device(1, type=DeviceType.SOFTPHONE, mac=None, name="PC")
    draft = inventory_of(account(), account(2), one).draft()
    draft.put(device(2, type=DeviceType.SOFTPHONE, mac=None, name="pc", account_id=2))
    assert find_breaches(draft, VENDORS) == []
    draft.put(device(3, type=DeviceType.SOFTPHONE, mac=None, name="pc"))
    assert [breach.message for breach in find_breaches(draft, VENDORS)] == ["the account has a softphone pc already"]


def test_a_device_stands_at_a_location_of_its_account() -> None:
    draft = inventory_of(account(), account(2), location(1, account_id=2)).draft()
    draft.put(device(1, location_id=1))
    assert [breach.message for breach in find_breaches(draft, VENDORS)] == [
        "location place 1 belongs to another account"
    ]
