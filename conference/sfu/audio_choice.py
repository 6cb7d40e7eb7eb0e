"""Whose microphones are forwarded where many are open: the loudest, and those who are heard in any case.

A place is kept for three seconds after the last word, so that nobody is cut off in a sentence; for one after a cough.
Whoever spoke last is forwarded until another needs the place, so that his next word is there from its beginning.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

FEW: Final = 8  # open microphones that are all forwarded
PLACES: Final = 5
HOLD_S: Final = 3.0

_SHORT_HOLD_S = 1.0
_WORD_PACKETS = 10  # loud ones that make a word of a noise
_BEGIN_PACKETS = 2  # loud ones that ask for a place
_PAUSE_S = 0.5  # after which loud packets are counted anew
_LOUD = 50  # -dBov: quieter is not speech
_UNVOICED_PENALTY = 10  # dB; the sender's own voice detection said no
_SMOOTHING = 0.2


class _Voice:
    """One microphone."""

    __slots__ = ("last_loud_at", "level", "loud", "words")

    def __init__(self) -> None:
        self.level = 127.0  # smoothed over loud packets, in -dBov: 0 is the loudest
        self.loud = 0  # loud packets without a pause
        self.words = False  # whether there were enough of them, the last time
        self.last_loud_at = float("-inf")

    def held_until(self) -> float:
        return self.last_loud_at + (HOLD_S if self.words else _SHORT_HOLD_S)


class AudioChoice:
    """`observe` for every packet with a level (RFC 6464), `update` some twenty times a second."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._chosen: set[str] = set()
        self._pinned: set[str] = set()  # with those who were, and are still in a sentence

    def observe(self, participant_id: str, level: int, voice: bool, now: float) -> None:
        """A packet's level as on the wire: 0 is the loudest, 127 silence. `now` in seconds."""
        one = self._voices.get(participant_id)
        if one is None:
            one = self._voices[participant_id] = _Voice()
        if level > _LOUD or (not voice and level + _UNVOICED_PENALTY > _LOUD):
            return
        if now - one.last_loud_at > _PAUSE_S:
            one.loud = 0
            one.level = level
            one.words = one.words and now - one.last_loud_at < HOLD_S
        one.loud += 1
        one.level += _SMOOTHING * (level - one.level)
        one.words = one.words or one.loud >= _WORD_PACKETS
        one.last_loud_at = now

    def remove(self, participant_id: str) -> None:
        """The participant left."""
        self._voices.pop(participant_id, None)
        self._chosen.discard(participant_id)
        self._pinned.discard(participant_id)

    def update(self, open_ids: Collection[str], pinned: Collection[str], now: float) -> frozenset[str] | None:
        """Who is forwarded, of those whose microphone is open; None for all of them.

        `pinned` ones take no place, and neither do those who send no levels: nothing is known of them.
        """
        voices = self._voices
        finishing = (one for one in self._pinned if one in voices and voices[one].held_until() > now)
        self._pinned = {one for one in (*pinned, *finishing) if one in open_ids}
        self._chosen.intersection_update(open_ids)
        self._chosen.difference_update(self._pinned)
        asking = [
            one
            for one in open_ids
            if one not in self._chosen
            and one not in self._pinned
            and one in voices
            and voices[one].loud >= _BEGIN_PACKETS
            and now - voices[one].last_loud_at <= _PAUSE_S
        ]
        for one in sorted(asking, key=lambda asker: voices[asker].level):
            if len(self._chosen) >= PLACES:
                oldest = min(self._chosen, key=lambda holder: voices[holder].held_until())
                if voices[oldest].held_until() > now:
                    break
                self._chosen.remove(oldest)
            self._chosen.add(one)
        if len(open_ids) <= FEW:
            return None
        return frozenset(self._chosen).union(self._pinned, (one for one in open_ids if one not in voices))
