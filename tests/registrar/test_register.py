"""REGISTER as call flows: what a phone sends, what it is answered, and what is registered then."""

import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from tests.support.registrar import (
    DOMAIN,
    FLOW,
    NOW,
    OTHER_FLOW,
    RegistrarBench,
    SipPhone,
    change_credential,
    make_credential,
    make_inventory,
    response_of,
)

from offhook.events import Registered, RegistrationRefused, Unregistered
from offhook.inventory.models import Account, Credential, CredentialState, Device, DeviceState, Line, User
from offhook.registrar.answers import Answer, Proposal
from offhook.registrar.policy import RegisterPolicy
from offhook.sip.message import Request


@pytest.fixture
def bench() -> RegistrarBench:
    return RegistrarBench()


def refusal(bench: RegistrarBench, request: Request) -> RegistrationRefused:
    outcome = bench.handle(request)
    assert isinstance(outcome, Answer)
    (event,) = outcome.events
    assert isinstance(event, RegistrationRefused)
    return event


# -- step 1: whose domain -----------------------------------------------------------------------------------------


def test_phone_registers(bench: RegistrarBench) -> None:
    phone = SipPhone()
    challenge = phone.hear(response_of(bench.handle(phone.register())))
    assert challenge.status == 401
    assert challenge.headers.get(
        "WWW-Authenticate",
    )
    outcome = bench.handle(phone.register())
    assert isinstance(outcome, Proposal)
    assert bench.aor("2001") == []
    answer = bench.settle(outcome)
    assert answer.status == 200
    assert answer.headers.get_all("Contact") == ["<sip:2001@10.0.0.21:5060>;expires=600"]
    assert parsedate_to_datetime(answer.headers.get("Date") or "").timestamp() == NOW
    assert bench.aor("2001") == ["sip:2001@10.0.0.21:5060"]
    (event,) = outcome.events
    assert event == Registered(
        11, 1, "sip:2001@acme.test", 101, "sip:2001@10.0.0.21:5060", "10.0.0.21:5060", "udp", "Test Phone 1.0",
        NOW + 600, NOW,
    )  # fmt: skip


def test_domain_of_nobody_is_404(bench: RegistrarBench) -> None:
    phone = SipPhone(domain="other.test")
    event = refusal(bench, phone.register())
    assert (event.status, event.auth_username) == (404, "")


def test_to_names_the_account_where_the_request_uri_does_not(bench: RegistrarBench) -> None:
    phone = SipPhone()
    assert phone.run(bench, None).status == 200
    assert response_of(bench.handle(SipPhone().register(uri="sip:10.9.9.9"))).status == 401


def test_own_address_means_the_only_account(bench: RegistrarBench) -> None:
    request = SipPhone(domain="10.0.0.1").register()
    answer = response_of(bench.handle(request))
    assert answer.status == 401
    assert 'realm="acme.test"' in (answer.headers.get("WWW-Authenticate") or "")


def test_own_address_means_nobody_where_there_are_two_accounts(bench: RegistrarBench) -> None:
    draft = bench.inventory.draft()
    draft.put(Account(id=2, name="beta", sip_domain="beta.test"))
    bench.inventory = draft
    assert refusal(bench, SipPhone(domain="10.0.0.1").register()).status == 404


def test_former_domain_is_served_with_its_own_realm(bench: RegistrarBench) -> None:
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Account, 1), sip_domain="new.test", former_domains=(DOMAIN,)))
    bench.inventory = draft
    answer = SipPhone().run(bench)
    assert answer.status == 200
    assert [binding.aor for binding in bench.table.all(NOW)] == ["sip:2001@new.test"]


