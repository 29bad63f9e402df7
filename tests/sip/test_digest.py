"""Digest authentication, as server and as client."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import SipError
from offhook.sip.digest import (
    Algorithm,
    Challenge,
    Credentials,
    NonceSource,
    NonceState,
    answer_challenge,
    authorization_header,
    challenge_header,
    choose_challenge,
    digest_hex,
    expected_response,
    ha1,
    parse_authorization,
    verify,
)

RFC_7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,'
    ' cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{response}",'
    ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
RFC_2617 = (
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
    ' uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",'
    ' response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
NOW = 1_700_000_000.0
SOURCE = NonceSource([("k2", b"2" * 32), ("k1", b"1" * 32)], lifetime_seconds=3600)


def parse_credentials(value: str) -> Credentials:
    credentials = parse_authorization(value)
    assert credentials is not None
    return credentials


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm.SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_are_verified(algorithm: Algorithm, response: str) -> None:
    """AU-1; RFC 7616 §3.9.1."""
    credentials = parse_credentials(RFC_7616.format(algorithm=algorithm.value, response=response))
    secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert credentials.algorithm is algorithm
    assert credentials.nc == 1
    assert expected_response(credentials, secret, "GET") == response
    assert verify(credentials, secret, "GET")
    assert verify(replace(credentials, response=response.upper()), secret, "GET")
    assert not verify(credentials, secret, "POST")
    assert not verify(replace(credentials, nc_text="00000002"), secret, "GET")
    assert not verify(replace(credentials, response="ü"), secret, "GET")


def test_the_example_of_rfc_2617_is_verified() -> None:
    """AU-2; RFC 2617 §3.5: without an algorithm it is MD5."""
    secret = ha1(Algorithm.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert secret == "939e7578ed9e3c518a452acee763bce9"
    assert verify(parse_credentials(RFC_2617), secret, "GET")


def test_sha_512_256_is_the_hash_of_fips_180_4() -> None:
    """AU-6; not SHA-512 cut short, which the example in RFC 7616 §3.9.2 was made with (erratum 4897)."""
    assert (
        digest_hex(Algorithm.SHA_512_256, "abc") == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
    )


def test_the_form_without_qop_is_accepted() -> None:
    """AU-2; RFC 2069 §2.1.2. pyVoIP 1.6.8 sends it."""
    secret = ha1(Algorithm.MD5, "2001", "example.com", "secret")
    response = digest_hex(Algorithm.MD5, f"{secret}:n:{digest_hex(Algorithm.MD5, 'REGISTER:sip:example.com')}")
    credentials = parse_credentials(
        'Digest username="2001",realm="example.com",nonce="n",uri="sip:example.com",'
        f'response="{response}",algorithm="MD5"'
    )
    assert (credentials.qop, credentials.nc, credentials.cnonce) == (None, None, None)
    assert verify(credentials, secret, "REGISTER")


def test_the_nonce_count_is_hashed_as_the_client_wrote_it() -> None:
    """Phones leave out leading zeros or write capitals."""
    secret = ha1(Algorithm.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    for text in ("A", "0000000a", "0a"):
        credentials = parse_credentials(RFC_2617.replace("00000001", text))
        assert credentials.nc == 10
        ha2 = digest_hex(Algorithm.MD5, "GET:/dir/index.html")
        response = digest_hex(Algorithm.MD5, f"{secret}:{credentials.nonce}:{text}:0a4f113b:auth:{ha2}")
        assert verify(replace(credentials, response=response), secret, "GET")


@pytest.mark.parametrize("scheme", ["NoOneKnowsThisScheme opaque-data=here", "Basic QWxhZGRpbg==", "", "DigestX a=b"])
def test_another_scheme_is_not_ours_to_judge(scheme: str) -> None:
    """AU-10; RFC 4475 §3.3.7."""
    assert parse_authorization(scheme) is None
    assert Challenge.parse(scheme) is None


@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        "Digest ",
        'Digest username="a"',
        RFC_2617.replace('username="Mufasa"', "x=y"),
        RFC_2617.replace("response=", "x="),
        RFC_2617.replace("nonce=", "x="),
        RFC_2617.replace("00000001", "000000001"),
        RFC_2617.replace("00000001", "xyz"),
        RFC_2617.replace("00000001", "١"),
        RFC_2617 + ', username="Scar"',
        RFC_2617.replace('username="Mufasa"', "username*=latin-1''x"),
    ],
)
def test_malformed_credentials_are_400(value: str) -> None:
    with pytest.raises(SipError) as caught:
        parse_authorization(value)
    assert caught.value.status == 400


def test_an_extended_user_name_is_decoded() -> None:
    """AU-9; RFC 7616 §3.4."""
    value = RFC_2617.replace('username="Mufasa"', "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe")
    assert parse_credentials(value).username == "Jäsøn Doe"


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("qop=auth", "qop=auth, algorithm=SHA3-256"),
        ("qop=auth", "qop=auth-int"),
        ('cnonce="0a4f113b", ', ""),
        ("nc=00000001, ", ""),
    ],
)
def test_credentials_that_we_did_not_ask_for_are_not_verified(written: str, instead: str) -> None:
    secret = ha1(Algorithm.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert not verify(parse_credentials(RFC_2617.replace(written, instead)), secret, "GET")


def test_an_unknown_algorithm_and_qop_cannot_be_computed() -> None:
    credentials = parse_credentials(RFC_2617.replace("qop=auth", "algorithm=SHA3"))
    assert credentials.algorithm is None
    with pytest.raises(ValueError, match="known algorithm"):
        expected_response(credentials, "x", "GET")


def test_the_response_of_a_client_does_not_show_in_a_log() -> None:
    assert "6629fae49393a05397450978507c4ef1" not in repr(parse_credentials(RFC_2617))


CHALLENGES = st.builds(
    Challenge,
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=10),
    st.text("abc019+/=.", min_size=1, max_size=10),
    st.sampled_from(Algorithm),
    st.sampled_from([(), ("auth",), ("auth", "auth-int")]),
    st.none() | st.text("abc019", max_size=5),
    st.booleans(),
)


@settings(max_examples=60)
@given(CHALLENGES)
def test_a_challenge_survives_writing_and_reading(challenge: Challenge) -> None:
    assert Challenge.parse(str(challenge)) == challenge


@settings(max_examples=60)
@given(CHALLENGES, st.text(max_size=8).filter(lambda text: text.isprintable()), st.integers(1, 2**32 - 1))
def test_what_the_client_answers_the_server_verifies(challenge: Challenge, username: str, nc: int) -> None:
    """AU-1, AU-2, TX-10."""
    value = answer_challenge(
        challenge, username, lambda a, realm: ha1(a, username, realm, "pw"), "NOTIFY", "sip:a@b", "c", nc
    )
    credentials = parse_credentials(value)
    assert challenge.algorithm is not None
    assert verify(credentials, ha1(challenge.algorithm, username, challenge.realm, "pw"), "NOTIFY")
    assert not verify(credentials, ha1(challenge.algorithm, username, challenge.realm, "no"), "NOTIFY")
    assert (credentials.username, credentials.opaque) == (username, challenge.opaque)
    assert credentials.nc == (nc if challenge.qop else None)


def test_a_server_challenge_reads_as_the_rfc_writes_it() -> None:
    """AU-1, AU-4."""
    challenge = Challenge("example.com", "n", Algorithm.SHA_256, opaque="o", stale=True)
    assert str(challenge) == (
        'Digest realm="example.com", nonce="n", opaque="o", stale=true, algorithm=SHA-256, qop="auth"'
    )


def test_the_topmost_challenge_that_can_be_answered_is_chosen() -> None:
    """AU-6; RFC 8760 §2.4."""
    chosen = choose_challenge(
        [
            'Bearer realm="x"',
            'Digest realm="broken',
            'Digest realm="no nonce"',
            'Digest realm="r", nonce="1", algorithm=SHA3-512',
            'Digest realm="r", nonce="2", algorithm=MD5, qop="auth-int"',
            'Digest realm="r", nonce="3", algorithm=sha-256, qop="auth-int, auth"',
            'Digest realm="r", nonce="4"',
        ]
    )
    assert chosen is not None
    assert (chosen.nonce, chosen.algorithm) == ("3", Algorithm.SHA_256)
    assert choose_challenge([]) is None


def test_a_challenge_that_names_no_algorithm_gets_an_answer_that_names_none() -> None:
    """Firmware that knows RFC 2069 only compares text."""
    challenge = choose_challenge(['Digest realm="r", nonce="n"'])
    assert challenge is not None
    value = answer_challenge(challenge, "u", lambda a, realm: ha1(a, "u", realm, "p"), "NOTIFY", "sip:a@b", "c")
    assert "algorithm" not in value
    assert "nc=" not in value


def test_an_unanswerable_challenge_is_not_answered() -> None:
    challenge = Challenge("r", "n", qop=("auth-int",))
    with pytest.raises(ValueError, match="not supported"):
        answer_challenge(challenge, "u", lambda _algorithm, _realm: "", "NOTIFY", "sip:a@b", "c")


def test_a_401_and_a_407_have_headers_of_their_own() -> None:
    assert (challenge_header(401), authorization_header(401)) == ("WWW-Authenticate", "Authorization")
    assert (challenge_header(407), authorization_header(407)) == ("Proxy-Authenticate", "Proxy-Authorization")


def test_a_nonce_is_good_for_its_lifetime() -> None:
    """AU-4, AU-5."""
    nonce = SOURCE.mint(NOW, "example.com", b"random")
    assert SOURCE.check(nonce, NOW, "example.com") is NonceState.VALID
    assert SOURCE.check(nonce, NOW + 3599, "example.com") is NonceState.VALID
    assert SOURCE.check(nonce, NOW + 3601, "example.com") is NonceState.STALE


def test_a_nonce_from_the_future_is_stale() -> None:
    nonce = SOURCE.mint(NOW, "example.com", b"random")
    assert SOURCE.check(nonce, NOW - 2.9, "example.com") is NonceState.VALID
    assert SOURCE.check(nonce, NOW - 3.1, "example.com") is NonceState.STALE


def test_nonces_of_one_instant_differ_by_their_randomness() -> None:
    assert SOURCE.mint(NOW, "example.com", b"1") != SOURCE.mint(NOW, "example.com", b"2")


def test_a_nonce_outlives_a_restart_and_a_new_key_but_not_its_own() -> None:
    """AU-5."""
    nonce = NonceSource([("k1", b"1" * 32)], 3600).mint(NOW, "example.com", b"random")
    assert SOURCE.check(nonce, NOW, "example.com") is NonceState.VALID
    assert NonceSource([("k2", b"2" * 32)], 3600).check(nonce, NOW, "example.com") is NonceState.FORGED
    assert NonceSource([("k1", b"x" * 32)], 3600).check(nonce, NOW, "example.com") is NonceState.FORGED


def test_another_spelling_of_the_same_octets_is_forged() -> None:
    """Or one nonce would have several counters."""
    nonce = SOURCE.mint(NOW, "example.com", b"random")
    for changed in (nonce + "=", nonce[:9] + "!" + nonce[9:], nonce[:-1] + chr(ord(nonce[-1]) + 1)):
        assert SOURCE.check(changed, NOW, "example.com") is NonceState.FORGED


def test_a_nonce_of_one_realm_is_none_of_another() -> None:
    assert SOURCE.check(SOURCE.mint(NOW, "a.example", b"r"), NOW, "b.example") is NonceState.FORGED


@settings(max_examples=100)
@given(st.text(max_size=60) | st.text("k1.abAB01-_=", max_size=60).map(lambda text: "k1." + text))
def test_arbitrary_text_is_a_forged_nonce(text: str) -> None:
    assert SOURCE.check(text, NOW, "example.com") is NonceState.FORGED


@settings(max_examples=60)
@given(st.data())
def test_a_nonce_with_one_character_changed_is_forged(data: st.DataObject) -> None:
    nonce = SOURCE.mint(NOW, "example.com", b"random")
    position = data.draw(st.integers(0, len(nonce) - 1))
    character = data.draw(st.sampled_from("abcdefABCDEF0123-_.").filter(lambda other: other != nonce[position]))
    changed = nonce[:position] + character + nonce[position + 1 :]
    assert SOURCE.check(changed, NOW, "example.com") is NonceState.FORGED


@pytest.mark.parametrize("keys", [[], [("", b"x")], [("a.b", b"x")], [('"', b"x")]])
def test_a_source_needs_keys_with_ids_that_fit_into_a_nonce(keys: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match="nonce source"):
        NonceSource(keys, 3600)
