"""Extensions as sections of Asterisk's pjsip.conf: an endpoint and its AOR for each, an auth for each of its names.

Asterisk finds the endpoint by the user of From, the AOR by that of To, and checks the digest against any auth that the
endpoint lists (res_pjsip, Asterisk 13 and later). The hash goes into ``md5_cred``, which holds for one realm: so the
section names it, and Asterisk challenges with it.
"""

from collections.abc import Iterator
from typing import Final

from offhook.inventory.pbx import PbxExport, PbxExtension

CODECS: Final = "g722,alaw,ulaw"


def format_pjsip(export: PbxExport, *, context: str, made_by: str) -> str:
    """The file. It has no transport and nothing global: include it in a pjsip.conf that has.

    An extension is its section's name; where several accounts are exported, whose extensions may be the same,
    ``extension@domain`` is, which Asterisk looks for first.
    """
    lines = [f"; {made_by}", "; It is written anew by each export: changes go into another file."]
    lines.extend(f"; Note: {_comment(note)}" for note in export.notes)
    for extension in export.extensions:
        name = extension.extension if len(export.domains) == 1 else f"{extension.extension}@{extension.domain}"
        lines.extend(_sections(name, extension, context))
    return "\n".join(lines) + "\n"


def escape(value: str) -> str:
    """A value on the right of ``=``: a semicolon would begin a comment.

    A ``#`` is a directive at the beginning of a line only, where no value stands.
    """
    return value.replace(";", "\\;")


def _sections(name: str, extension: PbxExtension, context: str) -> Iterator[str]:
    yield from ("", f"[{name}]", "type=endpoint", f"context={context}", "disallow=all", f"allow={CODECS}")
    yield f"auth={','.join(credential.auth_username for credential in extension.credentials)}"
    yield f"aors={name}"
    yield f"callerid={escape(_caller_id(extension))}"
    if extension.hides_caller_id:
        yield "callerid_privacy=prohib"
    yield from ("", f"[{name}]", "type=aor", f"max_contacts={extension.lines}", "remove_existing=yes")
    for credential in extension.credentials:
        yield from ("", f"[{credential.auth_username}]", "type=auth", "auth_type=md5")
        yield f"username={credential.auth_username}"
        yield f"realm={credential.realm}"
        yield f"md5_cred={credential.ha1}"


def _caller_id(extension: PbxExtension) -> str:
    """``"Jane Smith" <2001>``, or the caller identity in the extension's place.

    What would end the quoted name early is put in other words.
    """
    name = extension.display_name.translate({ord('"'): "'", ord("\\"): "/", ord("<"): "(", ord(">"): ")"})
    shown = extension.caller_identity or extension.extension
    return f'"{name}" <{shown}>' if name else f"<{shown}>"


def _comment(text: str) -> str:
    return text.replace(";", ",")
