"""What the layers of a publication cost and how large they are: measured where they come, expected where they do not.

Looked at a few times a second beside the path of the packets, which knows nothing of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from conference.rtc import rtp_header
from conference.rtc.codecs import vp8

from .allocator import Layer

if TYPE_CHECKING:
    from .publication import Publication
    from .stream import IncomingStream

_SAMPLE_S = 0.5  # at least, between two looks
_SMOOTHING_S = 2.0
_SLOW_SMOOTHING_S = 8.0  # of what has one encoding: a slide that changes is no reason to take the screen away
_SOUND_FALL_S = 10.0  # sound is paid for as loud as it was: a pause in a sentence frees nothing
_LOOKED_AT = 12  # packets, for the temporal layers in them
_HEIGHTS: Final = {"q": 180, "h": 360, "f": 720}
_BITRATES: Final = {"q": 150_000, "h": 500_000, "f": 1_500_000}
_OTHER_HEIGHT: Final = 720
_OTHER_BITRATE: Final = 1_000_000
_SHARES: Final = {
    1: (1.0,),
    2: (0.6, 1.0),
    3: (0.4, 0.6, 1.0),
}  # as libwebrtc shares a VP8 encoder's bit rate


class _Meter:
    """The bit rate of one stream's packets, smoothed."""

    __slots__ = ("at", "bps", "octets")

    def __init__(self, octets: int, now: float) -> None:
        self.octets = octets
        self.at = now
        self.bps = 0.0

    def sample(self, octets: int, now: float, rise_s: float, fall_s: float, *, is_kept: bool = False) -> None:
        """`is_kept`: what comes to a stop will cost the same when it goes on."""
        elapsed = now - self.at
        if elapsed < _SAMPLE_S:
            return
        came = octets - self.octets if octets >= self.octets else octets  # its sender counts anew
        rate = 8 * came / elapsed
        self.octets, self.at = octets, now
        if is_kept and not rate:
            return
        tau = rise_s if rate > self.bps else fall_s
        self.bps = rate if not self.bps or not tau else rate + (self.bps - rate) * math.exp(-elapsed / tau)


class Demand:
    """One publication. What a layer had when it last came is remembered for when it is asked for again."""

    def __init__(self) -> None:
        self._meters: dict[str, tuple[IncomingStream, _Meter]] = {}
        self._known: dict[str, Layer] = {}
        self._seen: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # all layers, and those that came
        self._layers: tuple[Layer, ...] = ()
        self._sound_bps = 0
        self._next_look = 0.0

    def sound_bps(self, publication: Publication, now: float) -> int:
        """What the sound takes now; 0 before it was heard."""
        stream = publication.stream
        if stream is None or not publication.is_audible or not stream.is_open:
            self._next_look = 0.0
            return 0
        if now >= self._next_look:
            self._next_look = now + _SAMPLE_S
            self._sound_bps = int(self._meter(stream, now, 0.0, _SOUND_FALL_S).bps)
        return self._sound_bps

    def layers(self, publication: Publication, now: float) -> tuple[Layer, ...]:
        """Every layer that the publisher may send, the smallest first."""
        seen = (publication.order, publication.active)
        if now >= self._next_look or seen != self._seen:
            self._next_look = now + _SAMPLE_S
            self._seen = seen
            smoothing_s = _SMOOTHING_S if len(publication.order) > 1 else _SLOW_SMOOTHING_S
            active = {each.name: each.height for each in publication.layers(now)}
            for name, height in active.items():
                self._look(publication.streams[name], name, height, now, smoothing_s)
            self._layers = tuple(self._layer(name, name in active) for name in publication.order)
        return self._layers

    def _look(self, stream: IncomingStream, name: str, height: int, now: float, smoothing_s: float) -> None:
        metered = self._meters.get(name)
        is_same = metered is not None and metered[0] is stream
        temporal = len(self._known[name].temporal) if is_same else 1
        if temporal < len(_SHARES):
            temporal = max(temporal, _temporal_layers(stream))
        self._known[name] = Layer(
            name,
            height or _HEIGHTS.get(name, _OTHER_HEIGHT),
            int(self._meter(stream, now, smoothing_s, smoothing_s, is_kept=True).bps)
            or _BITRATES.get(name, _OTHER_BITRATE),
            temporal=_SHARES[temporal],
        )

    def _layer(self, name: str, is_active: bool) -> Layer:
        known = self._known.get(name)
        if known is None:
            return Layer(name, _HEIGHTS.get(name, _OTHER_HEIGHT), _BITRATES.get(name, _OTHER_BITRATE), False)
        return known if is_active else Layer(name, known.height, known.bitrate_bps, False, known.temporal)

    def _meter(
        self, stream: IncomingStream, now: float, rise_s: float, fall_s: float, *, is_kept: bool = False
    ) -> _Meter:
        octets = stream.reception.octets
        found = self._meters.get(stream.layer)
        if found is None or found[0] is not stream:
            found = self._meters[stream.layer] = stream, _Meter(octets, now)
        found[1].sample(octets, now, rise_s, fall_s, is_kept=is_kept)
        return found[1]


def _temporal_layers(stream: IncomingStream) -> int:
    """How many there are in the last packets, 1 to 3, of those that can be left out (RFC 7741: with picture ids)."""
    if stream.codec is None or stream.codec.name.upper() != "VP8":
        return 1
    highest = 0
    for back in range(_LOOKED_AT):
        packet = stream.cache.find((stream.last_sequence - back) & 0xFFFF)
        if packet is None:
            continue
        header = rtp_header.parse(packet)
        if header.payload_start >= header.payload_end:
            continue
        try:
            descriptor = vp8.parse(memoryview(packet)[header.payload_start : header.payload_end])
        except vp8.Vp8Error:
            continue
        if descriptor.picture_id is not None and descriptor.temporal_id is not None:
            highest = max(highest, descriptor.temporal_id)
    return min(highest, 2) + 1
