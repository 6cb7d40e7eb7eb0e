"""Cuts, segments on the disk, and what is found of a life that was killed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from recording.hls.cutter import Cut, Cutter
from recording.hls.fragments import read_fragments
from recording.hls.journal import Journal, JournalTakenError, read_journal
from recording.hls.segmenter import Before, Life, recover
from tests.support.program_media import complaints, encoded, joined, push_all

LIFE_MS = 5_000  # when lives begin


def cuts_of(seconds: float = 3.0, *, finish: bool = True, life_ms: int = LIFE_MS) -> list[Cut]:
    formats, pictures, sounds = encoded(seconds)
    cutter = Cutter(formats, part_ms=200, segment_ms=1000, origin_ms=life_ms)
    push_all(cutter, pictures, sounds)
    return cutter.finish() if finish else cutter.take()


class Program:
    """A directory with its journal, and what was told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.told: list[Mapping[str, Any]] = []
        self.journal = Journal(directory, patience_s=0)

    def life(self, before: Before | None = None, program_time_ms: int = LIFE_MS) -> Life:
        before = before or Before(1, 0, None)
        return Life(
            self.directory,
            self.journal,
            self.told.append,
            encoded()[0],
            number=before.next_life,
            first_segment=before.next_segment,
            program_time_ms=program_time_ms,
            wall_ms=1_000_000,
        )

    def recover(self) -> Before:
        return recover(self.directory, self.journal, self.told.append)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        return [fact for fact in read_journal(self.directory) if fact["fact"] == kind]

    def assert_listed_is_there(self) -> None:
        for fact in self.facts("segment"):
            data = (self.directory / fact["file"]).read_bytes()
            assert len(data) == fact["size"]
            assert hashlib.sha256(data).hexdigest() == fact["sha256"]
            fragments = read_fragments(data)
            assert [each[:2] for each in fact["parts"]] == [[each.offset, each.size] for each in fragments]
            assert sum(each[2] for each in fact["parts"]) == fact["duration_ms"]
            assert [each[3] for each in fact["parts"]] == [each.is_independent for each in fragments]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_parts_and_segments_fall_at_the_same_times_in_every_rendition() -> None:
    cuts = cuts_of(finish=False)
    assert [cut.start_ms for cut in cuts] == [number * 200 for number in range(len(cuts))]
    assert [(cut.segment, cut.index) for cut in cuts] == [divmod(number, 5) for number in range(len(cuts))]
    assert [cut.ends_segment for cut in cuts] == [cut.index == 4 for cut in cuts]
    for cut in cuts:
        assert cut.parts["720p"].is_independent == (cut.index == 0)
        assert cut.parts["audio"].is_independent
        (fragment,) = read_fragments(cut.parts["720p"].data)
        assert fragment.spans[1].start == (LIFE_MS + cut.start_ms) * 90
        assert 0 <= fragment.spans[2].start - (LIFE_MS + cut.start_ms) * 48 < 1024


def test_a_part_waits_for_the_sound_and_for_every_rendition() -> None:
    formats, pictures, sounds = encoded()
    cutter = Cutter(formats, part_ms=200, segment_ms=1000)
    for each in pictures:
        cutter.video("720p", each)
    for each in sounds:
        cutter.audio("720p", each)
    assert cutter.take() == []
    for each in sounds[:9]:
        cutter.audio("audio", each)
    assert cutter.take() == []
    cutter.audio("audio", sounds[9])
    assert len(cutter.take()) == 1


def test_a_keyframe_inside_a_segment_does_not_end_it() -> None:
    formats, pictures, sounds = encoded(3.0, every_key=10)
    cutter = Cutter(formats, part_ms=200, segment_ms=1000)
    push_all(cutter, pictures, sounds)
    assert {cut.segment for cut in cutter.take()} == {0, 1, 2}


def test_a_segment_is_a_whole_number_of_parts() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Cutter(encoded()[0], part_ms=300, segment_ms=1000)


def test_what_is_told_is_on_the_disk(program: Program) -> None:
    life = program.life()
    for cut in cuts_of(2.6):
        life.write(cut)
        part = program.told[-1]
        if part["fact"] == "part":
            path = program.directory / "1" / part["rendition"] / f"{part['number']:08d}.m4s"
            assert path.stat().st_size == part["offset"] + part["size"]
    life.close()
    program.assert_listed_is_there()
    listed = program.facts("segment")
    assert [(f["rendition"], f["number"]) for f in listed] == [
        (name, number) for number in range(3) for name in ("720p", "audio")
    ]
    assert [f["duration_ms"] for f in listed] == [1000] * 4 + [600] * 2
    assert [f["program_time_ms"] for f in listed] == [5_000, 5_000, 6_000, 6_000, 7_000, 7_000]
    assert [f["wall_ms"] for f in listed] == [f["program_time_ms"] - 5_000 + 1_000_000 for f in listed]
    assert [f["discontinuity"] for f in listed] == [True] * 2 + [False] * 4
    for name in ("720p", "audio"):
        assert (
            complaints(joined(program.directory, read_journal(program.directory), name, 1, program.directory))
            == ""
        )


