"""What the methods other than REGISTER are answered."""

from dataclasses import replace

import pytest
from tests.support.registrar import FLOW, RegistrarBench, SipPhone, response_of

from offhook.events import CallUnroutable
from offhook.inventory.models import Account
from offhook.registrar.answers import Answer, Silence
from offhook.registrar.policy import RegisterPolicy
from offhook.sip.message import Headers, Request, Response


@pytest.fixture
def bench() -> RegistrarBench:
    return RegistrarBench()


def make_request(
    method: str, uri: str = "sip:acme.test", *, to: str = "<sip:2002@acme.test>", without: str = "", **more: str
) -> Request:
    fields = [
        ("Via", "SIP/2.0/UDP 10.0.0.21:5060;branch=z9hG4bKa"),
        ("Max-Forwards", "70"),
        ("From", "<sip:2001@acme.test>;tag=f"),
        ("To", to),
        ("Call-ID", "c"),
        ("CSeq", f"1 {method}"),
        *[(name.replace("_", "-"), value) for name, value in more.items()],
    ]
    return Request(method, uri, Headers([pair for pair in fields if pair[0] != without]))


def ask(bench: RegistrarBench, request: Request) -> Response:
    return response_of(bench.handle(request))


@pytest.mark.parametrize("uri", ["sip:acme.test", "sip:anyone@acme.test", "sip:10.0.0.1:5060", "sip:ping@10.0.0.1"])
def test_options_tells_what_we_can(bench: RegistrarBench, uri: str) -> None:
    answer = ask(bench, make_request("OPTIONS", uri))
    assert answer.status == 200
    for name in ("Allow", "Accept", "Accept-Encoding", "Accept-Language", "Supported"):
        assert name in answer.headers
    assert answer.headers.get_all("Contact") == []


def test_options_for_somebody_else_is_404(bench: RegistrarBench) -> None:
    assert ask(bench, make_request("OPTIONS", "sip:other.test", to="<sip:other.test>")).status == 404


def test_options_to_an_advertised_name_is_ours(bench: RegistrarBench) -> None:
    request = make_request("OPTIONS", "sip:sip.example.net", to="<sip:sip.example.net>")
    assert ask(bench, request).status == 404
    bench.registrar.use(RegisterPolicy(own_hosts=frozenset({"sip.example.net"})))
    assert ask(bench, request).status == 200


def test_call_is_sent_on_to_the_gateway(bench: RegistrarBench) -> None:
    answer = ask(bench, make_request("INVITE", "sip:%2B12125550101@acme.test;user=phone"))
    assert answer.status == 302
    assert answer.headers.get_all("Contact") == ["<sip:%2B12125550101@pbx.acme.test:5080;transport=tcp>"]


def test_call_without_gateway_is_404_and_an_alarm(bench: RegistrarBench) -> None:
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Account, 1), gateway=None))
    bench.inventory = draft
    outcome = bench.handle(make_request("INVITE", "sip:2002@acme.test"))
    assert isinstance(outcome, Answer)
    assert outcome.status == 404
    assert outcome.events == (CallUnroutable("acme", "2002", str(FLOW), bench.now),)


@pytest.mark.parametrize("uri", ["sip:acme.test", "sip:2002@other.test"])
def test_call_to_nobody_is_404(bench: RegistrarBench, uri: str) -> None:
    assert ask(bench, make_request("INVITE", uri, to="<sip:x@other.test>")).status == 404


def test_call_within_a_dialog_is_481(bench: RegistrarBench) -> None:
    assert ask(bench, make_request("INVITE", "sip:2002@acme.test", to="<sip:2002@acme.test>;tag=t")).status == 481


def test_ack_is_never_answered(bench: RegistrarBench) -> None:
    assert bench.handle(make_request("ACK", without="To")) == Silence("ack")


@pytest.mark.parametrize("method", ["CANCEL", "BYE", "PRACK", "UPDATE", "INFO"])
def test_what_needs_a_dialog_is_481(bench: RegistrarBench, method: str) -> None:
    assert ask(bench, make_request(method)).status == 481


@pytest.mark.parametrize("method", ["SUBSCRIBE", "NOTIFY"])
def test_events_are_489(bench: RegistrarBench, method: str) -> None:
    answer = ask(bench, make_request(method, Event="presence"))
    assert answer.status == 489
    assert answer.headers.get("Allow-Events")


@pytest.mark.parametrize(("method", "status"), [("MESSAGE", 405), ("REFER", 405), ("PUBLISH", 405), ("RE%47IST", 501)])
def test_other_methods_are_refused_with_those_allowed(bench: RegistrarBench, method: str, status: int) -> None:
    answer = ask(bench, make_request(method))
    assert answer.status == status
    assert "REGISTER" in (answer.headers.get("Allow") or "")


@pytest.mark.parametrize("name", ["To", "From", "Call-ID", "CSeq"])
def test_missing_header_is_named(bench: RegistrarBench, name: str) -> None:
    answer = ask(bench, make_request("OPTIONS", without=name))
    assert (answer.status, answer.reason) == (400, f"Missing {name} header")


def test_request_without_via_cannot_be_answered(bench: RegistrarBench) -> None:
    assert bench.handle(make_request("OPTIONS", without="Via")) == Silence("unroutable")
    assert bench.handle(SipPhone().register(without="Via")) == Silence("unroutable")


def test_missing_from_tag_is_400(bench: RegistrarBench) -> None:
    request = make_request("OPTIONS", without="From")
    request.headers.add("From", "<sip:2001@acme.test>")
    assert ask(bench, request).reason == "Missing From tag"


@pytest.mark.parametrize(("value", "status"), [("0", 200), ("70", 200), ("-1", 400), ("9999", 400), ("x", 400)])
def test_max_forwards_must_be_a_number(bench: RegistrarBench, value: str, status: int) -> None:
    request = make_request("OPTIONS", without="Max-Forwards")
    request.headers.add("Max-Forwards", value)
    assert ask(bench, request).status == status


def test_required_extension_is_420(bench: RegistrarBench) -> None:
    answer = ask(bench, make_request("OPTIONS", Require="nothingSupportsThis"))
    assert (answer.status, answer.headers.get("Unsupported")) == (420, "nothingSupportsThis")


def test_to_tag_is_the_same_for_a_retransmission_and_differs_otherwise(bench: RegistrarBench) -> None:
    first, again = ask(bench, make_request("OPTIONS")), ask(bench, make_request("OPTIONS"))
    other = make_request("OPTIONS", without="Call-ID")
    other.headers.add("Call-ID", "d")
    tags = [Request("OPTIONS", "sip:a", answer.headers).to.tag for answer in (first, again, ask(bench, other))]
    assert tags[0] == tags[1] != tags[2]
    assert tags[0]


def test_answer_says_where_it_saw_the_request_come_from(bench: RegistrarBench) -> None:
    request = make_request("OPTIONS", without="Via")
    request.headers.add("Via", "SIP/2.0/UDP phone.local:5070;rport;branch=z9hG4bKa;maddr=10.6.6.6")
    via = ask(bench, request).top_via
    assert (via.rport, via.received) == ("5060", "10.0.0.21")
