"""Verdicts about venues: the gravest trouble counts, worse at once, better after a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.diagnosis import Finding, Found, Grade
from conference.model.media_report import Path
from conference.model.venue_health import (
    STEPS,
    Steady,
    VenueJudgement,
    VenueReason,
    VenueSigns,
    VenueVerdict,
    judge,
    need_of,
)
from conference.model.venue_trail import KEPT_EVENTS, KEPT_MINUTES, MINUTE_MS, Sample, VenueTrail

HERE = VenueSigns(is_live=True, was_here=True, operators=1, failed_items=0)
LOSS = Found(Finding.UPLINK_LOSS, Grade.WARN, 0.06)
BROKEN = Found(Finding.UPLINK_LOSS, Grade.BAD, 0.14)
FAR = Found(Finding.FAR, Grade.WARN, 500)
TCP = Found(Finding.OVER_TCP, Grade.NOTE)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({}, "ok", "well"),
        ({"found": (TCP,)}, "ok", "well"),
        ({"operators": 0, "was_here": False}, "absent", "not_here"),
        ({"operators": 0}, "absent", "gone"),
        ({"operators": 0, "away_s": 4.0}, "act", "away"),
        ({"operators": 0, "equipment": 1, "away_s": 4.0}, "look", "operator_away"),
        ({"operators": 0, "equipment": 1}, "look", "no_operator"),
        ({"found": (LOSS,)}, "look", "uplink_loss"),
        ({"found": (FAR, LOSS)}, "look", "uplink_loss"),
        ({"found": (FAR, BROKEN)}, "act", "uplink_broken"),
        ({"found": (Found(Finding.NO_MEDIA, Grade.BAD),)}, "act", "no_media"),
        ({"found": (Found(Finding.MEDIA_LOST, Grade.BAD),)}, "act", "media_lost"),
        ({"found": (Found(Finding.SOUND_ONLY, Grade.BAD, 90_000),)}, "look", "sound_only"),
        ({"found": (Found(Finding.MICROPHONE_SILENT, Grade.WARN),)}, "look", "microphone_silent"),
        ({"found": (Found(Finding.BROKEN_SOUND, Grade.WARN, 0.03),)}, "look", "sound_breaks"),
        ({"found": (Found(Finding.BROKEN_SOUND, Grade.BAD, 0.2),)}, "act", "sound_breaks"),
        ({"cameras": 2, "cameras_down": 1}, "look", "camera_down"),
        ({"cameras": 1, "cameras_down": 1}, "look", "camera_down"),
        ({"cameras": 1, "cameras_down": 1, "operators": 0, "equipment": 1}, "act", "cameras_down"),
        ({"failed_items": 1}, "ok", "well"),
        ({"failed_items": 1, "is_live": False}, "look", "precheck_failed"),
        ({"failed_items": None, "is_live": False}, "look", "not_checked"),
        ({"failed_items": None, "is_live": False, "needs_precheck": False}, "ok", "well"),
        ({"failed_items": None, "is_live": False, "found": (LOSS,)}, "look", "uplink_loss"),
    ],
)
def test_the_gravest_reason_counts(changes: dict[str, object], verdict: str, reason: str) -> None:
    judged = judge(replace(HERE, **changes))  # type: ignore[arg-type]
    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_what_the_reason_is_about() -> None:
    assert judge(replace(HERE, found=(LOSS, replace(LOSS, value=0.08)))).value == 0.08
    assert judge(replace(HERE, operators=0, away_s=7.5)).value == 7.5
    assert judge(replace(HERE, cameras=3, cameras_down=2)).count == 2


def test_every_trouble_has_steps() -> None:
    assert set(STEPS) == set(VenueReason)
    assert [reason for reason in VenueReason if not STEPS[reason]] == [VenueReason.WELL]
    assert all(len(steps) <= 3 for steps in STEPS.values())


def test_who_is_missing_counts_while_the_meeting_runs() -> None:
    def order(is_live: bool) -> list[VenueVerdict]:
        return sorted(VenueVerdict, key=lambda each: -need_of(each, is_live=is_live))

    assert order(True) == [VenueVerdict.ACT, VenueVerdict.ABSENT, VenueVerdict.LOOK, VenueVerdict.OK]
    assert need_of(VenueVerdict.ABSENT, is_live=False) == need_of(VenueVerdict.OK, is_live=False) == 0


class TestSteady:
    WELL = VenueJudgement(VenueVerdict.OK, VenueReason.WELL)
    WEAK = VenueJudgement(VenueVerdict.LOOK, VenueReason.UPLINK_LOSS, 0.06)
    AWAY = VenueJudgement(VenueVerdict.ACT, VenueReason.AWAY, 1.0)
    GONE = VenueJudgement(VenueVerdict.ABSENT, VenueReason.GONE)

    def test_worse_counts_at_once_and_better_after_a_while(self) -> None:
        steady = Steady()
        assert steady.take(self.WELL, 0) is self.WELL
        assert steady.take(self.WEAK, 1) is self.WEAK
        assert (steady.take(self.WELL, 2), steady.since_s) == (self.WEAK, 1)
        assert steady.take(self.WELL, 11) is self.WEAK
        assert (steady.take(self.WELL, 12), steady.since_s) == (self.WELL, 12)

    def test_a_relapse_begins_the_while_anew(self) -> None:
        steady = Steady()
        steady.take(self.WEAK, 0)
        steady.take(self.WELL, 5)
        worse = replace(self.WEAK, value=0.09)
        assert (steady.take(worse, 9), steady.since_s) == (worse, 0)
        assert steady.take(self.WELL, 16) is worse
        assert steady.take(self.WELL, 26) is self.WELL

    def test_coming_and_going_is_shown_as_it_is(self) -> None:
        steady = Steady()
        for second, each in enumerate((self.WELL, self.AWAY, self.GONE, self.WELL)):
            assert steady.take(each, second) is each


class TestTrail:
    def test_a_minute_is_the_mean_of_its_samples_and_a_gap_stays_one(self) -> None:
        trail = VenueTrail()
        trail.take(0, Sample(1000, 0.0, 40))
        trail.take(30_000, Sample(2000, 0.1, None))
        trail.take(3 * MINUTE_MS, Sample(500, 0.5, None))
        first, last = trail.minutes()
        assert (first.at_ms, first.uplink_bps, first.loss, first.worst_loss, first.rtt_ms) == (
            0,
            1500,
            0.05,
            0.1,
            40,
        )
        assert (last.at_ms, last.uplink_bps, last.rtt_ms) == (3 * MINUTE_MS, 500, None)
        assert trail.minutes(1) == (last,)

    def test_it_is_bounded(self) -> None:
        trail = VenueTrail()
        for n in range(KEPT_MINUTES + 50):
            trail.take(n * MINUTE_MS, Sample(n, 0.0, None))
            trail.judged(n * MINUTE_MS, VenueVerdict.LOOK if n % 2 else VenueVerdict.OK, VenueReason.WELL)
        minutes = trail.minutes()
        assert (len(minutes), minutes[-1].uplink_bps) == (KEPT_MINUTES, KEPT_MINUTES + 49)
        assert len(trail.events()) == KEPT_EVENTS

    def test_events_are_changes_alone(self) -> None:
        trail = VenueTrail()
        trail.took_way(0, Path.NONE)
        trail.took_way(1, Path.UDP)
        trail.judged(1, VenueVerdict.OK, VenueReason.WELL)
        trail.took_way(2, Path.UDP)
        trail.took_way(3, Path.NONE)
        assert trail.events() == ()
        trail.took_way(4, Path.HTTPS_PORT)
        trail.judged(5, VenueVerdict.LOOK, VenueReason.FAR)
        trail.judged(6, VenueVerdict.LOOK, VenueReason.FAR)
        assert [(each.at_ms, each.path, each.reason) for each in trail.events()] == [
            (4, Path.HTTPS_PORT, None),
            (5, None, VenueReason.FAR),
        ]
