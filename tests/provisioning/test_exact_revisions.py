"""A carrier's revision rises exactly when its files would be others, whatever was edited."""

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from tests.support.revisions import Site

from offhook.errors import InventoryError
from offhook.inventory.apply import ApplyOptions, apply_document
from offhook.inventory.assigning import assign_line
from offhook.inventory.disabling import disable, enable
from offhook.inventory.editor import Editor
from offhook.inventory.models import (
    Account,
    BaseRole,
    DectSystem,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.pairing import move_base, pair, set_role, unpair
from offhook.inventory.reading import read_document
from offhook.inventory.replacement import replace_device
from offhook.inventory.rotation import activate_staged, new_password, stage_password
from offhook.inventory.snapshot import Inventory

E = TypeVar("E", bound=Entity)
Edit = Callable[[Editor], object]

DOCUMENT = """
accounts:
  - name: acme
    sip_domain: acme.test
    timezone: America/New_York
    locations: [{name: HQ, timezone: America/Denver}, {name: Annex}]
    users:
      - {username: jane, first_name: Jane, extension: "2001", location: HQ}
      - {username: robin, first_name: Robin, extension: "2002"}
      - {username: kim, first_name: Kim, extension: "2003", location: Annex}
    numbers: [{number: "+12125550101", user: jane}, {number: "+12125550102"}, {number: "+12125550103", user: kim}]
    dect_systems: [{name: Plant, vendor: acme, model: B9}]
    devices:
      - {type: deskphone, mac: 02aabb000001, model: P4, name: Desk, location: HQ, user: jane}
      - {type: deskphone, mac: 02aabb000002, model: P4, lines: [{index: 1, number: "+12125550103"}, {index: 3, extension: "2090"}]}
      - {type: ata, mac: 02aabb000003, model: A2, lines: [{index: 1, extension: "2091"}, {index: 2}]}
      - {type: dect_base, mac: 02aabb000004, system: Plant, role: master, location: HQ}
      - {type: dect_base, mac: 02aabb000005, system: Plant, role: member}
      - {type: dect_base, mac: 02aabb000006, model: B2}
      - {type: dect_handset, ipei: "000000000001", base: 02aabb000004, name: One, user: robin}
      - {type: dect_handset, ipei: "000000000002", base: 02aabb000005, name: Two, lines: [{index: 1, extension: "2092"}]}
      - {type: dect_handset, ipei: "000000000003", base: 02aabb000006, name: Three, lines: [{index: 1, extension: "2093"}]}
      - {type: softphone, name: PC, lines: [{index: 1, extension: "2094"}]}
      - {type: deskphone, mac: "001565000001", model: T31P, lines: [{index: 1, extension: "2095", label: Lab}]}
      - {type: deskphone, mac: "000413000001", model: D120, lines: [{index: 1, extension: "2096"}]}
  - name: globex
    sip_domain: globex.test
    devices: [{type: deskphone, mac: 02aabb000009, model: P2, lines: [{index: 1, extension: "2001"}]}]
"""  # noqa: E501 # a device a line

TEXTS = st.sampled_from(["", "Hall", "Lab", "Jane"])
ZONES = st.sampled_from([None, "UTC", "America/Denver", "Europe/Berlin"])


def apply(text: str) -> Edit:
    def edit(editor: Editor) -> None:
        assert apply_document(editor, read_document(text.encode(), "site.yaml"), ApplyOptions()).faults == []

    return edit


SEED = Site()
SEED.change(apply(DOCUMENT))


class Draw:
    """Chooses what is edited, and how."""

    def __init__(self, data: st.DataObject, inventory: Inventory) -> None:
        self._data = data
        self._inventory = inventory

    def value(self, *values: Any) -> Any:
        return self._data.draw(st.sampled_from(values))

    def text(self) -> str:
        return self._data.draw(TEXTS)

    def zone(self) -> str | None:
        return self._data.draw(ZONES)

    def one(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True) -> E:
        """One of those that there are."""
        found = sorted((entity for entity in self._inventory.all(kind) if fits(entity)), key=lambda entity: entity.id)
        if not found:
            reject()
        return self._data.draw(st.sampled_from(found))

    def device(self, *kinds: DeviceType) -> Device:
        return self.one(Device, lambda device: device.type in (kinds or tuple(DeviceType)))


BASE, HANDSET, PHONE, ATA = DeviceType.DECT_BASE, DeviceType.DECT_HANDSET, DeviceType.DESKPHONE, DeviceType.ATA


def change(entity: Entity, **values: Any) -> Edit:
    return lambda editor: editor.change(entity, **values)


def assign(draw: Draw) -> Edit:
    line = draw.one(Line)
    given = draw.value({}, {"extension": "2077"}, {"user": draw.one(User)}, {"number": draw.one(Number)})
    return lambda editor: assign_line(editor, line, **given, confirm_moves=True)


def replace_by(draw: Draw) -> Edit:
    device = draw.device(PHONE, ATA, BASE)
    mac, model = f"02aabb0001{draw.value(1, 2, 3):02}", draw.value(None, "P2", "A2", "B2")
    return lambda editor: replace_device(editor, device, mac=mac, model=model)


def exchange_password(draw: Draw) -> Edit:
    line, step = draw.one(Line), draw.value(stage_password, activate_staged, new_password)
    return lambda editor: step(editor, line)


def switch(draw: Draw) -> Edit:
    device, step = draw.device(), draw.value(disable, enable)
    return lambda editor: step(editor, device)


def rename_number(draw: Draw) -> Edit:
    number, user = draw.one(Number), draw.value(None, draw.one(User))
    values = draw.value({"display_first": draw.text()}, {"extension": "2088"}, {"user_id": user.id if user else None})
    return change(number, **values)


#: Each makes an edit of what it draws; together they touch all that a file could depend on, and what it does not.
EDITS: tuple[Callable[[Draw], Edit], ...] = (
    assign,
    replace_by,
    exchange_password,
    switch,
    rename_number,
    lambda draw: change(draw.one(Account), **{draw.value("language", "tones"): draw.value("de", "us")}),
    lambda draw: change(draw.one(Account), timezone=draw.zone() or "UTC", ntp_server=draw.value(None, "ntp.test")),
    lambda draw: change(draw.one(Account), sip_domain=draw.value("acme.test", "other.test")),
    lambda draw: change(draw.one(Account), gateway=draw.value(None, "sip:pbx.test"), name=draw.value("acme", "b")),
    lambda draw: change(draw.one(Account), external_registrar=draw.value(None, "pbx.test:5070")),
    lambda draw: change(draw.one(Account), digest_algorithms=draw.value(("MD5",), ("SHA-256", "MD5"))),
    lambda draw: lambda editor: editor.rotate_token(next(iter(editor.draft.all(Account))), 0),
    lambda draw: change(draw.one(Location), timezone=draw.zone(), name=draw.value("HQ", "Annex", "Mill")),
    lambda draw: change(draw.one(User), first_name=draw.text(), email=draw.value(None, "j@acme.test")),
    lambda draw: change(draw.one(User), extension=draw.value("2001", "2066", None)),
    lambda draw: change(draw.one(User), timezone=draw.zone()),
    lambda draw: change(draw.one(User), location_id=draw.value(None, draw.one(Location).id)),
    lambda draw: change(draw.device(), name=draw.value(None, "Hall", "PC")),
    lambda draw: change(draw.device(PHONE, ATA, BASE), location_id=draw.value(None, draw.one(Location).id)),
    lambda draw: change(draw.device(PHONE, ATA, BASE), model=draw.value(None, "P4", "P2", "B2", "X")),
    lambda draw: change(draw.one(Line), label=draw.value(None, "Gate"), appearances=draw.value(1, 2)),
    lambda draw: change(draw.one(DectSystem), name=draw.value("Plant", "Mill"), model=draw.value(None, "B9", "B2")),
    lambda draw: (lambda handset, base: lambda editor: pair(editor, handset, base))(
        draw.device(HANDSET), draw.device(BASE)
    ),
    lambda draw: (lambda handset: lambda editor: unpair(editor, handset))(draw.device(HANDSET)),
    lambda draw: (lambda base, role: lambda editor: set_role(editor, base, role))(
        draw.device(BASE), draw.value(*BaseRole)
    ),
    lambda draw: (lambda base, system: lambda editor: move_base(editor, base, system))(
        draw.device(BASE), draw.value(None, draw.one(DectSystem))
    ),
    lambda draw: (lambda entity: lambda editor: editor.delete(entity))(
        draw.one(draw.value(Device, User, Number, Line, Location))
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_revision_rises_exactly_when_a_file_would_be_another(data: st.DataObject) -> None:
    site = Site(SEED.inventory)
    for _ in range(8):
        edit = data.draw(st.sampled_from(EDITS))(Draw(data, site.inventory))
        before = site.parameters()
        try:
            raised, differing = site.change(edit)
        except InventoryError:
            continue
        made_of = site.parameters()
        assert raised == {device_id for device_id, digest in made_of.items() if digest != before.get(device_id)}
        assert differing <= raised
        # Desk phones' templates leave out what a phone does not show; these print everything.
        print_all = {device.id for device in site.inventory.all(Device) if device.vendor == "acme"}
        assert raised & print_all == differing & print_all
