"""Gets one NOTIFY to a device: finds the flow, and shows the credentials that the phone asks for."""

import secrets
from collections.abc import Callable
from typing import Final

from offhook.clock import Clock
from offhook.inventory.models import Credential, Device
from offhook.inventory.snapshot import Inventory
from offhook.reload.notify import Notification, answer_notify_challenge, build_notify
from offhook.reload.ports import Passwords, RequestSender, Target, Targets
from offhook.sip.message import Response

#: Credentials shown to a phone that asks for some: one try each.
_CREDENTIALS_SHOWN: Final = 2


class Notifier:
    """Sends NOTIFYs down the flows that devices registered over."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        targets: Targets,
        sender: RequestSender,
        passwords: Passwords,
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._targets = targets
        self._sender = sender
        self._passwords = passwords
        self._clock = clock

    def find_target(self, carrier: Device) -> Target | None:
        """A reachable binding of the carrier's own lines or of its handsets', the latest first."""
        devices = self._inventory().carried_devices(carrier)
        targets = [target for device in devices for target in self._targets.targets_of(device.id) if target.reachable]
        return max(targets, key=lambda target: target.registered_at, default=None)

    async def notify(self, target: Target, event: str) -> Response:
        """One NOTIFY, and its repetition with credentials where the phone asks for them. Gives the final answer."""
        notification = Notification(
            contact_uri=target.contact_uri,
            address_of_record=target.address_of_record,
            domain=target.realm,
            event=event,
            call_id=secrets.token_hex(16),
            from_tag=secrets.token_hex(8),
            cseq=int(self._clock.now()) & 0x7FFFFFFF,
        )
        response = await self._sender.send(build_notify(notification), target)
        for credential in self._credentials(target):
            if response.status not in (401, 407):
                break
            answered = answer_notify_challenge(
                notification,
                response,
                auth_username=credential.auth_username,
                realm=credential.realm,
                password=self._passwords.reveal_password(credential),
                cnonce=lambda: secrets.token_hex(8),
            )
            if answered is not None:
                notification, request = answered
                response = await self._sender.send(request, target)
        return response

    def _credentials(self, target: Target) -> list[Credential]:
        """The one that the phone registered with first: it is what it holds; then the line's others."""
        mine = self._inventory().credentials_of(target.line_id)
        return sorted(mine, key=lambda credential: credential.id != target.credential_id)[:_CREDENTIALS_SHOWN]
