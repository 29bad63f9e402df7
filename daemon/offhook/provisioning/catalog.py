"""Every vendor folder, read once.

A request never reaches the file system: names are matched against the compiled tables here, and templates come from
the sources kept here. Reading again gives a new catalog, or an error and the old one stays.
"""

import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final

import jinja2

from offhook.errors import CatalogError, Fault
from offhook.inventory.models import DeviceType
from offhook.inventory.ports import Capability
from offhook.inventory.rules import name_type
from offhook.provisioning.manifest import read_vendor
from offhook.provisioning.render import Renderer
from offhook.provisioning.vendors import AgentKind, AgentMatch, FileMatch, ReloadEvents, SecretShape, Vendor

SHARED: Final = "_shared"
_MAX_SOURCE_BYTES: Final = 1024 * 1024
_SYNTAX: Final = jinja2.Environment(autoescape=True)


class Catalog:
    """The vendors, and the sources of their templates. Satisfies :class:`offhook.inventory.ports.Vendors`."""

    def __init__(self, vendors: Iterable[Vendor], sources: Mapping[str, str]) -> None:
        self.vendors: Final[Mapping[str, Vendor]] = MappingProxyType({vendor.name: vendor for vendor in vendors})
        self.sources: Final = MappingProxyType(dict(sources))
        self.renderer: Final = Renderer(self.sources)
        self._ouis = {oui: vendor for vendor in self.vendors.values() for oui in vendor.ouis}
        self._oui_lengths = sorted({len(oui) for oui in self._ouis}, reverse=True)

    def find_vendor(self, name: str | None) -> Vendor | None:
        """The vendor of that name."""
        return self.vendors.get(name.lower()) if name else None

    def vendor_of_mac(self, mac: str) -> Vendor | None:
        """The vendor to whom the address block of a MAC belongs; the longest prefix wins."""
        for length in self._oui_lengths:
            vendor = self._ouis.get(mac[:length])
            if vendor is not None:
                return vendor
        return None

    def find_vendor_by_mac(self, mac: str) -> str | None:
        """Name of the vendor to whom the address block of a MAC belongs."""
        vendor = self.vendor_of_mac(mac)
        return vendor.name if vendor else None

    def secret_shape(self, vendor: str | None) -> tuple[str, int]:
        """Alphabet and length of a password that the vendor's phones can hold."""
        found = self.find_vendor(vendor)
        shape = found.secret if found else SecretShape()
        return shape.alphabet, shape.length

    def capability(self, kind: DeviceType, vendor: str | None, model: str | None) -> Capability | None:
        """What a model can hold; None where the folder does not know it, or knows it as a device of another type."""
        found = self.find_vendor(vendor)
        spec = found.find_model(model) if found is not None else None
        if spec is None or kind not in (spec.type, DeviceType.GENERIC):
            return None
        if spec.type is DeviceType.DECT_BASE:
            return Capability(spec.name, handsets=spec.handsets)
        return Capability(spec.name, lines=spec.lines, keys=spec.keys)

    def missing_templates(self, kind: DeviceType, vendor: str | None, model: str | None) -> str | None:
        """Why such a device gets no file, or not one made for it, in words for the operator; None where it does."""
        with_templates = ", ".join(known.name for known in self.vendors.values() if known.device_types)
        if vendor is None:
            return f"has no vendor, so it gets no configuration; set one of {with_templates}"
        found = self.find_vendor(vendor)
        if found is None:
            return f"there are no templates for vendor {vendor!r}; there are some for {with_templates}"
        if kind not in found.device_types:
            return f"there are no templates for {name_type(kind)} of {found.display_name}, so it gets no configuration"
        if model is not None and found.find_templated_model(model) is None:
            known = ", ".join(spec.name for spec in found.models.values() if found.has_templates(spec))
            return f"model {model!r} is not known for {found.display_name}; known are {known}"
        return None

    def match_file(self, name: str) -> tuple[FileMatch, ...]:
        """What a file name means, to each vendor whose firmware asks for such a one."""
        return tuple(match for vendor in self.vendors.values() if (match := vendor.match_file(name)))

    def match_agent(self, kind: AgentKind, user_agent: str) -> AgentMatch | None:
        """What a User-Agent says of its sender."""
        for vendor in self.vendors.values():
            match = vendor.match_agent(kind, user_agent)
            if match is not None:
                return match
        return None

    def reload_event(self, vendor: str | None) -> ReloadEvents | None:
        """The events that a device of the vendor obeys; None where nobody has said."""
        found = self.find_vendor(vendor)
        return found.reload if found else None


def find_shipped_templates() -> Traversable:
    """The folder of templates that came with this Offhook: inside an installed wheel, else of the checkout."""
    installed = importlib.resources.files("offhook").joinpath("_data", "templates", "phones")
    if installed.is_dir():
        return installed
    return Path(__file__).parents[3] / "templates" / "phones"


def load_catalog(roots: Sequence[Traversable] | None = None) -> Catalog:
    """Reads the vendor folders under ``roots``.

    The first root that has a file wins, so that a site may replace a single template or add a vendor; None stands
    for the shipped templates alone. Raises CatalogError with all faults, each with its file and line.
    """
    chosen: Sequence[Traversable] = [find_shipped_templates()] if roots is None else roots
    faults: list[Fault] = []
    manifests: dict[str, Traversable] = {}
    sources: dict[str, str] = {}
    for root in chosen:
        for folder in _folders(root, faults):
            manifest = folder.joinpath("vendor.yaml")
            if folder.name != SHARED and manifest.is_file():
                manifests.setdefault(folder.name, manifest)
            for name, text in _templates(folder, faults):
                sources.setdefault(name, text)
    vendors = []
    for name, manifest in sorted(manifests.items()):
        try:
            vendors.append(read_vendor(manifest.read_bytes(), str(manifest), name, sources))
        except CatalogError as error:
            faults.extend(error.faults)
    if faults:
        raise CatalogError(faults)
    catalog = Catalog(vendors, sources)
    for vendor in vendors:
        for file in vendor.files:
            if file.template is not None:
                catalog.renderer.prepare(file.template, file.format)
    return catalog


def _folders(root: Traversable, faults: list[Fault]) -> list[Traversable]:
    if not root.is_dir():
        faults.append(Fault("is not a folder; correct templates.paths", file=str(root)))
        return []
    return sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda entry: entry.name)


def _templates(folder: Traversable, faults: list[Fault]) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        if not (entry.name.endswith(".j2") and entry.is_file()):
            continue
        raw = entry.read_bytes()
        if len(raw) > _MAX_SOURCE_BYTES:
            faults.append(Fault(f"is larger than {_MAX_SOURCE_BYTES} bytes", file=str(entry)))
            continue
        try:
            text = raw.decode()
            _SYNTAX.compile(text, raw=True)
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            faults.append(Fault("is not UTF-8; save it as UTF-8", file=str(entry), line=line, column=1))
        except jinja2.TemplateSyntaxError as error:
            faults.append(Fault(error.message or "is no template", file=str(entry), line=error.lineno, column=1))
        else:
            found.append((f"{folder.name}/{entry.name}", text))
    return found
