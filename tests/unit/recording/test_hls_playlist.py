"""What the public is handed of a program: playlists by table, and by a law that holds for any course of events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.hls.playlist import Style, edges, master, media, replay
from recording.hls.shown import Edge, Shown, View, is_complete, replay_spans
from recording.hls.store import ProgramStore
from tests.support.hls import MediaPlaylist, SegmentLine, media_playlist, variants

EPOCH = 1_790_000_000_000
RENDITIONS = ("720p", "360p", "audio")
LOW = Style(EPOCH, low_latency=True, cards=frozenset(RENDITIONS))
PLAIN = Style(EPOCH, cards=frozenset(RENDITIONS))


class Writer:
    """Tells a store what a worker tells: parts of 200 ms, segments of a second, lives."""

    def __init__(self, store: ProgramStore | None = None) -> None:
        self.store = store or ProgramStore(Path("/nowhere"))
        self.life = 0
        self.number = 0
        self.time_ms = 0
        self.parts = 0  # of the open segment
        self.spans: dict[int, tuple[int, int, int]] = {}  # number to life, from, to

    def begin(self, at_ms: int, renditions: tuple[str, ...] = RENDITIONS, sha256: str | None = None) -> None:
        self.life += 1
        self.renditions = renditions
        self.time_ms, self.parts = at_ms, 0
        self.tell("life", wall_ms=EPOCH + at_ms, program_time_ms=at_ms)
        for at, rendition in enumerate(renditions):
            size = (0, 0) if rendition == "audio" else (1280 >> at, 720 >> at)
            self.tell(
                "init", rendition=rendition, file=f"{self.life}/{rendition}/init.mp4", codecs="avc1.42c01f,mp4a.40.2",
                width=size[0], height=size[1], bandwidth=3_000_000 >> at,
                sha256=sha256,
            )  # fmt: skip

    def tell(self, kind: str, **fact: Any) -> None:
        self.store.take({"fact": kind, "life": self.life, **fact})

    def part(self, order: tuple[str, ...] | None = None) -> None:
        """One more part everywhere; the fifth ends the segment."""
        for rendition in order or self.renditions:
            self.tell(
                "part", rendition=rendition, number=self.number, offset=self.parts * 1000, size=1000, duration_ms=200,
                independent=not self.parts, program_time_ms=self.time_ms,
            )  # fmt: skip
        self.parts += 1
        self.time_ms += 200
        if self.parts == 5:
            self.close(order)

    def close(self, order: tuple[str, ...] | None = None, *, recovered: bool = False) -> None:
        if not self.parts:
            return
        duration_ms = self.parts * 200
        start_ms = self.time_ms - duration_ms
        self.spans[self.number] = (self.life, start_ms, self.time_ms)
        for rendition in order or self.renditions:
            self.tell(
                "segment", rendition=rendition, number=self.number,
                file=f"{self.life}/{rendition}/{self.number:08d}.m4s",
                duration_ms=duration_ms, program_time_ms=start_ms, wall_ms=EPOCH + start_ms, size=self.parts * 1000,
                sha256="", parts=[[n * 1000, 1000, 200, n == 0] for n in range(self.parts)],
                discontinuity=False, recovered=recovered,
            )  # fmt: skip
        self.number += 1
        self.parts = 0

    def kill(self) -> None:
        self.store.take({"fact": "gone"})

    def seconds(self, count: float) -> Writer:
        for _ in range(round(count * 5)):
            self.part()
        return self


def written(seconds: float) -> Writer:
    writer = Writer()
    writer.begin(0)
    return writer.seconds(seconds)


def read(
    writer: Writer, view: View | None = None, style: Style = LOW, rendition: str = "720p"
) -> MediaPlaylist:
    text = media(writer.store, rendition, view or View(until_ms=writer.time_ms), style)
    assert text is not None
    return media_playlist(text)


# ── by table ────────────────────────────────────────────────────────────────────────────────────


def test_the_master_names_the_renditions_best_first() -> None:
    found = variants(master(written(1).store, View(1000)))
    assert list(found) == ["720p.m3u8", "360p.m3u8", "audio.m3u8"]
    assert found["720p.m3u8"] == {
        "BANDWIDTH": "3000000", "CODECS": "avc1.42c01f,mp4a.40.2", "RESOLUTION": "1280x720", "FRAME-RATE": "25.000",
    }  # fmt: skip
    assert "RESOLUTION" not in found["audio.m3u8"]


def test_a_low_latency_playlist_word_for_word() -> None:
    assert media(written(1.4).store, "720p", View(1400), LOW) == (
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:1\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=3.0,PART-HOLD-BACK=1.000\n"
        "#EXT-X-PART-INF:PART-TARGET=0.200\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:0\n"
        '#EXT-X-MAP:URI="1/720p/init.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000000.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000000.1.m4s"\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000000.2.m4s"\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000000.3.m4s"\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000000.4.m4s"\n'
        "#EXTINF:1.000,\n1/720p/00000000.m4s\n"
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000001.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PART:DURATION=0.200,URI="1/720p/00000001.1.m4s"\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1/720p/00000001.2.m4s"\n'
        '#EXT-X-RENDITION-REPORT:URI="360p.m3u8",LAST-MSN=1,LAST-PART=1\n'
        '#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=1,LAST-PART=1\n'
    )


def test_what_begins_alike_in_another_life_is_not_loaded_again() -> None:
    writer = Writer()
    for at_ms, sha256 in ((0, "a"), (5_000, "a"), (9_000, "b"), (12_000, None), (15_000, None)):
        writer.begin(at_ms, sha256=sha256)
        for _ in range(5):
            writer.part()
    view = View(16_000)
    text = replay(writer.store, "720p", view, PLAIN)
    assert text is not None
    assert [line for line in text.splitlines() if "MAP" in line or "DISCONTINUITY" in line] == [
        '#EXT-X-MAP:URI="../1/720p/init.mp4"',
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="../3/720p/init.mp4"',
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="../4/720p/init.mp4"',
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="../5/720p/init.mp4"',
    ]


def test_a_plain_playlist_word_for_word() -> None:
    assert media(written(2.4).store, "audio", View(2400), PLAIN) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-SERVER-CONTROL:HOLD-BACK=3.0\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:0\n"
        '#EXT-X-MAP:URI="1/audio/init.mp4"\n#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z\n'
        "#EXTINF:1.000,\n1/audio/00000000.m4s\n#EXTINF:1.000,\n1/audio/00000001.m4s\n"
    )


def test_there_is_nothing_before_the_first_segment() -> None:
    assert media(written(0.8).store, "720p", View(800), LOW) is None
    assert media(written(5).store, "720p", View(999), LOW) is None
    assert media(written(5).store, "1080p", View(5000), LOW) is None


def test_the_window_slides_and_names_parts_of_the_newest_alone() -> None:
    found = read(written(100.2))
    assert (found.sequence, len(found.segments)) == (70, 30)
    assert [each.number for each in found.segments if each.parts] == [97, 98, 99]
    assert found.begun is not None
    assert [len(found.begun.parts), found.begun.number] == [1, 100]
    assert found.segments[0].wall_ms == EPOCH + 70_000


@pytest.mark.parametrize(
    ("seconds", "hint"),
    [(5.0, "1/720p/00000005.0.m4s"), (5.2, "1/720p/00000005.1.m4s"), (5.8, "1/720p/00000005.4.m4s")],
)
def test_the_hint_is_the_part_that_comes_next(seconds: float, hint: str) -> None:
    assert read(written(seconds)).hint == hint


def test_a_full_segment_that_is_not_listed_yet_hints_at_the_next_one() -> None:
    writer = written(5)
    for part in range(5):
        writer.tell(
            "part", rendition="720p", number=5, offset=part * 1000, size=1000, duration_ms=200,
            independent=not part, program_time_ms=5000 + part * 200,
        )  # fmt: skip
    found = read(writer, View(6000))
    assert found.begun is not None
    assert len(found.begun.parts) == 5
    assert found.hint == "1/720p/00000006.0.m4s"


def test_a_new_life_is_a_discontinuity_with_its_own_map_and_date() -> None:
    writer = written(2.4)
    writer.kill()
    assert read(writer).hint is None
    writer.close(recovered=True)
    writer.begin(7000)
    writer.seconds(2.2)
    found = read(writer)
    assert [each.discontinuity for each in found.segments] == [0, 0, 0, 1, 1]
    assert [each.duration_ms for each in found.segments] == [1000, 1000, 400, 1000, 1000]
    assert [each.map for each in found.segments] == ["1/720p/init.mp4"] * 3 + ["2/720p/init.mp4"] * 2
    assert found.segments[3].wall_ms == EPOCH + 7000
    assert found.hint == "2/720p/00000005.1.m4s"


def test_the_discontinuity_is_counted_when_it_has_left_the_window() -> None:
    writer = written(2)
    writer.begin(5000)
    writer.seconds(30)
    first = read(writer)
    assert (first.sequence, first.discontinuity_sequence) == (2, 0)
    assert first.segments[0].discontinuity == 1
    second = read(writer.seconds(1))
    assert (second.sequence, second.discontinuity_sequence) == (3, 1)
    assert second.segments[0].discontinuity == 1


def test_the_delay_moves_the_edge_part_by_part() -> None:
    writer = written(20)
    for until_ms, last, parts in [
        (10_000, 9, 0),
        (10_199, 9, 0),
        (10_200, 9, 1),
        (10_999, 9, 4),
        (11_000, 10, 0),
    ]:
        found = read(writer, View(until_ms))
        assert found.last == last
        assert len(found.begun.parts if found.begun else []) == parts
        assert Shown(writer.store, "720p", View(until_ms)).edge == Edge(last, parts)
    assert read(writer, View(10_400)).hint == "1/720p/00000010.2.m4s"


def test_cut_segments_are_cards_in_the_same_place() -> None:
    writer = written(10.4)
    before = read(writer)
    found = read(writer, View(10_400, withdrawn=((4_500, 6_500), (9_999, None))))
    assert [each.number for each in found.segments if each.is_card] == [4, 5, 6, 9]
    for old, new in zip(before.segments, found.segments, strict=True):
        assert (old.number, old.wall_ms, old.duration_ms, old.discontinuity) == (
            new.number, new.wall_ms, new.duration_ms, new.discontinuity,
        )  # fmt: skip
    assert found.segments[4].map == "card/720p/init.mp4"
    assert found.segments[4].uri == "1/720p/00000004.m4s?card=1"
    assert found.segments[7].map == "1/720p/init.mp4"
    assert found.begun is not None
    assert [each.uri for each in found.begun.parts] == [
        "1/720p/00000010.0.m4s?card=1",
        "1/720p/00000010.1.m4s?card=1",
    ]
    assert all(each.independent for each in found.begun.parts)
    assert found.hint is None


def test_without_a_card_there_is_a_gap() -> None:
    style = Style(EPOCH, low_latency=True)
    found = read(written(4), View(4000, withdrawn=((0, 1_500),)), style)
    assert [each.gap for each in found.segments] == [True, True, False, False]


def test_a_rendition_that_missed_a_segment_has_a_gap_of_its_length() -> None:
    writer = written(2)
    for rendition in ("720p", "audio"):
        writer.tell(
            "segment", rendition=rendition, number=2, file=f"1/{rendition}/00000002.m4s", duration_ms=1000,
            program_time_ms=2000, size=1,
        )  # fmt: skip
    writer.number, writer.time_ms = 3, 3000
    assert read(writer, rendition="360p").last == 1
    found = read(writer.seconds(1), rendition="360p")
    assert [each.gap for each in found.segments] == [False, False, True, False]


def test_the_end_comes_when_everything_was_shown_and_nobody_writes() -> None:
    writer = written(40.4)
    over = View(ended=True)
    assert not read(writer, over).ended
    writer.close()
    writer.store.take({"fact": "ended"})
    assert not read(writer, View(10_000, ended=True)).ended
    found = read(writer, over)
    assert found.ended
    assert found.sequence == 11
    assert not found.control
    assert found.hint is None
    assert list(variants(master(writer.store, over))) == [
        "replay/720p.m3u8", "replay/360p.m3u8", "replay/audio.m3u8",
    ]  # fmt: skip


def test_the_replay_is_everything() -> None:
    writer = written(40.4)
    writer.close(recovered=True)
    writer.begin(50_000)
    writer.seconds(3)
    writer.store.take({"fact": "ended"})
    found = media_playlist(replay(writer.store, "720p", View(ended=True), PLAIN) or "")
    assert found.is_vod
    assert found.ended
    assert len(found.segments) == 44
    assert found.segments[0].uri == "../1/720p/00000000.m4s"
    assert found.segments[0].map == "../1/720p/init.mp4"
    assert [each.discontinuity for each in found.segments] == [0] * 41 + [1] * 3
    assert found.segments[41].wall_ms == EPOCH + 50_000
    assert replay_spans(writer.store, View(ended=True)) == ((0, 40_400), (50_000, 53_000))


def test_the_replay_shows_the_beginning_of_a_cut_as_a_card_and_leaves_out_the_rest() -> None:
    view = View(withdrawn=((10_500, 20_000), (30_000, 31_000)), ended=True)
    writer = written(40)
    found = media_playlist(replay(writer.store, "720p", view, PLAIN) or "")
    assert [each.wall_ms - EPOCH for each in found.segments] == [
        *range(0, 13_000, 1000),
        *range(20_000, 40_000, 1000),
    ]
    assert [each.wall_ms - EPOCH for each in found.segments if each.is_card] == [
        10_000,
        11_000,
        12_000,
        30_000,
    ]
    assert found.segments[10].uri == "../1/720p/00000010.m4s?card=1"
    assert [each.discontinuity for each in found.segments] == [0] * 13 + [1] * 20
    assert replay_spans(writer.store, view) == ((0, 13_000), (20_000, 40_000))


@pytest.mark.parametrize(
    ("edge", "number", "part", "has"),
    [
        (Edge(7, 2), 7, None, True),
        (Edge(7, 2), 7, 4, True),
        (Edge(7, 2), 8, None, False),
        (Edge(7, 2), 8, 1, True),
        (Edge(7, 2), 8, 2, False),
        (Edge(7, 5), 8, 5, False),
        (Edge(7, 2), 9, 0, False),
    ],
)
def test_what_a_reload_waits_for(edge: Edge, number: int, part: int | None, has: bool) -> None:
    assert edge.has(number, part) == has


def test_facts_told_twice_torn_and_unknown_change_nothing() -> None:
    writer = written(3)
    text = media(writer.store, "720p", View(3000), LOW)
    writer.number, writer.time_ms = 0, 0
    writer.seconds(3)
    for fact in (
        {"fact": "segment", "life": 1},
        {"fact": "part", "rendition": 5},
        {"fact": "layout", "name": "grid"},
        {"fact": "gap", "from_ms": 1, "to_ms": 2},
        {},
    ):
        writer.store.take(fact)
    assert media(writer.store, "720p", View(3000), LOW) == text


def test_parts_whose_beginning_was_never_heard_of_wait_for_their_segment() -> None:
    writer = written(2)
    for part in (2, 3):
        writer.tell(
            "part", rendition="720p", number=2, offset=part * 1000, size=1000, duration_ms=200,
            independent=False, program_time_ms=2000 + part * 200,
        )  # fmt: skip
    assert read(writer, View(9000)).begun is None


# ── by law ──────────────────────────────────────────────────────────────────────────────────────

ACTIONS = st.one_of(
    st.tuples(st.just("part"), st.permutations(RENDITIONS)),
    st.tuples(st.just("seconds"), st.integers(1, 12)),
    st.tuples(st.just("wait"), st.integers(1, 1_500)),
    st.tuples(st.just("kill"), st.integers(0, 4_000)),
    st.tuples(st.just("cut"), st.integers(0, 5_000)),
    st.tuples(st.just("restore"), st.none()),
    st.tuples(st.just("withdraw"), st.tuples(st.integers(0, 20_000), st.integers(1, 5_000))),
    st.tuples(st.just("reinstate"), st.integers(0, 5)),
    st.tuples(st.just("poll"), st.tuples(st.sampled_from(RENDITIONS), st.booleans())),
)


class Public:
    """A consultation on air and a viewer of each rendition who believes everything once told."""

    def __init__(self, delay_ms: int) -> None:
        self.writer = Writer()
        self.delay_ms = delay_ms
        self.now_ms = 0
        self.cuts: list[tuple[int, int | None]] = []
        self.ended = False
        self.known: dict[tuple[str, int], tuple[int, int, int, int]] = {}
        self.parts: dict[tuple[str, int], list[int]] = {}
        self.sequences: dict[str, tuple[int, int, int]] = {}
        self.finals: dict[str, str] = {}
        self.writer.begin(0)

    @property
    def view(self) -> View:
        return View(
            None if self.ended else max(0, self.now_ms - self.delay_ms), tuple(self.cuts), ended=self.ended
        )

    def act(self, action: str, value: Any) -> None:
        writer = self.writer
        match action:
            case "part":
                writer.part(tuple(value))
                self.now_ms = max(self.now_ms, writer.time_ms)
            case "seconds":
                for _ in range(value * 5):
                    writer.part()
                self.now_ms = max(self.now_ms, writer.time_ms)
            case "wait":
                self.now_ms += value
            case "kill":
                writer.kill()
                self.poll("720p", low_latency=True)
                writer.close(recovered=True)
                self.now_ms += value
                writer.begin(max(self.now_ms, writer.time_ms))
            case "cut":
                if not any(end is None for _, end in self.cuts):
                    self.cuts.append((max(0, self.now_ms - self.delay_ms - value), None))
            case "restore":
                self.cuts = [(begin, self.now_ms if end is None else end) for begin, end in self.cuts]
            case "withdraw":
                begin, length = value
                if begin < self.now_ms:
                    self.cuts.append((begin, min(begin + length, self.now_ms)))
            case "reinstate":
                closed = [each for each in self.cuts if each[1] is not None]
                if value < len(closed):
                    self.cuts.remove(closed[value])
            case "poll":
                self.poll(*value)

    def poll(self, rendition: str, low_latency: bool) -> None:
        store, view = self.writer.store, self.view
        text = media(store, rendition, view, LOW if low_latency else PLAIN)
        edge = Shown(store, rendition, view).edge
        if text is None:
            assert edge is None
            assert rendition not in self.sequences
            return
        found = media_playlist(text)
        assert edge is not None
        assert edge.number == found.last
        if found.ended:
            # another cut may still come, and changes it
            assert self.finals.setdefault(f"{rendition} {self.cuts}", text) == text
        first, last, discontinuities = self.sequences.get(rendition, (0, 0, 0))
        assert found.sequence >= first
        assert found.last >= last
        assert found.discontinuity_sequence >= discontinuities
        self.sequences[rendition] = (found.sequence, found.last, found.discontinuity_sequence)
        for segment in found.segments:
            self.check(rendition, segment, segment.wall_ms - EPOCH + segment.duration_ms)
        if found.begun is not None:
            assert low_latency
            assert edge.parts == len(found.begun.parts)
            done_ms = sum(each.duration_ms for each in found.begun.parts)
            self.check(rendition, found.begun, found.begun.wall_ms - EPOCH + done_ms)
        elif low_latency and not found.ended:
            assert edge.parts == 0
        if found.hint is not None:
            self.check_hint(rendition, found)

    def check(self, rendition: str, segment: SegmentLine, end_ms: int) -> None:
        """Nothing too early, nothing withdrawn, nothing that means something else than before."""
        view = self.view
        start_ms = segment.wall_ms - EPOCH
        assert view.shows(end_ms)
        life, from_ms, to_ms = self.writer.spans.get(segment.number, (self.writer.life, start_ms, end_ms))
        assert start_ms == from_ms
        assert segment.is_card == view.hides(from_ms, self.written_to_ms(segment.number, to_ms))
        lives = {each for number, (each, _, _) in self.writer.spans.items() if number <= segment.number}
        assert segment.discontinuity == len(lives | {life}) - 1
        if segment.uri:
            path = f"{life}/{rendition}/{segment.number:08d}.m4s"
            assert segment.uri == path + ("?card=1" if segment.is_card else "")
            assert end_ms == to_ms
            meaning = (life, start_ms, segment.duration_ms, segment.discontinuity)
            assert self.known.setdefault((rendition, segment.number), meaning) == meaning
        if segment.parts:
            durations = [each.duration_ms for each in segment.parts]
            before = self.parts.get((rendition, segment.number), [])
            assert durations[: len(before)] == before
            self.parts[rendition, segment.number] = durations
            assert {each.uri.endswith("?card=1") for each in segment.parts} == {segment.is_card}

    def written_to_ms(self, number: int, to_ms: int) -> int:
        """How much of it there is, shown or not."""
        return to_ms if number in self.writer.spans else self.writer.time_ms

    def check_hint(self, rendition: str, found: MediaPlaylist) -> None:
        """What is asked for next is not there yet."""
        assert found.hint is not None
        assert found.hint not in found.named()
        number, part = (int(each) for each in found.hint.rsplit("/", 1)[1].split("-")[-1].split(".")[:2])
        entry = Shown(self.writer.store, rendition, self.view).by_number(self.writer.life, number)
        assert entry is None or part >= len(entry.pieces)

    def check_addresses(self) -> None:
        """By address, too, nothing is to be had too early, nor what was withdrawn."""
        view = self.view
        for rendition in RENDITIONS:
            shown = Shown(self.writer.store, rendition, view)
            for number, (life, from_ms, to_ms) in self.writer.spans.items():
                entry = shown.by_number(life, number)
                assert shown.by_number(life + 1, number) is None
                if entry is None:
                    assert not view.shows(to_ms)
                    continue
                assert entry.is_whole == view.shows(to_ms)
                assert (entry.file is None) == entry.is_card == view.hides(from_ms, to_ms)
                assert all(view.shows(each.start_ms + each.duration_ms) for each in entry.pieces)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([0, 300, 3_000, 20_000]), st.lists(ACTIONS, max_size=40), st.booleans())
def test_whoever_polls_never_sees_a_number_change_its_meaning_but_by_a_cut(
    delay_ms: int, actions: list[tuple[str, Any]], ends: bool
) -> None:
    public = Public(delay_ms)
    for action, value in actions:
        public.act(action, value)
        public.check_addresses()
    for rendition in RENDITIONS:
        public.poll(rendition, low_latency=True)
    if ends:
        public.writer.close()
        public.writer.store.take({"fact": "ended"})
        public.ended = True
        for rendition in RENDITIONS:
            public.poll(rendition, low_latency=True)
            public.poll(rendition, low_latency=False)
        assert is_complete(public.writer.store, public.view)
        check_replay(public)


def check_replay(public: Public) -> None:
    store, view = public.writer.store, public.view
    text = replay(store, "720p", view, PLAIN)
    if text is None:
        assert not store.slots
        return
    found = media_playlist(text)
    spans = replay_spans(store, view)
    assert sum(each.duration_ms for each in found.segments) == sum(
        to_ms - from_ms for from_ms, to_ms in spans
    )
    position_ms = 0
    for segment in found.segments:
        at_ms = segment.wall_ms - EPOCH
        inside = next((from_ms, to_ms) for from_ms, to_ms in spans if from_ms <= at_ms < to_ms)
        played = sum(to_ms - from_ms for from_ms, to_ms in spans if to_ms <= inside[0])
        assert position_ms == played + at_ms - inside[0]
        position_ms += segment.duration_ms
        if not segment.is_card:
            assert not view.hides(at_ms, at_ms + segment.duration_ms)


def test_a_playlist_is_the_same_text_while_the_edges_are_the_same() -> None:
    store = written(12.6).store
    texts: dict[str, str | None] = {}
    for until_ms in range(1000, 13_000, 37):
        view = View(until_ms)
        text = media(store, "720p", view, LOW)
        assert texts.setdefault(str(edges(store, view)), text) == text
