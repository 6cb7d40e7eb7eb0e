"""What ails somebody's connection, as findings that a page turns into sentences: pure, gravest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conference.model.media_report import Path


class Grade(StrEnum):
    """How much a finding matters."""

    BAD = "bad"  # cannot take part as it is
    WARN = "warn"
    NOTE = "note"  # explains, and needs nothing


class Finding(StrEnum):
    """What can be found. `value` of a Found is in the unit that stands here."""

    AWAY = "away"  # s
    NO_MEDIA = "no_media"  # its page is here, its media never came
    MEDIA_LOST = "media_lost"
    UPLINK_LOSS = "uplink_loss"  # share
    DOWNLINK_LOSS = "downlink_loss"  # share
    FAR = "far"  # ms there and back
    SOUND_ONLY = "sound_only"  # bit/s
    NARROW = "narrow"  # bit/s
    FREEZES = "freezes"  # share
    BROKEN_SOUND = "broken_sound"  # share
    SENDER = "sender"  # the trouble before comes from somebody else's uplink
    CAMERA_SILENT = "camera_silent"
    MICROPHONE_SILENT = "microphone_silent"
    SMALL_PICTURE = "small_picture"  # pixels high
    UNDECODABLE = "undecodable"  # tracks
    NOT_REPORTING = "not_reporting"  # s
    OVER_TCP = "over_tcp"
    OVER_RELAY = "over_relay"


@dataclass(frozen=True, slots=True)
class Found:
    """`participant_id`: whose fault it is, where it is somebody else's; `count`: tracks that it is about."""

    finding: Finding
    grade: Grade
    value: float | None = None
    count: int = 0
    participant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of one participant. Shares are 0 to 1; None is unknown, or does not apply.

    `away_s`: since when its session is gone; `uplink`, `downlink`: state of the two connections; `lowered`: pictures
    that come smaller, seldomer or not at all because the way is narrow; `troubled_senders`: those whose uplink
    loses, of the tracks that stand still or break here; `silent_s` of reports of how tracks were played.
    """

    away_s: float | None = None  # None while it is there
    is_new: bool = False  # came a moment ago: nothing need be there yet
    uplink: str | None = None
    downlink: str | None = None
    path: Path = Path.NONE
    uplink_loss: float = 0.0
    downlink_loss: float = 0.0
    rtt_ms: int | None = None
    estimate_bps: int | None = None
    sound_only: bool = False
    lowered: int = 0
    freeze: float | None = None
    concealed: float | None = None
    troubled_senders: tuple[str, ...] = ()
    camera_silent: bool = False
    microphone_silent: bool = False
    small_height: int = 0
    undecodable: int = 0
    not_reporting_s: float | None = None


LOSS: Final = (0.03, 0.1)  # from which on it is worth a word, and from which on it hurts
_FAR_MS: Final = (400, 800)
_FREEZE: Final = (0.03, 0.15)
_CONCEALED: Final = (0.02, 0.08)
_ORDER: Final = {Grade.BAD: 0, Grade.WARN: 1, Grade.NOTE: 2}
_LOST: Final = ("disconnected", "closed")


def diagnose(signs: Signs) -> tuple[Found, ...]:
    """The gravest first; nothing for somebody who is well. Who is away has no other troubles."""
    if signs.away_s is not None:
        return (Found(Finding.AWAY, Grade.BAD, signs.away_s),)
    states = [state for state in (signs.uplink, signs.downlink) if state is not None]
    if not states:  # neither sends nor is to get anything
        return ()
    if "connected" not in states and signs.path is Path.NONE:
        return () if signs.is_new else (Found(Finding.NO_MEDIA, Grade.BAD),)
    if any(state in _LOST for state in states):
        return (Found(Finding.MEDIA_LOST, Grade.BAD),)
    found = [*_network(signs), *_played(signs), *_sent(signs), *_ways(signs)]
    return tuple(sorted(found, key=lambda one: _ORDER[one.grade]))


def _network(signs: Signs) -> Iterable[Found]:
    yield from _above(Finding.UPLINK_LOSS, signs.uplink_loss, LOSS)
    yield from _above(Finding.DOWNLINK_LOSS, signs.downlink_loss, LOSS)
    if signs.sound_only:
        yield Found(Finding.SOUND_ONLY, Grade.BAD, signs.estimate_bps)
    elif signs.lowered:
        yield Found(Finding.NARROW, Grade.WARN, signs.estimate_bps, signs.lowered)
    yield from _above(Finding.FAR, signs.rtt_ms, _FAR_MS)


def _played(signs: Signs) -> Iterable[Found]:
    stands = [
        *_above(Finding.FREEZES, signs.freeze, _FREEZE),
        *_above(Finding.BROKEN_SOUND, signs.concealed, _CONCEALED),
    ]
    yield from stands
    if stands:
        for sender in signs.troubled_senders:
            yield Found(Finding.SENDER, Grade.WARN, participant_id=sender)
    if signs.undecodable:
        yield Found(Finding.UNDECODABLE, Grade.WARN, count=signs.undecodable)


def _sent(signs: Signs) -> Iterable[Found]:
    if signs.microphone_silent:
        yield Found(Finding.MICROPHONE_SILENT, Grade.WARN)
    if signs.camera_silent:
        yield Found(Finding.CAMERA_SILENT, Grade.WARN)
    elif signs.small_height:
        yield Found(Finding.SMALL_PICTURE, Grade.WARN, signs.small_height)


def _ways(signs: Signs) -> Iterable[Found]:
    if signs.not_reporting_s is not None:
        yield Found(Finding.NOT_REPORTING, Grade.NOTE, signs.not_reporting_s)
    if signs.path is Path.RELAY:
        yield Found(Finding.OVER_RELAY, Grade.NOTE)
    elif signs.path in (Path.TCP, Path.HTTPS_PORT):
        yield Found(Finding.OVER_TCP, Grade.NOTE)


def _above(finding: Finding, value: float | None, limits: tuple[float, float]) -> Iterable[Found]:
    low, high = limits
    if value is not None and value >= low:
        yield Found(finding, Grade.BAD if value >= high else Grade.WARN, value)
