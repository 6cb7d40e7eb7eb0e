"""A track in the room: where it comes from, its streams of the moment, and who receives which.

It outlives its streams: a publisher that reconnects brings new ones, and the receivers keep their slots.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conference.rtc.layer_selector import choose

from .stream import IncomingStream

if TYPE_CHECKING:
    from .subscription import Subscription, SubscriptionState
    from .tap import Tap, TapTrack

CAMERA: Final = "camera"
_SILENT_S = 0.5  # a layer that is so far behind the others has stopped
_BACK_S = 0.3  # and comes back when it has gone on for so long
_JUDGE_S = 0.1
_GONE_S = 3.0
_UNNEEDED_S = 5.0  # before a layer that nobody wants is given up


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A layer that is sent: size of its pictures in pixels (0 before the first keyframe), pictures a second, bit/s."""

    name: str
    width: int
    height: int
    fps: float
    bitrate_bps: int


def main_camera(publications: Iterable[Publication]) -> Publication | None:
    """The camera that stands for its publisher where a single one is meant: the one named so, else the first."""
    cameras = [each for each in publications if each.source == CAMERA]
    return next((each for each in cameras if each.is_main), cameras[0] if cameras else None)


class Publication:
    """Owned by the Participant; closed when the track is taken away or the participant leaves."""

    def __init__(
        self, publication_id: str, participant_id: str, kind: str, source: str, label: str, *, is_open: bool
    ) -> None:
        """`kind`: "audio" or "video"; `source` as in conference.model.media.Source; `is_open`: the sound gate."""
        self.id = publication_id
        self.participant_id = participant_id
        self.kind = kind
        self.source = source
        self.label = label
        self.is_main = False  # of several cameras, as its publisher says
        self.order: tuple[str, ...] = ("",)  # all layers that the publisher may send, the smallest first
        self.streams: dict[str, IncomingStream] = {}
        self.active: tuple[str, ...] = ()  # those that it sends, in the same order
        self.subscriptions: list[Subscription] = []
        self.on_codec: Callable[[Publication], None] | None = None
        self.on_subscription: Callable[[Subscription, SubscriptionState], None] | None = None
        self.is_audible = True
        self.is_fed = False  # it comes from a process of ours, not by its participant's connection
        self._is_open = is_open
        self._taps: tuple[TapTrack, ...] = ()
        self._back_since: dict[str, float] = {}  # layers that were silent and are heard again
        self._next_judging = 0.0
        self.on_layers: Callable[[Publication, tuple[str, ...]], None] | None = None
        self._needed = frozenset(self.order)  # as told by `on_layers`; all before
        self._is_mute = False  # nothing comes of any layer, whatever was asked for
        self._unneeded_since: dict[str, float] = {}

    # ── streams ─────────────────────────────────────────────────────────────────────────────────

    @property
    def stream(self) -> IncomingStream | None:
        """That of the best active layer."""
        return self.streams[self.active[-1]] if self.active else None

    @property
    def codec(self) -> str:
        """Encoding name of the last packet, empty before the first."""
        stream = self.stream
        if stream is None or stream.codec is None:
            return ""
        return stream.codec.name

    def set_order(self, order: tuple[str, ...]) -> None:
        """The names of the layers as a publisher declares them on a new connection, on which it sends all of them;
        streams of others end."""
        self.drop([stream for name, stream in self.streams.items() if name not in order])
        self.order = order
        self._needed = frozenset(order)
        self._unneeded_since.clear()
        self._set_active(self.active)

    def set_stream(self, stream: IncomingStream | None) -> None:
        """Let the receivers go on with another stream, from its first keyframe; None ends all layers."""
        if stream is not None:
            self.set_layer(stream.layer, stream)
            return
        self.drop(tuple(self.streams.values()))

    def drop(self, streams: Collection[IncomingStream]) -> None:
        """These end together, so that nobody goes over from one to another of them; those of others stay."""
        gone = {name for name, stream in self.streams.items() if stream in streams}
        for name in gone:
            self._back_since.pop(name, None)
            self.streams.pop(name).close()
        self._set_active(self.active)

    def set_layer(self, name: str, stream: IncomingStream | None) -> None:
        """The same for one layer; `name` is one of `order`."""
        old = self.streams.pop(name, None)
        if old is not None:
            old.close()
        self._back_since.pop(name, None)
        if stream is None:
            self._set_active(self.active)
            return
        self.streams[name] = stream
        stream.set_open(self._is_open)
        stream.on_codec = lambda _codec: self._codec_changed(stream)
        self._set_active((*self.active, name))

    def _set_active(self, names: tuple[str, ...]) -> None:
        """Let everybody who is affected go over to what is there."""
        self.active = tuple(name for name in self.order if name in names and name in self.streams)
        for subscription in self.subscriptions:
            self._steer(subscription)
        self._place_taps()

    def layers(self, now: float) -> tuple[LayerInfo, ...]:
        """What is sent now, the smallest first; a layer that nobody needs is not sent."""
        return tuple(
            LayerInfo(name, *stream.shown_size, stream.fps, stream.bitrate_bps)
            for name, stream in ((name, self.streams[name]) for name in self.active)
            if now - stream.last_arrival < _GONE_S
        )

    def tick(self, now: float) -> None:
        """Call every 20 ms or so: layers that fall silent or come back, and which are needed."""
        if now < self._next_judging or self.kind == "audio":
            return
        self._next_judging = now + _JUDGE_S
        if len(self.order) > 1 and self.streams:
            self._judge_layers(now)
        newest = max((stream.last_arrival for stream in self.streams.values()), default=now)
        self._is_mute = now - newest > _GONE_S
        self._judge_need(now)

    def _judge_layers(self, now: float) -> None:
        """By the newest packet of all: a publisher that says nothing at all is in trouble, not one of its layers."""
        newest = max(stream.last_arrival for stream in self.streams.values())
        names = []
        for name, stream in self.streams.items():
            if newest - stream.last_arrival > _SILENT_S or stream.last_arrival == 0.0:
                self._back_since.pop(name, None)
            elif name in self.active or now - self._back_since.setdefault(name, now) >= _BACK_S:
                self._back_since.pop(name, None)
                names.append(name)
        if self._sort() or set(names) != set(self.active):
            self._set_active(tuple(names))
        else:
            self._place_taps()  # pictures become known, larger or smaller

    def _sort(self) -> bool:
        """Put the layers in the order of their pictures: encoders name the largest first (RFC 8853, section 5.2: the
        one that is preferred), browsers as their page does. Whether it was another."""
        known = [name for name in self.active if self.streams[name].height]
        by_size = iter(sorted(known, key=lambda name: self.streams[name].width * self.streams[name].height))
        order = tuple(next(by_size) if name in known else name for name in self.order)
        if order == self.order:
            return False
        self.order = order
        return True

    # ── what is needed ──────────────────────────────────────────────────────────────────────────

    def needed_layers(self) -> frozenset[str]:
        """Of receivers all up to the largest that one is to get: those below it are what there is while it cannot be
        sent, and the least for who is short of it. Of a tap the one that fits alone, and those below it while it does
        not come."""
        order = self.order
        top = 0
        for subscription in self.subscriptions:
            selector = subscription.selector
            target = selector.target
            if target is not None:
                top = max(top, order.index(target) + 1 if target in order else len(order))
            elif selector.is_short:
                top = max(top, 1)
        needed = set(order[:top])
        for track in self._taps:
            name = self._layer_for(track, order)
            if name is not None and name not in needed:
                is_coming = name in self.active and not self._is_mute
                needed.update((name,) if is_coming else order[: order.index(name) + 1])
        return frozenset(needed)

    def _judge_need(self, now: float) -> None:
        """Tell at once what is needed, and what is not after a while: encoders start slowly, viewers page quickly."""
        needed = self.needed_layers()
        told = set(self._needed | needed)
        for name in needed:
            self._unneeded_since.pop(name, None)
        for name in told - needed:
            if now - self._unneeded_since.setdefault(name, now) >= _UNNEEDED_S:
                told.discard(name)
        if told != self._needed:
            self._needed = frozenset(told)
            if self.on_layers is not None:
                self.on_layers(self, tuple(name for name in self.order if name in told))

    def _codec_changed(self, stream: IncomingStream) -> None:
        for track in stream.taps:
            track.begin(stream)
        if self.on_codec is not None:
            self.on_codec(self)

    # ── taps ────────────────────────────────────────────────────────────────────────────────────

    def add_tap(self, track: TapTrack, now: float) -> None:
        """Hand everything to this track of a tap as well, with a keyframe soon."""
        self._taps = (*self._taps, track)
        self._next_judging = 0.0
        self._place_tap(track)
        track.request_keyframe(now)

    def drop_tap(self, tap: Tap) -> None:
        """Hand nothing to this tap any more; the others notice nothing. Idempotent."""
        for track in self._taps:
            if track.tap is tap:
                self._take_away(track)
                track.close()
        self._taps = tuple(track for track in self._taps if track.tap is not tap)

    def move_tap(self, track: TapTrack, now: float) -> None:
        """It wants pictures of another height: from the next keyframe of the layer that fits, which is asked for."""
        self._next_judging = 0.0
        if track in self._taps:
            self._place_tap(track)
            if track.pending_at is not None:
                track.pending_at.request_keyframe(now)

    def _place_taps(self) -> None:
        for track in self._taps:
            self._place_tap(track)

    def _place_tap(self, track: TapTrack) -> None:
        """Let it take, or wait for, the layer that fits. The first it takes at once: nothing is shown before."""
        name = self._layer_for(track, self.active)
        if name is None:
            return
        stream = self.streams[name]
        if track.stream is stream:
            if track.pending_at is not None:
                track.pending_at.cancel(track)
        elif track.stream is None:
            track.move(stream)
        else:
            stream.attach(track)

    def _layer_for(self, track: TapTrack, names: tuple[str, ...]) -> str | None:
        """The smallest of these layers that is as high as the tap wants; the largest where none is known to be."""
        for name in names:
            stream = self.streams.get(name)
            if track.height_px is not None and stream is not None and stream.shown_size[1] >= track.height_px:
                return name
        return names[-1] if names else None

    def _take_away(self, track: TapTrack) -> None:
        if track.pending_at is not None:
            track.pending_at.cancel(track)
        if track.stream is not None:
            track.stream.taps = tuple(one for one in track.stream.taps if one is not track)

    # ── receivers ───────────────────────────────────────────────────────────────────────────────

    def set_open(self, is_open: bool) -> None:
        """The gate for sound; pictures are not gated."""
        self._is_open = is_open
        for stream in self.streams.values():
            stream.set_open(is_open)

    def set_audible(self, is_audible: bool) -> None:
        """Whether receivers get it at all; taps do in any case."""
        if is_audible != self.is_audible:
            self.is_audible = is_audible
            for subscription in self.subscriptions:
                self._steer(subscription)

    def add(self, subscription: Subscription) -> None:
        if subscription not in self.subscriptions:
            self.subscriptions.append(subscription)
        self._steer(subscription)

    def remove(self, subscription: Subscription) -> None:
        if subscription in self.subscriptions:
            self.subscriptions.remove(subscription)
        for stream in self.streams.values():
            stream.detach(subscription)

    def retarget(
        self,
        subscription: Subscription,
        layer: str | None,
        max_temporal: int,
        now: float,
        *,
        is_short: bool = False,
    ) -> None:
        """Give this receiver another layer from its next keyframe on, which is asked for; None pauses it at once.

        Until then it gets the one that it has. Where the layer is not active it gets the best below, or the lowest;
        `layer_selector.BEST` is the best there is. Of VP8, temporal layers above `max_temporal` are left out.
        `is_short`: it is paused because nothing that comes fits, so the smallest layer is to come.
        """
        selector = subscription.selector
        selector.is_short = is_short and layer is None
        if (layer, max_temporal) == (selector.target, selector.max_temporal):
            return
        selector.target, selector.max_temporal = layer, max_temporal
        self._next_judging = 0.0
        if subscription in self.subscriptions:
            self._steer(subscription)
            if subscription.pending_at is not None and self.kind == "video" and subscription.needs_keyframe:
                subscription.pending_at.request_keyframe(now)

    def _steer(self, subscription: Subscription) -> None:
        """Let it be served by, or wait for, the layer that it is to get."""
        target = subscription.selector.target if self.is_audible else None
        name = choose(target, self.order, self.active)
        if name is None:
            if target is None:
                for stream in self.streams.values():
                    stream.detach(subscription)
            return
        stream = self.streams[name]
        if subscription in stream.members and not subscription.wants_lane():
            if subscription.pending_at is not None:
                subscription.pending_at.cancel(subscription)
        else:
            stream.attach(subscription)

    def subscription_changed(self, subscription: Subscription, was: SubscriptionState) -> None:
        if self.on_subscription is not None:
            self.on_subscription(subscription, was)

    def close(self) -> None:
        """Nobody receives it any more; idempotent."""
        for track in self._taps:
            self.drop_tap(track.tap)
        self.set_stream(None)
        self.subscriptions.clear()
