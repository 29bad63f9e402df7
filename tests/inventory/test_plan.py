from tests.support import inventory as a

from offhook.inventory.plan import Reload, find_reloads


def test_a_device_that_has_fetched_before_is_told_from_a_new_one() -> None:
    before = a.inventory_of(a.account(), a.device(1, name="Reception"), a.carrier(1))
    after = a.inventory_of(
        a.account(), a.device(1, name="Reception"), a.device(2), a.carrier(1, revision=2), a.carrier(2)
    )
    assert list(find_reloads(before, after, {2, 1})) == [
        Reload(1, "Reception (00:15:65:12:34:56)", 2, False),
        Reload(2, "00:15:65:12:34:57", 1, True),
    ]
