"""What the tap of the room brings: tracks that come and go, their pictures for a time, their sound in the mix.

`take` and `tick` are called in the thread that reads the tap, all else in the one that composes. Times are
microseconds of the media process' monotonic clock, which is this process' as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

from conference.rtc.sync import ClockGroup, TrackClock
from conference.sfu import tap_frames
from recording.program.compositor import Key, Picture
from recording.program.mixer import Mixer
from recording.program.pictures import Decoding, PictureTrack
from recording.program.sounds import Delay, SoundTrack

OWN: Final = "program"  # the participant that the program itself is in the room
_LEVELLED: Final = "microphone"
_LINGER_US: Final = 3_000_000  # a track that is not wanted any more is decoded for so long


class _Sender:
    """Whose clock it is: streams of one participant with one CNAME."""

    def __init__(self) -> None:
        self.group = ClockGroup()
        self.delay = Delay()


class Inputs:
    """All tracks of one connection of the tap, or of none."""

    def __init__(self, mixer: Mixer, decoding: Decoding, ask_keyframe: Callable[[int], None]) -> None:
        """`ask_keyframe` is called with the number of a track, in the reading thread."""
        self._mixer = mixer
        self._decoding = decoding
        self._ask_keyframe = ask_keyframe
        self._lock = threading.Lock()
        self._pictures: dict[int, PictureTrack] = {}
        self._sounds: dict[int, SoundTrack] = {}
        self._senders: dict[tuple[str, str], _Sender] = {}
        self._sender_of: dict[int, tuple[str, str]] = {}
        self._wanted: Mapping[Key, int] = {}  # until when, in µs
        self.clock: tuple[int, int] | None = None  # the last Clock frame

    # ── the thread that reads ───────────────────────────────────────────────────────────────────

    def take(self, frame: tap_frames.Frame) -> None:
        """One frame, in order."""
        if isinstance(frame, tap_frames.Packet):
            self._packet(frame)
            return
        match frame:
            case tap_frames.Clock(monotonic_us, program_time_ms):
                self.clock = (monotonic_us, program_time_ms)
            case tap_frames.Open():
                self._open(frame)
            case tap_frames.Report():
                track = self._pictures.get(frame.track) or self._sounds.get(frame.track)
                if track is not None:
                    track.report(frame)
            case tap_frames.Gap(number, packets):
                track = self._pictures.get(number) or self._sounds.get(number)
                if track is not None and packets:
                    track.gap()
            case tap_frames.Gate(number, is_open):
                if number in self._sounds:
                    self._sounds[number].gate(is_open=is_open)
            case tap_frames.Close(number):
                self._close(number)

    def tick(self, now_us: int) -> None:
        """Call a few times a second: what waited long enough for a late packet goes on without it."""
        now = now_us / 1e6
        for picture in self._pictures.values():
            picture.pop(now)
        for sound in self._sounds.values():
            sound.pop(now, self._mixer.mixed_to_us)

    def close(self) -> None:
        """The tap has ended: nothing is seen or heard any more."""
        for number in (*self._pictures, *self._sounds):
            self._close(number)

    def _packet(self, frame: tap_frames.Packet) -> None:
        sound = self._sounds.get(frame.track)
        if sound is not None:
            sound.packet(frame, self._mixer.mixed_to_us)
            return
        picture = self._pictures.get(frame.track)
        if picture is not None:
            is_wanted = self._wanted.get(picture.key, 0) > frame.arrival_us
            picture.packet(frame, is_wanted=is_wanted and self._shown(picture.key) is picture)

    def _open(self, opened: tap_frames.Open) -> None:
        number, sender = opened.track, (opened.participant_id, opened.cname)
        kept = self._senders.get(sender) or _Sender()  # before the old stream, perhaps its last, is let go
        self._close(number)
        if opened.participant_id == OWN:
            return
        try:
            clock = TrackClock(opened.clock_rate, kept.group)
            if opened.kind == "video":
                track = PictureTrack(
                    opened, clock, kept.delay, self._decoding, lambda: self._ask_keyframe(number)
                )
                with self._lock:
                    self._pictures[number] = track
            elif opened.codec == "opus":
                voice = self._mixer.voice(
                    number, opened.participant_id, is_levelled=opened.source == _LEVELLED
                )
                self._sounds[number] = SoundTrack(clock, kept.delay, voice)
            else:
                return
        except ValueError:
            return
        self._senders[sender] = kept
        self._sender_of[number] = sender

    def _close(self, number: int) -> None:
        with self._lock:
            self._pictures.pop(number, None)
        if self._sounds.pop(number, None) is not None:
            self._mixer.remove(number)
        sender = self._sender_of.pop(number, None)
        if sender is not None and sender not in self._sender_of.values():
            self._senders.pop(sender, None)

    # ── the thread that composes ────────────────────────────────────────────────────────────────

    def available(self) -> set[Key]:
        """The tracks of pictures that are open."""
        with self._lock:
            return {each.key for each in self._pictures.values()}

    def want(self, keys: Collection[Key], now_us: int) -> None:
        """These are to be decoded; those that were until now for a little longer."""
        until = {key: end for key, end in self._wanted.items() if end > now_us}
        until.update(dict.fromkeys(keys, now_us + _LINGER_US))
        for key in self._wanted.keys() - until.keys():
            track = self._shown(key)
            if track is not None:
                track.forget()
        self._wanted = until

    def pictures(self, keys: Collection[Key], at_us: int) -> dict[Key, Picture | None]:
        """The newest picture of each at this time; None where there is none, or none any more."""
        found: dict[Key, Picture | None] = {}
        for key in keys:
            track = self._shown(key)
            found[key] = track.picture_at(at_us) if track is not None else None
        return found

    def _shown(self, key: Key) -> PictureTrack | None:
        """The newest of those with this key."""
        with self._lock:
            return next((each for each in reversed(self._pictures.values()) if each.key == key), None)
