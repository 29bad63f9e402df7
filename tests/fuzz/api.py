"""Runs schemathesis on the API of a daemon that runs in this process: ``python -m tests.fuzz.api --examples 200``.

Every operation is asked with data that fits its description and with data that does not. What comes back must be what
the description says, and never a 500. The description is narrowed first: where it takes the name of something, it
takes names of what is there, so that requests get further than to a 404.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.admin_daemon import AdminDaemon, in_background

from offhook.admin.routes import ROOT
from offhook.inventory.models import Entity
from offhook.inventory.reach import LimitedInventory
from offhook.inventory.snapshot import KINDS
from offhook.store.tokens import Role, Scope

PROGRAM: Final = Path(sys.executable).with_name("schemathesis")
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
#: Left out: a stream without an end; what only the local socket may; and what would take away the token that asks.
EXCLUDED: Final = ("/events", "/backups", "/tokens/{name}")

DOCUMENT: Final = """\
accounts:
  - name: acme
    sip_domain: acme.test
    gateway: sip:pbx.acme.test
    locations:
      - {name: HQ, timezone: America/New_York}
      - {name: Branch}
    station_types:
      - {name: premium, features: [forward_always, voicemail]}
    users:
      - {username: jsmith, first_name: Jane, last_name: Smith, plan: pro, extension: "2001", location: HQ}
      - {username: rlee, first_name: Robin, last_name: Lee, plan: plus, extension: "2002"}
      - {username: kim, plan: basic, extension: "2003"}
    numbers:
      - {number: "+12125550101", location: HQ, user: jsmith}
      - {number: "+12125550102", location: HQ, station_type: premium}
    dect_systems:
      - {name: Campus, vendor: snom, model: M900}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:56", vendor: yealink, model: T46U, name: Reception, user: jsmith}
      - {type: deskphone, mac: "00:15:65:12:34:57", vendor: yealink, model: T46U, name: Lobby}
      - {type: dect_base, mac: "00:04:13:aa:bb:cc", vendor: snom, model: M900, name: Floor 2, system: Campus}
      - {type: dect_handset, ipei: "0658500479393", base: "00:04:13:aa:bb:cc", user: rlee}
      - {type: ata, mac: "ec:74:d7:00:00:01", vendor: grandstream, model: HT802, name: Fax}
      - {type: softphone, name: Laptop}
  - name: globex
    sip_domain: globex.test
    locations:
      - {name: Springfield}
    users:
      - {username: hank, extension: "3001", location: Springfield}
    numbers:
      - {number: "+12125550199", user: hank}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:99", vendor: yealink, model: T31P, name: Dome, user: hank}
