"""What supervisor and worker say to each other: JSON lines, orders on standard input, events on standard output.

An order is an object with `do`. An event is `{"event": NAME, "body": {…}}`: NAME is a class of
conference.worker_events, or Released. The end of standard input means that the parent is gone.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from conference.worker_events import (
    Heard,
    HeardPartial,
    ListenEnded,
    ListenJob,
    TranscriberEvent,
    TranscriberLoad,
    TranscriberModel,
    TranscriberReady,
)

LONGEST_LINE: Final = 4 << 20


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The worker's only argument. `model`: its folder. `engine`: `module:factory` in place of what the folder's files
    say. `recordings`: the directory that SoundFile.path stands below. `streams`: microphones followed at once."""

    recordings: str
    model: str | None = None
    engine: str | None = None
    streams: int = 3
    nice: int = 5


class SecondPassOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only argument of the process of the second pass; as in Options. `yields`: it takes only what nobody else
    wants of the processor."""

    recordings: str
    model: str | None = None
    engine: str | None = None
    yields: bool = True


class Begin(msgspec.Struct, frozen=True, tag_field="do", tag="begin"):
    """Listen at `socket` for the tap of this room."""

    consultation: str
    socket: str


class End(msgspec.Struct, frozen=True, tag_field="do", tag="end"):
    """Take what is there, tell it, let go of the tap; then Released."""

    consultation: str


class Prefer(msgspec.Struct, frozen=True, tag_field="do", tag="prefer"):
    """The most important first."""

    consultation: str
    participants: tuple[str, ...]


class Terms(msgspec.Struct, frozen=True, tag_field="do", tag="terms"):
    """Words that engines with hot words listen for."""

    consultation: str
    words: tuple[str, ...]


class Job(msgspec.Struct, frozen=True, tag_field="do", tag="job"):
    """Recognise from files."""

    job: ListenJob


class Cancel(msgspec.Struct, frozen=True, tag_field="do", tag="cancel"):
    """Forget a job; no ListenEnded follows."""

    job: str


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop"):
    """Leave at once."""


AnyOrder = Begin | End | Prefer | Terms | Job | Cancel | Stop


class Released(msgspec.Struct, frozen=True):
    """All that was said at this socket was told, and it is closed."""

    consultation_id: str
    socket: str


class _Envelope(msgspec.Struct, frozen=True):
    event: str
    body: msgspec.Raw


_EVENTS: Final[dict[str, type[Any]]] = {
    each.__name__: each
    for each in (
        TranscriberModel,
        TranscriberReady,
        HeardPartial,
        Heard,
        ListenEnded,
        TranscriberLoad,
        Released,
    )
}
_order_decoder: Final[msgspec.json.Decoder[AnyOrder]] = msgspec.json.Decoder(AnyOrder)
_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)


def order_line(order: AnyOrder) -> bytes:
    """One line."""
    return msgspec.json.encode(order) + b"\n"


def order_of(line: bytes) -> AnyOrder:
    """Raises ValueError for what is none."""
    return _order_decoder.decode(line)


def event_line(event: TranscriberEvent | Released) -> bytes:
    """One line."""
    return msgspec.json.encode({"event": type(event).__name__, "body": event}) + b"\n"


def event_of(line: bytes) -> TranscriberEvent | Released:
    """Raises ValueError for what is none."""
    said = _envelope_decoder.decode(line)
    kind = _EVENTS.get(said.event)
    if kind is None:
        raise ValueError(f"no event: {said.event}")
    found: TranscriberEvent | Released = msgspec.json.decode(said.body, type=kind)
    return found
