"""A validator out on the network, asked over HTTP.

The request is a POST of ``{"address": {element: text}}`` by the names of :class:`CivicAddress`. Status 200 with
``{"result": "valid"}``, ``{"result": "corrected", "candidates": [{element: text}]}`` or
``{"result": "refused", "check": ["suffix"], "message": "…"}`` is a verdict. Everything else says nothing about the
address: :class:`ValidatorUnreachable`. Addresses and credentials are in no message and no log.
"""

import asyncio
from dataclasses import fields
from typing import Annotated, Final, Literal

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from yarl import URL

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import ELEMENT_LIMIT, normalise
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid, Verdict
from offhook.secret import Secret

RESPONSE_LIMIT: Final = 64 * 1024
CANDIDATES_LIMIT: Final = 8
CONCURRENCY_LIMIT: Final = 4

_ELEMENTS: Final = frozenset(field.name for field in fields(CivicAddress))
_Text = Annotated[str, StringConstraints(max_length=ELEMENT_LIMIT)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _ValidAnswer(_Answer):
    result: Literal["valid"]


class _CorrectedAnswer(_Answer):
    result: Literal["corrected"]
    candidates: list[dict[str, _Text]] = Field(min_length=1, max_length=100)


class _RefusedAnswer(_Answer):
    result: Literal["refused"]
    check: list[_Text] = Field(default=[], max_length=100)
    message: Annotated[str, StringConstraints(max_length=1024)] = ""


_ANSWER: Final[TypeAdapter[_ValidAnswer | _CorrectedAnswer | _RefusedAnswer]] = TypeAdapter(
    Annotated[_ValidAnswer | _CorrectedAnswer | _RefusedAnswer, Field(discriminator="result")]
)


class HttpValidator:
    """An :class:`~offhook.inventory.emergency.validator.AddressValidator`; the session is its owner's to close."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, *, token: Secret | None = None, timeout_seconds: float = 10.0
    ) -> None:
        self._session = session
        self._url = URL(url)
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._turn = asyncio.Semaphore(CONCURRENCY_LIMIT)

    async def validate(self, address: CivicAddress) -> Verdict:
        """Asks the service. Raises ValidatorUnreachable where it gives no verdict."""
        try:
            async with self._turn:
                body = await self._ask(address)
        except TimeoutError:
            raise self._unreachable("it did not answer in time") from None
        except aiohttp.ClientError as error:
            # The error's own text may repeat the URL, and with it credentials.
            raise self._unreachable(f"the connection failed ({type(error).__name__})") from None
        try:
            answer = _ANSWER.validate_json(body)
            return self._verdict(address, answer)
        except (ValidationError, ValueError):
            raise self._unreachable("its answer cannot be understood; is the URL the right one?") from None

    async def _ask(self, address: CivicAddress) -> bytes:
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        async with self._session.post(
            self._url,
            json={"address": address.elements()},
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            if response.status in (401, 403):
                raise self._unreachable(f"it refuses the credentials (status {response.status}): check the token")
            if response.status != 200:
                raise self._unreachable(f"it answered with status {response.status}")
            body = b""
            while chunk := await response.content.read(RESPONSE_LIMIT + 1 - len(body)):
                body += chunk
                if len(body) > RESPONSE_LIMIT:
                    raise self._unreachable(f"its answer is longer than {RESPONSE_LIMIT} bytes")
            return body

    def _verdict(self, address: CivicAddress, answer: _ValidAnswer | _CorrectedAnswer | _RefusedAnswer) -> Verdict:
        match answer:
            case _ValidAnswer():
                return Valid(address)
            case _CorrectedAnswer():
                return Corrected(
                    address, tuple(_read_candidate(given) for given in answer.candidates[:CANDIDATES_LIMIT])
                )
            case _RefusedAnswer():
                # A newer service may name checks that are not known here; its message still says what they are.
                known = (check for check in Check if check.value in answer.check)
                return Refused(address, tuple(known), answer.message)

    def _unreachable(self, reason: str) -> ValidatorUnreachable:
        return ValidatorUnreachable(f"the address validator at {self._url.host} gave no verdict: {reason}")


def _read_candidate(given: dict[str, str]) -> CivicAddress:
    unknown = given.keys() - _ELEMENTS
    if unknown or not given.get("country"):
        raise ValueError(f"no civic address: {sorted(unknown)}")
    return normalise(CivicAddress(**given))
