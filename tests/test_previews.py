"""Previews for administrators, on a real daemon."""

from tests.support.daemon import DaemonProcess
from tests.support.daemon import daemon as daemon

PHONE = """
accounts:
  - {name: acme, sip_domain: acme.test, users: [{username: jsmith, extension: "2001"}],
     devices: [{type: deskphone, mac: "00:15:65:12:34:56", model: T46U, user: jsmith}]}
"""


def test_a_preview_has_the_addresses_of_this_daemon_and_masks_secrets(daemon: DaemonProcess) -> None:
    daemon.apply_now(PHONE)
    shown = daemon.ask("GET", "/devices/001565123456/render")
    assert shown["file"] == "001565123456.cfg"
    assert f"server.url = http://127.0.0.1:{daemon.ports.http}/p/***/\n" in shown["text"]
    assert f"outbound_proxy.1.port = {daemon.ports.sip}\n" in shown["text"]
    assert "account.1.password = ***\n" in shown["text"]
    assert "y000000000108.cfg" in shown["files"]


def test_a_revealed_preview_is_what_the_phone_is_given(daemon: DaemonProcess) -> None:
    daemon.apply_now(PHONE)
    shown = daemon.ask("GET", "/devices/001565123456/render?reveal=true&reason=test")
    token = daemon.token_of("acme")
    status, content = daemon.get_http(daemon.ports.http, f"/p/{token}/001565123456.cfg")
    assert (status, content.decode()) == (200, shown["text"])


def test_where_access_is_by_device_the_phone_is_given_its_own_url(daemon: DaemonProcess) -> None:
    daemon.apply_now(PHONE.replace("sip_domain:", "access: device, sip_domain:"))
    shown = daemon.ask("GET", "/devices/001565123456/render?reveal=true&reason=test")
    url = daemon.show_device("001565123456")["provisioning_url"]
    assert f"server.url = {url}\n" in shown["text"]
    path = "/d/" + url.partition("/d/")[2]
    status, content = daemon.get_http(daemon.ports.http, f"{path}001565123456.cfg")
    assert (status, content.decode()) == (200, shown["text"])
    assert daemon.get_http(daemon.ports.http, f"/p/{daemon.token_of('acme')}/001565123456.cfg")[0] == 404
