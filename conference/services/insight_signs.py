"""What of one participant's reports is worth a finding: measured over some seconds, so that sentences stand still."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import ClassVar, Final

from conference.model.diagnosis import LOSS, Signs
from conference.model.media import Kind, Source
from conference.model.media_report import MediaReport, Path, SentTrack
from conference.model.participant import ParticipantKind
from conference.services.insight_tracks import PlayedTrack
from conference.services.live_room import Seat

_SMOOTHING_S: Final = 5.0
_LASTS_S: Final = 6.0  # before something that is missing is said to be
_SILENT_MS: Final = 3000
_SPOKEN_OF: Final = (0.03, 0.02)  # freeze and concealed of a track whose sender is looked at
_NOT_REPORTING_S: Final = 20.0


class Smoothed:
    """Losses and round-trip time of the last seconds, and since when something is missing."""

    SETTLING_S: ClassVar = 15.0  # of somebody who has just come

    def __init__(self) -> None:
        self.uplink_loss = 0.0
        self.downlink_loss = 0.0
        self._rtt_ms: float | None = None
        self._at_s: float | None = None
        self._since: dict[str, float] = {}

    @property
    def rtt_ms(self) -> int | None:
        return None if self._rtt_ms is None else round(self._rtt_ms)

    @property
    def loses_uplink(self) -> bool:
        return self.uplink_loss >= LOSS[0]

    def take(self, report: MediaReport, now_s: float) -> None:
        """Another report of the same participant."""
        share = 1.0 if self._at_s is None else 1.0 - math.exp(-(now_s - self._at_s) / _SMOOTHING_S)
        self._at_s = now_s
        up = 0.0 if report.uplink is None else report.uplink.loss
        down = 0.0 if report.downlink is None else report.downlink.loss
        self.uplink_loss += share * (up - self.uplink_loss)
        self.downlink_loss += share * (down - self.downlink_loss)
        if report.rtt_ms is None:
            self._rtt_ms = None
        elif self._rtt_ms is None:
            self._rtt_ms = float(report.rtt_ms)
        else:
            self._rtt_ms += share * (report.rtt_ms - self._rtt_ms)

    def lasts(self, what: str, now_s: float, *, is_so: bool) -> bool:
        """Whether it has been so for some seconds."""
        if not is_so:
            self._since.pop(what, None)
            return False
        return now_s - self._since.setdefault(what, now_s) >= _LASTS_S


def signs_of(
    seat: Seat,
    report: MediaReport,
    tracks: Sequence[PlayedTrack],
    smoothed: Smoothed,
    path: Path,
    losing: Collection[str],
    now_s: float,
    *,
    is_new: bool,
) -> Signs:
    """`losing`: those whose own uplink loses packets."""
    p = seat.participant
    camera = _sent(report, Source.CAMERA)
    microphone = _sent(report, Source.MICROPHONE)
    freezes = [each for each in tracks if each.freeze is not None]
    breaks = [each for each in tracks if each.concealed is not None]
    troubled = {
        each.track.participant_id: None
        for each in tracks
        if ((each.freeze or 0.0) >= _SPOKEN_OF[0] or (each.concealed or 0.0) >= _SPOKEN_OF[1])
        and each.track.participant_id in losing
    }
    return Signs(
        away_s=None if seat.lost_at_s is None else max(0.0, now_s - seat.lost_at_s),
        is_new=is_new,
        uplink=_uplink_state(report),
        downlink=None if report.downlink is None else report.downlink.state,
        path=path,
        uplink_loss=smoothed.uplink_loss,
        downlink_loss=smoothed.downlink_loss,
        rtt_ms=smoothed.rtt_ms,
        estimate_bps=report.estimate_bps,
        sound_only=report.sound_only,
        lowered=sum(each.track.reason == "bandwidth" for each in tracks),
        freeze=max((each.freeze or 0.0 for each in freezes), default=None),
        concealed=max((each.concealed or 0.0 for each in breaks), default=None),
        troubled_senders=tuple(troubled),
        camera_silent=smoothed.lasts(
            "camera",
            now_s,
            is_so=p.camera_on and camera is not None and bool(camera.needed) and _silent(camera),
        ),
        microphone_silent=smoothed.lasts(
            "microphone",
            now_s,
            is_so=p.sound_open and microphone is not None and microphone.is_open and _silent(microphone),
        ),
        small_height=_small_height(camera, smoothed, now_s),
        undecodable=sum(each.track.state == "unsupported_codec" for each in tracks),
        not_reporting_s=_not_reporting_s(seat, tracks, now_s),
    )


def _sent(report: MediaReport, source: Source) -> SentTrack | None:
    return next((one for one in report.sends if one.source is source), None)


def _silent(track: SentTrack) -> bool:
    return track.silent_ms is None or track.silent_ms > _SILENT_MS


def _uplink_state(report: MediaReport) -> str | None:
    """Who took all tracks away has closed its connection and has not lost it."""
    if report.uplink is None or (report.uplink.state == "closed" and not report.sends):
        return None
    return report.uplink.state


def _small_height(camera: SentTrack | None, smoothed: Smoothed, now_s: float) -> int:
    """How high the largest picture is that comes, where a larger one is asked for and is not sent; 0 elsewhere."""
    is_small = (
        camera is not None
        and len(camera.order) > 1
        and bool(camera.layers)
        and camera.needed[-1:] == camera.order[-1:]
        and camera.layers[-1].name != camera.order[-1]
    )
    lasts = smoothed.lasts("small", now_s, is_so=is_small)
    return camera.layers[-1].height if lasts and camera is not None else 0


def _not_reporting_s(seat: Seat, tracks: Sequence[PlayedTrack], now_s: float) -> float | None:
    """Since when a client that did tell how it plays has told nothing, though it hears something."""
    if seat.playback is None or seat.participant.kind is not ParticipantKind.CLIENT:
        return None
    hears = any(each.track.kind is Kind.AUDIO and each.track.layer is not None for each in tracks)
    since_s = now_s - seat.playback.at_s
    return since_s if hears and since_s > _NOT_REPORTING_S else None
