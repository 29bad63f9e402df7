"""A civic address has the elements that are set, in their order."""

from offhook.inventory.address import CivicAddress


def test_elements_are_those_that_are_set() -> None:
    address = CivicAddress(country="US", city="New York", house_number="350", postal_code="10118")
    assert list(address.elements().items()) == [
        ("country", "US"), ("city", "New York"), ("house_number", "350"), ("postal_code", "10118")
    ]  # fmt: skip
    assert CivicAddress(**address.elements()) == address
