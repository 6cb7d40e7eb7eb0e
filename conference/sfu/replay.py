"""For who comes between two keyframes of a source that makes none when it is asked, as a camera: the pictures since the
last one, quickly and to that receiver alone, until it has caught up and is served like all others.

A receiver is served by a stream of its own meanwhile, with time stamps that lie close together, so that what is asked
for again is found there as it was sent.
"""

from __future__ import annotations

import secrets
from typing import Final

from conference.rtc import rtp_header
from conference.rtc.codecs import h264

from .counters import Counters
from .publication import Publication
from .stream import IncomingStream
from .subscription import Subscription

_PACKETS: Final = 20  # a tick of 20 ms: some 9 Mbit/s
_MOST: Final = 1000  # packets that are still there when the last of them is sent
_STEP: Final = 90  # of time stamps: a millisecond


class _Run:
    """One receiver on its way to the present."""

    __slots__ = ("next", "source_timestamp", "stream", "subscription", "timestamp")

    def __init__(self, subscription: Subscription, stream: IncomingStream, first: int) -> None:
        self.subscription = subscription
        self.stream = stream
        self.next = first  # number of the next packet to be sent
        self.timestamp = secrets.randbits(31)
        self.source_timestamp: bytes | None = None


class Replays:
    """Of one stream of H264; `before` is given each of its packets, `tick` sends."""

    def __init__(self, stream: IncomingStream, publication: Publication, counters: Counters) -> None:
        self._stream = stream
        self._publication = publication
        self._counters = counters
        self._key: int | None = None  # number of the packet in which the last keyframe begins
        self._timestamp: int | None = None
        self._runs: dict[Subscription, _Run] = {}

    def before(self, packet: bytes, now: float) -> None:
        """The stream is to receive this packet: with the first one of a picture those go over who have caught up."""
        timestamp = int.from_bytes(packet[4:8], "big")
        if timestamp == self._timestamp:
            return
        self._timestamp = timestamp
        try:
            header = rtp_header.parse(packet)
        except rtp_header.RtpError:
            return  # the stream counts it
        payload = packet[header.payload_start : header.payload_end]
        is_key = h264.is_keyframe(payload)
        if is_key:
            self._key = header.sequence
        for subscription, run in tuple(self._runs.items()):
            if not is_key and run.next != header.sequence:
                continue
            subscription.selector.stop()  # it goes to the same layer once more
            if subscription.start(self._stream, payload, header.sequence, timestamp, now, is_start=True):
                self._stream.cancel(subscription)
                self._end(run)

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        for waiting in tuple(self._stream.pending):
            if isinstance(waiting, Subscription) and waiting.needs_keyframe and waiting not in self._runs:
                self._begin(waiting)
        for run in tuple(self._runs.values()):
            self._advance(run, now)

    def reset(self) -> None:
        """A part of the pictures is missing: all wait for the next keyframe."""
        self._key = None
        for run in tuple(self._runs.values()):
            self._give_up(run)

    def close(self) -> None:
        """The stream ends."""
        for run in tuple(self._runs.values()):
            self._end(run)

    def _begin(self, subscription: Subscription) -> None:
        key, codec = self._key, self._stream.codec
        if key is None or codec is None or (self._stream.last_sequence - key) & 0xFFFF >= _MOST:
            return
        stream = IncomingStream(
            ssrc=secrets.randbits(32),
            is_audio=False,
            codecs={codec.payload_type: codec},
            extension_ids={},
            record_arrival=None,
            observe_level=None,
            send_rtcp=lambda _pli: None,
            counters=self._counters,
            cname=self._stream.cname,
            is_reliable=True,
        )
        self._runs[subscription] = _Run(subscription, stream, key)
        stream.attach(subscription)

    def _advance(self, run: _Run, now: float) -> None:
        subscription, stream = run.subscription, run.stream
        is_wanted = (
            subscription in self._publication.subscriptions and subscription.selector.target is not None
        )
        if not is_wanted:
            self._end(run)
            return
        if subscription not in stream.members and subscription.pending_at is not stream:
            self._end(run)  # it found another way
            return
        for _ in range(_PACKETS):
            if run.next == (self._stream.last_sequence + 1) & 0xFFFF:
                return
            packet = self._stream.find(run.next)
            if packet is None:
                self._give_up(run)
                return
            if packet[4:8] != run.source_timestamp:
                run.source_timestamp = packet[4:8]
                run.timestamp = run.timestamp + _STEP & 0xFFFFFFFF
            stream.receive(packet[:4] + run.timestamp.to_bytes(4, "big") + packet[8:], now)
            run.next = run.next + 1 & 0xFFFF

    def _give_up(self, run: _Run) -> None:
        """It waits for a keyframe after all."""
        self._end(run)
        if run.subscription in self._publication.subscriptions and run.subscription.pending_at is None:
            self._stream.attach(run.subscription)

    def _end(self, run: _Run) -> None:
        self._runs.pop(run.subscription, None)
        run.stream.close()
