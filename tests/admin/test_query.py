import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict

from offhook.admin.query import MAX_LIMIT, Query, collect_page
from offhook.errors import Invalid
from offhook.store.tokens import Role


def _query(**values: str) -> Query:
    return Query(MultiDict(values), ("q", "limit", "cursor", "reveal", "role", "account"))


def test_an_unknown_parameter_is_refused_with_the_one_meant() -> None:
    with pytest.raises(Invalid, match="no parameter 'acount'") as refused:
        _query(acount="acme")
    assert refused.value.remedy == "did you mean account?"


@pytest.mark.parametrize(("text", "value"), [("", True), ("true", True), ("1", True), ("false", False), ("0", False)])
def test_flags(text: str, value: bool) -> None:
    assert _query(reveal=text).flag("reveal") is value
    assert _query().flag("reveal") is False


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(Invalid, match="reveal is 'maybe'"):
        _query(reveal="maybe").flag("reveal")


@pytest.mark.parametrize("text", ["-1", "x", "1001", "", "٣", "9" * 5000])
def test_a_number_is_in_its_range(text: str) -> None:
    with pytest.raises(Invalid):
        _query(limit=text).number("limit", 5, 1000)


def test_a_choice_is_one_of_its_values() -> None:
    assert _query(role="Viewer").choice("role", Role) is Role.VIEWER
    assert _query().choice("role", Role) is None
    with pytest.raises(Invalid, match="role is 'vewer'") as refused:
        _query(role="vewer").choice("role", Role)
    assert refused.value.remedy == "did you mean viewer?"


def test_choices_are_those_of_a_repeated_parameter() -> None:
    query = Query(MultiDict([("role", "viewer"), ("role", "Operator"), ("role", "viewer"), ("role", "")]), ("role",))
    assert query.choices("role", Role) == {Role.VIEWER, Role.OPERATOR}
    assert _query().choices("role", Role) == frozenset()
    with pytest.raises(Invalid, match="role is 'vewer'"):
        _query(role="vewer").choices("role", Role)


@settings(max_examples=30)
@given(items=st.lists(st.integers(0, 5000), unique=True, max_size=400), limit=st.integers(1, 90))
async def test_pages_put_together_are_the_list(items: list[int], limit: int) -> None:
    found: list[int] = []
    cursor = ""
    while True:
        query = _query(limit=str(limit), **({"cursor": cursor} if cursor else {}))
        page = await collect_page(items, query, key=int, view=int, wanted=lambda item: item % 3 != 0)
        assert len(page.items) <= limit
        found += page.items
        if page.next is None:
            break
        cursor = page.next
    assert found == sorted(item for item in items if item % 3 != 0)


async def test_a_page_has_at_most_a_thousand() -> None:
    with pytest.raises(Invalid, match="limit"):
        await collect_page([1], _query(limit=str(MAX_LIMIT + 1)), key=int, view=int)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86400.0),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T01:00:01+01:00", 1.0),
        ("1970-01-01T01:00:01 01:00", 1.0),
        ("1970-01-01 00:00:01", 1.0),
    ],
)
def test_moments_are_in_utc_where_they_name_no_zone(text: str, expected: float) -> None:
    assert _query(q=text).moment("q") == expected


@pytest.mark.parametrize("text", ["yesterday", "1970", "1970-13-01", "12:00", "0000-01-01", "2026-11-22T25:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is '"):
        _query(q=text).moment("q")


@given(st.text())
def test_whatever_is_given_as_a_moment_is_one_or_is_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        found = _query(q=text).moment("q")
        assert found is None or isinstance(found, float)


def test_no_moment_is_none() -> None:
    assert _query().moment("q") is None
