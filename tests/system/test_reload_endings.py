"""How reloads end with phones of different obedience: each ending is named, and the device shows it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tests.support.acme import provisioning_url
from tests.support.daemon import DaemonProcess, running_daemon
from tests.support.phone import Obedience, Phone, PhoneShell, Rebooted, Registered, RegistrationFailed, Yealink

LIMITS = {"limits": {"reload": {"fetch_seconds": 1, "answer_seconds": 1, "register_seconds": 1}}}


def mac_of(obedience: Obedience) -> str:
    return f"00:15:65:00:01:{list(Obedience).index(obedience):02x}"


SITE = "accounts:\n  - name: acme\n    sip_domain: acme.test\n    devices:\n" + "".join(
    f'      - {{type: deskphone, mac: "{mac_of(obedience)}", vendor: yealink, model: T46U, '
    f'lines: [{{index: 1, extension: "22{index:02}"}}]}}\n'
    for index, obedience in enumerate(Obedience)
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon that waits for a second only, with a phone of each kind."""
    with running_daemon(tmp_path_factory.mktemp("impatient"), LIMITS) as daemon:
        daemon.apply_now(SITE)
        yield daemon
    daemon.assert_log_is_clean()


@asynccontextmanager
async def registered_phone(daemon: DaemonProcess, obedience: Obedience) -> AsyncIterator[PhoneShell]:
    phone = Phone(
        Yealink(),
        mac_of(obedience),
        provisioning_url=provisioning_url(daemon, "http"),
        random=secrets.token_bytes,
        obedience=obedience,
    )
    async with PhoneShell(phone) as shell:
        await shell.wait_for(Registered)
        yield shell


@pytest.mark.parametrize(
    ("obedience", "reason"),
    [
        (Obedience.LAZY, "answered the NOTIFY with 200, but did not fetch revision"),
        (Obedience.REFUSES, "answered the NOTIFY with 481"),
        (Obedience.DEAF, "did not answer the NOTIFY"),
    ],
)
async def test_a_phone_that_does_not_obey_is_named_with_the_reason(
    impatient: DaemonProcess, obedience: Obedience, reason: str
) -> None:
    async with registered_phone(impatient, obedience):
        finished = await impatient.run("reload", mac_of(obedience), "--wait", exit_code=1)

    assert reason in finished.err
    assert "Traceback" not in finished.err
    shown = impatient.show_device(mac_of(obedience))
    assert shown["last_reload"]["state"] == "failed"
    assert reason in shown["last_reload"]["reason"]


@pytest.mark.parametrize("obedience", [Obedience.OBEYS, Obedience.CHALLENGES])
async def test_a_phone_that_obeys_is_done(impatient: DaemonProcess, obedience: Obedience) -> None:
    async with registered_phone(impatient, obedience) as phone:
        record = await impatient.json("reload", mac_of(obedience), "--wait")

        assert record["state"] == "done"
        assert not [news for news in phone.history if isinstance(news, Rebooted | RegistrationFailed)]


async def test_several_phones_are_reloaded_at_once(impatient: DaemonProcess) -> None:
    kinds = (Obedience.OBEYS, Obedience.CHALLENGES, Obedience.REFUSES)
    async with AsyncExitStack() as desks:
        for kind in kinds:
            await desks.enter_async_context(registered_phone(impatient, kind))
        ended = await asyncio.gather(
            *(impatient.run("reload", mac_of(kind), "--wait", "--json", exit_code=None) for kind in kinds)
        )

    assert [finished.exit_code for finished in ended] == [0, 0, 1]


async def test_a_phone_that_is_not_registered_cannot_be_told(impatient: DaemonProcess) -> None:
    impatient.apply_now(
        "accounts: [{name: acme, devices: [{type: deskphone, mac: '00:15:65:00:02:00', vendor: yealink, model: T46U, "
        "lines: [{index: 1, extension: '2299'}]}]}]"
    )

    finished = await impatient.run("reload", "00:15:65:00:02:00", "--wait", exit_code=1)

    assert "is not registered" in finished.err
