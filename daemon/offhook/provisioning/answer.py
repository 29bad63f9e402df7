"""The one way from a request to an answer, behind HTTP and TFTP alike: evidence, identity, access, render.

What is unknown and what is refused get the same answer by the same path; the reason is only in the log and in the
decision. Rendering takes a few hundred microseconds and no I/O, so all of it happens on the loop.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from offhook.endpoint import HostPort
from offhook.errors import RenderError, StoreError
from offhook.events import ConfigFetched, RenderFailed
from offhook.inventory.models import Account, Carrier, Device
from offhook.inventory.snapshot import Inventory
from offhook.observability.repeats import Repeats
from offhook.provisioning.access import Network, Requester, decide_access, find_requester
from offhook.provisioning.cache import RenderCache
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.evidence import (
    PathToken,
    RequestPath,
    TokenKind,
    clean_user_agent,
    gather_claims,
    parse_request_path,
)
from offhook.provisioning.identify import NOBODY, Identity, Reason, identify
from offhook.provisioning.parameters import build_parameters
from offhook.provisioning.ports import CurrentInventory, EventSink, SecretBox


class Protocol(StrEnum):
    HTTP = "http"
    HTTPS = "https"
    TFTP = "tftp"


_ANSWERED: Final = "provisioning.request.answered"
_DEFAULT_PORTS: Final = {Protocol.HTTP: 80, Protocol.HTTPS: 443, Protocol.TFTP: 69}


class AnswerStatus(StrEnum):
    FOUND = "found"
    NOT_MODIFIED = "not_modified"
    NOT_FOUND = "not_found"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A request for a file."""

    path: str
    #: Decoded once, with or without a leading slash.
    protocol: Protocol
    source: str
    #: Address that it came from.
    local_address: str
    local_port: int
    #: Where it arrived.
    user_agent: str = ""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class ProvisioningSettings:
    """What the configuration says of provisioning."""

    public_url: str | None = None
    #: None stands for the scheme, address and port that a request arrived on.
    lan_networks: tuple[Network, ...] = ()
    sip_advertise: HostPort | None = None
    #: None stands for the address that a request arrived on; without port, ``sip_port`` is added.
    sip_port: int = 5060
    expires_seconds: int = 3600
    cache_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a request was answered as it was."""

    reason: Reason
    identity: Identity = NOBODY
    revision: int = 0
    #: Of the carrier, where its file was rendered.
    error: str = ""
    #: Template, line and what was wrong, where rendering failed.


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send. ``on_delivered`` is to be called when all of it has reached the device, or a 304 was sent."""

    status: AnswerStatus
    decision: Decision
    content: bytes = b""
    content_type: str = ""
    etag: str = ""
    on_delivered: Callable[[], None] = _nothing


