"""A device's files as it would be given them, for people: nothing is handed out, counted or logged."""

from dataclasses import dataclass

from offhook.endpoint import HostPort
from offhook.errors import NotFound
from offhook.inventory.models import Device
from offhook.inventory.ports import SecretBox
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.parameters import build_parameters, find_vendor_of
from offhook.provisioning.vendors import FileSpec, Vendor
from offhook.secret import Secret


class MaskedBox:
    """Opens nothing: every secret is ``***``."""

    def seal(self, secret: Secret, context: str) -> bytes:
        """Nothing is sealed in a preview."""
        raise TypeError("a masked box seals nothing")

    def open(self, sealed: bytes, context: str) -> Secret:
        return Secret(Secret.MASK)

    def digest(self, text: str) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class PreviewedFile:
    """One file, and the names of all that the device may ask for."""

    name: str
    content_type: str
    text: str
    names: tuple[str, ...]


def preview_file(
    inventory: Inventory,
    device: Device,
    wanted: str,
    *,
    catalog: Catalog,
    secrets: SecretBox,
    base_url: str,
    proxy: HostPort,
    expires_seconds: int,
) -> PreviewedFile:
    """Renders the file of that name or kind; with ``""`` the one that holds the device's lines.

    Raises NotFound where the device has no such file, RenderError where its template fails.
    """
    carrier = inventory.carrier_of(device)
    vendor = find_vendor_of(catalog, carrier) if carrier is not None else None
    if carrier is None or vendor is None or carrier.type not in vendor.device_types:
        raise NotFound(
            f"{describe_device(device)} has no files: no templates for a {device.type.value} of vendor "
            f"{device.vendor or 'unknown'}",
            field="vendor",
            remedy="set its vendor to one that has templates",
        )
    phone = build_parameters(inventory, carrier, secrets, catalog, expires_seconds=expires_seconds)
    rendered = [spec for spec in vendor.files if spec.template is not None]
    names = tuple(spec.name_for(carrier.mac or "", phone.model) for spec in rendered)
    spec = _find_spec(vendor, rendered, wanted)
    if spec is None or spec.template is None:
        raise NotFound(
            f"{describe_device(device)} is given no file {wanted!r}",
            field="file",
            remedy=f"name one of {', '.join(names)}",
        )
    content = catalog.renderer.render(
        spec.template,
        spec.format,
        {
            "vendor": vendor,
            "settings": vendor.settings,
            "model": phone.model,
            "phone": phone,
            "base_url": base_url,
            "proxy": proxy,
            "proxy_address": str(proxy),
        },
    )
    return PreviewedFile(names[rendered.index(spec)], spec.content_type, content.decode(), names)


def _find_spec(vendor: Vendor, rendered: list[FileSpec], wanted: str) -> FileSpec | None:
    if not wanted:
        return next((spec for spec in rendered if spec.expected), None)
    for spec in rendered:
        if spec.kind == wanted:
            return spec
    match = vendor.match_file(wanted)
    return match.file if match is not None else None
