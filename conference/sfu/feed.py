"""A feed: sound and picture come from a process of ours, of the composed program or of a camera that it pulls, and are
forwarded like a participant's, but without a transport: nothing was lost on the way, nothing needs to be decrypted.

The publications outlive the feed, so that receivers go on with the next one; whose they are, `place` says.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conference.rtc import rtcp
from conference.rtc.sdp import AUDIO_LEVEL_URI, VIDEO_ORIENTATION_URI, Codec

from . import tap_frames
from .counters import Counters
from .publication import Publication
from .replay import Replays
from .stream import IncomingStream
from .track_hint import MICROPHONE

PROGRAM: Final = "program"
"""The participant that publishes the program, and the source of both its tracks. Never listed, never tapped."""

MAX_PACKET: Final = 1400  # a worker that makes larger ones would be cut off at the first network
MAX_TRACKS: Final = 8
_CODECS: Final = {"audio": ("opus", 48000, 2), "video": ("h264", 90000, 1)}
_EXTENSIONS: Final = (AUDIO_LEVEL_URI, VIDEO_ORIENTATION_URI)
_OURS: Final = (*_EXTENSIONS, tap_frames.UNASKED_KEYFRAMES)  # parameters that are no codec's

Place = Callable[[tap_frames.Open, float], Publication]


class FeedError(tap_frames.TapFrameError):
    """The feed sent a frame that has no place in it; it cannot be read on."""


def program_publications() -> dict[str, Publication]:
    """The two tracks of a program by their kind, without a stream yet."""
    return {
        kind: Publication(f"{PROGRAM}-{kind}", PROGRAM, kind, PROGRAM, "", is_open=True) for kind in _CODECS
    }


@dataclass(slots=True)
class _Track:
    """An opened track. Its stream begins with the first packet, which tells the payload type."""

    opened: tap_frames.Open
    publication: Publication
    stream: IncomingStream | None = None
    report: rtcp.SenderReport | None = None
    replays: Replays | None = None


class Feed:
    """Owned by Feeding: `take` is given every frame in order, `tick` drives the requests for keyframes."""

    def __init__(
        self,
        place: Place,
        counters: Counters,
        ask_keyframe: Callable[[int], None],
        *,
        observe_level: Callable[[int, bool, float], None] | None = None,
        withdraw: Callable[[Publication], None] | None = None,
    ) -> None:
        """`place(opened, now)` finds the publication of a track, and may raise FeedError; `ask_keyframe(track)` is
        called at most every half second; `observe_level(level, voice, now)` for sound of a microphone;
        `withdraw(publication)` when the worker has ended a track, None where publications stay without one."""
        self._place = place
        self._counters = counters
        self._ask_keyframe = ask_keyframe
        self._observe_level = observe_level
        self._withdraw = withdraw
        self._tracks: dict[int, _Track] = {}

    def take(self, frame: tap_frames.Frame, now: float) -> None:
        """Raises FeedError."""
        match frame:
            case tap_frames.Packet(number, _, packet):
                self._receive(self._track(number), packet, now)
            case tap_frames.Report(number, _, ntp, rtp_timestamp):
                self._report(self._track(number), ntp, rtp_timestamp, now)
            case tap_frames.Open():
                self._open(frame, now)
            case tap_frames.Gap(number):
                self._skip(self._track(number), now)
            case tap_frames.Close(number):
                publication = self._track(number).publication
                self._close(number)
                if self._withdraw is not None:
                    self._withdraw(publication)
            case tap_frames.Clock():
                pass  # program time is nothing to receivers
            case _:
                raise FeedError(f"{type(frame).__name__} in a feed")

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        for track in self._tracks.values():
            if track.stream is not None:
                track.stream.tick(now, 0.0)
                track.publication.tick(now)
            if track.replays is not None:
                track.replays.tick(now)

    def close(self) -> None:
        """End all streams; the receivers wait for the next feed. Idempotent."""
        for number in tuple(self._tracks):
            self._close(number)

    def publications(self) -> tuple[Publication, ...]:
        """Those of the tracks that are open."""
        return tuple(track.publication for track in self._tracks.values())

    def _track(self, number: int) -> _Track:
        track = self._tracks.get(number)
        if track is None:
            raise FeedError(f"track {number} is not open")
        return track

    def _open(self, opened: tap_frames.Open, now: float) -> None:
        """One track of each publication: another one, or another stream, takes its place."""
        codec = _CODECS.get(opened.kind)
        if codec is None or (opened.codec, opened.clock_rate) != codec[:2]:
            raise FeedError(f"{opened.kind} as {opened.codec} at {opened.clock_rate} Hz")
        if opened.track not in self._tracks and len(self._tracks) >= MAX_TRACKS:
            raise FeedError("too many tracks")
        publication = self._place(opened, now)
        for number, track in tuple(self._tracks.items()):
            if number == opened.track or track.publication is publication:
                self._close(number)
        self._tracks[opened.track] = _Track(opened, publication)

    def _receive(self, track: _Track, packet: bytes, now: float) -> None:
        if len(packet) > MAX_PACKET:
            raise FeedError(f"packet of {len(packet)} bytes")
        if track.stream is None:
            if len(packet) < 12:
                raise FeedError(f"packet of {len(packet)} bytes")
            self._begin(track, packet[1] & 0x7F, now)
        if track.replays is not None:
            track.replays.before(packet, now)
        if track.stream is not None:
            track.stream.receive(packet, now)

    def _begin(self, track: _Track, payload_type: int, now: float) -> None:
        opened = track.opened
        name, clock_rate, channels = _CODECS[opened.kind]
        fmtp = ";".join(f"{key}={value}" for key, value in opened.parameters.items() if key not in _OURS)
        codec = Codec(
            payload_type, name.upper() if opened.kind == "video" else name, clock_rate, channels, fmtp
        )
        is_microphone = track.publication.source == MICROPHONE
        track.stream = IncomingStream(
            # Not that of the packets: a worker that begins again with the same one is another stream all the same.
            ssrc=secrets.randbits(32),
            is_audio=opened.kind == "audio",
            codecs={payload_type: codec},
            extension_ids=_extension_ids(opened),
            record_arrival=None,
            observe_level=self._observe_level if is_microphone else None,
            send_rtcp=lambda _pli: self._ask_keyframe(opened.track),
            counters=self._counters,
            cname=opened.cname,
            is_reliable=True,
        )
        track.publication.set_stream(track.stream)
        if tap_frames.UNASKED_KEYFRAMES in opened.parameters and not track.stream.is_audio:
            track.replays = Replays(track.stream, track.publication, self._counters)
        if track.report is not None:
            track.stream.on_sender_report(track.report, now)

    def _report(self, track: _Track, ntp: int, rtp_timestamp: int, now: float) -> None:
        track.report = rtcp.SenderReport(0, ntp, rtp_timestamp, 0, 0, ())
        if track.stream is not None:
            track.stream.on_sender_report(track.report, now)

    def _skip(self, track: _Track, now: float) -> None:
        """The worker left packets out: nobody needs to ask for them, and a picture waits for its next keyframe."""
        if track.stream is not None and not track.stream.is_audio:
            if track.replays is not None:
                track.replays.reset()
            track.stream.restart_receivers()
            track.stream.request_keyframe(now)

    def _close(self, number: int) -> None:
        track = self._tracks.pop(number)
        if track.replays is not None:
            track.replays.close()
        if track.stream is not None and track.publication.stream is track.stream:
            track.publication.set_stream(None)


def _extension_ids(opened: tap_frames.Open) -> dict[str, int]:
    """The header extensions of its packets, by their numbers among the parameters. Raises FeedError."""
    found = {uri: opened.parameters[uri] for uri in _EXTENSIONS if uri in opened.parameters}
    if not all(value.isdecimal() and 0 < int(value) < 15 for value in found.values()):
        raise FeedError("the number of a header extension")
    return {uri: int(value) for uri, value in found.items()}
