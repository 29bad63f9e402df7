from pathlib import Path

import pytest
from tests.support.provisioning import shipped

from offhook.errors import CatalogError
from offhook.inventory.models import DeviceType
from offhook.inventory.ports import Capability
from offhook.provisioning.catalog import Catalog, find_shipped_templates, load_catalog
from offhook.provisioning.vendors import AgentKind

MANIFEST = """\
name: acme
display_name: Acme
ouis: ["02aabb"]
models:
  P1: {lines: 2, code: "001"}
files:
  - kind: device
    patterns: ['(?P<mac>[0-9a-f]{12})\\.txt']
    name: "{mac}.txt"
    template: device.j2
    expected: true
    holds_secrets: true
secret: {alphabet: abcdefghij0123456789, length: 26}
reload: {reload: check-sync, reboot: check-sync;reboot=true}
"""


def write_vendor(root: Path, *, manifest: str = MANIFEST, template: str = "hello\n", name: str = "acme") -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vendor.yaml").write_text(manifest)
    (folder / "device.j2").write_text(template)
    return root


def faults(*roots: Path) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load_catalog(roots)
    return [str(fault).replace(f"{roots[0]}/", "") for fault in caught.value.faults]


def test_shipped_templates_are_found() -> None:
    assert {"yealink", "snom"} <= {entry.name for entry in find_shipped_templates().iterdir()}
    assert {"yealink", "snom"} <= set(load_catalog().vendors)


def test_templates_inside_an_installed_package_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "_data" / "templates" / "phones"
    inside.mkdir(parents=True)
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert find_shipped_templates() == inside


def test_vendor_is_only_a_folder(tmp_path: Path) -> None:
    catalog = load_catalog([write_vendor(tmp_path), find_shipped_templates()])
    vendor = catalog.find_vendor("Acme")
    assert vendor is not None
    assert vendor.models["P1"].lines == 2
    assert catalog.find_vendor_by_mac("02aabb000001") == "acme"
    assert catalog.find_vendor_by_mac("001565000001") == "yealink"
    assert catalog.secret_shape("acme") == ("abcdefghij0123456789", 26)
    [match] = catalog.match_file("02AABB000001.TXT")
    assert (match.vendor, match.mac, match.file.template) == ("acme", "02aabb000001", "acme/device.j2")


def test_first_root_wins_file_by_file(tmp_path: Path) -> None:
    site = tmp_path / "yealink"
    site.mkdir()
    (site / "common.cfg.j2").write_text("#!version:1.0.0.1\nours = 1\n")
    catalog = load_catalog([tmp_path, find_shipped_templates()])
    assert catalog.sources["yealink/common.cfg.j2"].endswith("ours = 1\n")
    assert catalog.sources["yealink/device.cfg.j2"] == shipped().sources["yealink/device.cfg.j2"]
    assert catalog.vendors["yealink"].digest != shipped().vendors["yealink"].digest
    assert catalog.vendors["snom"].digest == shipped().vendors["snom"].digest


