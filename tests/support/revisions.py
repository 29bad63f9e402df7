"""An inventory whose devices have files that print everything there is to print, changed without a service around it.

So it can be said of every change whose files differ afterwards, and held against the revisions that it raised.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.support.inventory import BOX
from tests.support.workbench import StillClock

from offhook.endpoint import HostPort
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.models import AccessLevel, Account, Device
from offhook.inventory.parts import refuse_breaches
from offhook.inventory.revisions import affected_carriers, revise
from offhook.inventory.rules import find_breaches
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import Catalog, find_shipped_templates, load_catalog
from offhook.provisioning.parameters import ParameterDigests
from offhook.provisioning.preview import preview_file

#: A vendor of everything, whose models hold little.
MANIFEST: Final = """\
name: acme
display_name: Acme
ouis: ["02aabb"]
device_types: [deskphone, ata, generic, dect_base]
models:
  P4: {lines: 4, keys: 6}
  P2: {lines: 2, keys: 2}
  A2: {type: ata, lines: 2}
  B2: {type: dect_base, handsets: 2}
  B9: {type: dect_base, handsets: 9}
files:
  - kind: device
    patterns: ['(?P<mac>[0-9a-f]{12})\\.txt']
    name: "{mac}.txt"
    template: device.j2
    expected: true
    holds_secrets: true
secret: {alphabet: abcdefghijkmnpqrstuvwxyz23456789, length: 24}
reload: {reload: check-sync, reboot: check-sync;reboot=true}
"""
TEMPLATE: Final = """\
{{ base_url }} {{ proxy.host }} {{ phone.mac }} {{ phone.name }} {{ phone.phone_id }} {{ phone.vendor }}
{{ model.name }} {{ model.lines }} {{ model.keys }}
{{ phone.language }} {{ phone.ntp_server or "-" }} {{ phone.tones }}
{{ phone.clock.name }} {{ phone.clock.offset_minutes }}
{% for line in phone.lines %}
{{ line.index }} {{ line.label }}/{{ line.display_name }}/{{ line.extension }}/{{ line.user_name }}/{{ line.auth_name }}
{{ line.password }}/{{ line.domain }}/{{ line.registrar_host }}/{{ line.registrar_port or "-" }}/{{ line.appearances }}
{{ "external" if line.is_external else "own" }} {{ line.expires_seconds }}
{% endfor %}
{% for handset in phone.handsets %}
{{ handset.slot or "-" }} {{ handset.ipei }} {{ handset.name }}
{% for index in handset.line_indexes %} {{ index }}{% endfor %}

{% endfor %}
"""


@cache
def catalog_of_everything() -> Catalog:
    """The shipped vendors, and that one."""
    with TemporaryDirectory() as folder:
        vendor = Path(folder) / "acme"
        vendor.mkdir()
        (vendor / "vendor.yaml").write_text(MANIFEST)
        (vendor / "device.j2").write_text(TEMPLATE)
        return load_catalog([Path(folder), find_shipped_templates()])


class Site:
    """An inventory, and the files of its devices."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        self.inventory = inventory or Inventory()
        self.catalog = catalog_of_everything()
        self.clock = StillClock()
        self.workshop = Workshop(IdSource(self.clock), BOX, self.catalog)
        self._digests = ParameterDigests(self.catalog, BOX)

    def change(self, edit: Callable[[Editor], object]) -> tuple[frozenset[int], frozenset[int]]:
        """Settles, judges and keeps a change as the service does; raises what refuses it, and nothing is changed.

        Gives the devices whose revision it raised, and those whose files are others now, or new.
        """
        self.clock.advance(1)
        before, files = self.inventory, self.files()
        draft = before.draft()
        editor = Editor(draft, self.workshop, self.clock.now())
        edit(editor)
        editor.settle()
        refuse_breaches(find_breaches(draft, self.catalog))
        raised = revise(draft, affected_carriers(before, draft), self._digests)
        self.inventory = draft.freeze()
        differing = {device_id for device_id, text in self.files().items() if text != files.get(device_id)}
        return raised, frozenset(differing)

    def files(self) -> dict[int, str]:
        """What each device that has files would be given: the text of all of them."""
        return {device.id: self._files_of(device) for device in self.inventory.all(Device) if self._has_files(device)}

    def parameters(self) -> dict[int, str]:
        """What each device's files are made of, as a digest."""
        found = {device.id: self._digests.digests(self.inventory, device) for device in self.inventory.all(Device)}
        return {device_id: digests.config for device_id, digests in found.items() if digests is not None}

    def _has_files(self, device: Device) -> bool:
        vendor = self.catalog.find_vendor(device.vendor)
        return vendor is not None and device.type in vendor.device_types

    def _files_of(self, device: Device) -> str:
        account = self.inventory.get(Account, device.account_id)
        token = account.token_digest.hex() if account.access in (AccessLevel.TOKEN, AccessLevel.LAN) else ""
        vendor = self.catalog.vendors[device.vendor or ""]
        return "\n".join(
            preview_file(
                self.inventory,
                device,
                spec.kind,
                catalog=self.catalog,
                secrets=BOX,
                base_url=f"http://provisioning.test/p/{token}/",
                proxy=HostPort("10.0.0.1", 5060),
                expires_seconds=3600,
            ).text
            for spec in vendor.files
            if spec.template is not None
        )