@pytest.mark.parametrize("torn", [0, 1, 100])
def test_the_tail_of_a_killed_life_is_listed_up_to_its_last_whole_part(program: Program, torn: int) -> None:
    life = program.life()
    cuts = cuts_of()
    for cut in cuts[:8]:
        life.write(cut)
    # Killed while the ninth part was written: whole in the first rendition, torn in the second.
    with (program.directory / "1/720p/00000001.m4s").open("ab") as file:
        file.write(cuts[8].parts["720p"].data)
    with (program.directory / "1/audio/00000001.m4s").open("ab") as file:
        file.write(cuts[8].parts["audio"].data[:torn])
    before = {f["file"]: (program.directory / f["file"]).read_bytes() for f in program.facts("segment")}
    found = program.recover()
    assert found == Before(next_life=2, next_segment=2, end_ms=6_600)
    program.assert_listed_is_there()
    tail = [fact for fact in program.facts("segment") if fact["recovered"]]
    assert [(f["rendition"], f["number"], f["duration_ms"], f["discontinuity"]) for f in tail] == [
        ("720p", 1, 600, False),
        ("audio", 1, 600, False),
    ]
    assert {f["program_time_ms"] for f in tail} == {6_000}
    assert all((program.directory / name).read_bytes() == data for name, data in before.items())
    for name in ("720p", "audio"):
        assert (
            complaints(joined(program.directory, read_journal(program.directory), name, 1, program.directory))
            == ""
        )
    again = len(read_journal(program.directory))
    assert program.recover() == found
    assert len(read_journal(program.directory)) == again


def test_a_segment_that_one_rendition_lacks_is_not_listed(program: Program) -> None:
    life = program.life()
    cuts = cuts_of()
    for cut in cuts[:5]:
        life.write(cut)
    (program.directory / "1/720p/00000001.m4s").write_bytes(cuts[5].parts["720p"].data)
    assert program.recover().next_segment == 1
    assert (program.directory / "1/720p/00000001.m4s").stat().st_size == len(cuts[5].parts["720p"].data)


def test_a_line_that_was_lost_is_written_again_from_the_file(program: Program) -> None:
    life = program.life()
    for cut in cuts_of()[:5]:
        life.write(cut)
    lines = (program.directory / "journal.jsonl").read_bytes().splitlines(keepends=True)
    program.journal.close()
    (program.directory / "journal.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:50])
    other = Program(program.directory)
    assert other.recover().next_segment == 1
    other.assert_listed_is_there()
    one, two = other.facts("segment")
    assert (one["rendition"], two["rendition"], two["recovered"]) == ("720p", "audio", True)
    assert (one["program_time_ms"], one["duration_ms"]) == (two["program_time_ms"], two["duration_ms"])
    assert two["discontinuity"]


def test_the_next_life_goes_on_with_the_numbers(program: Program) -> None:
    life = program.life()
    for cut in cuts_of()[:7]:
        life.write(cut)
    second = program.life(program.recover(), program_time_ms=9_000)
    for cut in cuts_of(1.0, life_ms=9_000):
        second.write(cut)
    second.close()
    program.assert_listed_is_there()
    listed = [f for f in program.facts("segment") if f["rendition"] == "audio"]
    assert [(f["life"], f["number"], f["discontinuity"]) for f in listed] == [
        (1, 0, True), (1, 1, False), (2, 2, True),
    ]  # fmt: skip
    assert listed[-1]["program_time_ms"] == 9_000
    assert [f["life"] for f in program.facts("life")] == [1, 2]


def test_one_writer_at_a_time(program: Program) -> None:
    with pytest.raises(JournalTakenError):
        Journal(program.directory, patience_s=0.1)


def test_a_still_lies_beside_the_segments(program: Program) -> None:
    life = program.life()
    life.write_still(3, b"jpeg", 5_400)
    (still,) = program.facts("still")
    assert still == {"fact": "still", "file": "1/stills/00000003.jpg", "program_time_ms": 5_400, "life": 1}
    assert (program.directory / still["file"]).read_bytes() == b"jpeg"


def test_a_disk_that_is_full_leaves_whole_parts(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    life = program.life()
    cuts = cuts_of()
    life.write(cuts[0])
    write = os.write

    def refuse(descriptor: int, data: bytes) -> int:
        if len(data) > 30:
            return write(descriptor, data[:30])
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(OSError, match="full"):
            life.write(cuts[1])
    assert program.recover() == Before(2, 1, 5_200)
    program.assert_listed_is_there()


WRITES = """
import sys
from pathlib import Path
from tests.unit.recording.test_hls_segmenter import Program, cuts_of
program = Program(Path(sys.argv[1]))
life = program.life()
cuts = cuts_of(1.0)
program.told = type("", (), {"append": staticmethod(lambda fact: print(fact["fact"], flush=True))})()
life._tell_only = program.told.append
for cut in cuts:
    life.write(cut)
"""


def test_files_and_directories_are_synced_before_a_line_names_them(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = tmp_path / "program"
    program.mkdir()
    subprocess.run(
        ["strace", "-f", "-y", "-s", "200", "-e", "trace=openat,write,fsync", "-o", str(trace),
         sys.executable, "-c", WRITES, str(program)],
        check=True, capture_output=True,
    )  # fmt: skip
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]

    def first(pattern: str, after: int = -1) -> int:
        return next(i for i, call in enumerate(calls) if i > after and re.search(pattern, call))

    listed = first(r'write\(\d+<.*journal\.jsonl>, .*fact\\":\\"segment')
    made_durable = first(r"fsync\(\d+<.*journal\.jsonl>", listed)
    told = first(r'write\(1<.*"segment', listed)
    assert made_durable < told
    for name in ("720p", "audio"):
        written = max(
            i for i, call in enumerate(calls) if re.search(rf"write\(\d+<.*{name}/00000000\.m4s>", call)
        )
        file = first(rf"fsync\(\d+<.*{name}/00000000\.m4s>\)", written)
        directory = first(rf"fsync\(\d+<.*/1/{name}>\)", file)
        assert written < file < directory < listed
