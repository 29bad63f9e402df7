"""What a PBX beside the daemon has to know: the extensions of accounts, and what their lines authenticate with.

Credentials made here are of use to a PBX where phones also send it their calls, or register with it. It is given H(A1)
for MD5 (RFC 2617 §3.2.2.2) and no password: that is what it checks a digest with, and no character of it needs care.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from offhook.inventory.features import features_of_line
from offhook.inventory.models import Account, Credential, CredentialState, Device, Line
from offhook.inventory.numbers import display_names
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret
from offhook.sip.digest import Algorithm, ha1

Reveal = Callable[[Credential], Secret]

#: What wins where a name has had several passwords: a PBX can hold one for it.
_ORDER = {CredentialState.ACTIVE: 0, CredentialState.STAGED: 1, CredentialState.RETIRING: 2}


@dataclass(frozen=True, slots=True)
class PbxCredential:
    """One name under which a line may authenticate."""

    auth_username: str
    realm: str
    ha1: str = field(repr=False)
    #: MD5 of ``auth_username:realm:password``.
    ha1b: str = field(repr=False)
    #: MD5 of ``auth_username@realm:realm:password``, for clients that put the domain into the name.


@dataclass(frozen=True, slots=True)
class PbxExtension:
    """An extension, and everything that may register it."""

    extension: str
    domain: str
    display_name: str
    lines: int
    #: How many have it: as many contacts may be registered.
    credentials: tuple[PbxCredential, ...]
    #: By name.
    caller_identity: str | None = None
    #: The number that those who are called see, in place of the extension (E6).
    hides_caller_id: bool = False


@dataclass(frozen=True, slots=True)
class PbxExport:
    """What is exported, and what was left out."""

    accounts: tuple[str, ...]
    domains: tuple[str, ...]
    extensions: tuple[PbxExtension, ...]
    #: By domain and extension.
    notes: tuple[str, ...]
    #: For whoever reads the file: what it lacks, and why.


def collect_extensions(inventory: Inventory, accounts: Iterable[Account], reveal: Reveal) -> PbxExport:
    """The extensions of these accounts. ``reveal`` opens passwords: the caller has recorded that."""
    notes: list[str] = []
    wanted: dict[int, Account] = {}
    for account in sorted(accounts, key=lambda account: account.name.casefold()):
        if account.external_registrar is not None:
            notes.append(
                f"account {account.name} is left out: its credentials come from {account.external_registrar}, "
                "where its phones register"
            )
        else:
            wanted[account.id] = account
    found: dict[tuple[str, str], list[Line]] = {}
    unassigned = disabled = 0
    for line in inventory.all(Line):
        if line.account_id not in wanted:
            continue
        extension = inventory.extension_of(line)
        if not inventory.is_in_service(inventory.get(Device, line.device_id)):
            disabled += 1
        elif extension is None:
            unassigned += 1
        else:
            found.setdefault((wanted[line.account_id].sip_domain, extension), []).append(line)
    if unassigned:
        notes.append(f"{_count(unassigned)} without an extension {_verb(unassigned)} left out")
    if disabled:
        notes.append(f"{_count(disabled)} of disabled devices {_verb(disabled)} left out")
    return PbxExport(
        accounts=tuple(account.name for account in wanted.values()),
        domains=tuple(sorted(account.sip_domain for account in wanted.values())),
        extensions=tuple(
            _extension(inventory, domain, extension, lines, reveal)
            for (domain, extension), lines in sorted(found.items())
        ),
        notes=tuple(notes),
    )


def _extension(
    inventory: Inventory, domain: str, extension: str, lines: Sequence[Line], reveal: Reveal
) -> PbxExtension:
    """Name and features are those of the first of its lines."""
    first = min(lines, key=lambda line: line.id)
    features = features_of_line(inventory, first)
    return PbxExtension(
        extension=extension,
        domain=domain,
        display_name=next(iter(display_names(inventory, first)), ""),
        lines=len(lines),
        credentials=_credentials(inventory, lines, domain, extension, reveal),
        caller_identity=features.caller_identity,
        hides_caller_id=features.hides_caller_id,
    )


def _credentials(
    inventory: Inventory, lines: Sequence[Line], realm: str, extension: str, reveal: Reveal
) -> tuple[PbxCredential, ...]:
    """Of all lines by name: what their files hold, and what phones hold that have not fetched yet."""
    usable = (
        credential
        for line in lines
        for credential in inventory.credentials_of(line.id)
        if not credential.is_external and (credential.realm, credential.aor_user) == (realm, extension)
    )
    chosen: dict[str, Credential] = {}
    for credential in sorted(usable, key=lambda it: (_ORDER[it.state], -it.id)):
        chosen.setdefault(credential.auth_username, credential)
    return tuple(_hash(chosen[name], reveal(chosen[name])) for name in sorted(chosen))


def _hash(credential: Credential, password: Secret) -> PbxCredential:
    name, realm, text = credential.auth_username, credential.realm, password.reveal()
    return PbxCredential(
        auth_username=name,
        realm=realm,
        ha1=ha1(Algorithm.MD5, name, realm, text),
        ha1b=ha1(Algorithm.MD5, f"{name}@{realm}", realm, text),
    )


def _count(lines: int) -> str:
    return f"{lines} line{'s' if lines != 1 else ''}"


def _verb(lines: int) -> str:
    return "are" if lines != 1 else "is"