def test_user_in_request_uri_is_forgiven(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    assert phone.run(bench, phone.register(uri="sip:2001@acme.test")).status == 200


def test_request_uri_of_another_scheme_is_416(bench: RegistrarBench) -> None:
    assert refusal(bench, SipPhone().register(uri="tel:2001")).status == 416


# -- step 2: extensions -------------------------------------------------------------------------------------------


def test_required_extension_is_refused_before_authentication(bench: RegistrarBench) -> None:
    answer = response_of(bench.handle(SipPhone().register(headers=[("Require", "foo, gruu"), ("Require", "bar")])))
    assert answer.status == 420
    assert answer.headers.get("Unsupported") == "foo, gruu, bar"
    assert "WWW-Authenticate" not in answer.headers


# -- step 3: authentication ---------------------------------------------------------------------------------------


def test_unknown_user_wrong_password_and_disabled_device_are_answered_alike(bench: RegistrarBench) -> None:
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Device, 2), state=DeviceState.DISABLED))
    bench.inventory = draft

    def answer(user: str, username: str, password: str) -> tuple[str, str, int]:
        phone = SipPhone("2001", username=username, password=password).challenged(bench)
        request = phone.register()
        for name in ("Via", "From", "Call-ID"):
            value = request.headers.get(name) or ""
            assert value
        outcome = bench.handle(request)
        assert isinstance(outcome, Answer)
        (event,) = outcome.events
        assert isinstance(event, RegistrationRefused)
        text = re.sub(r'nonce="[^"]+"', "", outcome.response.decode())
        return re.sub(r"(branch|tag|received)=\w+", "", text.replace(username, "")), event.reason, event.device_id

    wrong = answer("2001", "2001-auth", "wrong")
    unknown = answer("2001", "nobody-au", "correct horse")
    disabled = answer("2001", "2002-auth", "correct horse")
    assert wrong[0] == unknown[0] == disabled[0]
    assert wrong[1:] == ("wrong_password", 1)
    assert unknown[1:] == ("unknown_user", 0)
    assert disabled[1:] == ("device_disabled", 2)
    assert bench.table.all(NOW) == ()


def test_nonce_count_used_before_is_stale_and_no_failure(bench: RegistrarBench) -> None:
    phone = SipPhone()
    assert phone.run(bench).status == 200
    phone.nc -= 1
    outcome = bench.handle(phone.register())
    assert isinstance(outcome, Answer)
    assert outcome.status == 401
    assert outcome.is_stale
    assert outcome.events == ()
    assert "stale=true" in outcome.response.decode()


def test_nonce_is_good_for_the_next_count(bench: RegistrarBench) -> None:
    phone = SipPhone()
    assert phone.run(bench).status == 200
    assert phone.run(bench).status == 200
    phone.nc += 10
    assert phone.run(bench).status == 200


def test_nonce_count_of_a_registration_under_way_counts(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    assert isinstance(bench.handle(phone.register()), Proposal)
    phone.nc -= 1
    assert response_of(bench.handle(phone.register())).status == 401


# -- step 4: authorisation ----------------------------------------------------------------------------------------


def test_address_of_somebody_else_is_403(bench: RegistrarBench) -> None:
    phone = SipPhone("2002", username="2001-auth").challenged(bench)
    outcome = bench.handle(phone.register())
    assert isinstance(outcome, Answer)
    (event,) = outcome.events
    assert isinstance(event, RegistrationRefused)
    assert (event.status, event.auth_username, event.device_id) == (403, "2001-auth", 1)
    assert bench.table.all(NOW) == ()


def test_number_is_an_alias_of_its_extension(bench: RegistrarBench) -> None:
    phone = SipPhone("2002").challenged(bench)
    assert phone.run(bench, phone.register(to="<sip:+12125550101@acme.test;user=phone>")).status == 200
    assert bench.aor("2002") == ["sip:2002@10.0.0.21:5060"]


def test_escaped_user_is_the_same_user(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    assert phone.run(bench, phone.register(to="<sip:%3200%31@ACME.test>")).status == 200


def test_line_without_assignment_registers_under_its_service_address(bench: RegistrarBench) -> None:
    assert SipPhone("dev-000003").run(bench).status == 200
    assert len(bench.aor("dev-000003")) == 1


def test_retiring_credentials_keep_the_phone_in_reach_but_not_callable(bench: RegistrarBench) -> None:
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Credential, 101), state=CredentialState.RETIRING, retire_at=NOW + 60))
    draft.put(make_credential(110, 11, "2009"))
    draft.put(replace(bench.inventory.get(User, 1), extension="2009"))
    bench.inventory = draft
    assert SipPhone("2001").run(bench).status == 200
    assert bench.aor("2001") == []
    assert len(bench.aor("dev-000001")) == 1


def test_new_credentials_take_the_phone_from_its_former_address(bench: RegistrarBench) -> None:
    test_retiring_credentials_keep_the_phone_in_reach_but_not_callable(bench)
    phone = SipPhone("2009").challenged(bench)
    outcome = bench.handle(phone.register())
    assert isinstance(outcome, Proposal)
    assert [type(event) for event in outcome.events] == [Unregistered, Registered]
    bench.settle(outcome)
    assert len(bench.aor("2009")) == 1
    assert bench.aor("dev-000001") == []


