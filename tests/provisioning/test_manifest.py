import pytest
from tests.provisioning.test_catalog import MANIFEST

from offhook.errors import CatalogError
from offhook.provisioning.manifest import read_vendor
from offhook.provisioning.vendors import AgentKind

SOURCES = {"acme/device.j2": "x", "_shared/m.j2": "y", "other/device.j2": "z"}


def test_values_are_frozen() -> None:
    vendor = read_vendor(MANIFEST + "settings: {tones: {us: USA}, list: [a, b], on: true}\n", "v", "acme", SOURCES)
    assert vendor.settings["list"] == ("a", "b")
    assert vendor.settings["on"] is True
    with pytest.raises(TypeError):
        vendor.settings["tones"]["us"] = "x"  # type: ignore[index]


def test_digest_leaves_other_vendors_out() -> None:
    first = read_vendor(MANIFEST, "v", "acme", SOURCES).digest
    assert read_vendor(MANIFEST, "v", "acme", {**SOURCES, "other/device.j2": "new"}).digest == first
    assert read_vendor(MANIFEST, "v", "acme", {**SOURCES, "_shared/m.j2": "new"}).digest != first


def test_user_agents_of_sip_and_http_are_apart() -> None:
    vendor = read_vendor(MANIFEST + "user_agents: {http: ['^Acme'], sip: ['^acme/']}\n", "v", "acme", SOURCES)
    assert vendor.match_agent(AgentKind.SIP, "acme/1") is not None
    assert vendor.match_agent(AgentKind.HTTP, "acme/1") is None


@pytest.mark.parametrize("text", ["", "[]", "name: [", "\t", "name: acme"])
def test_what_is_no_manifest_is_refused_with_its_file(text: str) -> None:
    with pytest.raises(CatalogError, match=r"somewhere/vendor\.yaml"):
        read_vendor(text, "somewhere/vendor.yaml", "acme", SOURCES)
