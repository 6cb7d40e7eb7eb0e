"""What the tap of the room brings: tracks that come and go, their pictures for a time, their sound in the mix.

`take` and `tick` are called in the thread that reads the tap, all else in the one that composes. Times are
microseconds of the media process' monotonic clock, which is this process' as well.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

from conference.rtc.sync import ClockGroup, TrackClock
from conference.sfu import tap_frames
from recording.program.compositor import Key, Picture, Size
from recording.program.mixer import Mixer
from recording.program.pictures import Decoding, PictureTrack
from recording.program.sounds import Delay, SoundTrack

OWN: Final = "program"  # the participant that the program itself is in the room
_LEVELLED: Final = "microphone"
_SCREEN: Final = "screen"
_LINGER_US: Final = 3_000_000  # a track that is not wanted any more is decoded for so long
_SHRINK_US: Final = 5_000_000  # before smaller pictures are asked for: who speaks changes often
_ENOUGH: Final = 0.75  # of the height that is drawn: a picture may be stretched by a third
_BEST, _LEAST = 0, 1  # heights to ask for


def height_for(size: Size) -> int:
    """How high the pictures of a camera must be for a tile, which they fill."""
    width, height = size
    return math.ceil(_ENOUGH * max(height, width * 9 / 16))


class _Sender:
    """Whose clock it is: streams of one participant with one CNAME."""

    def __init__(self) -> None:
        self.group = ClockGroup()
        self.delay = Delay()


class Inputs:
    """All tracks of one connection of the tap, or of none."""

    def __init__(
        self,
        mixer: Mixer,
        decoding: Decoding,
        ask_keyframe: Callable[[int], None],
        ask_height: Callable[[int, int], bool],
    ) -> None:
        """Both are called in the reading thread with the number of a track; `ask_height` with how high its pictures
        need to be, 0 for the best there is, and says whether it was asked."""
        self._mixer = mixer
        self._decoding = decoding
        self._ask_keyframe = ask_keyframe
        self._ask_height = ask_height
        self._lock = threading.Lock()
        self._pictures: dict[int, PictureTrack] = {}
        self._sounds: dict[int, SoundTrack] = {}
        self._senders: dict[tuple[str, str], _Sender] = {}
        self._sender_of: dict[int, tuple[str, str]] = {}
        self._wanted: Mapping[Key, tuple[int, int]] = {}  # until when, in µs, and how high
        self._main: frozenset[str] = frozenset()  # publications, of those who send several cameras
        self._showing: dict[Key, PictureTrack] = {}  # whose picture was given last
        self._asked: dict[int, int] = {}  # the height last asked for, by track
        self._smaller_since_us: dict[int, int] = {}
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
                self._asked.pop(number, None)
                self._smaller_since_us.pop(number, None)

    def tick(self, now_us: int) -> None:
        """Call a few times a second: what waited long enough for a late packet goes on without it."""
        now = now_us / 1e6
        for number, picture in self._pictures.items():
            picture.pop(now)
            self._fit(number, picture, now_us)
        for sound in self._sounds.values():
            sound.pop(now, self._mixer.mixed_to_us)

    def _fit(self, number: int, picture: PictureTrack, now_us: int) -> None:
        """Ask for pictures of the size in which they are drawn: larger ones at once, smaller ones after a while.

        Of those that are not drawn there are to be as few bytes as can be.
        """
        until_us, height_px = self._wanted.get(picture.key, (0, _LEAST))
        if until_us <= now_us or self._shown(picture.key) is not picture:
            height_px = _LEAST
        asked_px = self._asked.get(number, _BEST)
        if height_px == asked_px:
            self._smaller_since_us.pop(number, None)
            return
        if asked_px == _BEST or _BEST < height_px < asked_px:
            since_us = self._smaller_since_us.setdefault(number, now_us)
            if now_us - since_us < _SHRINK_US:
                return
        if self._ask_height(number, height_px):
            self._asked[number] = height_px
            self._smaller_since_us.pop(number, None)

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
            is_wanted = self._wanted.get(picture.key, (0, 0))[0] > frame.arrival_us
            picture.packet(frame, is_wanted=is_wanted and self._shown(picture.key) is picture)

    def _open(self, opened: tap_frames.Open) -> None:
        number, sender = opened.track, (opened.participant_id, opened.cname)
        kept = self._senders.get(sender) or _Sender()  # before the old stream, perhaps its last, is let go
        try:
            if opened.participant_id == OWN:
                raise ValueError("the program is not shown in itself")
            clock = TrackClock(opened.clock_rate, kept.group)
            if opened.kind == "video":
                before = self._pictures.get(number)
                track = PictureTrack(
                    opened, clock, kept.delay, self._decoding, lambda: self._ask_keyframe(number), before
                )
                self._let_go(number)
                with self._lock:
                    self._pictures[number] = track  # in the place of the one before: it is never away
            elif opened.codec == "opus":
                self._close(number)
                voice = self._mixer.voice(
                    number, opened.participant_id, is_levelled=opened.source == _LEVELLED
                )
                self._sounds[number] = SoundTrack(clock, kept.delay, voice)
            else:
                raise ValueError(f"no such codec: {opened.codec}")
        except ValueError:
            self._close(number)
            return
        self._senders[sender] = kept
        self._sender_of[number] = sender

    def _close(self, number: int) -> None:
        with self._lock:
            self._pictures.pop(number, None)
        self._let_go(number)

    def _let_go(self, number: int) -> None:
        """Its sound and its clock."""
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

    def want(self, sizes: Mapping[Key, Size | None], now_us: int) -> None:
        """These are to be decoded, drawn in these sizes or soon in one that is not known yet; those that were until now
        for a little longer."""
        wanted = {key: (end, px) for key, (end, px) in self._wanted.items() if end > now_us}
        for key, size in sizes.items():
            # A screen is read: it is never made coarser than it comes.
            height_px = _BEST if size is None or key[1] == _SCREEN else height_for(size)
            wanted[key] = now_us + _LINGER_US, height_px
        for key in self._wanted.keys() - wanted.keys():
            track = self._shown(key)
            if track is not None:
                track.forget()
        self._wanted = wanted

    def prefer(self, main: frozenset[str]) -> None:
        """Publications: of people with several cameras these are shown."""
        self._main = main

    def pictures(self, keys: Collection[Key], at_us: int) -> dict[Key, Picture | None]:
        """The newest picture of each at this time; None where there is none, or none any more."""
        found: dict[Key, Picture | None] = {}
        for key in keys:
            track = self._shown(key)
            found[key] = track.picture_at(at_us) if track is not None else None
            before = self._showing.get(key)
            if track is None:
                self._showing.pop(key, None)
            elif found[key] is not None:
                self._showing[key] = track
            elif before is not None and before is not track:
                # Another camera was chosen: the last picture of the one before bridges the time to its keyframe.
                found[key] = before.picture_at(at_us)
        return found

    def _shown(self, key: Key) -> PictureTrack | None:
        """The main one of those with this key, else the newest."""
        with self._lock:
            fitting = [each for each in reversed(self._pictures.values()) if each.key == key]
        main = self._main
        return next(
            (each for each in fitting if each.publication_id in main), fitting[0] if fitting else None
        )