def test_credentials_past_their_grace_are_refused(bench: RegistrarBench) -> None:
    bench.inventory = change_credential(bench.inventory, 101, state=CredentialState.RETIRING, retire_at=NOW)
    assert refusal(bench, SipPhone().challenged(bench).register()).reason == "unknown_user"


# -- step 5: address of record ------------------------------------------------------------------------------------


def test_to_of_another_domain_is_404_once_authenticated(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    event = refusal(bench, phone.register(to="<sip:2001@other.test>"))
    assert (event.status, event.auth_username) == (404, "2001-auth")


def test_to_that_is_no_sip_address_is_400(bench: RegistrarBench) -> None:
    assert refusal(bench, SipPhone().register(to="<isbn:2983792873>")).status == 400


# -- without contacts ---------------------------------------------------------------------------------------------


def test_register_without_contact_lists_what_is_registered(bench: RegistrarBench) -> None:
    phone = SipPhone()
    phone.run(bench)
    bench.now += 100
    outcome = bench.handle(phone.register([], expires=None))
    assert isinstance(outcome, Answer)
    assert outcome.is_authenticated
    assert response_of(outcome).headers.get_all("Contact") == ["<sip:2001@10.0.0.21:5060>;expires=500"]


def test_list_that_shows_what_is_under_way_waits_for_it(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    assert isinstance(bench.handle(phone.register()), Proposal)
    outcome = bench.handle(phone.register([], expires=None))
    assert isinstance(outcome, Proposal)
    assert not outcome.change
    assert len(response_of(outcome).headers.get_all("Contact")) == 1


# -- malformed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["To", "From", "Call-ID", "CSeq"])
def test_every_mandatory_header_missing_in_turn_is_named(bench: RegistrarBench, name: str) -> None:
    event = refusal(bench, SipPhone().register(without=name))
    assert (event.status, event.reason) == (400, f"Missing {name} header")


def test_missing_max_forwards_is_forgiven(bench: RegistrarBench) -> None:
    assert response_of(bench.handle(SipPhone().register(without="Max-Forwards"))).status == 401


def test_malformed_digest_is_400(bench: RegistrarBench) -> None:
    assert refusal(bench, SipPhone().register(headers=[("Authorization", "Digest username=")])).status == 400


def test_unknown_scheme_is_challenged(bench: RegistrarBench) -> None:
    answer = response_of(bench.handle(SipPhone().register(headers=[("Authorization", "NoOneKnows data=x")])))
    assert answer.status == 401


def test_overlong_call_id_is_400(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    phone.call_id = "x" * 300
    assert refusal(bench, phone.register()).status == 400


# -- the overlay --------------------------------------------------------------------------------------------------


def test_later_register_builds_on_the_one_under_way(bench: RegistrarBench) -> None:
    first, second = SipPhone().challenged(bench), SipPhone(username="2001-shared", flow=OTHER_FLOW).challenged(bench)
    one = bench.handle(first.register(), FLOW)
    two = bench.handle(second.register(), OTHER_FLOW)
    assert isinstance(one, Proposal)
    assert isinstance(two, Proposal)
    assert bench.aor("2001") == []
    assert len(response_of(two).headers.get_all("Contact")) == 2
    bench.settle(one)
    assert bench.aor("2001") == ["sip:2001@10.0.0.21:5060"]
    bench.settle(two)
    assert bench.aor("2001") == ["sip:2001@10.0.0.21:5060", "sip:2001@10.0.0.22:5062"]


def test_failed_registers_leave_no_trace(bench: RegistrarBench) -> None:
    phone = SipPhone().challenged(bench)
    one, two = bench.handle(phone.register()), bench.handle(phone.register(expires=0))
    assert isinstance(one, Proposal)
    assert isinstance(two, Proposal)
    bench.table.abort(one.change)
    bench.table.abort(two.change)
    phone.nc = 0
    assert bench.settle(bench.handle(phone.register())).headers.get_all("Contact") == [
        "<sip:2001@10.0.0.21:5060>;expires=600"
    ]


def test_policy_reaches_the_answer() -> None:
    bench = RegistrarBench(policy=RegisterPolicy(max_expires=300))
    assert SipPhone().run(bench).headers.get_all("Contact") == ["<sip:2001@10.0.0.21:5060>;expires=300"]


def test_line_that_is_gone_with_its_credentials_is_unknown() -> None:
    inventory = make_inventory().draft()
    inventory.delete(inventory.get(Credential, 101))
    inventory.delete(inventory.get(Line, 11))
    bench = RegistrarBench(inventory)
    assert refusal(bench, SipPhone().challenged(bench).register()).reason == "unknown_user"
