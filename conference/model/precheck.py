"""The pre-check of a venue (联调单): what was measured of each of nine items, what that means, and the sheet of all.

A page measures and never judges: verdicts follow from figures by `judge` alone, so that nobody can claim green.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from conference.model.errors import ConferenceError
from conference.model.precheck_figures import (
    CameraFigures,
    ClockFigures,
    EchoFigures,
    Figures,
    LightFigures,
    LoudspeakerFigures,
    MicrophoneFigures,
    NameplateFigures,
    NetworkFigures,
    PrecheckItem,
    ProjectionFigures,
    item_of,
)

MAX_REASON_CHARS: Final = 200

# pictures
SMALLEST_WIDTH, GOOD_WIDTH = 640, 1280
SLOWEST_FPS, GOOD_FPS = 10.0, 20.0
STILL_MS: Final = 2_500  # no picture differs from the one before: a camera's noise alone makes them differ
BLACK_MEAN, DARK_MEAN = 18.0, 55.0  # of 0 to 255
BRIGHT_SHARE: Final = 0.5
FLAT_CONTRAST: Final = 6.0  # one colour: a blue picture of "no signal"
# sound, in decibels of full scale
SILENT_DBFS, QUIET_DBFS = -55.0, -40.0
NOISY_DBFS, NEAREST_NOISE_DB = -40.0, 12.0
CLIPPED_SHARE, SPOILT_SHARE = 0.0005, 0.005
LOPSIDED_DB: Final = 20.0
FAINT_DB: Final = 15.0
WEAK_RETURN_DB, STRONG_RETURN_DB = 20.0, 10.0  # by how much echo cancellation makes the tone quieter
# network: a hall sends one camera in three sizes and receives nine tiles (docs/reach.md)
LEAST_UP_BPS, GOOD_UP_BPS = 600_000, 2_500_000
LEAST_DOWN_BPS, GOOD_DOWN_BPS = 1_000_000, 3_000_000
MUCH_LOSS, SOME_LOSS = 0.10, 0.03
LONG_RTT_MS, SLOW_RTT_MS = 800.0, 200.0
UNEVEN_JITTER_MS: Final = 80.0  # what a player waits for before it has to leave something out
# the rest
CLOCK_OFF_MS: Final = 2_000
WIDE, WIDE_WITHIN = 16 / 9, 0.04
GOOD_SCREEN_WIDTH: Final = 1280


class Verdict(StrEnum):
    """How an item stands. Only `failed` keeps a sheet from being handed in, unless a reason is written."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


