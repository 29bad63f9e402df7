"""What the parts are told of the configuration: plain values, made here and nowhere else."""

from offhook.config.schema import Config
from offhook.provisioning.answer import ProvisioningSettings
from offhook.provisioning.parameters import EveryPhone
from offhook.registrar.policy import RegisterPolicy, canonical_host
from offhook.reload.service import ReloadLimits
from offhook.servers.http import HttpLimits
from offhook.servers.sip import SipLimits
from offhook.servers.stream import StreamLimits
from offhook.servers.tftp import TftpLimits
from offhook.sip.framing import FramingLimits
from offhook.yamldoc import Bounds


def register_policy(config: Config) -> RegisterPolicy:
    """What the registrar grants."""
    sip = config.sip
    own_hosts = frozenset({canonical_host(sip.advertise.host)}) if sip.advertise else frozenset()
    return RegisterPolicy(
        min_expires=sip.expires.min,
        default_expires=sip.expires.default,
        max_expires=sip.expires.max,
        max_bindings=config.limits.sip.contacts_per_aor,
        own_hosts=own_hosts,
    )


def provisioning_settings(config: Config, sip_port: int) -> ProvisioningSettings:
    """What files are made with; ``sip_port`` is where the registrar listens."""
    return ProvisioningSettings(
        public_url=config.provisioning.public_url,
        lan_networks=config.provisioning.lan_networks,
        sip_advertise=config.sip.advertise,
        sip_port=sip_port,
        expires_seconds=config.sip.expires.default,
        cache_bytes=config.limits.provisioning.render_cache_bytes,
    )


def told_to_every_phone(config: Config) -> EveryPhone:
    """What stands in every phone's files because the configuration says so."""
    return EveryPhone(
        expires_seconds=config.sip.expires.default,
        sip_advertise=config.sip.advertise,
        public_url=config.provisioning.public_url,
    )


def document_bounds(config: Config) -> Bounds:
    """How large an inventory document may be."""
    return Bounds(document_bytes=config.limits.inventory.document_bytes)


def sip_limits(config: Config) -> SipLimits:
    """The bounds of ``limits.sip``."""
    limits = config.limits.sip
    streams = StreamLimits(
        connections=limits.connections,
        connections_per_source=limits.connections_per_source,
        first_byte_seconds=limits.first_byte_seconds,
        message_seconds=limits.message_seconds,
        framing=FramingLimits(body_bytes=limits.stream_message_bytes),
    )
    return SipLimits(
        streams=streams,
        datagram_bytes=limits.datagram_bytes,
        kept_answers=limits.transactions,
        client_transactions=limits.transactions,
    )


def http_limits(config: Config) -> HttpLimits:
    """The bounds of ``limits.http``."""
    limits = config.limits.http
    return HttpLimits(connections=limits.connections, request_seconds=limits.request_seconds)


def tftp_limits(config: Config) -> TftpLimits:
    """The bounds of ``limits.tftp``."""
    limits = config.limits.tftp
    return TftpLimits(
        sessions=limits.sessions,
        sessions_per_source=limits.sessions_per_source_listed,
        sessions_per_unlisted_source=limits.sessions_per_source_other,
    )


def reload_limits(config: Config) -> ReloadLimits:
    """The bounds of ``limits.reload``."""
    limits = config.limits.reload
    return ReloadLimits(
        in_flight=limits.in_flight,
        answer_seconds=limits.answer_seconds,
        fetch_seconds=limits.fetch_seconds,
        register_seconds=limits.register_seconds,
    )