"""

#: What fits, by the first part of the path for ``{id}``, else by the name of the parameter or field. The rest is words.
NAMES: Final[Mapping[str, Sequence[object]]] = {
    "accounts": ["acme", "globex"],
    "dect-systems": ["Campus"],
    "devices": ["00:15:65:12:34:56", "00:15:65:12:34:99", "Lobby", "Floor 2", "0658500479393", "Fax", "Laptop"],
    "locations": ["HQ", "Branch", "Springfield"],
    "numbers": ["+12125550101", "+12125550102", "+12125550199"],
    "reloads": ["1"],
    "station-types": ["premium"],
    "users": ["jsmith", "rlee", "kim", "hank"],
    "access": ["token", "lan"],
    "account": ["acme", "globex"],
    "aor": ["2001", "sip:2001@acme.test"],
    "auth_username": ["2001-own"],
    "base": ["00:04:13:aa:bb:cc"],
    "caller_identity": ["+12125550101"],
    "context": ["from-phones"],
    "country": ["US", "CA"],
    "device": ["00:15:65:12:34:57", "Lobby", "Fax"],
    "digest_algorithms": ["MD5", "SHA-256"],
    "email": ["jane@acme.test"],
    "extension": ["2001", "2044", "2045"],
    "external_registrar": ["sip.example.net:5060"],
    "file": ["001565123456.cfg", ""],
    "forward_always": ["2002", "+12125550199"],
    "forward_busy": ["2002"],
    "forward_no_answer": ["2003"],
    "forward_unreachable": ["+12125550199"],
    "gateway": ["sip:pbx.acme.test"],
    "group": ["base"],
    "If-Match": ["*", '"0a1b2c"'],
    "index": ["1", "2", "99"],
    "ipei": ["0658500479394", "0658500479393"],
    "known": ["0"],
    "language": ["en", "de-CH"],
    "location": ["HQ", "Branch", "unassigned"],
    "mac": ["00:15:65:12:34:58", "ec74d7000002", "001565123456"],
    "model": ["T46U", "M900"],
    "networks": ["10.0.0.0/8", "fd00::/8"],
    "new_pin": ["271828"],
    "ntp_server": ["ntp.acme.test"],
    "number": ["+12125550101", "+12125550103", "+12125550104"],
    "password": ["Sesame-2-3-4"],
    "phone_id": ["123456"],
    "pin": ["314159"],
    "postal_code": ["10118"],
    "program": ["asterisk", "kamailio"],
    "reason": ["fuzz"],
    "since": ["2026-01-01", "2026-01-01T00:00:00Z"],
    "sip_domain": ["acme.test", "new.test"],
    "sort": ["name", "-name"],
    "state": ["NY", "ON"],
    "station_type": ["premium"],
    "suffix": ["Ave"],
    "system": ["Campus"],
    "text": ["350 Fifth Ave, New York, NY 10118"],
    "timezone": ["Europe/Berlin", "America/New_York"],
    "tones": ["us", "de"],
    "until": ["2030-01-01"],
    "user": ["jsmith", "rlee", "kim", "hank"],
    "username": ["jsmith", "new.user", "kim"],
    "vendor": ["yealink", "snom"],
}
_WORDS: Final = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9 ]{0,15}$"}
#: Few in a list, since a request's line is 8190 octets at most: beyond that it is no HTTP for aiohttp.
_MOST_ITEMS: Final = 3
#: Of seconds: a long poll is no fuzz.
_LONGEST_WAIT: Final = 1


def enrich(description: dict[str, Any]) -> dict[str, Any]:
    """The description, narrowed to requests that can succeed. What does not fit it is made as well.

    Cursors are left out: nobody guesses one.
    """
    for path, operations in description["paths"].items():
        for operation in operations.values():
            parameters = [it for it in operation.get("parameters", ()) if it["name"] != "cursor"]
            operation["parameters"] = parameters
            for parameter in parameters:
                name = path.split("/")[1] if parameter["name"] == "id" else parameter["name"]
                parameter["schema"] = _narrowed(name, parameter["schema"])
    for schema in description["components"]["schemas"].values():
        # Bodies refuse what they do not know; answers must stay as they are described.
        if schema.get("additionalProperties") is False:
            schema["properties"] = {name: _narrowed(name, it) for name, it in schema["properties"].items()}
    return description


def _narrowed(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    match schema:
        case {"anyOf": choices}:
            return {**schema, "anyOf": [_narrowed(name, choice) for choice in choices]}
        case {"type": "array", "items": items}:
            return {**schema, "items": _narrowed(name, items), "maxItems": _MOST_ITEMS}
        case {"type": "string", "enum": _}:
            return schema
        case {"type": "string"}:
            return {"enum": list(NAMES[name])} if name in NAMES else _WORDS
        case {"type": "integer"} if name == "wait":
            return {**schema, "maximum": _LONGEST_WAIT}
        case _:
            return schema


def fuzz(
    daemon: AdminDaemon, folder: Path, *arguments: str, accounts: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs schemathesis on a daemon with an administrator's token, which may be limited to accounts.

    ``arguments`` are further ones of schemathesis.
    """
    token = daemon.call(
        lambda: daemon.token(Role.ADMINISTRATOR, f"fuzz {accounts}", scopes=[Scope.REVEAL], accounts=accounts)
    )
    description = daemon.call(lambda: _read(daemon))
    file = folder / "openapi.json"
    file.write_text(json.dumps(enrich(description)))
    excluded = [argument for path in EXCLUDED for argument in ("--exclude-path", path)]
    return subprocess.run(
        [
            str(PROGRAM), "run", str(file), "--url", f"{daemon.url}{ROOT}",
            "--header", f"Authorization: Bearer {token}",
            "--checks", ",".join(CHECKS),
            "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off",
            *excluded, *arguments,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


async def _read(daemon: AdminDaemon) -> dict[str, Any]:
    async with daemon.local() as client, client.get(f"{ROOT}/openapi.json") as response:
        description: dict[str, Any] = await response.json()
        return description


def things_of(daemon: AdminDaemon, name: str) -> set[Entity]:
    """Everything that an account has."""
    account = daemon.inventory.find_account(name)
    assert account is not None
    seen = LimitedInventory(daemon.inventory, frozenset({account.id}))
    return {entity for kind in KINDS for entity in seen.all(kind)}


def main() -> int:
    """Asks as somebody who may everything, and as somebody who may everything in one account; 0 where all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="per operation")
    parser.add_argument("more", nargs="*", help="arguments for schemathesis, after --")
    given = parser.parse_args()
    statuses: list[bool] = []
    for accounts in ([], ["acme"]):
        with tempfile.TemporaryDirectory() as folder, in_background(Path(folder), document=DOCUMENT) as daemon:
            before = things_of(daemon, "globex")
            examples = ("--phases", "coverage,fuzzing", "--max-examples", str(given.examples))
            finished = fuzz(daemon, Path(folder), *examples, *given.more, accounts=accounts)
            print(finished.stdout, finished.stderr, sep="\n")
            statuses.append(finished.returncode == 0)
            if accounts and things_of(daemon, "globex") != before:
                print("a token that is limited to acme has changed globex")
                statuses.append(False)
    return 0 if all(statuses) else 1


if __name__ == "__main__":
    sys.exit(main())
