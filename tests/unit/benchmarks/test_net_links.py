"""How figures of the matrix of links come about: from pictures and samples that are made up here."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from benchmarks.net_links.__main__ import parse
from benchmarks.net_links.measure import (
    Span,
    adapted_after_s,
    concealed,
    longest_silence_s,
    quality,
    risen_after_s,
)
from benchmarks.net_links.meeting import candidates_by_way_of, first_port, without_candidates
from benchmarks.net_links.report import table
from benchmarks.net_links.rows import WIDE, rows
from benchmarks.net_links.run import Load, Outcome, load_of
from benchmarks.net_links.watch import Notes, Picture, Sample
from tests.support.link import Counts, Link, LinkReport

FPS = 15
EVERY_S = 0.1
END_S = 20.0


def pictures(*spans: tuple[float, float, int]) -> tuple[Picture, ...]:
    """(since, until, height): moving at FPS."""
    shown: list[Picture] = []
    for since, until, height in spans:
        count = round((until - since) * FPS)
        shown += [
            Picture(since + at / FPS, round((since + at / FPS) * 90_000), height) for at in range(count)
        ]
    return tuple(shown)


def sound(
    *, bad: tuple[float, float] = (0, 0), gone: tuple[float, float] = (0, 0), end_s: float = END_S
) -> tuple[Sample, ...]:
    """Samples of good sound; made up and silent in `bad`, without a connection in `gone`, with another behind it."""
    samples: list[Sample] = []
    made_up = played = energy = 0.0
    peer = 0
    for number in itertools.count():
        at_s = number * EVERY_S
        if at_s > end_s:
            return tuple(samples)
        if gone[0] <= at_s < gone[1]:
            samples.append(Sample(at_s, -1, {}, {}))
            peer, made_up, played, energy = 1, 0.0, 0.0, 0.0
            continue
        played += 4800
        if bad[0] < at_s <= bad[1]:
            made_up += 4800
        else:
            energy += 0.01
        audio = {"totalSamplesReceived": played, "concealedSamples": made_up, "totalAudioEnergy": energy}
        audio |= {"jitterBufferDelay": played * 0.08, "jitterBufferEmittedCount": played}
        samples.append(Sample(at_s, peer, audio, {"totalFreezesDuration": 0.0}))
    raise AssertionError


def test_a_good_link_has_nothing_to_tell() -> None:
    seen = quality(Notes(pictures((0, END_S, 720)), sound()), Span(2, 18))
    assert seen.concealed == 0
    assert seen.silence_s == 0
    assert seen.frozen == 0
    assert seen.fps == pytest.approx(FPS, abs=0.2)
    assert (seen.height, seen.least_height) == (720, 720)
    assert seen.sound_wait_ms == pytest.approx(80)


def test_a_freeze_counts_whole_and_also_when_it_does_not_end() -> None:
    span = Span(0, 20)
    passing = quality(Notes(pictures((0, 8, 720), (12, 20, 720)), sound()), span)
    assert passing.frozen == pytest.approx(4 / 20, abs=0.01)
    assert passing.longest_freeze_s == pytest.approx(4, abs=0.1)
    lasting = quality(Notes(pictures((0, 8, 720)), sound()), span)
    assert lasting.frozen == pytest.approx(12 / 20, abs=0.01)
    assert quality(Notes((), sound()), span).frozen == 1


def test_a_freeze_that_is_under_way_at_the_beginning_counts_from_there() -> None:
    seen = quality(Notes(pictures((0, 2, 720), (12, 20, 720)), sound()), Span(10, 20))
    assert 2 / 10 <= seen.frozen <= 0.26


def test_two_elements_that_show_one_picture_count_once() -> None:
    raw = {"pictures": [[1.0, 90_000, 720], [1.001, 90_000, 720], [1.1, 99_000, 720]], "samples": []}
    assert len(Notes.read(raw).pictures) == 2


def test_sound_that_is_made_up_and_sound_that_is_not_there_count_alike() -> None:
    span = Span(0, 20)
    shown = pictures((0, 20, 720))
    assert concealed(Notes(shown, sound(bad=(5, 10))), span) == pytest.approx(0.25, abs=0.01)
    assert longest_silence_s(Notes(shown, sound(bad=(5, 10))), span) == pytest.approx(5, abs=0.11)
    assert concealed(Notes(shown, sound(gone=(5, 10))), span) == pytest.approx(0.25, abs=0.02)
    assert longest_silence_s(Notes(shown, sound(gone=(5, 10))), span) == pytest.approx(5, abs=0.21)


def test_adapted_is_when_sound_and_picture_stay_good() -> None:
    freezes = pictures((0, 5, 720), (7, 8, 180), (9, 20, 180))
    assert adapted_after_s(Notes(freezes, sound()), Span(5, 20)) == pytest.approx(4, abs=0.3)
    assert adapted_after_s(Notes(pictures((0, 20, 720)), sound(bad=(5, 8))), Span(5, 20)) == pytest.approx(
        3, abs=0.3
    )
    assert adapted_after_s(Notes(pictures((0, 20, 720)), sound()), Span(5, 20)) == 0
    assert adapted_after_s(Notes(pictures((0, 5, 720)), sound()), Span(5, 20)) is None


def test_risen_is_when_the_former_height_moves() -> None:
    notes = Notes(pictures((0, 10, 180), (10, 14, 360), (14, 20, 720)), sound())
    assert risen_after_s(notes, Span(8, 20), 720) == pytest.approx(6, abs=0.2)
    assert risen_after_s(notes, Span(8, 14), 720) is None


def test_the_load_is_that_of_the_side_with_the_link_and_of_steps_with_a_rate() -> None:
    row = rows(10)["down-1m"]

    def report(packets: int, size: int, dropped: int) -> LinkReport:
        return LinkReport(Counts(), Counts(packets, size, 0, dropped), 1, 0.0, 0.0)

    load = load_of(row, [report(10, 1000, 0), report(1010, 1_501_000, 100), report(1010, 1_501_000, 100)])
    assert load == Load(offered=1.2, dropped=0.1)
    assert load_of(rows(10)["up-loss5"], [report(0, 0, 0)] * 3) is None


def test_each_row_is_measured_on_both_sides_and_only_what_it_has() -> None:
    known = rows(30)
    for name in ("300k", "1m", "3m", "loss5", "loss15", "rtt300", "jitter50", "outage", "stairs"):
        up, down = known[f"up-{name}"], known[f"down-{name}"]
        assert (up.side, down.side) == ("up", "down")
        assert up.steps == down.steps
        for at in (up.down_at, up.up_at):
            assert at is None or 0 <= at <= len(up.steps)
        assert 25 <= up.seconds <= 60
    assert known["up-300k"].steps[0].media == replace(WIDE, rate_bps=300e3)
    assert [step.media.rate_bps for step in known["down-stairs"].steps] == [3e6, 1e6, 300e3, 1e6, 3e6]


def test_a_row_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--rows", "down-200k"])
    assert "down-200k" in capsys.readouterr().err
    assert parse(["--rows", "down-300k", "--targets", "ours"]).targets == "ours"


SDP = (
    "v=0\r\nm=audio 9 UDP 0\r\na=mid:0\r\na=candidate:1 1 udp 100 127.0.0.1 40000 typ host\r\n"
    "a=candidate:2 1 tcp 90 127.0.0.1 9 typ host\r\nm=video 9 UDP 0\r\na=mid:1\r\n"
)


def test_no_candidate_leads_around_the_link() -> None:
    link = Link(("127.0.0.1", 40000), listen_host="127.9.9.9")
    assert first_port(SDP) == 40000
    through = candidates_by_way_of(SDP, link)
    assert [line for line in through.splitlines() if "candidate" in line] == [
        "a=candidate:1 1 udp 2130706431 127.9.9.9 40000 typ host"
    ]
    assert "a=mid:1\r\n" in through
    assert [line.split()[4:6] for line in without_candidates(SDP).splitlines() if "candidate" in line] == [
        ["127.0.0.1", "9"]
    ]


def test_the_table_puts_the_servers_beside_each_other() -> None:
    seen = quality(Notes(pictures((0, 20, 360)), sound()), Span(0, 20))

    def outcome(row: str, target: str, down_s: float | None) -> Outcome:
        return Outcome(row, "1 Mbit/s", target, seen, Load(0.9, 0.01), down_s, -1.0, 720, {})

    lines = table(
        [outcome("down-1m", "ours", 1.25), outcome("up-1m", "ours", 0.0), outcome("down-1m", "janus", None)]
    ).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["ours", "janus", "ours"]
    assert " | 1.2 | – | 90 | 1.0 | 80 |" in lines[2]
    assert " | never | – |" in lines[3]
    assert lines[4].startswith("| ↑ 1 Mbit/s")
