from pathlib import Path

import pytest
from tests.provisioning.test_catalog import MANIFEST, write_vendor
from tests.support.inventory import device, inventory_of, one_phone
from tests.support.provisioning import shipped

from offhook.inventory.models import DeviceState, DeviceType
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import Catalog, find_shipped_templates, load_catalog
from offhook.provisioning.evidence import gather_claims, parse_request_path
from offhook.provisioning.identify import Identity, Reason, identify

T46U = "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56"


def who(name: str, inventory: Inventory, user_agent: str = "") -> Identity:
    path = parse_request_path(name)
    assert path is not None
    return identify(gather_claims(shipped(), path, user_agent), inventory, shipped())


@pytest.mark.parametrize("name", ["001565123456.cfg", "001565123456.CFG", "/x/001565123456.Cfg"])
def test_device_is_found_by_its_mac(name: str) -> None:
    found = who(name, one_phone())
    assert (found.reason, found.mac) == (None, "001565123456")
    assert found.device is not None
    assert found.file is not None
    assert found.file.kind == "device"


def test_upper_case_mac_of_snom() -> None:
    found = who("snomD785-0004131A2B3C.htm", one_phone(mac="0004131a2b3c", vendor="snom", model="D785"))
    assert found.reason is None
    assert found.device is not None


def test_report_wins_over_what_was_typed_in() -> None:
    found = who("001565123456.cfg", one_phone(model="T54W"), T46U)
    assert found.model is not None
    assert (found.model.name, found.reported_model, found.reported_firmware) == ("T46U", "T46U", "108.86.0.20")
    assert found.model_mismatch


@pytest.mark.parametrize("typed", ["T46U", "SIP-T46U", "t46u", None])
def test_same_model_under_another_name_is_no_mismatch(typed: str | None) -> None:
    assert not who("001565123456.cfg", one_phone(model=typed), T46U).model_mismatch


def test_typed_model_counts_where_nothing_is_reported() -> None:
    found = who("001565123456.cfg", one_phone(model="T54W"))
    assert found.model is not None
    assert (found.model.name, found.reported_model, found.model_mismatch) == ("T54W", None, False)


def test_name_of_a_common_file_reports_a_model() -> None:
    assert who("y000000000108.cfg", inventory_of()).reported_model == "T46U"
    assert who("snomD120.htm", inventory_of()).reported_model == "D120"


def test_common_file_knows_its_phone_by_user_agent_only() -> None:
    assert who("y000000000108.cfg", one_phone()).device is None
    assert who("y000000000108.cfg", one_phone(), T46U).device is not None


def test_model_of_a_common_file_that_several_share_is_the_typed_one() -> None:
    inventory = one_phone(model="T31G")
    agent = "Yealink SIP-T31G 124.86.0.40 00:15:65:12:34:56"
    assert not who("y000000000123.cfg", inventory, agent).model_mismatch


@pytest.mark.parametrize("name", ["snomD785-001565123456.htm"])
def test_mac_of_another_vendor_is_refused(name: str) -> None:
    assert who(name, one_phone()).reason is Reason.WRONG_VENDOR
    assert who(name, inventory_of()).reason is Reason.WRONG_VENDOR


def test_typed_vendor_counts_more_than_the_address_block() -> None:
    inventory = one_phone(mac="0004131a2b3c", vendor="yealink")
    assert who("0004131a2b3c.cfg", inventory).reason is None


def test_address_block_counts_where_no_vendor_was_typed_in() -> None:
    assert who("001565123456.cfg", one_phone(vendor=None)).reason is None
    assert who("0004131a2b3c.cfg", one_phone(mac="0004131a2b3c", vendor=None)).reason is Reason.WRONG_VENDOR


def test_phone_on_wifi_is_served_and_noted() -> None:
    found = who("001565123456.cfg", one_phone(), T46U.replace("34:56", "99:99"))
    assert found.reason is None
    assert found.mac_mismatch


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("001565999999.cfg", Reason.UNKNOWN_DEVICE),
        ("001565999999.boot", Reason.OPTIONAL),
        ("001565123456.boot", Reason.OPTIONAL),
        ("y000000000000.boot", Reason.OPTIONAL),
        ("y000000000999.cfg", Reason.UNKNOWN_FILE),
        ("snomM900.htm", Reason.UNKNOWN_FILE),
        ("favicon.ico", Reason.UNKNOWN_FILE),
        ("<script>", Reason.UNKNOWN_FILE),
    ],
)
def test_refusals(name: str, reason: Reason) -> None:
    assert who(name, one_phone()).reason is reason


def test_disabled_device_is_refused_its_files() -> None:
    inventory = one_phone(state=DeviceState.DISABLED)
    assert who("001565123456.cfg", inventory).reason is Reason.DISABLED
    assert who("y000000000108.cfg", inventory, T46U).reason is Reason.DISABLED


@pytest.mark.parametrize("kind", [DeviceType.DECT_BASE, DeviceType.ATA])
def test_device_of_a_type_without_templates_is_given_no_desk_phones_file(kind: DeviceType) -> None:
    inventory = one_phone(type=kind, model="W70B")
    agent = "Yealink W70B 146.87.0.15 00:15:65:12:34:56"
    assert who("001565123456.cfg", inventory, agent).reason is Reason.NO_TEMPLATES
    assert who("001565123456.boot", inventory, agent).reason is Reason.OPTIONAL


def test_model_that_has_no_templates_is_reported_and_not_rendered_for() -> None:
    found = who("001565123456.cfg", one_phone(), "Yealink W70B 146.87.0.15 00:15:65:12:34:56")
    assert (found.reported_model, found.model_mismatch) == ("W70B", True)
    assert found.model is not None
    assert found.model.name == "T46U"


def test_phone_of_another_vendor_is_not_believed_to_be_ours() -> None:
    inventory = inventory_of(device(vendor="snom"))
    assert who("y000000000108.cfg", inventory, T46U).device is None


def _rivals(tmp_path: Path) -> Catalog:
    """A second vendor whose phones ask for ``<mac>.cfg`` too."""
    manifest = MANIFEST.replace(".txt", ".cfg") + "user_agents: {http: ['^Acme (?P<model>P1)']}\n"
    return load_catalog([write_vendor(tmp_path, manifest=manifest), find_shipped_templates()])


@pytest.mark.parametrize(
    ("name", "inventory", "user_agent", "vendor"),
    [
        ("02aabb123456.cfg", inventory_of(), "", "acme"),
        ("001565123456.cfg", inventory_of(), "", "yealink"),
        ("001565123456.cfg", one_phone(vendor="acme"), T46U, "acme"),
        ("02cccc123456.cfg", inventory_of(), "Acme P1", "acme"),
        ("02cccc123456.cfg", inventory_of(), T46U, "yealink"),
        ("02cccc123456.cfg", inventory_of(), "", None),
    ],
)
def test_name_that_several_vendors_ask_for(
    tmp_path: Path, name: str, inventory: Inventory, user_agent: str, vendor: str | None
) -> None:
    catalog = _rivals(tmp_path)
    path = parse_request_path(name)
    assert path is not None
    found = identify(gather_claims(catalog, path, user_agent), inventory, catalog)
    assert (found.vendor.name if found.vendor else None) == vendor