def test_digest_follows_what_can_be_rendered(tmp_path: Path) -> None:
    def digest(**parts: str) -> str:
        return load_catalog([write_vendor(tmp_path, **parts)]).vendors["acme"].digest

    first = digest()
    assert digest(manifest="# a comment\n" + MANIFEST) == first
    assert digest(template="other\n") != first
    assert digest(manifest=MANIFEST.replace("lines: 2", "lines: 3")) != first
    shared = tmp_path / "_shared"
    shared.mkdir()
    (shared / "macros.j2").write_text("{# new #}")
    assert digest() != first


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lines: 2", "lines: two", "acme/vendor.yaml:5:15: models.P1.lines:"),
        ("lines: 2", "linse: 2", "acme/vendor.yaml:5:8: models.P1.linse:"),
        ("name: acme", "name: other", "acme/vendor.yaml:1:7: name: is 'other', but its folder is 'acme'"),
        ("[0-9a-f]{12})", "[0-9a-f]{12}", "files[0].patterns[0]: is no regular expression"),
        ("(?P<mac>", "(?P<mak>", "has the unknown group 'mak'"),
        ("(?P<mac>", "(?:", "acme/vendor.yaml:8:16: files[0].patterns[0]: needs the group mac"),
        ("{mac}.txt", "{mac}.cfg", "files[0].name: is not matched by patterns"),
        ("{mac}.txt", "{mak}.txt", "files[0].name: is not matched by patterns"),
        ("template: device.j2", "template: absent.j2", "absent.j2 is not in the folder"),
        ("    template: device.j2\n", "", "files[0]: has no template"),
        ("    expected: true\n", "", "has none with expected: true"),
        ("template: device.j2", "template: ../../device.j2", "files[0].template"),
        ("length: 26", "length: 25", "secret.length: makes passwords of 108 bits, and 112 are needed: 26 characters"),
        ("abcdefghij0123456789", "abcdefghijj0123456789", "secret.alphabet: has a character twice"),
        ("secret: {", "settings: {", "has files, and needs 'secret'"),
        ("reload: {", "settings: {", "has files, and needs 'reload'"),
        ("lines: 2, ", "", "models.P1: needs lines"),
        ("lines: 2", "lines: 2, type: dect_base", "models.P1.lines: is not for a DECT base"),
        ("lines: 2", "lines: 2, handsets: 5", "models.P1.handsets: is for models of type dect_base only"),
        ("models:", "models: *x #", "acme/vendor.yaml:4:"),
        ('code: "001"}', 'code: "001"}\n  P2: {lines: 1, aliases: [p-1]}', "models.P2: answers to 'p-1', as P1 does"),
    ],
)
def test_fault_names_file_and_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in MANIFEST
    found = faults(write_vendor(tmp_path, manifest=MANIFEST.replace(old, new)))
    assert any(expected in fault for fault in found), found


@pytest.mark.parametrize("template", ["a\n{% if %}\n", "a\n{{ a|nofilter }}\n"])
def test_template_that_is_none_is_a_fault(tmp_path: Path, template: str) -> None:
    [fault] = [text for text in faults(write_vendor(tmp_path, template=template)) if "device.j2:" in text]
    assert fault.startswith("acme/device.j2:2:1: ")


def test_template_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    write_vendor(tmp_path)
    (tmp_path / "acme" / "device.j2").write_bytes(b"a\n\xff\n")
    assert any(text.startswith("acme/device.j2:2:1: is not UTF-8") for text in faults(tmp_path))


def test_faults_of_all_vendors_are_told_at_once(tmp_path: Path) -> None:
    write_vendor(tmp_path, manifest=MANIFEST.replace("lines: 2", "lines: 0"))
    write_vendor(tmp_path, manifest=MANIFEST, name="other")
    assert len(faults(tmp_path)) == 2


def test_root_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert "is not a folder" in faults(tmp_path / "absent")[0]


def test_longest_address_block_wins(tmp_path: Path) -> None:
    part = MANIFEST.replace("name: acme", "name: part").replace("02aabb", "02aabbc")
    catalog = load_catalog([write_vendor(write_vendor(tmp_path), manifest=part, name="part")])
    assert catalog.find_vendor_by_mac("02aabbc00000") == "part"
    assert catalog.find_vendor_by_mac("02aabbd00000") == "acme"
    assert catalog.find_vendor_by_mac("02ffff000000") is None


def test_operator_is_told_what_gets_no_file() -> None:
    catalog = shipped()
    assert catalog.missing_templates(DeviceType.DESKPHONE, "yealink", "SIP-T46U") is None
    assert catalog.missing_templates(DeviceType.DESKPHONE, "yealink", None) is None
    assert "no vendor" in str(catalog.missing_templates(DeviceType.DESKPHONE, None, None))
    assert "for vendor 'polycom'" in str(catalog.missing_templates(DeviceType.DESKPHONE, "polycom", "VVX400"))
    assert "for a dect_base of Yealink" in str(catalog.missing_templates(DeviceType.DECT_BASE, "yealink", None))
    assert "model 'T99' is not known" in str(catalog.missing_templates(DeviceType.DESKPHONE, "yealink", "T99"))


