"""What recorder, maker of programs and transcriber, processes of their own, are told and tell the services."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.program import Direction, PersonKind, Phase
from conference.model.transcript import Word

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
    label: str = ""  # which of several cameras of one participant


@dataclass(frozen=True, slots=True)
class RecorderReady:
    """A worker listens at `socket_path` for the tap of this room. It says so again whenever its tap has ended."""

    consultation_id: str
    socket_path: str


@dataclass(frozen=True, slots=True)
class RecorderTrouble:
    """Nothing is recorded until the next RecorderReady. `reason`: disk_full, disk_failed, shared_dir_gone or
    worker_ended."""

    consultation_id: str
    reason: str


RecorderEvent = RecordedFile | RecorderReady | RecorderTrouble


# ── what the maker of programs is told, and what it tells the services ──────────────────────────


@dataclass(frozen=True, slots=True)
class ScenePerson:
    """Somebody, or a hall. `line` stands under the name; `venue` is the same for a hall and those who sit in it.

    `camera_id` is the publication of the camera that is shown, where there are several the main one.
    """

    id: str
    name: str
    line: str
    venue: str | None
    kind: PersonKind
    is_main: bool
    camera: bool
    microphone: bool
    connected: bool
    camera_id: str | None = None


@dataclass(frozen=True, slots=True)
class ScenePromotion:
    """What the public's voice is before the meeting (上会), and who answers."""

    text: str
    nickname: str = ""
    place: str | None = None
    answering: str | None = None


@dataclass(frozen=True, slots=True)
class SceneCaption:
    """What somebody says, or just said. `speaker`: the id of a person of the scene."""

    text: str
    speaker: str | None = None


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
    captions: tuple[
        SceneCaption, ...
    ] = ()  # the newest last; empty where they are not to stand in the picture
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class ProgramReady:
    """A worker listens at `tap_path` for the tap and at `feed_path` for who carries the program back into the room.
    It says so again whenever one of them has ended."""

    consultation_id: str
    tap_path: str
    feed_path: str


@dataclass(frozen=True, slots=True)
class ProgramTrouble:
    """Nothing is made until the next ProgramReady. `reason`: disk_full, disk_failed, shared_dir_gone, held_elsewhere
    (another server still writes it) or worker_ended."""

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


# ── what the transcriber is told, and what it tells the services ────────────────────────────────


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A recorded file of one microphone. `path` is below the directory of recordings, `started_at_ms` program time."""

    path: str
    started_at_ms: int


@dataclass(frozen=True, slots=True)
class ListenJob:
    """A stretch of one microphone to be recognised from its files. Times are program time in milliseconds."""

    id: str
    consultation_id: str
    participant_id: str
    files: tuple[SoundFile, ...]
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class TranscriberModel:
    """The speech model as the worker found it. `engine` is empty where there is none; `reason`: no_model,
    model_broken, wrong_rate, engine_missing, worker_ended, or empty when all is well."""

    engine: str
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TranscriberReady:
    """The worker listens at `socket_path` for the tap of this room. It says so again whenever its tap has ended."""

    consultation_id: str
    socket_path: str


@dataclass(frozen=True, slots=True)
class HeardPartial:
    """What seems to be said at this moment; the next one, or `Heard`, stands in its place. An empty text ends it."""

    consultation_id: str
    participant_id: str
    text: str
    from_ms: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """A piece of speech between two pauses. `text` is what the engine said; `words` bear program time."""

    from_ms: int
    to_ms: int
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """All sound of this microphone in the stretch was dealt with, and this was said in it, perhaps nothing.

    Stretches of one tap follow each other without a hole; whoever keeps them keeps utterances and stretch together, so
    that nothing is there twice after a crash. With `job_id` it came from the files.
    """

    consultation_id: str
    participant_id: str
    from_ms: int
    to_ms: int
    utterances: tuple[Utterance, ...]
    engine: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListenEnded:
    """A job is over. `reason` is empty when all of it was heard, else: unreadable, no_model, worker_ended."""

    job_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TranscriberLoad:
    """How the worker keeps up: microphones that talk now, how far the slowest is behind, share of one core."""

    streams: int
    lag_ms: int
    core: float


# ── what the second pass is told, and what it tells the services ────────────────────────────────


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one microphone to be heard again from its files. Times are program time in milliseconds.

    Nothing is heard of the stretches in `silent`. `terms`: words that are to be expected.
    """

    id: str
    files: tuple[SoundFile, ...]
    from_ms: int
    to_ms: int
    silent: tuple[tuple[int, int], ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reheard:
    """What a better engine makes of a passage; `words` bear program time where it tells them.

    Without a text `reason` says why: nothing_heard, unreadable, too_long; worker_ended when the process died of it
    again and again; or, for this one and any other, what TranscriberModel says.
    """

    id: str
    text: str = ""
    words: tuple[Word, ...] = ()
    reason: str = ""


TranscriberEvent = TranscriberModel | TranscriberReady | HeardPartial | Heard | ListenEnded | TranscriberLoad
