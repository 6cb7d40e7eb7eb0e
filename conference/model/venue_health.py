"""How a venue fares, in one verdict with its reason and what to do: pure. Pages have the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from conference.model.diagnosis import Finding, Found, Grade


class VenueVerdict(StrEnum):
    """What somebody who watches over the venues has to do about one."""

    OK = "ok"
    LOOK = "look"  # the meeting goes on, somebody should see to it
    ACT = "act"  # the venue cannot take part as it is
    ABSENT = "absent"  # nothing of it is in the room


class VenueReason(StrEnum):
    """Why. `value` of a judgement is in the unit that stands here."""

    WELL = "well"
    NOT_HERE = "not_here"  # has not come yet
    GONE = "gone"  # was here and left
    AWAY = "away"  # its line broke, its seat is kept
    NO_MEDIA = "no_media"  # its page is here, picture and sound never came
    MEDIA_LOST = "media_lost"
    UPLINK_BROKEN = "uplink_broken"  # share that is lost
    SOUND_BREAKS = "sound_breaks"  # share of what it hears that is made up
    CAMERAS_DOWN = "cameras_down"  # none of its cameras comes
    NO_OPERATOR = "no_operator"  # cameras or encoders are here, nobody to speak with
    OPERATOR_AWAY = "operator_away"
    UPLINK_LOSS = "uplink_loss"  # share
    SOUND_ONLY = "sound_only"  # bit/s: it gets sound and no picture
    NARROW = "narrow"  # bit/s
    DOWNLINK_LOSS = "downlink_loss"  # share
    FAR = "far"  # ms there and back
    FREEZES = "freezes"  # share
    MICROPHONE_SILENT = "microphone_silent"
    CAMERA_SILENT = "camera_silent"
    CAMERA_DOWN = "camera_down"  # `count` of several
    SMALL_PICTURE = "small_picture"  # pixels high
    PRECHECK_FAILED = "precheck_failed"  # `count` of items
    NOT_CHECKED = "not_checked"


class Step(StrEnum):
    """Something that the operator, or the desk, can do."""

    CALL = "call"
    RESEND_LINK = "resend_link"
    WAIT = "wait"
    CHECK_POWER = "check_power"
    RELOAD = "reload"
    USE_WIRE = "use_wire"
    USE_HOTSPOT = "use_hotspot"
    USE_PHONE = "use_phone"
    CLOSE_OTHERS = "close_others"
    CHECK_MICROPHONE = "check_microphone"
    CHOOSE_MICROPHONE = "choose_microphone"
    CHECK_CABLE = "check_cable"
    CHOOSE_CAMERA = "choose_camera"
    CHECK_CAMERA = "check_camera"
    CHECK_ADDRESS = "check_address"
    CHECK_SOUND = "check_sound"
    REPEAT_PRECHECK = "repeat_precheck"
    RUN_PRECHECK = "run_precheck"


_NETWORK: Final = (Step.USE_WIRE, Step.USE_HOTSPOT, Step.USE_PHONE)
_BUSY: Final = (Step.CLOSE_OTHERS, Step.USE_WIRE, Step.USE_HOTSPOT)
STEPS: Final[Mapping[VenueReason, tuple[Step, ...]]] = MappingProxyType(
    {
        VenueReason.WELL: (),
        VenueReason.NOT_HERE: (Step.CALL, Step.RESEND_LINK, Step.USE_PHONE),
        VenueReason.GONE: (Step.CALL, Step.RESEND_LINK),
        VenueReason.AWAY: (Step.WAIT, Step.CHECK_POWER, Step.USE_PHONE),
        VenueReason.NO_MEDIA: (Step.RELOAD, Step.USE_HOTSPOT, Step.USE_PHONE),
        VenueReason.MEDIA_LOST: (Step.WAIT, Step.RELOAD, Step.USE_PHONE),
        VenueReason.UPLINK_BROKEN: _NETWORK,
        VenueReason.SOUND_BREAKS: _BUSY,
        VenueReason.CAMERAS_DOWN: (Step.CHECK_CAMERA, Step.CHECK_CABLE, Step.CHECK_ADDRESS),
        VenueReason.NO_OPERATOR: (Step.CALL, Step.RESEND_LINK),
        VenueReason.OPERATOR_AWAY: (Step.WAIT, Step.CALL),
        VenueReason.UPLINK_LOSS: _NETWORK,
        VenueReason.SOUND_ONLY: _NETWORK,
        VenueReason.NARROW: _BUSY,
        VenueReason.DOWNLINK_LOSS: _BUSY,
        VenueReason.FAR: (Step.USE_WIRE, Step.USE_HOTSPOT),
        VenueReason.FREEZES: _BUSY,
        VenueReason.MICROPHONE_SILENT: (
            Step.CHECK_MICROPHONE,
            Step.CHOOSE_MICROPHONE,
            Step.RELOAD,
        ),
        VenueReason.CAMERA_SILENT: (Step.CHECK_CABLE, Step.CHOOSE_CAMERA, Step.RELOAD),
        VenueReason.CAMERA_DOWN: (Step.CHECK_CAMERA, Step.CHECK_CABLE, Step.CHECK_ADDRESS),
        VenueReason.SMALL_PICTURE: (Step.CLOSE_OTHERS, Step.CHOOSE_CAMERA, Step.USE_WIRE),
        VenueReason.PRECHECK_FAILED: (Step.REPEAT_PRECHECK, Step.CALL),
        VenueReason.NOT_CHECKED: (Step.RUN_PRECHECK, Step.CALL),
    }
)
"""What to try, in this order."""


@dataclass(frozen=True, slots=True)
class VenueSigns:
    """What is known of one venue.

    `operators`, `equipment`: its seats that are connected now, of operators and of encoders and cameras; `away_s`: how
    long its operator's line is broken, when no other operator is there; `found`: what ails the media of its seats;
    `cameras`: those that should run; `failed_items`: of the last pre-check, None without one.
    """

    is_live: bool
    was_here: bool = False
    operators: int = 0
    equipment: int = 0
    away_s: float | None = None
    found: Sequence[Found] = ()
    cameras: int = 0
    cameras_down: int = 0
    failed_items: int | None = None
    needs_precheck: bool = True  # prepared, so somebody may ask for one


@dataclass(frozen=True, slots=True)
class VenueJudgement:
    """A verdict and the gravest reason for it."""

    verdict: VenueVerdict
    reason: VenueReason
    value: float | None = None
    count: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        return STEPS[self.reason]


_FOUND: Final[tuple[tuple[Finding, Grade, VenueVerdict, VenueReason], ...]] = (
    # A finding of at least that grade, the gravest first.
    (Finding.NO_MEDIA, Grade.BAD, VenueVerdict.ACT, VenueReason.NO_MEDIA),
    (Finding.MEDIA_LOST, Grade.BAD, VenueVerdict.ACT, VenueReason.MEDIA_LOST),
    (Finding.UPLINK_LOSS, Grade.BAD, VenueVerdict.ACT, VenueReason.UPLINK_BROKEN),
    (Finding.BROKEN_SOUND, Grade.BAD, VenueVerdict.ACT, VenueReason.SOUND_BREAKS),
    (Finding.UPLINK_LOSS, Grade.WARN, VenueVerdict.LOOK, VenueReason.UPLINK_LOSS),
    (Finding.SOUND_ONLY, Grade.WARN, VenueVerdict.LOOK, VenueReason.SOUND_ONLY),
    (Finding.MICROPHONE_SILENT, Grade.WARN, VenueVerdict.LOOK, VenueReason.MICROPHONE_SILENT),
    (Finding.CAMERA_SILENT, Grade.WARN, VenueVerdict.LOOK, VenueReason.CAMERA_SILENT),
    (Finding.DOWNLINK_LOSS, Grade.WARN, VenueVerdict.LOOK, VenueReason.DOWNLINK_LOSS),
    (Finding.BROKEN_SOUND, Grade.WARN, VenueVerdict.LOOK, VenueReason.SOUND_BREAKS),
    (Finding.FREEZES, Grade.WARN, VenueVerdict.LOOK, VenueReason.FREEZES),
    (Finding.NARROW, Grade.WARN, VenueVerdict.LOOK, VenueReason.NARROW),
    (Finding.FAR, Grade.WARN, VenueVerdict.LOOK, VenueReason.FAR),
    (Finding.SMALL_PICTURE, Grade.WARN, VenueVerdict.LOOK, VenueReason.SMALL_PICTURE),
)
_GRAVITY: Final = {Grade.BAD: 2, Grade.WARN: 1, Grade.NOTE: 0}


def judge(signs: VenueSigns) -> VenueJudgement:
    """The verdict about a venue, by the gravest of its troubles."""
    if signs.operators == 0 and signs.equipment == 0:
        if signs.away_s is not None:
            return VenueJudgement(VenueVerdict.ACT, VenueReason.AWAY, signs.away_s)
        reason = VenueReason.GONE if signs.was_here else VenueReason.NOT_HERE
        return VenueJudgement(VenueVerdict.ABSENT, reason)
    if signs.cameras and signs.cameras_down == signs.cameras and signs.operators == 0:
        return VenueJudgement(VenueVerdict.ACT, VenueReason.CAMERAS_DOWN, count=signs.cameras_down)
    for finding, grade, verdict, reason in _FOUND:
        if verdict is VenueVerdict.ACT:
            found = _of(signs.found, finding, grade)
            if found is not None:
                return VenueJudgement(verdict, reason, found.value, found.count)
    return _to_look_at(signs)


def _to_look_at(signs: VenueSigns) -> VenueJudgement:
    if signs.operators == 0:
        if signs.away_s is not None:
            return VenueJudgement(VenueVerdict.LOOK, VenueReason.OPERATOR_AWAY, signs.away_s)
        return VenueJudgement(VenueVerdict.LOOK, VenueReason.NO_OPERATOR)
    if signs.cameras_down:
        return VenueJudgement(VenueVerdict.LOOK, VenueReason.CAMERA_DOWN, count=signs.cameras_down)
    for finding, grade, verdict, reason in _FOUND:
        found = _of(signs.found, finding, grade)
        if found is not None:
            return VenueJudgement(verdict, reason, found.value, found.count)
    # What was tested beforehand is no matter any more once the meeting shows how it is.
    if not signs.is_live and signs.needs_precheck:
        if signs.failed_items is None:
            return VenueJudgement(VenueVerdict.LOOK, VenueReason.NOT_CHECKED)
        if signs.failed_items:
            return VenueJudgement(VenueVerdict.LOOK, VenueReason.PRECHECK_FAILED, count=signs.failed_items)
    return VenueJudgement(VenueVerdict.OK, VenueReason.WELL)


def _of(found: Sequence[Found], finding: Finding, grade: Grade) -> Found | None:
    """The finding in at least that grade, the gravest of several seats."""
    all_of = [each for each in found if each.finding is finding and _GRAVITY[each.grade] >= _GRAVITY[grade]]
    return max(all_of, key=lambda each: (_GRAVITY[each.grade], each.value or 0.0), default=None)


def need_of(verdict: VenueVerdict, *, is_live: bool) -> int:
    """How urgent: 0 needs nothing. While the meeting runs, a venue that is missing is worse than one that is weak."""
    if verdict is VenueVerdict.ABSENT:
        return 2 if is_live else 0
    return {VenueVerdict.ACT: 3, VenueVerdict.LOOK: 1, VenueVerdict.OK: 0}[verdict]


class Steady:
    """A verdict that stands still: worse counts at once, better after it lasted a while. Seconds are monotonic."""

    CALM_S: Final = 10.0

    def __init__(self) -> None:
        self._shown: VenueJudgement | None = None
        self._since_s = 0.0
        self._better_since_s: float | None = None

    @property
    def since_s(self) -> float:
        """Since when verdict and reason are what they are."""
        return self._since_s

    def take(self, judged: VenueJudgement, now_s: float) -> VenueJudgement:
        """What is to be shown after another look."""
        shown = self._shown
        if shown is None or _same(shown, judged):
            self._since_s = now_s if shown is None else self._since_s
            self._shown, self._better_since_s = judged, None
            return judged
        comes_or_goes = VenueVerdict.ABSENT in (shown.verdict, judged.verdict)
        if not comes_or_goes and _GRAVE[judged.verdict] < _GRAVE[shown.verdict]:
            if self._better_since_s is None:
                self._better_since_s = now_s
            if now_s - self._better_since_s < self.CALM_S:
                return shown
        self._shown, self._since_s, self._better_since_s = judged, now_s, None
        return judged


_GRAVE: Final = {VenueVerdict.OK: 0, VenueVerdict.LOOK: 1, VenueVerdict.ACT: 2, VenueVerdict.ABSENT: 2}


def _same(one: VenueJudgement, other: VenueJudgement) -> bool:
    return (one.verdict, one.reason, one.count) == (other.verdict, other.reason, other.count)
