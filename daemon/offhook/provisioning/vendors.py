"""A vendor as Offhook knows it: values read from its folder, matched against names and User-Agents of requests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offhook.inventory.models import DeviceType

#: What ``settings`` of a vendor.yaml may hold: tables that its templates look up.
Setting = str | bool | None | tuple["Setting", ...] | Mapping[str, "Setting"]


class AgentKind(StrEnum):
    """Which protocol a User-Agent was seen in."""

    HTTP = "http"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model and what it can do."""

    name: str
    lines: int
    #: SIP accounts that it holds; an ATA's are its ports. 0 for a DECT base: its handsets have them.
    code: str | None = None
    #: What stands in the name of its common file.
    keys: int = 0
    #: Keys beside its screen that can stand for a line.
    aliases: tuple[str, ...] = ()
    type: DeviceType = DeviceType.DESKPHONE
    handsets: int | None = None
    #: Of a DECT base, how many it or the system that it leads can serve; None where nobody says.


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A kind of file that the vendor's firmware asks for."""

    kind: str
    patterns: tuple[re.Pattern[str], ...]
    #: Of the whole name, in lower case, with groups ``mac``, ``model`` and ``code``.
    name: str
    #: What the firmware asks for, with ``{mac}`` or ``{MAC}``, ``{model}`` or ``{code}`` in it.
    template: str | None
    #: Name for the loader, ``<vendor>/<file>``; None where the firmware asks but we have nothing to say.
    format: str
    content_type: str
    optional: bool = False
    #: The firmware goes on when it is absent.
    expected: bool = False
    #: Fetching it proves that the device has its carrier's revision.
    holds_secrets: bool = False

    def name_for(self, mac: str, model: ModelSpec) -> str:
        """The name under which a device asks for its file."""
        return self.name.format(mac=mac, MAC=mac.upper(), model=model.name, code=model.code or "")


@dataclass(frozen=True, slots=True)
class SecretShape:
    """What passwords every firmware of the vendor can hold."""

    alphabet: str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    length: int = 24


@dataclass(frozen=True, slots=True)
class ReloadEvents:
    """The Event header values of a NOTIFY that make a phone re-read its files, or reboot."""

    reload: str
    reboot: str


@dataclass(frozen=True, slots=True)
class AgentMatch:
    """What a User-Agent says of its sender."""

    vendor: str
    model: str | None
    firmware: str | None
    mac: str | None


@dataclass(frozen=True, slots=True)
class FileMatch:
    """What the name of a file says of who asks for it."""

    vendor: str
    file: FileSpec
    mac: str | None
    models: tuple[ModelSpec, ...]
    #: That the name stands for; empty where it names none.


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor folder, read and checked."""

    name: str
    display_name: str
    ouis: tuple[str, ...]
    device_types: frozenset[DeviceType]
    #: Kinds of devices that the folder has templates for; none in a folder that only knows the vendor's models.
    models: Mapping[str, ModelSpec]
    files: tuple[FileSpec, ...]
    user_agents: Mapping[AgentKind, tuple[re.Pattern[str], ...]]
    secret: SecretShape
    reload: ReloadEvents | None
    #: None where nobody has said what its devices obey.
    settings: Mapping[str, Setting]
    digest: str
    #: Of everything in the folder and in ``_shared`` that can change what is rendered.
    _models_by_name: Mapping[str, ModelSpec] = field(repr=False, compare=False)

    def find_model(self, text: str | None) -> ModelSpec | None:
        """The model that a person or a device calls so: without regard to case, blanks and dashes."""
        return self._models_by_name.get(model_key(text)) if text else None

    def find_templated_model(self, text: str | None) -> ModelSpec | None:
        """The model of that name, where the folder has templates for such a one."""
        spec = self.find_model(text)
        return spec if spec is not None and self.has_templates(spec) else None

    def has_templates(self, model: ModelSpec) -> bool:
        """Whether files can be made for the model, rather than that it is only known."""
        return model.type in self.device_types

    def match_file(self, name: str) -> FileMatch | None:
        """What a file name means to this vendor. A name with a model or code that is not listed means nothing."""
        lowered = name.lower()
        for spec in self.files:
            for pattern in spec.patterns:
                match = pattern.fullmatch(lowered)
                if match is None:
                    continue
                groups = match.groupdict()
                models = self._models_of(groups.get("model"), groups.get("code"))
                if models is not None:
                    return FileMatch(self.name, spec, groups.get("mac"), models)
        return None

    def match_agent(self, kind: AgentKind, text: str) -> AgentMatch | None:
        """What a User-Agent of this vendor says; None for another's."""
        for pattern in self.user_agents.get(kind, ()):
            match = pattern.search(text)
            if match is not None:
                groups = match.groupdict()
                mac = groups.get("mac")
                return AgentMatch(
                    self.name,
                    groups.get("model"),
                    groups.get("firmware"),
                    re.sub("[^0-9a-f]", "", mac.lower()) if mac else None,
                )
        return None

    def _models_of(self, model: str | None, code: str | None) -> tuple[ModelSpec, ...] | None:
        if model is not None:
            found = self.find_templated_model(model)
            return (found,) if found else None
        if code is not None:
            return (
                tuple(spec for spec in self.models.values() if spec.code == code and self.has_templates(spec)) or None
            )
        return ()


def model_key(text: str) -> str:
    """The form in which model names are compared."""
    return re.sub(r"[\s_\-/]", "", text).casefold()