class Provisioner:
    """Answers requests for files."""

    def __init__(
        self,
        *,
        inventory: CurrentInventory,
        catalog: Catalog,
        secrets: SecretBox,
        events: EventSink,
        settings: ProvisioningSettings,
    ) -> None:
        self._inventory = inventory
        self._secrets = secrets
        self._events = events
        self._log = structlog.get_logger("offhook.provisioning")
        self._repeats = Repeats()
        self.use(catalog, settings)

    def use(self, catalog: Catalog, settings: ProvisioningSettings) -> None:
        """Takes another catalog and other settings, from the next request on."""
        self._catalog = catalog
        self._settings = settings
        self._cache = RenderCache(settings.cache_bytes)

    def answer(self, request: FileRequest, now: float) -> Answer:
        """Decides and renders. Logs one line, and publishes what happened; never raises for what a device sent."""
        path = parse_request_path(request.path)
        agent = clean_user_agent(request.user_agent)
        if path is None:
            answer = Answer(AnswerStatus.NOT_FOUND, Decision(Reason.MALFORMED_PATH))
        else:
            answer = self._decide(request, path, agent, now)
        self._log_answer(request, path, answer, now)
        return answer

    def _decide(self, request: FileRequest, path: RequestPath, agent: str, now: float) -> Answer:
        inventory = self._inventory()
        claims = gather_claims(self._catalog, path, agent)
        identity = identify(claims, inventory, self._catalog)
        lan = self._settings.lan_networks
        requester = find_requester(inventory, self._secrets, path.token, request.source, lan, now)
        reason = decide_access(inventory, identity, requester)
        if reason is not Reason.GRANTED:
            return Answer(AnswerStatus.NOT_FOUND, Decision(reason, identity))
        return self._give(request, path, agent, inventory, identity, requester, now)

    def _give(
        self,
        request: FileRequest,
        path: RequestPath,
        agent: str,
        inventory: Inventory,
        identity: Identity,
        requester: Requester,
        now: float,
    ) -> Answer:
        file = identity.file
        if file is None:
            raise AssertionError("access was granted to no file")
        carrier = _find_carrier(inventory, identity, requester)
        revision = 0
        if carrier is not None and identity.mac is not None:
            state = inventory.find(Carrier, carrier.id)
            revision = state.revision if state else 0
        decision = Decision(Reason.GRANTED, identity, revision)
        try:
            content = self._content(request, self._find_token(path, requester), inventory, identity, carrier)
        except (RenderError, StoreError) as error:
            if carrier is not None:
                self._events.publish(RenderFailed(carrier.id, revision, str(error), now))
            return Answer(AnswerStatus.ERROR, Decision(Reason.RENDER_FAILED, identity, revision, str(error)))
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        not_modified = _matches(request.if_none_match, etag)
        return Answer(
            status=AnswerStatus.NOT_MODIFIED if not_modified else AnswerStatus.FOUND,
            decision=decision,
            content=b"" if not_modified else content,
            content_type=file.content_type,
            etag=etag,
            on_delivered=self._report(request, path, agent, decision, carrier, now),
        )

    def _content(
        self,
        request: FileRequest,
        token: PathToken | None,
        inventory: Inventory,
        identity: Identity,
        carrier: Device | None,
    ) -> bytes:
        file, vendor = identity.file, identity.vendor
        if file is None or file.template is None or vendor is None:
            raise AssertionError("access was granted to a file without template")
        values: dict[str, object] = {"vendor": vendor, "settings": vendor.settings, "model": identity.model}
        model = identity.model.name if identity.model else ""
        if identity.mac is None:
            return self._cache.get(
                (vendor.digest, file.kind, model),
                lambda: self._catalog.renderer.render(file.template or "", file.format, values),
            )
        if carrier is None:
            raise AssertionError("a file of a device was granted without a device")
        base_url = self._base_url(request, token)
        proxy = self._proxy(request)

        def render() -> bytes:
            phone = build_parameters(
                inventory,
                carrier,
                self._secrets,
                self._catalog,
                model=identity.model,
                expires_seconds=self._settings.expires_seconds,
            )
            own = {
                "phone": phone,
                "model": phone.model,
                "base_url": base_url,
                "proxy": proxy,
                "proxy_address": str(proxy),
            }
            return self._catalog.renderer.render(file.template or "", file.format, {**values, **own})

        state = inventory.find(Carrier, carrier.id)
        if state is None:
            return render()
        # A base URL holds a token, which must not live on in the keys of a cache.
        place = hashlib.sha256(f"{base_url}\n{proxy}".encode()).digest()
        key = (vendor.digest, file.kind, model, carrier.id, state.revision, state.digest, place)
        return self._cache.get(key, render)

    def _proxy(self, request: FileRequest) -> HostPort:
        """Where the phone shall send its SIP: as configured, else to the address that it has just reached."""
        advertised = self._settings.sip_advertise
        if advertised is None:
            return HostPort(_without_zone(request.local_address), self._settings.sip_port)
        return HostPort(advertised.host, advertised.port or self._settings.sip_port)

    def _find_token(self, path: RequestPath, requester: Requester) -> PathToken | None:
        """The token under which the phone shall ask again: the one that it showed, unless that has been changed."""
        account = requester.account
        if account is None or not requester.by_former_token:
            return path.token
        return PathToken(TokenKind.ACCOUNT, self._secrets.open(account.sealed_token, f"account:{account.id}:token"))

    def _base_url(self, request: FileRequest, token: PathToken | None) -> str:
        """Where the phone shall ask again."""
        url = self._settings.public_url
        if url is None:
            port = None if request.local_port == _DEFAULT_PORTS[request.protocol] else request.local_port
            url = f"{request.protocol}://{HostPort(_without_zone(request.local_address), port)}"
        folder = f"/{token.kind}/{token.text.reveal()}" if token else ""
        return f"{url.rstrip('/')}{folder}/"

    def _report(
        self,
        request: FileRequest,
        path: RequestPath,
        agent: str,
        decision: Decision,
        carrier: Device | None,
        now: float,
    ) -> Callable[[], None]:
        identity = decision.identity
        if carrier is None or identity.file is None:
            return _nothing
        event = ConfigFetched(
            carrier_id=carrier.id,
            revision=decision.revision if identity.file.expected else 0,
            file=path.name,
            kind=identity.file.kind,
            at=now,
            source=request.source,
            protocol=request.protocol.value,
            user_agent=agent,
            vendor=identity.vendor.name if identity.vendor else "",
            model=identity.reported_model or "",
            firmware=identity.reported_firmware or "",
        )
        waiting = [event]

        def delivered() -> None:
            if waiting:
                self._events.publish(waiting.pop())

        return delivered

    def _log_answer(self, request: FileRequest, path: RequestPath | None, answer: Answer, now: float) -> None:
        """One line for each file that was given; what is refused, for strangers too, a line a minute."""
        decision = answer.decision
        identity = decision.identity
        facts: dict[str, object] = {}
        if identity.model_mismatch:
            facts["typed_model"] = identity.device.model if identity.device else None
        if identity.mac_mismatch:
            facts["mac_mismatch"] = True
        if decision.error:
            facts["error"] = decision.error
        facts = {
            "protocol": request.protocol.value,
            "source": request.source,
            "file": clean_user_agent(path.redacted) if path else "",
            "reason": decision.reason.value,
            "vendor": identity.vendor.name if identity.vendor else None,
            "model": identity.reported_model,
            "device": identity.mac if identity.device else None,
            "status": answer.status.value,
            "bytes": len(answer.content),
            "revision": decision.revision,
            **facts,
        }
        if decision.reason is Reason.GRANTED:
            self._log.info(_ANSWERED, **facts)
            return
        level = logging.ERROR if decision.error else logging.INFO
        about = (request.source, decision.reason, identity.device.id if identity.device else 0)
        self._repeats.log(self._log, level, _ANSWERED, about, now, **facts)


def _find_carrier(inventory: Inventory, identity: Identity, requester: Requester) -> Device | None:
    """The device whose fetch this is. Of a common file it is known by User-Agent only: then its token must agree."""
    device = identity.device
    if device is None:
        return requester.device
    if identity.mac is None:
        if requester.device is not None:
            return requester.device
        account = requester.account or inventory.get(Account, device.account_id)
        if account.id != device.account_id:
            return None
    return device


def _without_zone(address: str) -> str:
    """A link-local address without the zone, which means nothing to another machine (RFC 4007 §11)."""
    return address.partition("%")[0]


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110 §13.1.2, weak comparison."""
    if if_none_match.strip() == "*":
        return True
    return any(tag.strip().removeprefix("W/") == etag for tag in if_none_match.split(","))
