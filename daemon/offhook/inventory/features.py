"""Which features of a number are in force (E6): what is set, within what its station type allows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offhook.inventory.models import Feature, Features, Line, Number, StationType, User
from offhook.inventory.numbers import number_of_line
from offhook.inventory.snapshot import Inventory

#: How often a phone rings before a call is not answered.
NO_ANSWER_RINGS: Final = 3


class DoNotDisturb(StrEnum):
    """What a caller gets who shall not disturb."""

    OFF = "off"
    VOICEMAIL = "voicemail"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesInForce:
    """What a line does with calls. Without a number it has what stands here."""

    forward_always: str | None = None
    forward_busy: str | None = None
    forward_no_answer: str | None = None
    voicemail: bool = False
    voicemail_email: str | None = None
    #: Where voicemail is sent to, besides.
    hides_caller_id: bool = False
    call_waiting: bool = True
    do_not_disturb: DoNotDisturb = DoNotDisturb.OFF
    caller_identity: str | None = None
    #: Shown to those who are called, in the number's own place.


def find_set_features(features: Features) -> tuple[Feature, ...]:
    """Those that somebody has turned on; call waiting is on by itself, and not among them."""
    return tuple(
        feature
        for feature in Feature
        if feature is not Feature.CALL_WAITING and getattr(features, feature.value) not in (None, False)
    )


def allowed_features(inventory: Inventory, number: Number) -> frozenset[Feature]:
    """What the number's station type allows (T1); everything, where it has none."""
    kind = inventory.find(StationType, number.station_type_id)
    return frozenset(Feature(name) for name in kind.features) if kind is not None else frozenset(Feature)


def has_call_waiting(inventory: Inventory, number: Number) -> bool:
    """Whether call waiting is in force: where the station type does not allow it, it is off."""
    return number.features.call_waiting and Feature.CALL_WAITING in allowed_features(inventory, number)


def features_in_force(inventory: Inventory, number: Number) -> FeaturesInForce:
    """What of a number's features takes effect. Hiding overrides the identity; a code wanted disables forwarding."""
    allowed = allowed_features(inventory, number)
    features = number.features
    forwards = not features.authorisation_code
    voicemail = features.voicemail and Feature.VOICEMAIL in allowed
    hides = features.hide_caller_id and Feature.HIDE_CALLER_ID in allowed
    disturbed = not (features.do_not_disturb and Feature.DO_NOT_DISTURB in allowed)
    identifies = not hides and Feature.CALLER_IDENTITY in allowed
    user = inventory.find(User, number.user_id)
    mails = (
        voicemail
        and user is not None
        and (features.voicemail_to_email or user.voicemail_to_email)
        and Feature.VOICEMAIL_TO_EMAIL in allowed
    )
    return FeaturesInForce(
        forward_always=features.forward_always if forwards and Feature.FORWARD_ALWAYS in allowed else None,
        forward_busy=features.forward_busy if forwards and Feature.FORWARD_BUSY in allowed else None,
        forward_no_answer=features.forward_no_answer if forwards and Feature.FORWARD_NO_ANSWER in allowed else None,
        voicemail=voicemail,
        voicemail_email=user.email if user is not None and mails else None,
        hides_caller_id=hides,
        call_waiting=features.call_waiting and Feature.CALL_WAITING in allowed,
        do_not_disturb=(DoNotDisturb.OFF if disturbed else DoNotDisturb.VOICEMAIL if voicemail else DoNotDisturb.BUSY),
        caller_identity=features.caller_identity if identifies else None,
    )


def features_of_line(inventory: Inventory, line: Line) -> FeaturesInForce:
    """What is in force on a line: that of the number on it, else of its user's first number."""
    number = number_of_line(inventory, line)
    return features_in_force(inventory, number) if number is not None else FeaturesInForce()
