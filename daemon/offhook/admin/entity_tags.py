"""Entity tags: what ``If-Match`` compares, so that nobody overwrites a change that he has not seen (RFC 9110 §13.1.1).

A tag stands for what the inventory says of a thing, not for its state: a phone that registers changes no tag, nor does
a validator that has found an address valid.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from offhook.errors import Invalid, RequestRefused
from offhook.inventory.emergency.holders import without_verdict
from offhook.inventory.models import Entity

#: What changes without anybody having changed anything: wrong PINs, and secrets that are sealed anew.
_UNSEEN: Final = frozenset({"pin_failures", "sealed_token", "sealed_default_pin"})
_TAG: Final = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def entity_tag(*entities: Entity) -> str:
    """The tag of a thing, with quotes: the first of the entities, and those that belong to it."""
    content = "\n".join(_content(without_verdict(entity)) for entity in entities).encode("utf-8", "surrogatepass")
    return f'"{hashlib.blake2b(content, digest_size=9).hexdigest()}"'


def _content(entity: Entity) -> str:
    shown = [(part.name, getattr(entity, part.name)) for part in fields(entity) if part.name not in _UNSEEN]
    return repr((type(entity).__name__, shown))


def parse_if_match(value: str | None) -> frozenset[str] | None:
    """The tags of an If-Match header; None where any will do. Raises Invalid."""
    if value is None or value.strip() == "*":
        return None
    tags: set[str] = set()
    rest = value
    while rest:
        match = _TAG.match(rest)
        if match is None:
            raise Invalid(
                "If-Match holds no entity tag",
                field="If-Match",
                rule="RFC 9110 §13.1.1",
                remedy="send the ETag of the answer that was read, with its quotes",
            )
        tags.add(match[1])
        rest = rest[match.end() :]
    return frozenset(tags)


def require_match(expected: Iterable[str] | None, current: str, what: str) -> None:
    """Raises RequestRefused with 412 where a thing is not any more what the caller has read."""
    if expected is not None and current not in expected:
        raise RequestRefused(
            412,
            f"{what} has changed since it was read",
            remedy="read it again, and decide anew what to change",
        )
