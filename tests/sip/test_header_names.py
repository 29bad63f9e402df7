"""Header names."""

import pytest

from offhook.errors import SipError
from offhook.sip.header_names import canonical_name, is_token


def test_names_are_canonical_whatever_their_case_or_form() -> None:
    """UAS-19."""
    assert [canonical_name(name) for name in ("v", "VIA", "vIa", "cseq", "www-AUTHENTICATE", "x-Odd.name")] == [
        "Via",
        "Via",
        "Via",
        "CSeq",
        "WWW-Authenticate",
        "X-Odd.Name",
    ]
    compact = dict(zip("imvftlcskeourb", range(14), strict=True))
    assert len({canonical_name(name) for name in compact}) == len(compact)
    for name in ("", "a b", "a(b", "ä", "a\0"):
        with pytest.raises(SipError):
            canonical_name(name)


def test_a_token_is_made_of_the_characters_of_rfc_3261() -> None:
    """RFC 3261 §25.1."""
    assert is_token("aZ09-.!%*_+`'~")
    for text in ("", "a b", "a:b", "a@b", "é", "a\n"):
        assert not is_token(text)
