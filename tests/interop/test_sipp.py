"""SIPp registers ten users over UDP and TCP, and plays the phone that gets a NOTIFY.

Its digest ``uri`` is the server's address, whatever the Request-URI says; ``[authentication …]`` has to be a whole
field of the CSV file. With ``-oocsf`` it answers what comes in on the socket or connection that it registered from.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.acme import YEALINK_MAC, fetch_account, provisioning_url
from tests.support.daemon import DaemonProcess, eventually
from tests.support.peers import require_peer
from tests.support.phone import Account, fetch
from tests.support.programs import Program, find_free_port, started_program

SOFTPHONES = "accounts:\n  - name: acme\n    devices:\n" + "".join(
    f'      - {{type: softphone, name: Load {n}, lines: [{{index: 1, extension: "21{n:02}"}}]}}\n' for n in range(10)
)

HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n'

REGISTER = """\
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:[field0]@acme.test>;tag=[pid]T[call_number]
To: <sip:[field0]@acme.test>
Call-ID: [call_id]
CSeq: {cseq} REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
{authorization}Max-Forwards: 70
Expires: 120
Content-Length: 0

]]></send>
"""

ANSWER = """\
<send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]U[call_number]
[last_Call-ID:]
[last_CSeq:]
{header}Content-Length: 0

]]></send>
"""

CHALLENGE = 'WWW-Authenticate: Digest realm="phone", nonce="47ebe028cda119c3", algorithm=MD5, qop="auth"\n'

CHECK_EVENT = """\
<recv request="NOTIFY"><action>
<ereg regexp="check-sync;reboot=false" search_in="hdr" header="Event:" check_it="true" assign_to="event"/>
<log message="event [$event]"/>
</action></recv>
"""

CHECK_DIGEST = """\
<recv request="NOTIFY"><action>
<verifyauth assign_to="good" username="{username}" password="{password}"/>
</action></recv>
<nop condexec="good" condexec_inverse="true"><action><error message="bad digest"/></action></nop>
"""


def register_scenario(pause_milliseconds: int) -> str:
    return (
        HEAD.format(name="register")
        + REGISTER.format(cseq=1, authorization="")
        + '<recv response="401" auth="true"/>\n'
        + REGISTER.format(cseq=2, authorization="[field1]\n")
        + f'<recv response="200"/>\n<pause milliseconds="{pause_milliseconds}"/>\n</scenario>\n'
    )


def answer_scenario(*parts: str) -> str:
    return HEAD.format(name="answer") + "".join(parts) + "</scenario>\n"


@asynccontextmanager
async def sipp(
    acme: DaemonProcess, folder: Path, users: list[tuple[str, str, str]], *arguments: str, pause: int = 50
) -> AsyncIterator[Program]:
    """SIPp that registers each of the users: user part, authentication name, password."""
    rows = [f"{user};[authentication username={name} password={password}]" for user, name, password in users]
    folder.joinpath("users.csv").write_text("\n".join(["SEQUENTIAL", *rows, ""]))
    folder.joinpath("register.xml").write_text(register_scenario(pause))
    command = [require_peer("sipp"), f"127.0.0.1:{acme.ports.sip}", "-i", "127.0.0.1", "-p", str(find_free_port())]
    command += ["-sf", "register.xml", "-inf", "users.csv", "-m", str(len(users)), "-r", "100", "-nostdin"]
    command += ["-timeout", "20", "-timeout_error", "-trace_err", *arguments]
    async with started_program(command, folder, environment={"TERM": "dumb"}) as program:
        yield program


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_ten_users_register(acme: DaemonProcess, tmp_path: Path, transport: str) -> None:
    acme.apply_now(SOFTPHONES)
    lines = [line for line in acme.lines() if (line["extension"] or "").startswith("21")]
    users = [(line["extension"], line["auth_username"], line["password"]) for line in lines]
    assert len(users) == 10

    wanted = {f"sip:{user}@acme.test" for user, _, _ in users}
    protocol = {"u1": "udp:", "t1": "tcp:"}[transport]

    async def are_bound() -> bool:
        bindings = acme.ask("GET", "/bindings?limit=1000")["items"]
        return wanted <= {it["aor"] for it in bindings if it["received"].startswith(protocol)}

    async with sipp(acme, tmp_path, users, "-t", transport, pause=500) as program:
        assert await eventually(are_bound, "ten registrations")
        ended = await program.finish()

    assert ended.exit_code == 0, ended.output


async def test_a_wrong_password_fails_the_call(acme: DaemonProcess, tmp_path: Path) -> None:
    account = await fetch_account(acme, "yealink")

    async with sipp(acme, tmp_path, [(account.user, account.auth_name, "wrong")]) as program:
        assert (await program.finish()).exit_code == 1


@asynccontextmanager
async def phone_played_by_sipp(
    acme: DaemonProcess, folder: Path, scenario: str, *arguments: str
) -> AsyncIterator[Account]:
    """SIPp, registered as the site's Yealink, that answers a NOTIFY by the scenario. Its end must be good."""
    account = await fetch_account(acme, "yealink")
    folder.joinpath("answer.xml").write_text(scenario)
    users = [(account.user, account.auth_name, account.password)]
    async with sipp(acme, folder, users, "-oocsf", "answer.xml", *arguments, pause=1500) as program:

        async def is_registered() -> bool:
            return any(it["aor"] == account.address_of_record for it in acme.ask("GET", "/bindings")["items"])

        await eventually(is_registered, "SIPp's registration")
        yield account
        ended = await program.finish()
        assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_a_phone_that_answers_200_and_fetches_is_reloaded(
    acme: DaemonProcess, tmp_path: Path, transport: str
) -> None:
    scenario = answer_scenario(CHECK_EVENT, ANSWER.format(status="200 OK", header=""))
    async with phone_played_by_sipp(acme, tmp_path, scenario, "-t", transport):
        reload = asyncio.create_task(acme.json("reload", YEALINK_MAC, "--wait"))

        async def is_answered() -> bool:
            shown = acme.show_device(YEALINK_MAC)["last_reload"]
            return bool(shown and shown["state"] == "answered")

        await eventually(is_answered, "the answer to the NOTIFY")
        file = await fetch(f"{provisioning_url(acme, 'http')}001565123456.cfg", "Yealink SIP-T46U 108.86.0.20")
        assert file.found
        record = await reload

    assert (record["state"], record["answer_status"]) == ("done", 200)


