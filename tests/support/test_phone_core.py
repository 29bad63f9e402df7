"""Phones without a network: what they ask for, register and answer, against a registrar of a few lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.phone import (
    Event,
    Fetch,
    FetchedFile,
    Firmware,
    Ignored,
    Notified,
    Obedience,
    Phone,
    Provisioned,
    Rebooted,
    Registered,
    RegistrationFailed,
    SendSip,
    Snom,
    Unregistered,
    Yealink,
)
from tests.support.test_phone_vendors import SNOM_FILE, YEALINK_FILE

from offhook.endpoint import HostPort, Transport
from offhook.sip.digest import Algorithm, Challenge, Credentials, answer_challenge, ha1, parse_authorization, verify
from offhook.sip.message import Headers, Request, Response, build_response
from offhook.sip.parser import parse_message

MAC = "00:15:65:12:34:56"
PHONE_AT = HostPort("127.0.0.1", 5062)
SERVER = ("127.0.0.1", 25060)
URL = "http://127.0.0.1:8080/p/token"
COMMON = b"#!version:1.0.0.1\nsip.notify_reboot_enable = 0\nsip.trust_ctrl = 1\nsip.mac_in_ua = 1\n"
OWN = YEALINK_FILE.replace(b"transport_type = 1", b"transport_type = 0")

T = TypeVar("T")


def some(events: list[Event], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def only(events: list[Event], kind: type[T]) -> T:
    (found,) = some(events, kind)
    return found


def random_source() -> Callable[[int], bytes]:
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@dataclass(slots=True)
class Registrar:
    """Answers REGISTER as a script says, by default with a challenge and then 200."""

    passwords: dict[str, str] = field(default_factory=lambda: {"2001-abc": "s3cret"})
    nonce: str = "n1"
    granted: int = 600
    script: list[Callable[[Request], Response]] = field(default_factory=list)
    received: list[Request] = field(default_factory=list)

    def answer(self, data: bytes) -> bytes:
        request = parse_message(data)
        assert isinstance(request, Request)
        self.received.append(request)
        return bytes((self.script.pop(0) if self.script else self.decide)(request))

    def decide(self, request: Request) -> Response:
        credentials = self.credentials_of(request)
        if credentials is None or credentials.nonce != self.nonce:
            return self.challenge(request, stale=credentials is not None)
        password = self.passwords.get(credentials.username, "")
        if not verify(credentials, ha1(Algorithm.MD5, credentials.username, "acme.test", password), "REGISTER"):
            return self.challenge(request)
        contact = "" if request.expires == 0 else f"<{request.contacts[0].uri}>;expires={self.granted}"
        headers = [("Contact", contact)] if contact else []
        return build_response(request, 200, to_tag="t", headers=headers)

    def challenge(self, request: Request, *, stale: bool = False) -> Response:
        challenge = Challenge("acme.test", self.nonce, stale=stale)
        return build_response(request, 401, to_tag="t", headers=[("WWW-Authenticate", str(challenge))])

    @staticmethod
    def credentials_of(request: Request) -> Credentials | None:
        value = request.headers.get("Authorization")
        return None if value is None else parse_authorization(value)


@dataclass(slots=True)
class World:
    """A phone, its files and its registrar, with a clock that only tests move."""

    phone: Phone
    files: dict[str, bytes]
    registrar: Registrar = field(default_factory=Registrar)
    now: float = 1000.0
    told: list[Event] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    is_server_up: bool = True

    def run(self, events: list[Event]) -> list[Event]:
        """Does what the phone wants until it wants nothing more; gives the news of it."""
        news: list[Event] = []
        while events:
            event = events.pop(0)
            if isinstance(event, Fetch):
                self.fetched.append(event.url)
                events += self.phone.receive_file(event, self._file(event.url), self.now)
            elif isinstance(event, SendSip) and event.data.startswith(b"REGISTER"):
                assert event.destination == SERVER
                if self.is_server_up:
                    answer = self.registrar.answer(event.data)
                    events += self.phone.receive_sip(answer, SERVER, event.transport, self.now)
            else:
                news.append(event)
        self.told += news
        return news

    def _file(self, url: str) -> FetchedFile:
        if not self.is_server_up:
            return FetchedFile(None)
        content = self.files.get(url.rpartition("/")[2])
        return FetchedFile(404) if content is None else FetchedFile(200, content)

    def boot(self) -> list[Event]:
        return self.run(self.phone.boot(PHONE_AT, self.now))

    def wait_for_timer(self) -> list[Event]:
        due = self.phone.next_timer()
        assert due is not None
        self.now = due
        return self.run(self.phone.handle_timer(self.now))

    def send(self, request: Request, source: tuple[str, int] = SERVER) -> list[Event]:
        return self.run(self.phone.receive_sip(bytes(request), source, Transport.UDP, self.now))

    def contact(self) -> str:
        return self.registrar.received[-1].contacts[0].uri


def make_world(
    firmware: Firmware | None = None,
    *,
    obedience: Obedience = Obedience.OBEYS,
    transport: Transport | None = None,
    files: dict[str, bytes] | None = None,
) -> World:
    phone = Phone(
        firmware or Yealink(),
        MAC,
        provisioning_url=URL,
        random=random_source(),
        obedience=obedience,
        transport=transport,
    )
    return World(phone, {"y000000000108.cfg": COMMON, "001565123456.cfg": OWN} if files is None else files)


_branches: Iterator[int] = count(1)


def notify(uri: str, event: str = "check-sync;reboot=false", *, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    number = next(_branches)
    fields = [
        ("Via", f"SIP/2.0/UDP 127.0.0.1:25060;branch=z9hG4bK{number};rport"),
        ("From", "<sip:offhook@acme.test>;tag=1"),
        ("To", "<sip:2001@acme.test>"),
        ("Call-ID", f"c{number}"),
        ("CSeq", f"{number} NOTIFY"),
        ("Event", event),
        ("Subscription-State", "terminated"),
        *headers,
    ]
    return Request("NOTIFY", uri, Headers([(name, value) for name, value in fields if value]))


def status_of(events: list[Event]) -> int:
    response = parse_message(only(events, SendSip).data)
    assert isinstance(response, Response)
    return response.status


def test_from_box_to_dial_tone() -> None:
    world = make_world()

    news = world.boot()

    assert world.fetched == [
        f"{URL}/{name}" for name in ("001565123456.boot", "y000000000000.boot", "y000000000108.cfg", "001565123456.cfg")
    ]
    assert only(news, Provisioned).changed
    assert only(news, Registered).expires_seconds == 600
    assert world.phone.display_names == ("Jane = Smith",)
    assert world.phone.is_registered(world.now)
    assert world.phone.next_timer() == world.now + 0.9 * 600


def test_a_register_carries_what_the_files_say() -> None:
    world = make_world()
    world.boot()
    first, second = world.registrar.received

    assert first.uri == "sip:acme.test"
    assert str(first.to.uri) == "sip:2001@acme.test"
    assert first.expires == 600
    assert first.headers.get("User-Agent") == "Yealink SIP-T46U 108.86.0.20 001565123456"
    assert "Authorization" not in first.headers
    assert second.call_id == first.call_id
    assert second.cseq.number == first.cseq.number + 1
    credentials = Registrar.credentials_of(second)
    assert credentials is not None
    assert (credentials.username, credentials.nc) == ("2001-abc", 1)


def test_a_refresh_uses_the_nonce_again_with_the_next_count() -> None:
    world = make_world()
    world.boot()

    assert some(world.wait_for_timer(), Registered)

    credentials = Registrar.credentials_of(world.registrar.received[-1])
    assert len(world.registrar.received) == 3
    assert credentials is not None
    assert (credentials.nonce, credentials.nc) == ("n1", 2)


def test_a_stale_nonce_is_replaced_and_the_count_begins_anew() -> None:
    world = make_world()
    world.boot()
    world.registrar.nonce = "n2"

    assert some(world.wait_for_timer(), Registered)

    credentials = Registrar.credentials_of(world.registrar.received[-1])
    assert credentials is not None
    assert (credentials.nonce, credentials.nc) == ("n2", 1)
    assert len(world.registrar.received) == 4


def test_a_wrong_password_is_tried_once_and_again_half_a_minute_later() -> None:
    world = make_world()
    world.registrar.passwords["2001-abc"] = "another"

    failure = only(world.boot(), RegistrationFailed)

    assert (failure.status, failure.retry_in_seconds) == (401, 30.0)
    assert len(world.registrar.received) == 2
    assert not world.phone.is_registered(world.now)
    world.registrar.passwords["2001-abc"] = "s3cret"
    assert some(world.wait_for_timer(), Registered)


def test_a_registrar_that_calls_every_nonce_stale_is_not_asked_for_ever() -> None:
    world = make_world()
    world.registrar.script = [lambda request: world.registrar.challenge(request, stale=True)] * 10

    assert only(world.boot(), RegistrationFailed).status == 401
    assert len(world.registrar.received) == 3


def test_423_is_obeyed_at_once() -> None:
    world = make_world()
    world.registrar.script = [lambda request: build_response(request, 423, headers=[("Min-Expires", "900")])]

    world.boot()

    assert [request.expires for request in world.registrar.received] == [600, 900, 900]


def test_423_without_a_longer_time_is_a_failure() -> None:
    world = make_world()
    world.registrar.script = [lambda request: build_response(request, 423, headers=[("Min-Expires", "60")])]

    assert only(world.boot(), RegistrationFailed).status == 423


def test_retry_after_is_waited_for() -> None:
    world = make_world()
    world.registrar.script = [lambda request: build_response(request, 503, headers=[("Retry-After", "7 (busy)")])]

    failure = only(world.boot(), RegistrationFailed)

    assert (failure.status, failure.retry_in_seconds) == (503, 7.0)
    assert world.phone.next_timer() == world.now + 7.0
    assert some(world.wait_for_timer(), Registered)


def test_a_200_without_the_phones_contact_is_no_registration() -> None:
    world = make_world()
    other = [("Contact", "<sip:2001@192.0.2.9>;expires=600")]
    world.registrar.script = [lambda request: build_response(request, 200, headers=other)]

    assert only(world.boot(), RegistrationFailed).status == 200
    assert [binding.uri for binding in world.phone.registrations[1].bindings] == ["sip:2001@192.0.2.9"]


def test_silence_is_retransmitted_to_and_given_up_after_32_seconds() -> None:
    world = make_world()
    world.boot()
    world.wait_for_timer()
    world.is_server_up = False

    begin = world.now = world.phone.next_timer() or 0.0
    world.run(world.phone.handle_timer(world.now))
    sent = 0
    while not (failures := some(world.wait_for_timer(), RegistrationFailed)):
        sent += 1

    assert failures[0].status == 408
    assert world.now - begin == 32.0
    assert sent == 10


def test_files_that_cannot_be_had_are_asked_for_again() -> None:
    world = make_world()
    world.is_server_up = False

    assert only(world.boot(), Provisioned) == Provisioned(changed=False, found=(), missing=())
    assert world.phone.registrations == {}
    world.is_server_up = True
    assert some(world.wait_for_timer(), Registered)


def test_check_sync_has_the_phone_fetch_again_and_register_nothing_new() -> None:
    world = make_world()
    world.boot()
    world.files["001565123456.cfg"] = OWN.replace(b"Jane = Smith", b"Joan Smith")
    world.fetched.clear()

    news = world.send(notify(world.contact()))

    assert status_of(news) == 200
    assert only(news, Notified) == Notified("check-sync;reboot=false", 200)
    assert world.fetched[-1] == f"{URL}/001565123456.cfg"
    assert only(news, Provisioned).changed
    assert not some(news, Registered)
    assert world.phone.display_names == ("Joan Smith",)
    assert len(world.registrar.received) == 2


def test_a_fetch_that_brings_nothing_new_says_so() -> None:
    world = make_world()
    world.boot()

    assert not only(world.send(notify(world.contact())), Provisioned).changed


def test_new_credentials_are_registered_with_under_the_same_call_id() -> None:
    world = make_world()
    world.boot()
    world.files["001565123456.cfg"] = OWN.replace(b"2001-abc", b"2001-xyz").replace(b"s3cret", b"n3w")
    world.registrar.passwords = {"2001-xyz": "n3w"}

    registered = only(world.send(notify(world.contact())), Registered)

    before = world.registrar.received[0]
    assert registered.call_id == before.call_id
    assert registered.cseq == 4
    assert "Authorization" not in world.registrar.received[2].headers


def test_a_new_extension_leaves_the_old_binding_and_makes_its_own() -> None:
    world = make_world()
    world.boot()
    world.files["001565123456.cfg"] = OWN.replace(b"user_name = 2001", b"user_name = 2009")

    news = world.send(notify(world.contact()))

    assert some(news, Unregistered)
    assert only(news, Registered).call_id != world.registrar.received[0].call_id
    assert [(request.to.uri, request.expires) for request in world.registrar.received[2:]] == [
        ("sip:2001@acme.test", 0),
        ("sip:2009@acme.test", 600),
        ("sip:2009@acme.test", 600),
    ]


def test_an_account_that_is_switched_off_is_unregistered() -> None:
    world = make_world()
    world.boot()
    world.files["001565123456.cfg"] = OWN.replace(b"account.1.enable = 1", b"account.1.enable = 0")

    assert only(world.send(notify(world.contact())), Unregistered).account == 1
    assert world.phone.registrations == {}
    assert world.phone.next_timer() is None


def test_check_sync_with_reboot_true_reboots() -> None:
    world = make_world()
    world.boot()

    news = world.send(notify(world.contact(), "check-sync;reboot=true"))

    assert some(news, Rebooted)
    assert only(news, Registered).call_id != world.registrar.received[0].call_id


def test_a_retransmitted_notify_is_answered_alike_and_obeyed_once() -> None:
    world = make_world()
    world.boot()
    request = notify(world.contact())
    first = world.send(request)
    world.fetched.clear()

    second = world.send(request)

    assert some(second, SendSip) == some(first, SendSip)
    assert len(second) == 1
    assert world.fetched == []


def test_a_notify_during_a_round_has_another_follow() -> None:
    world = make_world()
    world.boot()
    contact = world.contact()
    first = world.phone.receive_sip(bytes(notify(contact)), SERVER, Transport.UDP, world.now)
    second = world.phone.receive_sip(bytes(notify(contact)), SERVER, Transport.UDP, world.now)

    assert not some(second, Fetch)
    assert len(some(world.run(first), Provisioned)) == 2


def test_an_answer_that_comes_after_a_reboot_belongs_to_nobody() -> None:
    world = make_world()
    world.boot()
    fetch = only(world.phone.receive_sip(bytes(notify(world.contact())), SERVER, Transport.UDP, 0), Fetch)
    world.phone.reboot(world.now)

    assert world.phone.receive_file(fetch, FetchedFile(404), world.now) == []


@pytest.mark.parametrize(
    ("obedience", "status", "refetches"),
    [(Obedience.OBEYS, 200, True), (Obedience.LAZY, 200, False), (Obedience.REFUSES, 481, False)],
)
def test_phones_differ_in_obedience(obedience: Obedience, status: int, refetches: bool) -> None:
    world = make_world(obedience=obedience)
    world.boot()
    world.fetched.clear()

    assert status_of(world.send(notify(world.contact()))) == status
    assert bool(world.fetched) is refetches


def test_a_deaf_phone_keeps_silent() -> None:
    world = make_world(obedience=Obedience.DEAF)
    world.boot()

    assert world.send(notify(world.contact())) == [Notified("check-sync;reboot=false", None)]


def test_a_phone_that_challenges_wants_the_credentials_of_its_line() -> None:
    world = make_world(obedience=Obedience.CHALLENGES)
    world.boot()
    news = world.send(notify(world.contact()))
    assert status_of(news) == 401
    challenged = parse_message(only(news, SendSip).data)
    challenge = Challenge.parse(challenged.headers.get("WWW-Authenticate") or "")
    assert challenge is not None

    def answer(username: str, password: str) -> list[Event]:
        value = answer_challenge(
            challenge, username, lambda algorithm, realm: ha1(algorithm, username, realm, password), "NOTIFY",
            world.contact(), "cnonce",
        )  # fmt: skip
        return world.send(notify(world.contact(), headers=(("Authorization", value),)))

    assert status_of(answer("2001-abc", "wrong")) == 401
    assert status_of(answer("2001", "s3cret")) == 401
    news = answer("2001-abc", "s3cret")
    assert status_of(news) == 200
    assert some(news, Provisioned)


def test_a_notify_from_a_stranger_is_dropped_where_only_the_server_counts() -> None:
    world = make_world()
    world.boot()

    assert some(world.send(notify(world.contact()), ("127.0.0.2", 5060)), Ignored)
    assert not some(world.told, Notified)


def test_a_notify_to_a_user_that_the_phone_does_not_have_is_answered_404() -> None:
    world = make_world()
    world.boot()

    assert status_of(world.send(notify("sip:2002@127.0.0.1:5062"))) == 404


@pytest.mark.parametrize("event", ["presence", ""])
def test_an_event_that_the_phone_does_not_know_is_answered_489(event: str) -> None:
    world = make_world()
    world.boot()

    assert status_of(world.send(notify(world.contact(), event))) == 489


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("INVITE", 486), ("MESSAGE", 405), ("BYE", 481)])
def test_other_requests_get_their_answer(method: str, status: int) -> None:
    world = make_world()
    world.boot()
    request = notify(world.contact())
    headers = Headers([(name, f"1 {method}" if name == "CSeq" else value) for name, value in request.headers])

    assert status_of(world.send(Request(method, request.uri, headers))) == status


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"SIP/2.0 200 OK\r\n\r\n", b"NOTIFY sip:x SIP/2.0\r\n\r\n"])
def test_garbage_moves_nothing(data: bytes) -> None:
    world = make_world()
    world.boot()

    assert some(world.phone.receive_sip(data, SERVER, Transport.UDP, world.now), Ignored)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_a_notify_with_anything_in_it_raises_nothing(garbage: bytes, place: int) -> None:
    world = make_world()
    world.boot()
    data = bytes(notify(world.contact()))

    world.phone.receive_sip(data[:place] + garbage + data[place:], SERVER, Transport.UDP, world.now)
    world.phone.receive_sip(data[:place] + garbage, SERVER, Transport.UDP, world.now)


def test_a_snom_boots_registers_and_refetches() -> None:
    common = b"<settings><phone-settings><filter_registrar>on</filter_registrar></phone-settings></settings>"
    files = {"snomD785.htm": common, "snomD785-001565123456.htm": SNOM_FILE.replace(b"=tcp", b"=udp")}
    world = make_world(Snom(), files=files)
    assert some(world.boot(), Registered)
    assert world.registrar.received[0].headers.get("User-Agent") == "snomD785/10.1.169.16"
    assert world.registrar.received[0].contacts[0].parameter("reg-id") == "1"
    world.fetched.clear()

    news = world.send(notify(world.contact()))

    assert status_of(news) == 200
    assert len(world.fetched) == 2
    line = world.contact().rpartition("=")[2]
    assert status_of(world.send(notify(world.contact().replace(line, "other")))) == 404


def test_a_url_in_the_file_takes_over_from_that_of_dhcp() -> None:
    own = OWN + b"static.auto_provision.server.url = http://127.0.0.1:8081/p/other/\n"
    world = make_world(files={"001565123456.cfg": own})
    world.boot()
    world.fetched.clear()

    world.run(world.phone.reboot(world.now))

    assert world.fetched[0] == "http://127.0.0.1:8081/p/other/001565123456.boot"


def test_a_phone_told_not_to_ask_at_power_on_registers_with_what_it_has() -> None:
    world = make_world(files={"001565123456.cfg": OWN + b"static.auto_provision.power_on = 0\n"})
    world.boot()
    world.fetched.clear()

    assert some(world.run(world.phone.reboot(world.now)), Registered)
    assert world.fetched == []


def test_a_lost_connection_is_made_again() -> None:
    world = make_world(transport=Transport.TCP)
    world.boot()
    assert world.registrar.received[0].top_via.transport == "TCP"

    assert world.phone.flow_failed(Transport.TCP, SERVER, world.now) == []

    assert world.phone.next_timer() == world.now + 1.0
    assert some(world.wait_for_timer(), Registered)


def test_a_connection_that_cannot_be_made_is_a_failure() -> None:
    world = make_world(transport=Transport.TCP)
    world.boot()
    world.is_server_up = False
    world.run(world.phone.register_now(world.now))

    failure = only(world.phone.flow_failed(Transport.TCP, SERVER, world.now), RegistrationFailed)

    assert (failure.status, failure.retry_in_seconds) == (503, 30.0)


def test_shutting_down_takes_the_binding_back() -> None:
    world = make_world()
    world.boot()

    assert only(world.run(world.phone.shut_down(world.now)), Unregistered).account == 1
    assert world.registrar.received[-1].expires == 0
