"""Changes of one thing, stated as its part of a document: what ``apply`` does for many, for a single request.

So a rule, a default and an identifier's notation mean the same whether they come in a document or through the API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from offhook.errors import Conflict, Fault, Invalid
from offhook.inventory.apply import ApplyOptions, apply_document
from offhook.inventory.editor import Editor
from offhook.inventory.reading import read_parts
from offhook.inventory.rules import Breach
from offhook.yamldoc import Value, document_of


def apply_part(
    editor: Editor,
    account: str | None,
    kind: str,
    part: Mapping[str, Value],
    *,
    others: Mapping[str, Sequence[Mapping[str, Value]]] | None = None,
    within: str = "",
    confirm_moves: bool = False,
) -> list[Fault]:
    """Creates or changes one thing. ``kind`` is ``accounts``, or the name of an account's list; ``part`` its fields.

    A field that is absent stays as it is, one that is None goes back to its default (RFC 7396). ``others`` is what is
    said of other things of the account along with it, by the names of their lists. ``within`` is where in the part the
    caller's own words stand, e.g. ``lines[0].``. Gives warnings. Raises Invalid or Conflict for the first fault, with
    all of them.
    """
    prefix, whole = "accounts[0].", dict(part)
    if kind != "accounts":
        lists = {name: [dict(other) for other in parts] for name, parts in (others or {}).items()}
        prefix, whole = f"accounts[0].{kind}[0].", {"name": account, **lists, kind: [whole]}  # type: ignore[dict-item]
    reading = read_parts(document_of({"accounts": [whole]}))
    applied = apply_document(editor, reading, ApplyOptions(confirm_moves=confirm_moves))
    refuse_faults([_below(fault, prefix + within) for fault in applied.faults])
    return [_below(warning, prefix + within) for warning in applied.warnings]


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Raises Conflict or Invalid for the first of these, with all of them; returns where there are none."""
    if not faults:
        return
    first = faults[0]
    kind = Conflict if first.is_conflict else Invalid
    raise kind(first.message, field=first.path, rule=first.rule, remedy=first.remedy, faults=tuple(faults))


def refuse_breaches(breaches: Sequence[Breach]) -> None:
    """The same for what a draft's changes break."""
    refuse_faults(
        [
            Fault(
                breach.message,
                breach.field,
                rule=breach.rule,
                remedy=breach.remedy,
                is_conflict=breach.is_conflict,
            )
            for breach in breaches
        ]
    )


def _below(fault: Fault, prefix: str) -> Fault:
    """Named from the part that was sent."""
    path = fault.path
    for start in (prefix, prefix.rstrip("."), prefix.partition("].")[0] + "]."):
        path = path.removeprefix(start)
    return replace(fault, path=path)
