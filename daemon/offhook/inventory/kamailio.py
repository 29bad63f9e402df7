"""Credentials as SQL for Kamailio's table ``subscriber`` (module auth_db, table version 7).

auth_db looks a user up by the name in the digest, not by the address: ``username`` is the authentication name. The
column ``password`` stays empty, so the module is to run with ``calculate_ha1`` 0 and ``password_column`` ``ha1``.
"""

from typing import Final

from offhook.inventory.pbx import PbxExport

_DELETE: Final = "DELETE FROM subscriber WHERE domain = {};"
_INSERT: Final = "INSERT INTO subscriber (username, domain, password, ha1, ha1b) VALUES ({});"
#: What its columns hold.
_DOMAIN_LENGTH: Final = 64


def format_subscribers(export: PbxExport, *, made_by: str) -> str:
    """One transaction, for SQLite, MariaDB and PostgreSQL alike: every row of these domains goes, and comes anew."""
    long = [domain for domain in export.domains if len(domain) > _DOMAIN_LENGTH]
    domains = [domain for domain in export.domains if domain not in long]
    lines = [
        f"-- {made_by}",
        "-- It replaces every subscriber of these domains, those included that were not exported.",
        *(f"-- Note: {note}" for note in export.notes),
        *(f"-- Note: {domain} is left out: the column domain holds {_DOMAIN_LENGTH} characters" for domain in long),
        "BEGIN;",
    ]
    lines.extend(_DELETE.format(_quote(domain)) for domain in domains)
    for extension in export.extensions:
        if extension.domain in long:
            continue
        for credential in extension.credentials:
            values = (credential.auth_username, extension.domain, "", credential.ha1, credential.ha1b)
            lines.append(_INSERT.format(", ".join(_quote(value) for value in values)))
    lines.append("COMMIT;")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """A literal. Names, domains and hashes hold no backslash, which MariaDB would take for more than itself."""
    return "'" + text.replace("'", "''") + "'"
