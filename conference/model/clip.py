"""A clip (片子): a video file prepared beforehand, that is played into the room; and one that is being played."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.permissions import Role

MAX_CLIPS: Final = 60  # of one consultation
MAX_DURATION_MS: Final = 3 * 3600 * 1000
END_STANDS_MS: Final = 2_000  # the last picture, before the clip leaves the room by itself

REFUSALS: Final = (
    "not_media",  # no film and no sound: a document, a picture, noise
    "broken",  # it begins like one, and cannot be read
    "codec_unknown",
    "too_long",
    "too_short",
    "disk_full",
    "worker_ended",  # its check died three times
)


class ClipState(StrEnum):
    """How far a file is on its way to being playable. Only three of them are rows: a restart begins anew."""

    UPLOADING = "uploading"  # in memory alone
    QUEUED = "queued"
    CHECKING = "checking"  # in memory alone
    TRANSCODING = "transcoding"  # in memory alone
    READY = "ready"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Clip:
    """One file. Times in `…_at_ms` are UTC; `progress` is in percent of what its state says.

    `venue_id`: whose operator brought it (the venue's name where none was prepared), None for the desk. `cue_ms` is
    where it begins when nobody says otherwise. Size and hash are those of what was sent, pictures and times of what
    is played.
    """

    id: str
    consultation_id: str
    venue_id: str | None
    name: str
    size_bytes: int
    sha256: str
    added_at_ms: int
    added_by: str
    state: ClipState = ClipState.QUEUED
    reason: str | None = None
    duration_ms: int = 0
    width: int = 0
    height: int = 0
    has_picture: bool = False
    has_sound: bool = False
    cue_ms: int = 0
    prepared_at_ms: int | None = None
    deleted_at_ms: int | None = None
    progress: int = 0

    @property
    def path(self) -> str:
        """What is played, below the directory of clips."""
        return f"{self.consultation_id}/{self.id}.mp4"

    @property
    def original_path(self) -> str:
        """What was sent: kept until it was prepared."""
        return f"{self.consultation_id}/{self.id}.original"

    @property
    def poster_path(self) -> str:
        return f"{self.consultation_id}/{self.id}.jpg"

    def ready(self, now_ms: int, made: MadeClip) -> Clip:
        return replace(
            self,
            state=ClipState.READY,
            reason=None,
            duration_ms=made.duration_ms,
            width=made.width,
            height=made.height,
            has_picture=made.has_picture,
            has_sound=made.has_sound,
            prepared_at_ms=now_ms,
            progress=100,
        )

    def refused(self, now_ms: int, reason: str) -> Clip:
        return replace(self, state=ClipState.REFUSED, reason=reason, prepared_at_ms=now_ms)

    def at_work(self, state: ClipState, progress: int) -> Clip:
        """As it looks while it is sent or prepared."""
        return replace(self, state=state, progress=progress)

    def cued(self, cue_ms: int) -> Clip:
        return replace(self, cue_ms=min(max(0, cue_ms), max(0, self.duration_ms - 1)))

    def deleted(self, now_ms: int) -> Clip:
        return replace(self, deleted_at_ms=now_ms)


@dataclass(frozen=True, slots=True)
class ClipScope:
    """Whose clips somebody deals with: an operator those of the own venue, everybody else all."""

    venue_id: str | None
    is_bound: bool

    @classmethod
    def of(cls, role: Role, venue_id: str | None, venue: str | None, name: str) -> ClipScope:
        """`venue` is the name of a venue that nobody prepared; who runs none at all has clips of the own name."""
        if role is not Role.VENUE_OPERATOR:
            return cls(None, is_bound=False)
        return cls(venue_id or venue or name, is_bound=True)

    def holds(self, clip: Clip) -> bool:
        return not self.is_bound or clip.venue_id == self.venue_id


@dataclass(frozen=True, slots=True)
class MadeClip:
    """What became of a file that can be played. No picture: 0 by 0."""

    duration_ms: int
    width: int
    height: int
    has_picture: bool
    has_sound: bool


class PlayState(StrEnum):
    """What a clip in the room does."""

    STARTING = "starting"  # no picture of it came yet
    PLAYING = "playing"
    PAUSED = "paused"  # the last picture stands, no sound
    ENDED = "ended"  # the last picture stands for a moment


class PlayEnd(StrEnum):
    """Why it is in the room no longer."""

    ENDED = "ended"  # it was over
    STOPPED = "stopped"
    REPLACED = "replaced"  # another clip was begun
    CLOSED = "closed"  # the consultation ended
    FAILED = "failed"  # its player died
    INTERRUPTED = "interrupted"  # the server ended


@dataclass(frozen=True, slots=True)
class Playing:
    """A clip in the room: one row for each time that it is played.

    `position_ms` of the clip was shown at `at_wall_ms` (UTC), at program time `at_ms` where the consultation is live;
    while it plays the position goes on from there with the clock. `began_ms` and `ended_ms` are program time.
    """

    id: str
    consultation_id: str
    clip_id: str
    participant_id: str
    name: str
    started_by: str
    started_wall_ms: int
    duration_ms: int
    state: PlayState
    position_ms: int
    at_ms: int | None
    at_wall_ms: int
    began_ms: int | None = None
    ended_ms: int | None = None
    ended_wall_ms: int | None = None
    end: PlayEnd | None = None

    def position_at(self, wall_ms: int) -> int:
        """Where in the clip it is, as far as the clock says."""
        gone = wall_ms - self.at_wall_ms if self.state is PlayState.PLAYING else 0
        return max(0, min(self.duration_ms, self.position_ms + gone))

    def now(self, state: PlayState, position_ms: int, at_ms: int | None, at_wall_ms: int) -> Playing:
        """Seen in this state, there, then. Its beginning is its first picture."""
        began_ms = self.began_ms
        if began_ms is None and state is not PlayState.STARTING:
            began_ms = at_ms
        return replace(
            self,
            state=state,
            position_ms=position_ms,
            at_ms=at_ms,
            at_wall_ms=at_wall_ms,
            began_ms=began_ms,
        )

    def over(self, end: PlayEnd, at_ms: int | None, at_wall_ms: int) -> Playing:
        return replace(self, end=end, ended_ms=at_ms, ended_wall_ms=at_wall_ms)
