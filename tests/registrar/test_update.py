"""Contacts against bindings: matching, order, expiry, and all or nothing."""

import pytest
from tests.support.registrar import FLOW, NOW, OTHER_FLOW, RegistrarBench, SipPhone, response_of

from offhook.events import ContactIgnored, Unregistered
from offhook.registrar.answers import Answer, Proposal
from offhook.registrar.policy import RegisterPolicy
from offhook.sip.message import Response

INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-001565123456>"'
OTHER_INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-001565999999>"'


@pytest.fixture
def bench() -> RegistrarBench:
    return RegistrarBench()


@pytest.fixture
def phone(bench: RegistrarBench) -> SipPhone:
    return SipPhone().challenged(bench)


def register(bench: RegistrarBench, phone: SipPhone, *contacts: str, expires: int | str | None = 600) -> Response:
    return phone.run(bench, phone.register(contacts, expires=expires))


def listed(response: Response) -> list[str]:
    assert response.status == 200
    return response.headers.get_all("Contact")


# -- how long -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "header", "granted"),
    [
        ("<sip:a@h>;expires=120", 600, 120),
        ("<sip:a@h>", 600, 600),
        ("<sip:a@h>", None, 3600),
        ("<sip:a@h>;expires=abc", None, 3600),
        ("<sip:a@h>;expires=99999999999", None, 7200),
        ("<sip:a@h>", 60, 60),
    ],
)
def test_expiry_is_that_of_the_contact_then_of_the_header_then_the_default(
    bench: RegistrarBench, phone: SipPhone, contact: str, header: int | None, granted: int
) -> None:
    assert listed(register(bench, phone, contact, expires=header)) == [f"<sip:a@h>;expires={granted}"]


def test_too_brief_is_423_and_changes_nothing(bench: RegistrarBench, phone: SipPhone) -> None:
    answer = register(bench, phone, "<sip:a@h>", "<sip:b@h>;expires=59")
    assert answer.status == 423
    assert answer.headers.get("Min-Expires") == "60"
    assert bench.aor("2001") == []


def test_an_hour_is_never_too_brief() -> None:
    bench = RegistrarBench(policy=RegisterPolicy(min_expires=7200))
    phone = SipPhone().challenged(bench)
    assert listed(register(bench, phone, "<sip:a@h>", expires=3700)) == ["<sip:a@h>;expires=3700"]
    assert register(bench, phone, "<sip:a@h>", expires=3500).status == 423


