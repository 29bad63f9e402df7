"""The pieces between the parts."""

import asyncio
import ipaddress

import pytest
from tests.support.inventory import one_phone

from offhook.adapters import CatalogEvents, CurrentVendors, TftpFiles, repeat
from offhook.clock import SystemClock
from offhook.errors import TftpError
from offhook.inventory.models import Device, DeviceType
from offhook.places import find_own_address
from offhook.provisioning.answer import Answer, AnswerStatus, Decision, FileRequest, Protocol
from offhook.provisioning.catalog import load_catalog
from offhook.provisioning.identify import Reason
from offhook.servers.tftp import TftpRequest

REQUEST = TftpRequest("001565123456.cfg", "octet", ("127.0.0.9", 4000), ("127.0.0.1", 69))


def _files(status: AnswerStatus, delivered: list[str]) -> TftpFiles:
    def answer(request: FileRequest, now: float) -> Answer:
        assert (request.protocol, request.path, request.source) == (Protocol.TFTP, "001565123456.cfg", "127.0.0.9")
        assert (request.local_address, request.local_port) == ("127.0.0.1", 69)
        return Answer(status, Decision(Reason.GRANTED), b"content", on_delivered=lambda: delivered.append("yes"))

    return TftpFiles(answer, SystemClock())


async def test_a_file_counts_as_delivered_when_its_last_block_was_acknowledged() -> None:
    delivered: list[str] = []
    answer = await _files(AnswerStatus.FOUND, delivered)(REQUEST)
    assert answer.content == b"content"
    assert answer.on_done is not None
    answer.on_done(False)
    assert not delivered
    answer.on_done(True)
    assert delivered == ["yes"]


@pytest.mark.parametrize(("status", "code"), [(AnswerStatus.NOT_FOUND, 1), (AnswerStatus.ERROR, 0)])
async def test_what_is_refused_becomes_a_tftp_error(status: AnswerStatus, code: int) -> None:
    with pytest.raises(TftpError) as caught:
        await _files(status, [])(REQUEST)
    assert caught.value.code == code


def test_events_come_from_the_vendor_folder_and_nowhere_else() -> None:
    events = CatalogEvents(load_catalog)
    assert events.reload_events("yealink", "T46U") == ["check-sync;reboot=false"]
    assert events.reload_events("nobody", None) == []
    assert events.reload_events(None, None) == []


def test_vendors_are_those_of_the_moment() -> None:
    vendors = CurrentVendors(load_catalog)
    device = next(iter(one_phone().all(Device)))
    assert vendors.find_vendor_by_mac(device.mac or "") == "yealink"
    alphabet, length = vendors.secret_shape("yealink")
    assert len(alphabet) >= 10
    assert length >= 16
    capability = vendors.capability(DeviceType.ATA, "grandstream", "HT802")
    assert capability is not None
    assert capability.lines == 2


def test_an_own_address_is_one_of_this_machine() -> None:
    assert ipaddress.ip_address(find_own_address()).version == 4
    assert ipaddress.ip_address(find_own_address(ipv6=True)).version == 6


async def test_repeated_work_is_awaited_until_it_is_cancelled() -> None:
    done: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        done.append(1)
        if len(done) == 3:
            third.set()

    task = asyncio.create_task(repeat(0.0, work))
    await third.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