async def test_a_phone_that_challenges_gets_the_credentials_of_its_line(acme: DaemonProcess, tmp_path: Path) -> None:
    account = await fetch_account(acme, "yealink")
    scenario = answer_scenario(
        '<recv request="NOTIFY"/>\n',
        ANSWER.format(status="401 Unauthorized", header=CHALLENGE),
        CHECK_DIGEST.format(username=account.auth_name, password=account.password),
        ANSWER.format(status="200 OK", header=""),
    )
    async with phone_played_by_sipp(acme, tmp_path, scenario):
        reload = asyncio.create_task(acme.json("reload", YEALINK_MAC, "--wait"))

        async def is_answered() -> bool:
            shown = acme.show_device(YEALINK_MAC)["last_reload"]
            return bool(shown and shown["answer_status"] == 200 and shown["state"] == "answered")

        await eventually(is_answered, "the answer to the NOTIFY with credentials")
        await fetch(f"{provisioning_url(acme, 'http')}001565123456.cfg", "Yealink SIP-T46U 108.86.0.20")
        assert (await reload)["state"] == "done"


async def test_a_phone_that_refuses_is_reported_with_its_answer(acme: DaemonProcess, tmp_path: Path) -> None:
    scenario = answer_scenario(CHECK_EVENT, ANSWER.format(status="481 Subscription does not exist", header=""))
    async with phone_played_by_sipp(acme, tmp_path, scenario):
        finished = await acme.run("reload", YEALINK_MAC, "--wait", exit_code=1)

    assert "answered the NOTIFY with 481" in finished.err
