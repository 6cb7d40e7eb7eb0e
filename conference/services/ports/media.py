"""The media process as the services see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from conference.model.errors import ConferenceError
from conference.model.media import (
    PROGRAM_TARGET,
    RECORDING_TAP,
    MediaEvent,
    PublicationInfo,
    Source,
    TrackHint,
    TrackWish,
)
from conference.model.media_report import MediaReport


class MediaError(ConferenceError):
    """The media plane refused. `code` is stable: sdp_invalid, too_many_tracks, room_full, not_found,
    stale, tap_unreachable, feed_unreachable, media_unavailable, port_in_use, rate_limited."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)


class MediaPlane(Protocol):
    """The media process as the services see it. Every method may raise MediaError."""

    def epoch(self, room_id: str) -> str:
        """Names one life of the media process that has this room, or would be given it; empty while it is away. A
        client that holds another epoch connects anew."""

    def listen(self, receive: Callable[[MediaEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    async def join(
        self,
        room_id: str,
        participant_id: str,
        *,
        sound_open: bool,
        hears: bool = True,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> None:
        """Make the participant known (and the room, when it is the first). Repeating it is harmless.

        Without `hears` it is offered no sound of others, from its next subscription on. `hall` names the hall that its
        own sound comes out of, `deaf_to` the hall whose sound it is not offered; one name in common is enough. Who is
        deaf to a hall is not offered the program's sound either, for every hall is heard in it.
        """

    async def leave(self, room_id: str, participant_id: str) -> None:
        """Close both transports and drop all publications. Unknown ids are ignored."""

    async def publish(
        self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...] = ()
    ) -> tuple[str, tuple[PublicationInfo, ...]]:
        """Take a client's offer for its publish connection; returns the answer and what is published now.

        An offer of another peer connection (other session id in the origin line) replaces the transport;
        new ICE credentials on the same one are an ICE restart.
        """

    async def subscribe(self, room_id: str, participant_id: str, *, fresh: bool = False) -> None:
        """Begin to send SubscriberOffer events to the participant; `fresh` drops the old transport first."""

    async def answer(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        """Take the client's answer to the SubscriberOffer of that generation. An old one is `stale`."""

    async def pull(self, room_id: str, participant_id: str, target_id: str, sdp: str) -> str:
        """WHEP: `participant_id` receives `target_id`'s microphone and camera by its own offer.

        PROGRAM_TARGET is the program, whether or not it is there yet.
        """

    async def trickle(self, room_id: str, participant_id: str, fragment: str) -> str | None:
        """WHIP and WHEP PATCH (RFC 8840 fragment): None when nothing is to be said, or, after an ICE restart,
        the server's fragment."""

    async def try_out(self, sdp: str) -> str:
        """Answer an offer of a connection that belongs to no room and is dropped after some seconds; what is sent on it
        comes back: its client sees which ways are open and what gets lost. `rate_limited` while too many are tried."""

    async def set_sound(self, room_id: str, participant_id: str, *, is_open: bool) -> None:
        """Open or close the gate for all sound of a participant. Closed: forwarded to nobody."""

    async def wish(self, room_id: str, participant_id: str, wishes: tuple[TrackWish, ...]) -> None:
        """The pictures that the participant shows now, instead of those before; it is sent no others.

        Without a wish it is sent every picture as large as it fits. Unknown publications count once they are there.
        """

    async def focus(self, room_id: str, *, floor_ids: tuple[str, ...], chair_ids: tuple[str, ...]) -> None:
        """Those into whose microphone speaks who holds the floor, or who chairs, instead of those before: they are
        heard always, and the former are seen first where not all fits. A room that nobody is in has none."""

    async def tap(
        self,
        room_id: str,
        path: str,
        *,
        program_time_ms: int,
        at_monotonic_s: float,
        name: str = RECORDING_TAP,
        sources: tuple[Source, ...] = (),
    ) -> None:
        """Write every publication of the room, or only those of these `sources`, to who listens on the unix socket at
        `path`, until `untap` or TapLost.

        Program time was `program_time_ms` when Clock.monotonic stood at `at_monotonic_s`. The room need not have
        participants; another tap of this name is ended first, without TapLost. Taps of other names do not notice.
        Refused with `tap_unreachable`.
        """

    async def untap(self, room_id: str, name: str = RECORDING_TAP) -> None:
        """End the tap of this name: what is queued goes out, then the reader sees the end. Unknown ones are ignored."""

    async def feed(self, room_id: str, path: str, participant_id: str = PROGRAM_TARGET) -> None:
        """Read a participant's tracks, or the program, from who listens on the unix socket at `path`, until `unfeed`
        or FeedLost; another feed of it is ended first, without FeedLost. Refused with `feed_unreachable`.

        A participant must have joined (`not_found`): what comes is its publications like any others, told by
        PublicationsChanged, gated by `set_sound`, tapped, offered to all. After FeedLost they wait 15 s for the next
        feed. The program is forwarded to those who `pull` PROGRAM_TARGET and to nobody else; its room need not have
        participants.
        """

    async def unfeed(self, room_id: str, participant_id: str = PROGRAM_TARGET) -> None:
        """End the feed: the participant's publications go at once; those who receive the program wait for the next
        one. `leave` does the same. Without one nothing happens."""

    async def room_report(self, room_id: str) -> tuple[MediaReport, ...]:
        """Who sends and receives what now, in the order of joining; players by WHEP are among them. `not_found` for a
        room that nobody is in."""

    async def statistics(self) -> Mapping[str, float]:
        """Counters and gauges by Prometheus name, for /metrics; labels as in `name{reason="…"}`."""
