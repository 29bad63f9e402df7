"""The schema of ``vendor.yaml`` and the way from its text to a :class:`~offhook.provisioning.vendors.Vendor`."""

import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from offhook import yamldoc
from offhook.errors import CatalogError, DocumentError, Fault
from offhook.inventory.models import DeviceType
from offhook.provisioning.formats import FORMATS
from offhook.provisioning.vendors import (
    AgentKind,
    FileSpec,
    ModelSpec,
    ReloadEvents,
    SecretShape,
    Setting,
    Vendor,
    model_key,
)

_GROUPS: Final = {"file": {"mac", "model", "code"}, "agent": {"mac", "model", "firmware"}}


def _pattern(text: str, allowed: str) -> str:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    unknown = set(pattern.groupindex) - _GROUPS[allowed]
    if unknown:
        raise ValueError(f"has the unknown group {min(unknown)!r}; known are {', '.join(sorted(_GROUPS[allowed]))}")
    return text


_FilePattern = Annotated[str, AfterValidator(lambda text: _pattern(text, "file"))]
_AgentPattern = Annotated[str, AfterValidator(lambda text: _pattern(text, "agent"))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Model(_Section):
    lines: int = Field(ge=1, le=1000)
    code: str | None = None
    keys: int = Field(default=0, ge=0, le=1000)
    aliases: tuple[str, ...] = ()


class _File(_Section):
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    patterns: tuple[_FilePattern, ...] = Field(min_length=1)
    name: str
    template: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.\-]+\.j2$")
    format: Literal["xml", "cfg", "plain"] = "plain"
    content_type: str = "text/plain; charset=utf-8"
    optional: bool = False
    expected: bool = False
    holds_secrets: bool = False


class _Secret(_Section):
    alphabet: str = Field(pattern=r"^[A-Za-z0-9]{10,}$")
    length: int = Field(ge=16, le=64)


class _Note(_Section):
    """Why the events are what they are, and where the vendor says so: for whoever reads the folder or edits it.

    Nothing in the daemon reads it. It is checked so that no event stands there without a source that exists.
    """

    text: str
    source: str


class _Reload(_Section):
    reload: str
    reboot: str
    notes: tuple[_Note, ...] = ()


class _Agents(_Section):
    http: tuple[_AgentPattern, ...] = ()
    sip: tuple[_AgentPattern, ...] = ()


