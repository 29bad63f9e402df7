"""One NOTIFY to a device, down the right flow and with the right credentials."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.support.inventory import one_phone
from tests.support.workbench import StillClock

from offhook.inventory.models import Credential, Device
from offhook.reload.notifier import Notifier
from offhook.reload.ports import Target
from offhook.secret import Secret
from offhook.sip.digest import Algorithm, ha1, parse_authorization, verify
from offhook.sip.message import Headers, Request, Response

INVENTORY = one_phone()
PHONE = next(iter(INVENTORY.all(Device)))
CREDENTIAL = next(iter(INVENTORY.all(Credential)))
PASSWORD = "k7mq2vzw9xhbtr4dnc8fjpsy"
TARGET = Target(
    line_id=CREDENTIAL.line_id,
    credential_id=CREDENTIAL.id,
    address_of_record="sip:2001@acme.test",
    contact_uri="sip:2001@10.0.0.9:5062;line=abc",
    reachable=True,
    registered_at=5.0,
    realm="acme.test",
    flow=object(),
)
CHALLENGE = Response(401, "Unauthorized", Headers([("WWW-Authenticate", 'Digest realm="acme.test", nonce="n"')]))


class Phone:
    """Answers what it is told to answer, and remembers what it got."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.got: list[Request] = []
        self.targets: list[Target] = [TARGET]

    async def send(self, request: Request, target: Target) -> Response:
        assert target is TARGET
        self.got.append(request)
        return self.answers.pop(0)

    def targets_of(self, device_id: int) -> Sequence[Target]:
        return self.targets

    def reveal_password(self, credential: Credential) -> Secret:
        return Secret(PASSWORD)


def _notifier(phone: Phone) -> Notifier:
    return Notifier(lambda: INVENTORY, phone, phone, phone, StillClock())


async def test_the_request_goes_to_the_contact_to_the_letter() -> None:
    phone = Phone(Response(200, "OK", Headers()))
    assert (await _notifier(phone).notify(TARGET, "check-sync;reboot=false")).status == 200
    [request] = phone.got
    assert (request.method, request.uri) == ("NOTIFY", "sip:2001@10.0.0.9:5062;line=abc")
    assert request.headers.get("Event") == "check-sync;reboot=false"
    assert request.to.uri == "sip:2001@acme.test"


async def test_a_challenge_is_answered_with_what_the_phone_registered_with() -> None:
    phone = Phone(CHALLENGE, Response(200, "OK", Headers()))
    assert (await _notifier(phone).notify(TARGET, "resync")).status == 200
    first, second = phone.got
    shown = parse_authorization(second.headers.get("Authorization") or "")
    assert shown is not None
    assert verify(shown, ha1(Algorithm.MD5, CREDENTIAL.auth_username, "acme.test", PASSWORD), "NOTIFY")
    assert second.cseq.number == first.cseq.number + 1
    assert second.call_id == first.call_id


async def test_a_phone_that_goes_on_asking_is_believed_in_the_end() -> None:
    phone = Phone(CHALLENGE, CHALLENGE)
    assert (await _notifier(phone).notify(TARGET, "resync")).status == 401
    assert len(phone.got) == 2


@pytest.mark.parametrize("targets", [[], [replace(TARGET, reachable=False)]])
def test_a_flow_that_is_gone_is_no_target(targets: list[Target]) -> None:
    phone = Phone()
    phone.targets = targets
    assert _notifier(phone).find_target(PHONE) is None


def test_the_latest_binding_is_the_target() -> None:
    phone = Phone()
    phone.targets = [TARGET, replace(TARGET, registered_at=9.0), replace(TARGET, registered_at=7.0)]
    found = _notifier(phone).find_target(PHONE)
    assert found is not None
    assert found.registered_at == 9.0
