"""Which phones, lines and users a change concerns."""

from tests.support.inventory import account, device, inventory_of, line, number, user

from offhook.inventory.models import DeviceType
from offhook.inventory.rules import devices_logged_in_to, lines_of_person, physical_devices_of, users_concerned


def test_users_are_concerned_by_their_lines_and_numbers() -> None:
    base = inventory_of(account(), device(1), user(1), user(2), user(3), number(1, user_id=2))
    draft = base.draft()
    draft.put(line(1, number_id=1))
    assert users_concerned(draft) == [2]
    draft.put(line(1, user_id=1))
    draft.put(user(3, first_name="Jo"))
    assert users_concerned(draft) == [1, 3]


def test_a_softphone_is_no_phone_of_a_user() -> None:
    inventory = inventory_of(
        account(),
        user(1),
        number(1, user_id=1),
        device(1),
        device(2, type=DeviceType.SOFTPHONE, mac=None, name="PC"),
        line(1, user_id=1),
        line(2, device_id=2, number_id=1),
    )
    assert [found.id for found in lines_of_person(inventory, 1)] == [1, 2]
    assert [found.id for found in physical_devices_of(inventory, 1)] == [1]


def test_a_phone_where_a_number_is_logged_in_is_none_of_the_users_own() -> None:
    inventory = inventory_of(
        account(),
        user(1),
        number(1, user_id=1),
        number(2, user_id=1),
        device(1),
        device(2),
        line(1, number_id=1),
        line(2, device_id=2, number_id=2, logged_in_at=1000.0),
    )
    assert [found.id for found in lines_of_person(inventory, 1)] == [1, 2]
    assert [found.id for found in physical_devices_of(inventory, 1)] == [1]
    assert [found.id for found in devices_logged_in_to(inventory, 1)] == [2]