class Manifest(_Section):
    """A vendor.yaml."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_\-]*$")
    display_name: str
    ouis: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{6,9}$")], ...] = ()
    device_types: tuple[DeviceType, ...] = (DeviceType.DESKPHONE, DeviceType.GENERIC)
    models: dict[str, _Model] = Field(min_length=1)
    files: tuple[_File, ...] = Field(min_length=1)
    user_agents: _Agents = _Agents()
    secret: _Secret
    reload: _Reload
    settings: dict[str, Any] = {}


def read_vendor(text: str | bytes, file: str, folder: str, sources: Mapping[str, str]) -> Vendor:
    """Reads a manifest.

    ``sources`` are the templates by loader name. Raises CatalogError with every fault, each with its line.
    """
    try:
        document = yamldoc.load(text, file)
    except DocumentError as error:
        raise CatalogError(error.faults) from None
    try:
        manifest = Manifest.model_validate(document.data)
    except ValidationError as error:
        raise CatalogError(yamldoc.faults_of(error, document, Manifest)) from None
    faults = _find_contradictions(manifest, document, folder, sources)
    if faults:
        raise CatalogError(faults)
    return _build(manifest, sources)


def _find_contradictions(
    manifest: Manifest, document: yamldoc.Document, folder: str, sources: Mapping[str, str]
) -> list[Fault]:
    faults = []
    if manifest.name != folder:
        faults.append(document.fault(("name",), f"is {manifest.name!r}, but its folder is {folder!r}; make them one"))
    known: dict[str, str] = {}
    for name, model in manifest.models.items():
        for alias in (name, *model.aliases):
            other = known.setdefault(model_key(alias), name)
            if other != name:
                faults.append(document.fault(("models", name), f"answers to {alias!r}, as {other} does; drop one"))
    for index, spec in enumerate(manifest.files):
        path = ("files", index)
        if spec.template is None and not spec.optional:
            faults.append(document.fault(path, "has no template; add one, or say optional: true"))
        if spec.template is not None and f"{manifest.name}/{spec.template}" not in sources:
            faults.append(document.fault((*path, "template"), f"{spec.template} is not in the folder"))
        if not _is_own_name(spec, manifest):
            faults.append(
                document.fault(
                    (*path, "name"), "is not matched by patterns; write it with {mac}, {MAC}, {model}, {code}"
                )
            )
        if spec.holds_secrets or spec.expected:
            faults.extend(
                document.fault((*path, "patterns", place), "needs the group mac: the file belongs to one device")
                for place, pattern in enumerate(spec.patterns)
                if "(?P<mac>" not in pattern
            )
    if not any(spec.expected for spec in manifest.files):
        faults.append(document.fault(("files",), "has none with expected: true, so no fetch could prove a revision"))
    return faults


def _is_own_name(spec: _File, manifest: Manifest) -> bool:
    """Whether the name, filled in for any model, is one that the patterns know."""
    try:
        names = [
            spec.name.format(mac="0123456789ab", MAC="0123456789AB", model=name, code=model.code or "")
            for name, model in manifest.models.items()
        ]
    except (KeyError, IndexError, ValueError):
        return False
    return all(any(re.fullmatch(pattern, name.lower()) for pattern in spec.patterns) for name in names)


def _build(manifest: Manifest, sources: Mapping[str, str]) -> Vendor:
    models = {
        name: ModelSpec(name, model.lines, model.code, model.keys, model.aliases)
        for name, model in manifest.models.items()
    }
    return Vendor(
        name=manifest.name,
        display_name=manifest.display_name,
        ouis=manifest.ouis,
        device_types=frozenset(manifest.device_types),
        models=MappingProxyType(models),
        files=tuple(
            FileSpec(
                kind=spec.kind,
                patterns=tuple(re.compile(pattern) for pattern in spec.patterns),
                name=spec.name,
                template=f"{manifest.name}/{spec.template}" if spec.template else None,
                format=FORMATS[spec.format].name,
                content_type=spec.content_type,
                optional=spec.optional,
                expected=spec.expected,
                holds_secrets=spec.holds_secrets,
            )
            for spec in manifest.files
        ),
        user_agents=MappingProxyType(
            {
                AgentKind.HTTP: tuple(re.compile(pattern) for pattern in manifest.user_agents.http),
                AgentKind.SIP: tuple(re.compile(pattern) for pattern in manifest.user_agents.sip),
            }
        ),
        secret=SecretShape(manifest.secret.alphabet, manifest.secret.length),
        reload=ReloadEvents(manifest.reload.reload, manifest.reload.reboot),
        settings=MappingProxyType({key: _freeze(value) for key, value in manifest.settings.items()}),
        digest=_digest(manifest, sources),
        _models_by_name=MappingProxyType(
            {model_key(alias): spec for name, spec in models.items() for alias in (name, *spec.aliases)}
        ),
    )


def _freeze(value: Any) -> Setting:
    if isinstance(value, dict):
        return MappingProxyType({str(key): _freeze(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_freeze(item) for item in value)
    return value if isinstance(value, bool) or value is None else str(value)


def _digest(manifest: Manifest, sources: Mapping[str, str]) -> str:
    """Over the templates and over what the manifest tells them, so that a comment changes nobody's revision."""
    told = manifest.model_dump(mode="json", include={"models", "settings"})
    own = {name: text for name, text in sources.items() if name.split("/")[0] in (manifest.name, "_shared")}
    canonical = json.dumps([told, own], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
