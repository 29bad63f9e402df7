import json

import pytest
from aiohttp import web

from offhook.admin.problems import UNEXPECTED, find_problem
from offhook.errors import (
    Conflict,
    DocumentError,
    Fault,
    Invalid,
    KeyUnusable,
    NotFound,
    RenderError,
    RequestRefused,
    SipError,
    StoreUnavailable,
)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFound("no"), 404, "not-found"),
        (Conflict("no"), 409, "conflict"),
        (Invalid("no"), 422, "invalid-value"),
        (DocumentError([Fault("no")]), 422, "faults-in-the-document"),
        (RequestRefused(403, "no"), 403, "forbidden"),
        (RenderError("no", template="a.j2", line=3), 500, "template-failed"),
        (StoreUnavailable("no"), 503, "store-unavailable"),
        (KeyUnusable("no"), 500, "key-unusable"),
        (web.HTTPNotFound(), 404, "not-found"),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405, "method-not-allowed"),
    ],
)
def test_each_error_has_its_status_and_type(error: Exception, status: int, kind: str) -> None:
    problem = find_problem(error)
    assert problem is not None
    assert (problem.status, problem.type) == (status, f"urn:offhook:problem:{kind}")


@pytest.mark.parametrize("error", [ValueError("secret"), SipError(400, "Bad"), web.HTTPInternalServerError()])
def test_what_nobody_foresaw_is_no_problem_of_its_own(error: Exception) -> None:
    assert find_problem(error) is None


def _document(response: web.Response) -> dict[str, object]:
    assert isinstance(response.body, bytes)
    document = json.loads(response.body)
    assert isinstance(document, dict)
    return document


def test_a_problem_names_field_rule_and_remedy() -> None:
    problem = find_problem(Invalid("no MAC", field="mac", rule="twelve digits", remedy="look at the label"))
    assert problem is not None
    response = problem.response("abc")
    assert response.content_type == "application/problem+json"
    assert _document(response) == {
        "type": "urn:offhook:problem:invalid-value",
        "title": "Invalid value",
        "status": 422,
        "detail": "no MAC",
        "field": "mac",
        "rule": "twelve digits",
        "remedy": "look at the label",
        "request_id": "abc",
    }


def test_faults_have_their_places() -> None:
    problem = find_problem(DocumentError([Fault("is no MAC", "accounts[0]", "a.yaml", 3, 7), Fault("x")]))
    assert problem is not None
    document = _document(problem.response("abc"))
    assert document["detail"] == "the document has 2 faults; nothing was changed"
    faults = document["faults"]
    assert isinstance(faults, list)
    assert faults[0] == {
        "message": "is no MAC",
        "path": "accounts[0]",
        "file": "a.yaml",
        "line": 3,
        "column": 7,
        "rule": "",
        "remedy": "",
        "is_conflict": False,
    }


def test_headers_say_what_to_do() -> None:
    wanted = [
        (RequestRefused(401, "no"), "WWW-Authenticate", 'Bearer realm="offhook"'),
        (RequestRefused(429, "no", retry_after_seconds=7), "Retry-After", "7"),
        (StoreUnavailable("no"), "Retry-After", "5"),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), "Allow", "GET"),
    ]
    for error, name, value in wanted:
        problem = find_problem(error)
        assert problem is not None
        assert problem.response("abc").headers[name] == value


def test_an_unexpected_error_tells_nothing_of_itself() -> None:
    document = _document(UNEXPECTED.response("abc"))
    assert document["status"] == 500
    assert document["request_id"] == "abc"
