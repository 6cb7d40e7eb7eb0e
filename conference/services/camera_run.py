"""A camera that is being fetched: what its process says of it, and what is shown of that. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.desk_views import CameraView
from conference.ingest_events import (
    IngestConnecting,
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestReady,
    IngestReason,
    IngestRunning,
    Transport,
)
from conference.model.camera import Camera, CameraFault, CameraPicture, CameraState
from conference.model.venue import Venue

_WARNED_S: Final = 20.0  # an overload that is not told again is over


def participant_id_of(camera: Camera) -> str:
    """Under whom it is in the room, each time: a hard mute outlasts its absence."""
    return f"p_{camera.id.partition('_')[2]}"


def name_of(camera: Camera, venue: Venue) -> str:
    """What it is called in the room."""
    return f"{venue.name} · {camera.label}"


def job_of(camera: Camera, url: str) -> IngestJob:
    """What its process is to do."""
    return IngestJob(
        ingest_id=camera.id,
        room_id=camera.consultation_id,
        participant_id=participant_id_of(camera),
        url=url,
        transport=Transport(camera.transport.value),
        label=camera.label,
        want_sound=camera.with_sound,
    )


@dataclass(slots=True)
class CameraRun:
    """One camera from the first need of it to the last. Times: monotonic seconds, or UTC ms where named so."""

    camera: Camera
    venue: Venue
    job: IngestJob
    since_wall_ms: int
    state: CameraState = CameraState.CONNECTING
    fault: CameraFault | None = None
    retry_wall_ms: int | None = None
    picture: CameraPicture | None = None
    path: str | None = None  # where its process waits for the media process
    readies: int = 0  # how often it said so: each time the connection before has ended
    fed_epoch: str | None = None  # of the media process that reads it
    joined_epoch: str | None = None  # of the one that knows its participant
    not_before_s: float = 0.0  # something did not work: not tried again before
    is_seated: bool = False
    is_refused: bool = False  # it runs, and cannot come in
    sound_switched: bool = False  # its microphone is wanted now, or is not any more
    _warned_s: float = 0.0

    @property
    def participant_id(self) -> str:
        return self.job.participant_id

    def take(self, event: IngestEvent, now_s: float, wall_ms: int) -> None:
        """What its process says."""
        match event:
            case IngestReady(_, path):
                self.path, self.fed_epoch, self.not_before_s = path, None, 0.0
                self.readies += 1
            case IngestConnecting():
                if self.fault is None:  # else it stays in fault until it is known to be better
                    self._become(CameraState.CONNECTING, None, wall_ms)
            case IngestRunning():
                self.picture = CameraPicture(
                    event.width,
                    event.height,
                    round(event.frames_per_second, 1),
                    event.codec,
                    event.has_sound,
                    event.transcoding,
                    round(event.cpu_share, 2),
                )
                is_warned = self.fault is CameraFault.OVERLOAD and now_s - self._warned_s < _WARNED_S
                self._become(CameraState.RUNNING, CameraFault.OVERLOAD if is_warned else None, wall_ms)
            case IngestFailed(_, IngestReason.OVERLOAD, _):
                self._warned_s = now_s
                if self.state is CameraState.RUNNING:
                    self._become(CameraState.RUNNING, CameraFault.OVERLOAD, wall_ms)
            case IngestFailed(_, reason, retry_in_s):
                self._become(CameraState.FAILED, CameraFault(reason.value), wall_ms)
                self.retry_wall_ms = None if retry_in_s is None else wall_ms + int(retry_in_s * 1000)

    def _become(self, state: CameraState, fault: CameraFault | None, wall_ms: int) -> None:
        if (state, fault) != (self.state, self.fault):
            self.state, self.fault, self.since_wall_ms = state, fault, wall_ms
        self.retry_wall_ms = None

    def view(self) -> CameraView:
        state, fault = self.state, self.fault
        if state is CameraState.RUNNING and self.is_refused:
            state, fault = CameraState.FAILED, CameraFault.NOT_SEATED
        return view_of(
            self.camera,
            self.venue,
            state,
            fault,
            since_wall_ms=self.since_wall_ms,
            retry_wall_ms=self.retry_wall_ms,
            picture=self.picture,
            participant_id=self.participant_id if self.is_seated else None,
        )


def view_of(
    camera: Camera,
    venue: Venue,
    state: CameraState,
    fault: CameraFault | None = None,
    *,
    since_wall_ms: int | None = None,
    retry_wall_ms: int | None = None,
    picture: CameraPicture | None = None,
    participant_id: str | None = None,
) -> CameraView:
    """As desks and the venue are shown it."""
    return CameraView(
        id=camera.id,
        venue_id=venue.id,
        venue=venue.name,
        label=camera.label,
        is_main=camera.is_main,
        with_sound=camera.with_sound,
        state=state,
        reason=fault,
        since_wall_ms=since_wall_ms,
        retry_wall_ms=retry_wall_ms,
        picture=picture,
        participant_id=participant_id,
    )
