"""What a user can have."""

from collections.abc import Iterator

from offhook.inventory.models import User
from offhook.inventory.rules.breach import Breach, ids_of
from offhook.inventory.rules.descriptions import describe_device
from offhook.inventory.rules.people import devices_logged_in_to, lines_of_person, physical_devices_of
from offhook.inventory.snapshot import Draft


def judge_phones(user_id: int, draft: Draft) -> Iterator[Breach]:
    """One device per user, unless the move is confirmed (R10), and beside it one that the user is logged in to (E5)."""
    user = draft.find(User, user_id)
    if user is None:
        return
    visited = devices_logged_in_to(draft, user_id)
    if len(visited) > 1:
        yield Breach(
            visited[-1],
            "user",
            f"numbers of user {user.username} are logged in to {' and '.join(map(describe_device, visited))}",
            is_conflict=True,
            rests_on=ids_of(user, *visited, *lines_of_person(draft, user_id)),
            rule="a user is logged in to one device at a time (R10)",
            remedy="log the others out",
        )
    devices = physical_devices_of(draft, user_id)
    if len(devices) < 2:
        return
    had = {device.id for device in physical_devices_of(draft.base, user_id)}
    held = [device for device in devices if device.id in had] or devices[:1]
    new = [device for device in devices if device.id not in had] or devices[1:]
    yield Breach(
        new[0],
        "user",
        f"user {user.username} has {describe_device(held[0])} already, and a user has one device at a time",
        is_conflict=True,
        rests_on=ids_of(user, *devices, *lines_of_person(draft, user_id)),
        rule="one device per user (R10)",
        remedy="--confirm-moves moves the user and releases the old device",
    )
