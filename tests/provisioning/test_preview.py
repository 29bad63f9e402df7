"""What people are shown of a device's files."""

from dataclasses import replace

import pytest
from tests.support.inventory import BOX, one_phone

from offhook.endpoint import HostPort
from offhook.errors import NotFound
from offhook.inventory.models import Device, DeviceType
from offhook.inventory.ports import SecretBox
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import load_catalog
from offhook.provisioning.preview import MaskedBox, PreviewedFile, preview_file
from offhook.secret import Secret

CATALOG = load_catalog()


def _preview(
    inventory: Inventory, wanted: str, secrets: SecretBox | None = None, device: Device | None = None
) -> PreviewedFile:
    return preview_file(
        inventory,
        device or next(iter(inventory.all(Device))),
        wanted,
        catalog=CATALOG,
        secrets=secrets or MaskedBox(),
        base_url="http://127.0.0.1:8080/p/***/",
        proxy=HostPort("127.0.0.1", 5060),
        expires_seconds=3600,
    )


def test_the_file_with_the_lines_is_shown_under_the_name_that_the_phone_asks_for() -> None:
    inventory = one_phone()
    device = next(iter(inventory.all(Device)))
    shown = _preview(inventory, "")
    assert shown.name == f"{device.mac}.cfg"
    assert shown.names == ("y000000000108.cfg", f"{device.mac}.cfg")
    assert "account.1.password = ***\n" in shown.text


@pytest.mark.parametrize("wanted", ["common", "y000000000108.cfg", "Y000000000108.CFG"])
def test_a_file_is_found_by_its_kind_and_by_its_name(wanted: str) -> None:
    assert _preview(one_phone(), wanted).name == "y000000000108.cfg"


@pytest.mark.parametrize(("vendor", "model"), [("yealink", "T46U"), ("snom", "D785")])
def test_every_file_of_every_vendor_can_be_shown(vendor: str, model: str) -> None:
    inventory = one_phone(vendor=vendor, model=model)
    names = _preview(inventory, "").names
    assert [_preview(inventory, name).name for name in names] == list(names)


def test_secrets_are_shown_only_by_a_box_that_opens_them() -> None:
    inventory = one_phone()
    assert "password = ***" not in _preview(inventory, "", BOX).text


def test_a_name_that_the_device_is_not_given_is_refused_with_those_that_it_is() -> None:
    with pytest.raises(NotFound, match=r"is given no file 'directory\.xml'") as caught:
        _preview(one_phone(), "directory.xml")
    assert "y000000000108.cfg" in caught.value.remedy


def test_a_device_of_a_kind_without_templates_has_no_files() -> None:
    inventory = one_phone()
    base = replace(next(iter(inventory.all(Device))), type=DeviceType.DECT_BASE)
    with pytest.raises(NotFound, match="no templates for a dect_base of vendor yealink"):
        _preview(inventory, "", device=base)


def test_a_masked_box_seals_nothing() -> None:
    with pytest.raises(TypeError):
        MaskedBox().seal(Secret("x"), "context")
