from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.admin_daemon import running

from offhook.admin.device_names import device_key, get_device
from offhook.errors import Conflict, NotFound
from offhook.inventory.snapshot import Inventory


@pytest_asyncio.fixture
async def inventory(tmp_path: Path) -> AsyncIterator[Inventory]:
    async with running(tmp_path) as daemon:
        yield daemon.inventory


@pytest.mark.parametrize("text", ["001565123456", "00:15:65:12:34:56", "0015.6512.3456", " 00-15-65-12-34-56 "])
async def test_a_mac_in_any_notation(inventory: Inventory, text: str) -> None:
    assert device_key(get_device(inventory, text)) == "00:15:65:12:34:56"


@pytest.mark.parametrize("text", ["0658500479393", "065850047939", "065 85 0047939 3"])
async def test_an_ipei_in_any_notation(inventory: Inventory, text: str) -> None:
    assert device_key(get_device(inventory, text)) == "0658500479393"


async def test_a_name_without_regard_to_case_and_an_id(inventory: Inventory) -> None:
    lobby = get_device(inventory, "lobby")
    assert lobby.name == "Lobby"
    assert get_device(inventory, str(lobby.id)) == lobby


async def test_a_name_that_two_have_is_refused_with_their_macs(inventory: Inventory) -> None:
    with pytest.raises(Conflict) as refused:
        get_device(inventory, "Reception")
    assert "Reception (00:15:65:12:34:56) of acme" in refused.value.message
    assert "Reception (00:15:65:12:34:98) of globex" in refused.value.message
    assert refused.value.remedy.startswith("name it by its MAC")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("Loby", "did you mean Lobby?"),
        ("00:15:65:12:34:9f", "did you mean 00:15:65:12:34:99 or 00:15:65:12:34:98 or 00:15:65:12:34:56?"),
        ("quite another", "see: offhook device list"),
        ("", "see: offhook device list"),
        ("9" * 4000, "see: offhook device list"),
    ],
)
async def test_an_unknown_device_is_told_with_what_may_be_meant(inventory: Inventory, text: str, remedy: str) -> None:
    with pytest.raises(NotFound) as refused:
        get_device(inventory, text)
    assert set(refused.value.remedy.split()) == set(remedy.split())
