"""Who speaks: scripted levels, 50 packets a second, an update every 250 ms."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.sfu.active_speaker import ActiveSpeakerDetector

STEP_S = 0.25


class Meeting:
    """Plays levels into a detector and keeps what it last published."""

    def __init__(self) -> None:
        self.detector = ActiveSpeakerDetector()
        self.now = 0.0
        self.speakers: tuple[tuple[str, int], ...] = ()
        self.changes = 0

    def play(self, seconds: float, levels: Mapping[str, int], voice: bool = True) -> None:
        for _ in range(round(seconds / STEP_S)):
            for packet in range(round(STEP_S / 0.02)):
                for participant_id, level in levels.items():
                    self.detector.observe(participant_id, level, voice, self.now + packet * 0.02)
            self.now += STEP_S
            update = self.detector.update(self.now)
            if update is not None:
                self.speakers = update
                self.changes += 1

    @property
    def names(self) -> list[str]:
        return [participant_id for participant_id, _ in self.speakers]


def test_speech_is_seen_at_the_next_update_and_silence_after_a_pause() -> None:
    meeting = Meeting()
    meeting.play(2.0, {"a": 127, "b": 127})
    assert meeting.changes == 0
    meeting.play(STEP_S, {"a": 30, "b": 127})
    assert meeting.speakers == (("a", -30),)
    meeting.play(1.0, {"a": 127, "b": 127})
    assert meeting.names == ["a"]
    meeting.play(0.5, {"a": 127, "b": 127})
    assert meeting.names == []
    assert meeting.changes == 2


def test_pauses_between_words_do_not_flicker() -> None:
    meeting = Meeting()
    for _ in range(10):
        meeting.play(0.5, {"a": 28})
        meeting.play(1.0, {"a": 90})
    assert meeting.changes == 1


def test_noise_is_not_speech() -> None:
    meeting = Meeting()
    meeting.play(3.0, {"fan": 60})
    meeting.play(3.0, {"keyboard": 45}, voice=False)
    assert meeting.changes == 0
    meeting.play(1.0, {"unvoiced but loud": 25}, voice=False)
    assert meeting.speakers == (("unvoiced but loud", -35),)


def test_a_click_is_too_short() -> None:
    detector = ActiveSpeakerDetector()
    for packet in range(12):
        detector.observe("a", 5 if packet in (3, 4, 5) else 127, True, packet * 0.02)
    assert detector.update(0.25) is None


def test_the_loudest_is_first_and_stays_until_clearly_beaten() -> None:
    meeting = Meeting()
    meeting.play(1.0, {"a": 30, "b": 40})
    assert meeting.names == ["a", "b"]
    meeting.play(3.0, {"a": 30, "b": 27})
    assert meeting.names == ["a", "b"]
    meeting.play(2.0, {"a": 40, "b": 20})
    assert meeting.names == ["b", "a"]


def test_the_second_leads_when_the_first_falls_silent() -> None:
    meeting = Meeting()
    meeting.play(1.0, {"a": 20, "b": 40})
    meeting.play(1.5, {"a": 127, "b": 40})
    assert meeting.names == ["b"]


def test_five_at_most_and_no_jumping_among_more() -> None:
    meeting = Meeting()
    meeting.play(1.0, dict.fromkeys("abcde", 30))
    changes = meeting.changes
    meeting.play(2.0, dict.fromkeys("abcdefgh", 30))
    assert sorted(meeting.names) == list("abcde")
    assert meeting.changes == changes
    meeting.play(3.0, {**dict.fromkeys("abcdefg", 30), "h": 10})
    assert meeting.names[0] == "h"
    assert len(meeting.names) == 5


def test_who_is_removed_is_gone_at_once() -> None:
    meeting = Meeting()
    meeting.play(1.0, {"a": 20, "b": 40})
    meeting.detector.remove("a")
    meeting.detector.remove("nobody")
    meeting.play(STEP_S, {"b": 40})
    assert meeting.names == ["b"]


def test_no_packets_is_silence_and_is_forgotten() -> None:
    meeting = Meeting()
    meeting.play(1.0, {"a": 20})
    meeting.play(1.5, {})
    assert meeting.names == []
    meeting.play(40.0, {})
    assert not meeting.detector._voices


def test_long_packets_are_enough() -> None:
    detector = ActiveSpeakerDetector()
    for packet in range(4):  # 60 ms each
        detector.observe("a", 30 if packet < 2 else 127, True, packet * 0.06)
    assert detector.update(0.25) == (("a", -30),)


def test_memory_is_bounded() -> None:
    detector = ActiveSpeakerDetector()
    for index in range(10_000):
        detector.observe(f"p{index}", 30, True, 0.0)
    assert len(detector._voices) == 2000


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 127), st.booleans()), max_size=60),
        max_size=20,
    )
)
def test_any_levels_give_an_ordered_short_list(rounds: list[list[tuple[str, int, bool]]]) -> None:
    detector = ActiveSpeakerDetector()
    published: tuple[tuple[str, int], ...] = ()
    for index, packets in enumerate(rounds):
        now = index * STEP_S
        for name, level, voice in packets:
            detector.observe(name, level, voice, now)
        update = detector.update(now + STEP_S)
        if update is not None:
            assert [one for one, _ in update] != [one for one, _ in published]
            published = update
        names = [one for one, _ in published]
        assert len(set(names)) == len(names) <= 5
        assert all(-127 <= level <= 0 for _, level in published)
