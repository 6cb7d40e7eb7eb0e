"""A track in the room: where it comes from, its stream of the moment, and who receives it.

It outlives its stream: a publisher that reconnects brings a new stream, and the receivers keep their slots.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .stream import IncomingStream

if TYPE_CHECKING:
    from .subscription import Subscription, SubscriptionState
    from .tap import Tap, TapTrack


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
        self.stream: IncomingStream | None = None
        self.subscriptions: list[Subscription] = []
        self.on_codec: Callable[[Publication], None] | None = None
        self.on_subscription: Callable[[Subscription, SubscriptionState], None] | None = None
        self._is_open = is_open
        self._taps: tuple[TapTrack, ...] = ()

    @property
    def codec(self) -> str:
        """Encoding name of the last packet, empty before the first."""
        if self.stream is None or self.stream.codec is None:
            return ""
        return self.stream.codec.name

    def set_stream(self, stream: IncomingStream | None) -> None:
        """Let the receivers go on with another stream, from its first keyframe."""
        if self.stream is not None:
            self.stream.close()
        self.stream = stream
        if stream is None:
            return
        stream.set_open(self._is_open)
        stream.taps = self._taps
        stream.on_codec = lambda _codec: self._codec_changed(stream)
        for subscription in self.subscriptions:
            stream.attach(subscription)

    def _codec_changed(self, stream: IncomingStream) -> None:
        for track in self._taps:
            track.begin(stream)
        if self.on_codec is not None:
            self.on_codec(self)

    def add_tap(self, track: TapTrack, now: float) -> None:
        """Hand everything to this track of a tap as well, with a keyframe soon."""
        self._taps = (*self._taps, track)
        if self.stream is not None:
            track.begin(self.stream)
            self.stream.taps = self._taps
            track.request_keyframe(now)

    def drop_tap(self, tap: Tap) -> None:
        """Hand nothing to this tap any more; the others notice nothing. Idempotent."""
        for track in self._taps:
            if track.tap is tap:
                track.close()
        self._taps = tuple(track for track in self._taps if track.tap is not tap)
        if self.stream is not None:
            self.stream.taps = self._taps

    def set_open(self, is_open: bool) -> None:
        """The gate for sound; pictures are not gated."""
        self._is_open = is_open
        if self.stream is not None:
            self.stream.set_open(is_open)

    def add(self, subscription: Subscription) -> None:
        if subscription not in self.subscriptions:
            self.subscriptions.append(subscription)
        if self.stream is not None:
            self.stream.attach(subscription)

    def remove(self, subscription: Subscription) -> None:
        if subscription in self.subscriptions:
            self.subscriptions.remove(subscription)
        if self.stream is not None:
            self.stream.detach(subscription)

    def subscription_changed(self, subscription: Subscription, was: SubscriptionState) -> None:
        if self.on_subscription is not None:
            self.on_subscription(subscription, was)

    def close(self) -> None:
        """Nobody receives it any more; idempotent."""
        for track in self._taps:
            self.drop_tap(track.tap)
        self.set_stream(None)
        self.subscriptions.clear()
