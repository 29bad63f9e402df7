from typing import Any

import pytest

from offhook.admin.device_filter import DeviceFilter
from offhook.admin.device_rows import Assigned, DeviceRow
from offhook.admin.search import parse_search
from offhook.inventory.address import CivicAddress

HERE, THERE = CivicAddress(country="US", city="here"), CivicAddress(country="US", city="there")


def row(row_id: int, **changes: Any) -> DeviceRow:
    given: dict[str, Any] = {
        "account_id": 1,
        "base_id": None,
        "location_id": 1,
        "type": "deskphone",
        "status": "registered",
        "facet": "registered deskphone",
        "assigned": Assigned.YES,
        "is_active": True,
        "civic": HERE,
        "reported": ("", "", ""),
        "vendors": ("yealink",),
        "models": ("t46u", "t31p"),
        "text": f"phone {row_id}",
        "codes": "",
        "name_key": "",
        "identifier_key": "",
        "vendor_key": "",
        "model_key": "",
        "location_key": "",
        "user_key": "",
        "provisioned_key": 0.0,
        "created_key": 0.0,
    }
    return DeviceRow(id=row_id, **{**given, **changes})


ROWS = [
    row(1),
    row(2, account_id=2, assigned=Assigned.NO),
    row(3, location_id=None, vendors=("snom", "yealink"), models=("m900",)),
    row(4, location_id=2, civic=None),
    row(5, civic=THERE, assigned=Assigned.COMMON_AREA),
    row(6, civic=None, is_active=False),
    row(7, civic=THERE, type="ata"),
    row(8, assigned=Assigned.NO, is_active=False),
    row(9, assigned=None, civic=None, type="softphone"),
]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"account_id": 2}, [2]),
        ({"locations": frozenset({None})}, [3]),
        ({"locations": frozenset({None, 2})}, [3, 4]),
        ({"device_ids": frozenset({1, 9, 77})}, [1, 9]),
        ({"vendor": "snom"}, [3]),
        ({"model": "t31p"}, [1, 2, 4, 5, 6, 7, 8, 9]),
        ({"model": "t31"}, []),
        ({"assigned": Assigned.COMMON_AREA}, [5]),
        ({"assigned": Assigned.NO}, [2, 8]),
        ({"in_stock": True}, [2]),
        ({"without_address": True}, [4, 7]),
        ({"search": parse_search("phone 3")}, [3]),
        ({"search": parse_search("phone"), "locations": frozenset({2, None}), "vendor": "snom"}, [3]),
    ],
)
def test_all_conditions_hold_together(conditions: dict[str, Any], expected: list[int]) -> None:
    found = DeviceFilter(**conditions).narrow(ROWS, lambda civic: civic is HERE)
    assert [row.id for row in found] == expected


def test_type_and_status_are_left_to_whoever_counts_them() -> None:
    assert DeviceFilter(types=frozenset({"ata"}), statuses=frozenset({"new"})).narrow(ROWS, lambda _: True) == ROWS
