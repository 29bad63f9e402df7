"""SIP passwords of lines are exchanged without a moment in which the phone holds none that is valid (X6).

Staged, a password is accepted beside the active one and stands in no file. Activated, it is in the line's file, and
the one before retires: it stays valid until the phone has shown that it uses the new one, or the grace ends.
"""

from typing import Final

from offhook.errors import Conflict, Invalid
from offhook.inventory.editor import Editor
from offhook.inventory.models import Credential, CredentialState, Line
from offhook.inventory.rules import describe

_RULE: Final = "one password is staged beside the active one (X6)"


def stage_password(editor: Editor, line: Line) -> Credential:
    """Makes a password that the registrar accepts from now on, under the same authentication name.

    Raises Conflict where one is staged, Invalid for a line whose credentials are not made here.
    """
    active = _get_active(editor, line)
    if _find_staged(editor, line) is not None:
        raise Conflict(
            f"{describe(line, editor.draft)} has a staged password already",
            field="line",
            rule=_RULE,
            remedy="activate it, or drop it",
        )
    return editor.credentials.stage(active, editor.credentials.new_password(line))


def activate_staged(editor: Editor, line: Line) -> Credential:
    """The staged password goes into the line's file, and the active one retires. Raises Conflict where none is."""
    return editor.credentials.activate(_get_staged(editor, line))


def drop_staged(editor: Editor, line: Line) -> None:
    """The staged password is void, now. Raises Conflict where none is."""
    editor.credentials.drop(_get_staged(editor, line))


def new_password(editor: Editor, line: Line) -> Credential:
    """Stages and activates at once; one that was staged before is dropped. Raises Invalid as staging does."""
    active = _get_active(editor, line)
    staged = _find_staged(editor, line)
    if staged is not None:
        editor.credentials.drop(staged)
    return editor.credentials.activate(editor.credentials.stage(active, editor.credentials.new_password(line)))


def _get_active(editor: Editor, line: Line) -> Credential:
    active = editor.draft.active_credential(line.id)
    if active is None or active.is_external:
        why = "has no credentials" if active is None else "has credentials of another registrar"
        raise Invalid(
            f"{describe(line, editor.draft)} {why}, so no password can be made for it",
            field="line",
            rule="passwords are made for lines that register here, of devices in service",
            remedy="enable its device" if active is None else "change the password there, then state it here",
        )
    return active


def _find_staged(editor: Editor, line: Line) -> Credential | None:
    credentials = editor.draft.credentials_of(line.id)
    return next((credential for credential in credentials if credential.state is CredentialState.STAGED), None)


def _get_staged(editor: Editor, line: Line) -> Credential:
    staged = _find_staged(editor, line)
    if staged is None:
        raise Conflict(
            f"{describe(line, editor.draft)} has no staged password",
            field="line",
            rule=_RULE,
            remedy="stage one first",
        )
    return staged
