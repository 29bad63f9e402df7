"""The real Kamailio lets in who registers with an exported credential, and nobody else."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from tests.support.acme import fetch_account
from tests.support.daemon import DaemonProcess, eventually
from tests.support.peers import require_peer
from tests.support.programs import find_free_port, run_program, started_program

SCHEMA: Final = Path("/usr/share/kamailio/db_sqlite")
MODULES: Final = ("kex", "sl", "pv", "textops", "db_sqlite", "auth", "auth_db")
CONFIG: Final = """\
#!KAMAILIO
debug=-1
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:{port}
mpath="{modules}"
{load}
modparam("auth_db", "db_url", "sqlite:///{database}")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "use_domain", 1)
request_route {{
  if (is_method("REGISTER")) {{
    if (!www_authenticate("acme.test", "subscriber")) {{ www_challenge("acme.test", "1"); exit; }}
    sl_send_reply("200", "OK");
    exit;
  }}
  sl_send_reply("200", "OK");
}}
"""


def module_folder() -> Path:
    for folder in (*Path("/usr/lib").glob("*/kamailio/modules"), Path("/usr/lib/kamailio/modules")):
        if (folder / "db_sqlite.so").exists():
            return folder
    pytest.skip("kamailio has no SQLite: apt-get install kamailio-sqlite-modules")


@pytest.fixture
async def kamailio(acme: DaemonProcess, tmp_path: Path) -> AsyncIterator[int]:
    """Its port; its subscribers are the site's, loaded into the schema that Debian ships."""
    program, modules = require_peer("kamailio"), module_folder()
    export = await acme.run("export", "--for", "kamailio", "--account", "acme")
    database = tmp_path / "kamailio.db"
    with closing(sqlite3.connect(database)) as connection:
        for name in ("standard-create.sql", "auth_db-create.sql"):
            connection.executescript((SCHEMA / name).read_text())
        connection.executescript(export.out)
        connection.executescript(export.out)
        assert connection.execute("SELECT count(*) FROM subscriber WHERE domain = 'acme.test'").fetchone() == (5,)
    port = find_free_port()
    config = tmp_path / "kamailio.cfg"
    load = "\n".join(f'loadmodule "{name}.so"' for name in MODULES)
    config.write_text(CONFIG.format(port=port, modules=f"{modules}/", load=load, database=database))
    command = [program, "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8", "-w", str(tmp_path), "-Y", str(tmp_path)]
    async with started_program(command, tmp_path) as started:

        async def answers() -> bool:
            probe = ["-D", "1", "-s", f"sip:127.0.0.1:{port}"]
            return (await run_program([require_peer("sipsak"), *probe], tmp_path)).exit_code == 0

        try:
            await eventually(answers, "Kamailio answers")
        except AssertionError:
            raise AssertionError(started.output) from None
        yield port


async def test_an_exported_credential_is_let_in_and_a_wrong_one_is_not(
    acme: DaemonProcess, kamailio: int, tmp_path: Path
) -> None:
    account = await fetch_account(acme, "yealink")

    async def register(name: str, password: str) -> int:
        uri = f"sip:{account.user}@127.0.0.1:{kamailio}"
        who = ["-u", name, "-a", password, "-s", uri]
        arguments = ["-U", "-C", "sip:2001@127.0.0.1:5555", "-x", "60", *who]
        return (await run_program([require_peer("sipsak"), *arguments], tmp_path)).exit_code

    assert await register(account.auth_name, account.password) == 0
    assert await register(account.auth_name, "wrong") == 2
    assert await register("2001", account.password) == 2
