"""The schema of ``vendor.yaml`` and the way from its text to a :class:`~offhook.provisioning.vendors.Vendor`."""

import hashlib
import json
import math
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

#: What guessing a SIP password must cost at least, in bits: it is attacked offline by whoever hears one digest.
PASSWORD_BITS: Final = 112

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
    lines: int | None = Field(default=None, ge=1, le=1000)
    code: str | None = None
    keys: int = Field(default=0, ge=0, le=1000)
    aliases: tuple[str, ...] = ()
    type: DeviceType = DeviceType.DESKPHONE
    handsets: int | None = Field(default=None, ge=0, le=100_000)


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

    @property
    def bits(self) -> float:
        """What a password of this shape holds; a character that is listed twice is one."""
        return self.length * math.log2(len(set(self.alphabet)))


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
    files: tuple[_File, ...] = ()
    #: A folder without any knows the vendor's models and how to tell them, and makes nothing for them.
    user_agents: _Agents = _Agents()
    secret: _Secret | None = None
    reload: _Reload | None = None
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
        if model.type is DeviceType.DECT_BASE:
            if model.lines is not None:
                faults.append(document.fault(("models", name, "lines"), "is not for a DECT base; state its handsets"))
        elif model.lines is None:
            faults.append(document.fault(("models", name), "needs lines"))
        elif model.handsets is not None:
            faults.append(document.fault(("models", name, "handsets"), "is for models of type dect_base only"))
    faults.extend(_find_weak_secret(manifest, document))
    faults.extend(_find_missing(manifest, document))
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
    if manifest.files and not any(spec.expected for spec in manifest.files):
        faults.append(document.fault(("files",), "has none with expected: true, so no fetch could prove a revision"))
    return faults


def _find_weak_secret(manifest: Manifest, document: yamldoc.Document) -> list[Fault]:
    secret = manifest.secret
    if secret is None:
        return []
    if len(set(secret.alphabet)) < len(secret.alphabet):
        return [document.fault(("secret", "alphabet"), "has a character twice, which would then be drawn more often")]
    if secret.bits < PASSWORD_BITS:
        needed = math.ceil(PASSWORD_BITS / math.log2(len(secret.alphabet)))
        message = f"makes passwords of {secret.bits:.0f} bits, and {PASSWORD_BITS} are needed: {needed} characters"
        return [document.fault(("secret", "length"), message)]
    return []


def _find_missing(manifest: Manifest, document: yamldoc.Document) -> list[Fault]:
    """A folder that makes files says what goes with them; one that makes none claims no device types."""
    if manifest.files:
        return [
            document.fault((), f"has files, and needs {name!r} to go with them")
            for name in ("secret", "reload")
            if getattr(manifest, name) is None
        ]
    if "device_types" in manifest.model_fields_set:
        return [document.fault(("device_types",), "names what there are templates for, and there are no files")]
    return []


def _is_own_name(spec: _File, manifest: Manifest) -> bool:
    """Whether the name, filled in for any model that files are made for, is one that the patterns know."""
    try:
        names = [
            spec.name.format(mac="0123456789ab", MAC="0123456789AB", model=name, code=model.code or "")
            for name, model in manifest.models.items()
            if model.type in manifest.device_types
        ]
    except (KeyError, IndexError, ValueError):
        return False
    return all(any(re.fullmatch(pattern, name.lower()) for pattern in spec.patterns) for name in names)


def _build(manifest: Manifest, sources: Mapping[str, str]) -> Vendor:
    models = {
        name: ModelSpec(
            name=name,
            lines=model.lines or 0,
            code=model.code,
            keys=model.keys,
            aliases=model.aliases,
            type=model.type,
            handsets=model.handsets,
        )
        for name, model in manifest.models.items()
    }
    return Vendor(
        name=manifest.name,
        display_name=manifest.display_name,
        ouis=manifest.ouis,
        device_types=frozenset(manifest.device_types if manifest.files else ()),
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
        secret=SecretShape(manifest.secret.alphabet, manifest.secret.length) if manifest.secret else SecretShape(),
        reload=ReloadEvents(manifest.reload.reload, manifest.reload.reboot) if manifest.reload else None,
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
    told["models"] = {
        name: told["models"][name] for name, model in manifest.models.items() if model.type in manifest.device_types
    }
    own = {name: text for name, text in sources.items() if name.split("/")[0] in (manifest.name, "_shared")}
    canonical = json.dumps([told, own], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