def test_expired_binding_is_not_listed_before_it_is_swept(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>;expires=60")
    bench.now += 60
    assert listed(register(bench, phone)) == []


# -- which binding ------------------------------------------------------------------------------------------------


def test_phone_without_instance_replaces_its_former_contact(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:2001@10.0.0.21:5060>")
    assert listed(register(bench, phone, "<sip:2001@10.0.0.21:49152>")) == ["<sip:2001@10.0.0.21:49152>;expires=600"]


def test_same_instance_replaces_whatever_contact_it_had(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, f"<sip:a@h:1>;{INSTANCE}")
    assert listed(register(bench, phone, f"<sip:a@h:2>;{INSTANCE}")) == [f"<sip:a@h:2>;{INSTANCE};expires=600"]
    assert bench.table.bindings_of("sip:2001@acme.test", NOW)[0].instance == INSTANCE.split('"')[1]


def test_another_instance_is_a_second_binding(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, f"<sip:a@h:1>;{INSTANCE}")
    assert len(listed(register(bench, phone, f"<sip:a@h:2>;{OTHER_INSTANCE}"))) == 2


def test_another_reg_id_is_a_second_flow(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, f"<sip:a@h:1>;{INSTANCE};reg-id=1")
    assert len(listed(register(bench, phone, f"<sip:a@h:1>;{INSTANCE};reg-id=2"))) == 2


def test_reg_id_without_instance_is_ignored(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h:1>;reg-id=1")
    assert len(listed(register(bench, phone, "<sip:a@h:2>;reg-id=2"))) == 1


def test_instance_takes_over_the_contact_that_had_none(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h:1>")
    assert listed(register(bench, phone, f"<sip:a@H:1>;{INSTANCE}")) == [f"<sip:a@H:1>;{INSTANCE};expires=600"]


def test_uris_are_compared_and_not_their_text(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h:5060>", "<sip:b@h>")
    assert len(listed(register(bench, phone, "<sip:%61@H:5060>", "<sip:b@h:5060>"))) == 2
    assert listed(register(bench, phone, "<sip:a@h:5060>;expires=0", expires=None)) == ["<sip:b@h:5060>;expires=600"]


def test_two_phones_that_share_an_address_both_stay(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:2001@10.0.0.21>")
    other = SipPhone(username="2001-shared", flow=OTHER_FLOW).challenged(bench)
    assert len(listed(register(bench, other, "<sip:2001@10.0.0.22>"))) == 2
    assert listed(register(bench, other, "*", expires=0)) == ["<sip:2001@10.0.0.21>;expires=600"]


def test_cap_displaces_the_stalest() -> None:
    bench = RegistrarBench(policy=RegisterPolicy(max_bindings=2))
    phone = SipPhone().challenged(bench)
    register(bench, phone, f"<sip:a@h>;{INSTANCE};reg-id=1")
    bench.now += 10
    register(bench, phone, f"<sip:b@h>;{INSTANCE};reg-id=2")
    outcome = bench.handle(phone.register([f"<sip:c@h>;{INSTANCE};reg-id=3"]))
    assert isinstance(outcome, Proposal)
    assert [event.contact for event in outcome.events if isinstance(event, Unregistered)] == ["sip:a@h"]
    bench.settle(outcome)
    assert bench.aor("2001") == ["sip:b@h", "sip:c@h"]


def test_more_contacts_than_the_cap_are_400() -> None:
    bench = RegistrarBench(policy=RegisterPolicy(max_bindings=2))
    answer = register(bench, SipPhone().challenged(bench), "<sip:a@h>", "<sip:b@h>", "<sip:c@h>")
    assert answer.status == 400


# -- removal ------------------------------------------------------------------------------------------------------


def test_expires_zero_removes_that_contact_alone(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>", "<sip:b@h>")
    outcome = bench.handle(phone.register(["<sip:a@h>"], expires=0))
    assert isinstance(outcome, Proposal)
    assert [(event.contact, event.reason) for event in outcome.events if isinstance(event, Unregistered)] == [
        ("sip:a@h", "removed")
    ]
    assert listed(bench.settle(outcome)) == ["<sip:b@h>;expires=600"]


def test_removal_of_a_contact_that_is_not_there_removes_no_other(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>")
    assert listed(register(bench, phone, "<sip:old@h>", expires=0)) == ["<sip:a@h>;expires=600"]


@pytest.mark.parametrize("contacts", [["<sip:a@h>;expires=0", "<sip:b@h>"], ["<sip:b@h>", "<sip:a@h>;expires=0"]])
def test_old_contact_out_and_new_one_in_with_one_request(
    bench: RegistrarBench, phone: SipPhone, contacts: list[str]
) -> None:
    register(bench, phone, "<sip:a@h>")
    assert listed(register(bench, phone, *contacts)) == ["<sip:b@h>;expires=600"]


def test_wildcard_removes_all_of_the_line(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>", "<sip:b@h>")
    assert listed(register(bench, phone, "*", expires=0)) == []
    assert bench.aor("2001") == []


@pytest.mark.parametrize(("contacts", "expires"), [(["*"], None), (["*"], 60), (["*", "<sip:a@h>"], 0)])
def test_wildcard_with_anything_else_is_400(
    bench: RegistrarBench, phone: SipPhone, contacts: list[str], expires: int | None
) -> None:
    register(bench, phone, "<sip:a@h>")
    assert register(bench, phone, *contacts, expires=expires).status == 400
    assert bench.aor("2001") == ["sip:a@h"]


# -- order --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", ["<sip:a@h>", "<sip:a@h>;expires=0", "*"])
def test_out_of_order_changes_nothing_and_lists_what_there_is(
    bench: RegistrarBench, phone: SipPhone, contact: str
) -> None:
    register(bench, phone, "<sip:a@h>")
    phone.cseq -= 1
    outcome = bench.handle(phone.register([contact], expires=0 if contact == "*" else 300))
    assert isinstance(outcome, Answer)
    assert listed(response_of(outcome)) == ["<sip:a@h>;expires=600"]


def test_another_call_id_starts_anew(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>")
    phone.cseq, phone.call_id = 0, "after-reboot"
    assert listed(register(bench, phone, "<sip:a@h>", expires=300)) == ["<sip:a@h>;expires=300"]


# -- what is kept -------------------------------------------------------------------------------------------------


def test_contact_comes_back_as_it_was_written(bench: RegistrarBench, phone: SipPhone) -> None:
    contact = '<sip:%61@h;x=y;transport=UDP>;q=0.7;methods="INVITE,ACK";audio'
    assert listed(register(bench, phone, contact)) == [f"{contact};expires=600"]


def test_parameter_without_brackets_is_of_the_header(bench: RegistrarBench, phone: SipPhone) -> None:
    assert listed(register(bench, phone, "sip:a@h;x=y")) == ["<sip:a@h>;x=y;expires=600"]


@pytest.mark.parametrize("parameter", ["q=1.1", "q=0.1234", "q=", "q=-1"])
def test_malformed_q_is_400(bench: RegistrarBench, phone: SipPhone, parameter: str) -> None:
    assert register(bench, phone, f"<sip:a@h>;{parameter}").status == 400


@pytest.mark.parametrize(
    "contact", ["<sip:a@h>;reg-id=x;+sip.instance=i", f"<sip:{'a' * 1100}@h>", "<sip:@>", "<sip:a@h", "not a uri"]
)
def test_one_bad_contact_spoils_all(bench: RegistrarBench, phone: SipPhone, contact: str) -> None:
    assert register(bench, phone, "<sip:good@h>", contact).status == 400
    assert bench.table.all(NOW) == ()


def test_contact_that_is_no_sip_address_is_passed_over(bench: RegistrarBench, phone: SipPhone) -> None:
    assert listed(register(bench, phone, "<mailto:a@h>", "<sip:a@h>")) == ["<sip:a@h>;expires=600"]


@pytest.mark.parametrize(
    ("contacts", "schemes"),
    [
        (["<tel:2001>"], ["tel"]),
        (["<http://h/>", "<HTTP://other/>", "<tel:2001>", "<sip:a@h>"], ["http", "tel"]),
        ([f"<{'x' * 100}:y>"], ["x" * 32]),
        (["<sip:a@h>"], []),
    ],
)
def test_contact_that_is_passed_over_is_told(
    bench: RegistrarBench, phone: SipPhone, contacts: list[str], schemes: list[str]
) -> None:
    outcome = bench.handle(phone.register(contacts))
    assert response_of(outcome).status == 200
    assert isinstance(outcome, Answer | Proposal)
    ignored = [event for event in outcome.events if isinstance(event, ContactIgnored)]
    assert ignored == [ContactIgnored("sip:2001@acme.test", scheme, str(FLOW), 1, NOW) for scheme in schemes]


def test_user_agent_is_kept_short_and_clean(bench: RegistrarBench, phone: SipPhone) -> None:
    phone.user_agent = "Snom\u202e\t" + "x" * 400
    phone.run(bench)
    (binding,) = bench.table.bindings_of_device(1, NOW)
    assert binding.user_agent == "Snom" + "x" * 250


def test_refresh_keeps_identity_and_first_time(bench: RegistrarBench, phone: SipPhone) -> None:
    register(bench, phone, "<sip:a@h>")
    (before,) = bench.table.all(bench.now)
    bench.now += 30
    register(bench, phone, "<sip:a@h>")
    (after,) = bench.table.all(bench.now)
    assert (after.id, after.registered_at, after.refreshed_at) == (before.id, NOW, NOW + 30)
    assert after.flow == FLOW