_GRAVITY: Final = (Verdict.PASSED, Verdict.SKIPPED, Verdict.WARNING, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what led to it, the gravest first: stable codes, to which pages have words."""

    verdict: Verdict
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """One line of a sheet. `figures` are missing where it was skipped; `reason` is why it was, or why it is handed in
    though it failed."""

    item: PrecheckItem
    judgement: Judgement
    figures: Figures | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Precheck:
    """A sheet that was handed in. It never changes; `number` counts those of the venue, from 1. Times are UTC ms,
    `took_ms` is without pauses. `signature`: over `document()`."""

    id: str
    consultation_id: str
    venue_id: str
    number: int
    venue: str
    by: str
    device: str
    took_ms: int
    ended_wall_ms: int
    items: tuple[CheckedItem, ...]
    signature: str = ""

    @property
    def verdict(self) -> Verdict:
        """The gravest of its items; skipping one makes a sheet no better than a warning."""
        gravest = max((each.judgement.verdict for each in self.items), key=_GRAVITY.index)
        return Verdict.WARNING if gravest is Verdict.SKIPPED else gravest

    def document(self) -> str:
        """What is signed: canonical JSON of everything but the signature."""
        said: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "id",
                "consultation_id",
                "venue_id",
                "number",
                "venue",
                "by",
                "device",
                "took_ms",
                "ended_wall_ms",
            )
        }
        said |= {"verdict": self.verdict.value, "items": items_as_data(self.items)}
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def items_as_data(items: Sequence[CheckedItem]) -> list[dict[str, Any]]:
    """Items as JSON knows them."""
    return [
        {
            "item": each.item.value,
            "verdict": each.judgement.verdict.value,
            "faults": list(each.judgement.faults),
            "figures": None if each.figures is None else asdict(each.figures),
            "reason": each.reason,
        }
        for each in items
    ]


def checked(item: PrecheckItem, figures: Figures | None, reason: str) -> CheckedItem:
    """One item as it is handed in, judged here. precheck_reason where a skipped or failed one has no reason."""
    reason = reason.strip()
    if figures is None:
        judgement = Judgement(Verdict.SKIPPED)
    elif item_of(figures) is not item:
        raise ConferenceError("bad_request", f"figures of another item than {item}")
    else:
        judgement = judge(figures)
    needs_reason = judgement.verdict in (Verdict.SKIPPED, Verdict.FAILED)
    if needs_reason and not reason:
        raise ConferenceError("precheck_reason", item.value, item=item.value)
    return CheckedItem(item, judgement, figures, reason if needs_reason else "")


def require_whole(items: Sequence[CheckedItem]) -> tuple[CheckedItem, ...]:
    """In the order of the sheet; bad_request unless each of the nine is there once."""
    by_item = {each.item: each for each in items}
    if len(items) != len(PrecheckItem) or len(by_item) != len(items):
        raise ConferenceError("bad_request", "not each item once")
    return tuple(by_item[each] for each in PrecheckItem)


def judge(figures: Figures) -> Judgement:
    """What the figures of one item mean."""
    match figures:
        case CameraFigures():
            found = _camera(figures)
        case LightFigures():
            found = _light(figures)
        case MicrophoneFigures():
            found = _microphone(figures)
        case LoudspeakerFigures():
            found = _loudspeaker(figures)
        case EchoFigures():
            found = _echo(figures)
        case NetworkFigures():
            found = _network(figures)
        case ClockFigures():
            found = _clock(figures)
        case ProjectionFigures():
            found = _projection(figures)
        case NameplateFigures():
            found = _nameplate(figures)
    gravest = sorted(found, key=lambda each: _GRAVITY.index(each[1]), reverse=True)
    verdict = gravest[0][1] if gravest else Verdict.PASSED
    return Judgement(verdict, tuple(fault for fault, _ in gravest))


_Found = list[tuple[str, Verdict]]


def _camera(it: CameraFigures) -> _Found:
    if it.problem:
        return [("no_camera", Verdict.FAILED)]
    found: _Found = []
    if it.still_ms >= STILL_MS:
        found.append(("frozen", Verdict.FAILED))
    elif it.frames_per_s < GOOD_FPS:  # of a frozen one the rate says nothing
        found.append(("slow", Verdict.FAILED if it.frames_per_s < SLOWEST_FPS else Verdict.WARNING))
    wide = max(it.width, it.height)
    if wide < GOOD_WIDTH:
        found.append(("small", Verdict.FAILED if wide < SMALLEST_WIDTH else Verdict.WARNING))
    return found


def _light(it: LightFigures) -> _Found:
    if not it.seen:
        return [("unseen", Verdict.FAILED)]
    if it.mean < BLACK_MEAN:
        return [("black", Verdict.FAILED)]
    if it.contrast < FLAT_CONTRAST:
        return [("flat", Verdict.FAILED)]
    if it.mean < DARK_MEAN:
        return [("dark", Verdict.WARNING)]
    return [("bright", Verdict.WARNING)] if it.bright_share > BRIGHT_SHARE else []


def _microphone(it: MicrophoneFigures) -> _Found:
    if it.problem:
        return [("no_microphone", Verdict.FAILED)]
    if it.speech_dbfs < SILENT_DBFS:
        return [("silent", Verdict.FAILED)]
    found: _Found = []
    if it.clipped_share >= CLIPPED_SHARE:
        found.append(("clipped", Verdict.FAILED if it.clipped_share >= SPOILT_SHARE else Verdict.WARNING))
    if it.speech_dbfs < QUIET_DBFS:
        found.append(("quiet", Verdict.WARNING))
    if it.noise_dbfs > NOISY_DBFS or it.speech_dbfs - it.noise_dbfs < NEAREST_NOISE_DB:
        found.append(("noisy", Verdict.WARNING))
    if (
        it.left_dbfs is not None
        and it.right_dbfs is not None
        and abs(it.left_dbfs - it.right_dbfs) > LOPSIDED_DB
    ):
        found.append(("one_sided", Verdict.WARNING))
    return found


def _loudspeaker(it: LoudspeakerFigures) -> _Found:
    if not it.played:
        return [("not_played", Verdict.FAILED)]
    if it.notes_heard * 4 < it.notes_played * 3:  # three of four: one may fall into a cough
        return [("not_heard", Verdict.FAILED)]
    return [("faint", Verdict.WARNING)] if it.above_noise_db < FAINT_DB else []


def _echo(it: EchoFigures) -> _Found:
    """By how much the tone that the hall's microphone hears is quieter with echo cancellation."""
    if not it.played:
        return [("not_played", Verdict.FAILED)]
    if it.direct_dbfs is None:
        return [("no_tone", Verdict.WARNING)]  # what is not heard without cancellation cannot be cancelled
    if it.return_dbfs is None or it.direct_dbfs - it.return_dbfs >= WEAK_RETURN_DB:
        return []
    strong = it.direct_dbfs - it.return_dbfs < STRONG_RETURN_DB
    return [("echo", Verdict.FAILED) if strong else ("some_echo", Verdict.WARNING)]


def _network(it: NetworkFigures) -> _Found:
    if it.way == "none":
        return [("shut", Verdict.FAILED)]
    found: _Found = []
    if it.way in ("tcp", "https", "relay"):
        found.append(("udp_blocked", Verdict.WARNING))
    elif it.way == "unknown":
        found.append(("untried", Verdict.WARNING))
    loss = max(it.up_loss or 0.0, it.down_loss or 0.0)
    if loss >= SOME_LOSS:
        found.append(("loss", Verdict.FAILED if loss >= MUCH_LOSS else Verdict.WARNING))
    for fault, bps, least, good in (
        ("thin_up", it.up_bps, LEAST_UP_BPS, GOOD_UP_BPS),
        ("thin_down", it.down_bps, LEAST_DOWN_BPS, GOOD_DOWN_BPS),
    ):
        if bps is None:
            found.append((f"{fault}_unknown", Verdict.WARNING))
        elif bps < good:
            found.append((fault, Verdict.FAILED if bps < least else Verdict.WARNING))
    if it.rtt_ms is not None and it.rtt_ms > SLOW_RTT_MS:
        found.append(("delay", Verdict.FAILED if it.rtt_ms > LONG_RTT_MS else Verdict.WARNING))
    if it.jitter_ms is not None and it.jitter_ms > UNEVEN_JITTER_MS:
        found.append(("jitter", Verdict.WARNING))
    return found


def _clock(it: ClockFigures) -> _Found:
    """Never worse than a warning: everything in a meeting stands on the server's clock."""
    return [("off", Verdict.WARNING)] if abs(it.offset_ms) - it.uncertainty_ms > CLOCK_OFF_MS else []


def _projection(it: ProjectionFigures) -> _Found:
    if it.answer == "unseen":
        return [("unseen", Verdict.FAILED)]
    found: _Found = []
    if it.answer == "cropped":
        found.append(("cropped", Verdict.WARNING))
    if abs(it.width / it.height - WIDE) > WIDE * WIDE_WITHIN:
        found.append(("ratio", Verdict.WARNING))
    if it.width < GOOD_SCREEN_WIDTH:
        found.append(("small", Verdict.WARNING))
    return found


def _nameplate(it: NameplateFigures) -> _Found:
    return [] if it.answer == "right" else [("wrong", Verdict.WARNING)]
