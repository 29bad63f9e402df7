"""The real daemon with a validator: a county's street guide, and a service on the network that is not always there."""

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.acme import DOCUMENT, YEALINK_MAC
from tests.support.daemon import DaemonProcess, eventually, find_ports, running_daemon

HEADER = "country,state,city,postal_code,pre_dir,street,suffix,post_dir,low,high,parity\n"
FIFTH = "US,NY,New York,10118,,Fifth,Ave,,300,398,even\n"
MAIN = "US,NV,Reno,89501,N,Main,St,,100,198,even\n"
HANDSET = "0658500479393"
RENO = "110 N Main St, Reno, NV 89501"


async def _address(daemon: DaemonProcess, state: str) -> Any:
    it = await asyncio.to_thread(daemon.ask, "GET", "/locations/HQ/address")
    return it if it["state"] == state else None


async def _has_read(daemon: DaemonProcess, event: str) -> bool:
    return bool(daemon.log_events(event))


def _metric(daemon: DaemonProcess, name: str) -> str:
    _, metrics = daemon.get_http(daemon.ports.metrics, "/metrics")
    return next(line.split()[1] for line in metrics.decode().splitlines() if line.startswith(f"offhook_{name} "))


async def test_a_street_guide_judges_what_is_entered_and_is_read_again(tmp_path: Path) -> None:
    guide = tmp_path / "streets.csv"
    guide.write_text(HEADER + FIFTH)
    with running_daemon(tmp_path, {"emergency": {"validator": "street_ranges", "street_ranges": str(guide)}}) as daemon:
        await daemon.apply(DOCUMENT)
        entered = await eventually(partial(_address, daemon, "valid"), "the document's address is validated")
        assert entered["in_force_by"] == "street_ranges"
        where = await daemon.json("device", "dispatch", HANDSET)
        assert (where["dispatchable"], where["base"], where["address"]["floor"]) == (True, "Floor 2", "21")
        assert "<ca:FLR>21</ca:FLR>" in (await daemon.run("device", "dispatch", YEALINK_MAC, "--pidf")).out

        refused = await daemon.run("location", "address", "HQ", "--house-number", "399", exit_code=1)
        assert "Fifth has no number 399" in refused.err
        assert "check the house number" in refused.err
        moved = await daemon.run("location", "address", "HQ", "--text", RENO, exit_code=1)
        assert "Reno, NV is in no street range" in moved.err
        assert (await daemon.json("location", "address", "HQ"))["entered"] == entered["entered"]

        document = DOCUMENT.replace('"350", street: Fifth', '"399", street: Fifth')
        await daemon.apply(document)
        rejected = await eventually(partial(_address, daemon, "rejected"), "the document's address is refused")
        assert (rejected["entered"]["house_number"], rejected["in_force"]["house_number"]) == ("399", "350")
        assert "check the house number" in rejected["message"]

        guide.write_text("nonsense\n")
        daemon.expected_errors.add("config.reread.refused")
        daemon.send_signal(signal.SIGHUP)
        await eventually(partial(_has_read, daemon, "config.reread.refused"), "the faulty guide is told")
        assert "streets.csv:1: the first line must name the columns" in daemon.log_text()
        await daemon.run("location", "address", "HQ", "--house-number", "352")

        await daemon.apply(document)
        await eventually(partial(_address, daemon, "rejected"), "the guide from before still judges")
        guide.write_text(HEADER + FIFTH.replace("even", "both").replace("398", "399") + MAIN)
        daemon.send_signal(signal.SIGHUP)
        await eventually(partial(_address, daemon, "valid"), "what was refused is asked about again")
        await daemon.run("location", "address", "HQ", "--text", RENO)
        assert "location HQ" in {entry["holder"] for entry in daemon.log_events("emergency.address.refused")}
        assert "Fifth" not in daemon.log_text()
        daemon.assert_log_is_clean()


async def test_a_service_that_is_not_there_costs_no_address(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{find_ports().admin}/validate"
    with running_daemon(tmp_path) as daemon:
        await daemon.apply(DOCUMENT)
        before = await eventually(partial(_address, daemon, "valid"), "its form is right")
        assert before["in_force_by"] == "form"
        assert "emergency" not in (await daemon.run("status")).out
        assert _metric(daemon, "assigned_phones_without_dispatchable_location") == "0.0"

        daemon.write_config({"emergency": {"validator": "http", "http": {"url": url, "timeout_seconds": 2}}})
        daemon.send_signal(signal.SIGHUP)
        await eventually(partial(_has_read, daemon, "emergency.validator.unreachable"), "it is asked in vain")
        failed = await daemon.run("location", "address", "HQ", "--text", RENO, exit_code=1)
        assert "gave no verdict" in failed.err
        assert "kept as a draft" in failed.err
        draft = await daemon.json("location", "address", "HQ")
        assert (draft["state"], draft["in_force"]) == ("draft", before["in_force"])
        assert _metric(daemon, "devices_without_dispatchable_location") == "0.0"

        daemon.write_config({})
        daemon.send_signal(signal.SIGHUP)
        after = await eventually(partial(_address, daemon, "valid"), "without the service its form decides")
        assert after["in_force_text"] == RENO
        daemon.assert_log_is_clean()


async def test_a_faulty_guide_ends_the_start_with_2(tmp_path: Path) -> None:
    guide = tmp_path / "streets.csv"
    guide.write_text(HEADER + FIFTH.replace("even", "sometimes"))
    daemon = DaemonProcess(
        tmp_path, find_ports(), {"emergency": {"validator": "street_ranges", "street_ranges": str(guide)}}
    )
    checked = await daemon.run("check-config", exit_code=2)
    assert "streets.csv:2: parity 'sometimes' is not known" in checked.err
    daemon.spawn()
    assert await daemon.wait() == 2
    assert "streets.csv:2: parity 'sometimes' is not known" in daemon.log_text()
    assert "Traceback" not in daemon.log_text()
