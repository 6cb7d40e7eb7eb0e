"""A received track with what its client says of it, and its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.model.media import Kind
from conference.model.media_report import ReceivedTrack
from conference.model.quality import Received, score
from conference.services.live_room import PlaybackReport

_REPORT_HOLDS_S: Final = 12.0  # clients tell every five seconds


@dataclass(frozen=True, slots=True)
class PlayedTrack:
    """`freeze` and `concealed` are shares of the time, `fps` pictures a second at the receiver; None where its client
    said nothing lately. `score`: None while nothing is sent that could be seen or heard."""

    track: ReceivedTrack
    freeze: float | None
    concealed: float | None
    fps: float | None
    score: int | None


def played(
    track: ReceivedTrack, rtt_ms: int | None, report: PlaybackReport | None, now_s: float
) -> PlayedTrack:
    """Join both."""
    freeze = concealed = fps = None
    if report is not None and now_s - report.at_s < _REPORT_HOLDS_S:
        told = report.tracks.get(track.publication_id)
        if told is not None and track.kind is Kind.VIDEO:
            freeze = min(1.0, told.freeze_ms / report.interval_ms)
            fps = told.frames_per_second
        elif told is not None:
            concealed = min(1.0, told.concealed_ms / report.interval_ms)
    is_paused = track.state == "unsupported_codec" or (track.layer is None and track.reason == "bandwidth")
    if track.layer is None and not is_paused:
        return PlayedTrack(track, freeze, concealed, fps, None)
    best = track.best_height
    received = Received(
        is_sound=track.kind is Kind.AUDIO,
        loss=track.loss,
        rtt_ms=rtt_ms,
        freeze=freeze,
        concealed=concealed,
        height=track.height,
        wanted_height=min(track.shown_height or best, best),
        temporal=track.temporal,
        is_paused=is_paused,
    )
    return PlayedTrack(track, freeze, concealed, fps, score(received))