def test_names_are_given_with_their_article_and_only_vendors_with_templates() -> None:
    told = shipped().missing_templates(DeviceType.ATA, "grandstream", "HT802")
    assert told == "there are no templates for an ata of Grandstream, so it gets no configuration"
    assert "grandstream" not in str(shipped().missing_templates(DeviceType.ATA, None, None))
    assert "'M900' is not known for Snom" in str(shipped().missing_templates(DeviceType.DESKPHONE, "snom", "M900"))


MODELS_ALONE = """\
name: acme
display_name: Acme
ouis: ["02aabb"]
models: {A2: {type: ata, lines: 2}, B1: {type: dect_base, handsets: 5}}
user_agents: {sip: ['^acme (?P<model>A2)']}
"""


def test_vendor_may_be_known_without_templates(tmp_path: Path) -> None:
    catalog = load_catalog([write_vendor(tmp_path, manifest=MODELS_ALONE)])
    assert catalog.find_vendor_by_mac("02aabb000001") == "acme"
    assert catalog.match_agent(AgentKind.SIP, "acme A2") is not None
    assert catalog.match_file("02aabb000001.txt") == ()
    assert catalog.reload_event("acme") is None
    assert catalog.secret_shape("acme") == catalog.secret_shape(None)
    assert "an ata of Acme" in str(catalog.missing_templates(DeviceType.ATA, "acme", "A2"))
    claim = MODELS_ALONE + "device_types: [ata]\n"
    assert "device_types: names what there are templates for" in faults(write_vendor(tmp_path, manifest=claim))[0]


@pytest.mark.parametrize(
    ("kind", "vendor", "model", "expected"),
    [
        (DeviceType.DESKPHONE, "yealink", "SIP-T31P", Capability("T31P", lines=2, keys=2)),
        (DeviceType.GENERIC, "yealink", "T31P", Capability("T31P", lines=2, keys=2)),
        (DeviceType.ATA, "yealink", "T31P", None),
        (DeviceType.ATA, "grandstream", "HT801", Capability("HT801", lines=1, keys=0)),
        (DeviceType.ATA, "grandstream", "ht802v2", Capability("HT802", lines=2, keys=0)),
        (DeviceType.ATA, "grandstream", "HT812", Capability("HT812", lines=2, keys=0)),
        (DeviceType.ATA, "grandstream", "HT813", Capability("HT813", lines=2, keys=0)),
        (DeviceType.ATA, "grandstream", "HT814", Capability("HT814", lines=4, keys=0)),
        (DeviceType.ATA, "grandstream", "HT818", Capability("HT818", lines=8, keys=0)),
        (DeviceType.DECT_BASE, "yealink", "W70B", Capability("W70B", handsets=10)),
        (DeviceType.DECT_BASE, "yealink", "W80B", Capability("W80B", handsets=0)),
        (DeviceType.DECT_BASE, "snom", "M900", Capability("M900")),
        (DeviceType.DESKPHONE, "snom", "M900", None),
        (DeviceType.DESKPHONE, "yealink", "T99", None),
        (DeviceType.DESKPHONE, "yealink", None, None),
        (DeviceType.DESKPHONE, "polycom", "VVX400", None),
        (DeviceType.DESKPHONE, None, None, None),
    ],
)
def test_what_a_model_can_hold(
    kind: DeviceType, vendor: str | None, model: str | None, expected: Capability | None
) -> None:
    assert shipped().capability(kind, vendor, model) == expected


def test_models_without_templates_are_no_part_of_the_digest(tmp_path: Path) -> None:
    first = load_catalog([write_vendor(tmp_path)]).vendors["acme"].digest
    with_base = MANIFEST.replace('"001"}', '"001"}\n  B1: {type: dect_base, handsets: 5}')
    assert load_catalog([write_vendor(tmp_path, manifest=with_base)]).vendors["acme"].digest == first


def test_reload_events() -> None:
    events = shipped().reload_event("snom")
    assert events is not None
    assert (events.reload, events.reboot) == ("check-sync;reboot=false", "check-sync;reboot=true")
    assert shipped().reload_event("unknown") is None
    assert shipped().reload_event(None) is None


def test_vendor_without_templates_has_a_password_shape() -> None:
    alphabet, length = Catalog((), {}).secret_shape(None)
    assert len(set(alphabet)) ** length > 2**128
