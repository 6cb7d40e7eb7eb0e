"""Who speaks now, from the audio levels that clients put on their packets (RFC 6464).

A cough or a keystroke is shorter than speech: a participant must be loud in a good part of one update interval to
begin. Pauses between words are shorter than `SILENCE_S`. The loudest stays first until another is clearly louder
twice in a row, so that a large picture does not jump between two people.
"""

from __future__ import annotations

MAX_SPEAKERS = 5
SILENCE_S = 1.2

_LOUD = 50  # -dBov: quieter than this is not speech
_UNVOICED_PENALTY = 10  # dB; the sender's own voice detection said no
_BEGIN_SHARE = 0.3  # of an interval's packets that must be loud
_BEGIN_PACKETS = 2
_SMOOTHING = 0.4
_LEAD_DB = 6.0
_LEAD_UPDATES = 2
_FORGET_S = 30.0
_MAX_PARTICIPANTS = 2000


class _Voice:
    """One participant since the last update, and over time."""

    __slots__ = ("last_loud_at", "last_packet_at", "level", "loud", "packets", "speaking", "total")

    def __init__(self) -> None:
        self.packets = 0
        self.loud = 0  # packets of this interval that were loud
        self.total = 0  # sum of their levels
        self.level = 127.0  # smoothed, in -dBov: 0 is the loudest
        self.speaking = False
        self.last_loud_at = 0.0
        self.last_packet_at = 0.0


class ActiveSpeakerDetector:
    """`observe` for every audio packet, `update` every 200 to 300 ms."""

    __slots__ = ("_challenger", "_challenges", "_leader", "_published", "_voices")

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._published: tuple[str, ...] = ()
        self._leader: str | None = None
        self._challenger: str | None = None
        self._challenges = 0

    def observe(self, participant_id: str, level: int, voice: bool, now: float) -> None:
        """A packet's level as on the wire: 0 is the loudest, 127 silence. `now` in seconds."""
        one = self._voices.get(participant_id)
        if one is None:
            if len(self._voices) >= _MAX_PARTICIPANTS:
                return
            one = self._voices[participant_id] = _Voice()
        one.packets += 1
        one.last_packet_at = now
        if level <= _LOUD:
            if not voice:
                level += _UNVOICED_PENALTY
                if level > _LOUD:
                    return
            one.loud += 1
            one.total += level

    def remove(self, participant_id: str) -> None:
        """The participant left or was muted; the next update tells."""
        self._voices.pop(participant_id, None)

    def update(self, now: float) -> tuple[tuple[str, int], ...] | None:
        """Up to five speakers, loudest first, as (id, level in dBov: -127 to 0). None when they are the same."""
        speaking: dict[str, float] = {}
        forgotten: list[str] = []
        for participant_id, one in self._voices.items():
            self._advance(one, now)
            if one.speaking:
                speaking[participant_id] = one.level
            elif now - one.last_packet_at > _FORGET_S:
                forgotten.append(participant_id)
        for participant_id in forgotten:
            del self._voices[participant_id]
        self._choose_leader(speaking)
        leader = self._leader
        order = sorted(speaking, key=lambda one: (one != leader, speaking[one]))
        listed = self._keep_listed(order)
        same = len(listed) == len(self._published) and set(listed) == set(self._published)
        if same and listed[:1] == self._published[:1]:
            return None
        self._published = listed
        return tuple((one, -round(speaking[one])) for one in listed)

    def _advance(self, one: _Voice, now: float) -> None:
        loud, packets = one.loud, one.packets
        enough = loud >= _BEGIN_PACKETS and loud >= _BEGIN_SHARE * packets
        if enough or (one.speaking and loud):
            level = one.total / loud
            one.level = one.level + _SMOOTHING * (level - one.level) if one.speaking else level
            one.last_loud_at = now
            one.speaking = True
        elif one.speaking and now - one.last_loud_at >= SILENCE_S:
            one.speaking = False
        one.packets = one.loud = one.total = 0

    def _choose_leader(self, speaking: dict[str, float]) -> None:
        loudest = min(speaking, key=speaking.__getitem__, default=None)
        leader = self._leader
        if leader not in speaking or loudest is None:
            self._leader = loudest
            self._challenger = None
        elif loudest != leader and speaking[loudest] <= speaking[leader] - _LEAD_DB:
            self._challenges = self._challenges + 1 if loudest == self._challenger else 1
            self._challenger = loudest
            if self._challenges >= _LEAD_UPDATES:
                self._leader = loudest
                self._challenger = None
        else:
            self._challenger = None

    def _keep_listed(self, order: list[str]) -> tuple[str, ...]:
        """The first five; of those who were listed, one is replaced only when he stops speaking."""
        if len(order) <= MAX_SPEAKERS:
            return tuple(order)
        staying = [one for one in self._published if one in order]
        room = MAX_SPEAKERS - len(staying)
        chosen = set(staying) | set([one for one in order if one not in staying][: max(room, 0)])
        if self._leader is not None and self._leader not in chosen:
            chosen.discard(next(one for one in reversed(order) if one in chosen))
            chosen.add(self._leader)
        return tuple(one for one in order if one in chosen)
