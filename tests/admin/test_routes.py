import json

from hypothesis import given
from hypothesis import strategies as st

from offhook.admin.api.lines import LineView
from offhook.admin.query import Page
from offhook.admin.routes import format_time, json_response
from offhook.secret import Secret


def test_times_are_iso_8601_in_utc() -> None:
    assert format_time(0.0015) == "1970-01-01T00:00:00.001Z"
    assert format_time(None) is None


@given(st.floats(0, 4e9))
def test_a_time_is_read_back(seconds: float) -> None:
    from datetime import datetime

    text = format_time(seconds)
    assert text is not None
    assert abs(datetime.fromisoformat(text).timestamp() - seconds) <= 0.001


def test_views_become_objects_and_secrets_stay_masked() -> None:
    line = LineView("00:15:65:12:34:56", 1, None, "sip:2001@acme.test", "2001-x", None)
    response = json_response(Page((line,), Secret("hunter2").MASK))
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["items"][0]["device"] == "00:15:65:12:34:56"
    response = json_response({"token": Secret("hunter2")})
    assert response.body == b'{"token": "***"}'


def test_a_view_does_not_tell_its_password_to_a_log() -> None:
    line = LineView("00:15:65:12:34:56", 1, None, "sip:2001@acme.test", "2001-x", "hunter2")
    assert "hunter2" not in repr(line)
