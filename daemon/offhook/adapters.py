"""The small pieces that let one part of Offhook use another through the port that it asks for."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from offhook.clock import Clock
from offhook.endpoint import Transport
from offhook.errors import TftpError
from offhook.inventory.facts import Agent, FactBook
from offhook.inventory.models import Device, DeviceType
from offhook.inventory.ports import Capability
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import LineBinding, find_status
from offhook.observability.metrics import Metrics
from offhook.provisioning.answer import Answer, AnswerStatus, FileRequest, Protocol
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.vendors import AgentKind
from offhook.registrar.bindings import BindingTable
from offhook.registrar.ports import Flow
from offhook.reload.ports import Target
from offhook.servers.sip import SipServer
from offhook.servers.tftp import TftpAnswer, TftpRequest
from offhook.sip.message import Headers, Request, Response
from offhook.sip.status import reason_phrase

_TFTP_NOT_FOUND = 1
_TFTP_FAILED = 0


class BindingTargets:
    """Live bindings as a reload wants them, and as the state of a device does."""

    def __init__(self, bindings: BindingTable, clock: Clock) -> None:
        self._bindings = bindings
        self._clock = clock

    def targets_of(self, device_id: int) -> Sequence[Target]:
        return [
            Target(
                line_id=binding.line_id,
                credential_id=binding.credential_id,
                address_of_record=binding.aor,
                contact_uri=binding.contact,
                reachable=binding.reachable,
                registered_at=binding.refreshed_at,
                realm=binding.aor.rpartition("@")[2],
                flow=binding.flow,
            )
            for binding in self._bindings.bindings_of_device(device_id, self._clock.now())
        ]

    def line_bindings(self, device_id: int) -> Sequence[LineBinding]:
        live = self._bindings.bindings_of_device(device_id, self._clock.now())
        return [LineBinding(binding.line_id, binding.reachable) for binding in live]


class FlowSender:
    """Sends a reload's requests down the flow of a binding, under the address that the phone knows."""

    def __init__(self, server: SipServer, answer_seconds: Callable[[], float]) -> None:
        """``answer_seconds`` is how long an answer is awaited; never longer than Timer F (RFC 3261 §17.1.2.2)."""
        self._server = server
        self._answer_seconds = answer_seconds

    async def send(self, request: Request, target: Target) -> Response:
        if not isinstance(target.flow, Flow):
            raise TypeError(f"{target.flow!r} is no flow")
        contact = self._server.sent_by(target.flow)
        suffix = "" if target.flow.transport is Transport.UDP else f";transport={target.flow.transport.value}"
        request.headers.add("Contact", f"<sip:{contact}{suffix}>")
        try:
            async with asyncio.timeout(self._answer_seconds()):
                return await self._server.request(request, target.flow)
        except TimeoutError:
            return Response(408, reason_phrase(408), Headers())


def read_agent(catalog: Catalog, user_agent: str) -> Agent:
    """What the User-Agent of a REGISTER says of the phone."""
    match = catalog.match_agent(AgentKind.SIP, user_agent)
    return Agent(match.vendor, match.model or "", match.firmware or "") if match is not None else Agent()


class CatalogEvents:
    """Events that make a model reload, from its vendor's folder."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def reload_events(self, vendor: str | None, model: str | None) -> Sequence[str]:
        events = self._catalog().reload_event(vendor)
        return [events.reload] if events is not None else []


class CurrentVendors:
    """The vendor folders of the moment, as the inventory asks for them."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def find_vendor_by_mac(self, mac: str) -> str | None:
        return self._catalog().find_vendor_by_mac(mac)

    def capability(self, kind: DeviceType, vendor: str | None, model: str | None) -> Capability | None:
        return self._catalog().capability(kind, vendor, model)

    def secret_shape(self, vendor: str | None) -> tuple[str, int]:
        return self._catalog().secret_shape(vendor)

    def missing_templates(self, kind: DeviceType, vendor: str | None, model: str | None) -> str | None:
        return self._catalog().missing_templates(kind, vendor, model)


class TftpFiles:
    """Answers TFTP from the one provisioning pipeline."""

    def __init__(self, answer: Callable[[FileRequest, float], Answer], clock: Clock) -> None:
        self._answer = answer
        self._clock = clock

    async def __call__(self, request: TftpRequest) -> TftpAnswer:
        answer = self._answer(
            FileRequest(
                path=request.filename,
                protocol=Protocol.TFTP,
                source=request.source[0],
                local_address=request.local[0],
                local_port=request.local[1],
            ),
            self._clock.now(),
        )
        if answer.status is AnswerStatus.ERROR:
            raise TftpError(_TFTP_FAILED, "not available")
        if answer.status is not AnswerStatus.FOUND:
            raise TftpError(_TFTP_NOT_FOUND, "file not found")

        def on_done(is_complete: bool) -> None:
            if is_complete:
                answer.on_delivered()

        return TftpAnswer(answer.content, on_done)


class TftpMetrics:
    """What the TFTP server counts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def transfer_finished(self, outcome: str, octets: int, seconds: float) -> None:
        self._metrics.tftp_transfer(outcome)

    def refused(self, reason: str) -> None:
        self._metrics.tftp_transfer("refused")


def count_bindings(bindings: BindingTable) -> Mapping[str, int]:
    """Bindings by transport, for a scrape."""
    return {transport.value: bindings.count(transport) for transport in Transport}


def count_devices(inventory: Inventory, facts: FactBook, targets: BindingTargets) -> Mapping[str, int]:
    """Devices by status, for a scrape."""
    return Counter(
        find_status(inventory, device, facts.of, targets.line_bindings).status.value for device in inventory.all(Device)
    )


async def repeat(seconds: float, work: Callable[[], object]) -> None:
    """Calls ``work`` again and again, awaiting it where it is awaitable. Runs until it is cancelled."""
    while True:
        await asyncio.sleep(seconds)
        result = work()
        if asyncio.iscoroutine(result):
            await result
