from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role


async def test_the_description_is_valid_and_describes_what_is_there(ask: Ask) -> None:
    status, described = await ask("GET", "/openapi.json")
    assert status == 200
    OpenAPIV31SpecValidator(described).validate()
    assert described["info"]["version"] == "0.0.0"
    assert described["servers"] == [{"url": ROOT}]
    assert {"get", "post"} <= described["paths"]["/users"].keys()
    assert "/openapi.json" in described["paths"]


async def test_it_is_the_same_for_everyone(daemon: AdminDaemon, ask: Ask) -> None:
    _, described = await ask("GET", "/openapi.json")
    async with (
        await daemon.remote(Role.VIEWER, accounts=["acme"]) as client,
        client.get(f"{ROOT}/openapi.json") as response,
    ):
        assert await response.json() == described
