"""Errors say what happened and where."""

import inspect

from offhook import errors
from offhook.errors import (
    Conflict,
    DocumentError,
    Fault,
    InventoryError,
    OffhookError,
    RenderError,
    SipError,
    TftpError,
)


def test_every_error_stands_in_the_tree_at_the_top() -> None:
    classes = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, OffhookError)}
    drawn = errors.__doc__ or ""
    assert {name for name in classes if name not in drawn} == {"DocumentError"}


def test_a_fault_is_a_place_a_path_and_a_message() -> None:
    assert (
        str(Fault("is missing", "accounts[0].name", "site.yaml", 3, 5)) == "site.yaml:3:5: accounts[0].name: is missing"
    )
    assert str(Fault("is empty", file="site.csv", line=3)) == "site.csv:3: is empty"
    assert str(Fault("is empty", file="site.yaml")) == "site.yaml: is empty"
    assert str(Fault("is empty")) == "is empty"


def test_a_document_error_has_all_its_faults() -> None:
    error = DocumentError([Fault("one"), Fault("two")])
    assert str(error) == "one\ntwo"
    assert [fault.message for fault in error.faults] == ["one", "two"]


def test_errors_carry_what_their_servers_answer() -> None:
    sip, tftp = SipError(400, "Bad Request"), TftpError(2, "Access violation")
    assert (sip.status, sip.reason, str(sip)) == (400, "Bad Request", "400 Bad Request")
    assert (tftp.code, tftp.message) == (2, "Access violation")
    conflict = Conflict("taken", field="extension", rule="unique", remedy="choose another")
    assert isinstance(conflict, InventoryError)
    assert (conflict.message, conflict.field, conflict.rule, conflict.remedy) == (
        "taken", "extension", "unique", "choose another"
    )  # fmt: skip
    assert str(RenderError("is no template", template="device.j2", line=3)) == "device.j2:3: is no template"
    assert str(RenderError("failed")) == "failed"
