import pytest
from tests.support.inventory import account, device, inventory_of, line, number, user
from tests.support.workbench import StillClock

from offhook.admin.registers import Registers
from offhook.events import RenderFailed
from offhook.inventory.facts import FactBook
from offhook.inventory.models import Device
from offhook.inventory.state import Status
from offhook.registrar.bindings import BindingTable


async def test_they_are_filled_without_anybody_asking_and_learn_what_devices_report() -> None:
    inventory = inventory_of(account(), user(), number(user_id=1), device(), line(number_id=1))
    facts = FactBook()
    registers = Registers(lambda: inventory, facts, BindingTable(), StillClock())
    assert not registers.is_filled
    await registers.tend()
    assert registers.is_filled
    for book in (registers.users, registers.numbers):
        assert book.inventory is inventory
    assert [row.has_number for row in await registers.users.settle()] == [True]
    assert [row.is_logged_in for row in await registers.numbers.settle()] == [True]
    _, rows = await registers.devices.settle()
    assert [row.status for row in rows] == [Status.OFFLINE]
    facts.note_failed(RenderFailed(1, 1, "line 3", 0.0))
    _, rows = await registers.devices.settle()
    assert [row.reported for row in rows] == [("", "", "")]


async def test_the_rows_of_many_devices_are_set_apart_from_the_collector_of_garbage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times: list[str] = []
    monkeypatch.setattr("offhook.admin.registers.set_apart", lambda: times.append("set apart"))
    inventory = inventory_of(account(), *(device(n) for n in range(1, 1202)))
    registers = Registers(lambda: inventory, FactBook(), BindingTable(), StillClock())
    counts: list[int] = []
    for _ in range(9):
        await registers.tend()
        counts.append(len(times))
    assert counts == [0, 0, 0, 0, 0, 0, 1, 1, 1]


async def test_who_reaches_some_accounts_has_their_lists_only() -> None:
    inventory = inventory_of(
        account(), account(2), user(1), user(2, account_id=2), number(1), number(2, account_id=2),
        device(1), device(2, account_id=2),
    )  # fmt: skip
    registers = Registers(lambda: inventory, FactBook(), BindingTable(), StillClock())
    limited = registers.limited_to(frozenset({2}))
    assert [row.id for row in await limited.users.settle()] == [2]
    assert [row.id for row in await limited.numbers.settle()] == [2]
    seen, rows = await limited.devices.settle()
    assert [row.id for row in rows] == [2]
    assert [it.id for it in seen.all(Device)] == [2]
    assert len((await registers.devices.settle())[1]) == 2
