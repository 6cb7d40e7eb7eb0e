"""What the recorder and the maker of programs, processes of their own, are told and tell the services."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.program import Direction, PersonKind, Phase

# ── what the recorder tells the services ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file of the recording as it stands: where it lies below the directory of recordings, and what is in it.

    `started_at_ms` is program time, `created_at_ms` UTC. An ended one that is not whole was found after its writer
    had been killed.
    """

    consultation_id: str
    path: str
    participant_id: str
    source: str
    codec: str
    started_at_ms: int
    created_at_ms: int
    is_ended: bool = False
    is_whole: bool = False
    duration_ms: int = 0
    size_bytes: int = 0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RecorderReady:
    """A worker listens at `socket_path` for the tap of this room. It says so again whenever its tap has ended."""

    consultation_id: str
    socket_path: str


@dataclass(frozen=True, slots=True)
class RecorderTrouble:
    """Nothing is recorded until the next RecorderReady. `reason`: disk_full, disk_failed or worker_ended."""

    consultation_id: str
    reason: str


RecorderEvent = RecordedFile | RecorderReady | RecorderTrouble


# ── what the maker of programs is told, and what it tells the services ──────────────────────────


@dataclass(frozen=True, slots=True)
class ScenePerson:
    """Somebody, or a hall. `line` stands under the name; `venue` is the same for a hall and those who sit in it."""

    id: str
    name: str
    line: str
    venue: str | None
    kind: PersonKind
    is_main: bool
    camera: bool
    microphone: bool
    connected: bool


@dataclass(frozen=True, slots=True)
class ScenePromotion:
    """What the public's voice is before the meeting (上会), and who answers."""

    text: str
    nickname: str = ""
    place: str | None = None
    answering: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What the maker of the program is told: one whole state. Field names are those that it reads.

    Wall times are UTC milliseconds, `floor_ends_ms` is program time.
    """

    phase: Phase
    title: str
    organization: str
    item: str | None
    program_started_wall_ms: int | None
    starts_wall_ms: int | None
    resumes_wall_ms: int | None
    venues: tuple[str, ...]
    people: tuple[ScenePerson, ...]
    floor: str | None
    floor_ends_ms: int | None
    direction: Direction
    promotion: ScenePromotion | None = None


@dataclass(frozen=True, slots=True)
class ProgramReady:
    """A worker listens at `tap_path` for the tap and at `feed_path` for who carries the program back into the room.
    It says so again whenever one of them has ended."""

    consultation_id: str
    tap_path: str
    feed_path: str


@dataclass(frozen=True, slots=True)
class ProgramTrouble:
    """Nothing is made until the next ProgramReady. `reason`: disk_full, disk_failed or worker_ended."""

    consultation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProgramShown:
    """The picture changed: its layout, and the participants in it."""

    consultation_id: str
    layout: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramLoad:
    """How the worker keeps up: `core` is its share of one processor core."""

    consultation_id: str
    level: int
    fps: float
    core: float
    late_frames: int


ProgramEvent = ProgramReady | ProgramTrouble | ProgramShown | ProgramLoad
