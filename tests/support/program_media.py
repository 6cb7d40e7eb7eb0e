"""Encoded pictures and sound as the program's encoders make them, and what FFmpeg says of the segments."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from recording.hls.cutter import Cutter
from recording.hls.formats import Format
from recording.hls.fragments import Sample
from recording.program.encoder import (
    AAC_SAMPLES,
    FRAME_SAMPLES,
    FRAME_TICKS,
    AacEncoder,
    Blocks,
    Coding,
    VideoEncoder,
    video_frame,
)

_SECOND_BEGINNING = re.compile(r"Found duplicated MOOV Atom|Last message repeated")


@functools.cache
def encoded(
    seconds: float = 3.0, every_key: int = 25
) -> tuple[tuple[Format, ...], list[Sample], list[Sample]]:
    """Formats of "720p" (a small picture) and "audio", and the samples of both."""
    video, sound = VideoEncoder(Coding(160, 96, 400_000)), AacEncoder(64_000)
    blocks = Blocks(AAC_SAMPLES)
    pictures, frames = [], []
    for number in range(round(seconds * 25)):
        canvas = np.full((144, 160), number * 3 % 200 + 20, np.uint8)
        unit = video.encode(video_frame(canvas), number * FRAME_TICKS, key=number % every_key == 0)
        pictures.append(Sample(unit.file_data, number * FRAME_TICKS, FRAME_TICKS, unit.is_key))
        times = (np.arange(FRAME_SAMPLES) + number * FRAME_SAMPLES) / 48_000
        tone = np.sin(times * 440 * 2 * np.pi).astype(np.float32) * 0.2
        for block, at in blocks.push(np.stack((tone, tone), axis=1)):
            frames += sound.encode(block, at)
    frames += sound.finish()
    formats = (Format("720p", video.format, sound.format), Format("audio", None, sound.format))
    return formats, pictures, frames


def push_all(cutter: Cutter, pictures: list[Sample], frames: list[Sample]) -> None:
    """Into both renditions."""
    for each in pictures:
        cutter.video("720p", each)
    for each in frames:
        cutter.audio("720p", each)
        cutter.audio("audio", each)


def joined(directory: Path, facts: list[dict[str, Any]], rendition: str, life: int, to: Path) -> Path:
    """Init and all listed segments of a rendition of one life in one file."""
    init = next(f for f in facts if f["fact"] == "init" and (f["life"], f["rendition"]) == (life, rendition))
    data = (directory / init["file"]).read_bytes()
    for fact in facts:
        if fact["fact"] == "segment" and (fact["life"], fact["rendition"]) == (life, rendition):
            data += (directory / fact["file"]).read_bytes()
    path = to / f"{life}-{rendition}.mp4"
    path.write_bytes(data)
    return path


def complaints(path: Path) -> str:
    """What ffmpeg and ffprobe say against the file; empty when they play it without a word."""
    said = b""
    for command in (
        ["ffmpeg", "-v", "warning", "-i", str(path), "-f", "null", "-"],
        ["ffprobe", "-v", "warning", "-show_streams", "-show_packets", str(path)],
    ):
        done = subprocess.run(command, capture_output=True, check=False)
        said += done.stderr + (b"" if done.returncode == 0 else b" failed")
    return said.decode()


def but_of_second_beginnings(said: str, facts: list[dict[str, Any]], rendition: str) -> str:
    """What FFmpeg says of a replay, less what it minds of a program that spared itself into another size."""
    beginnings = {f["sha256"] for f in facts if f["fact"] == "init" and f["rendition"] == rendition}
    if len(beginnings) < 2:
        return said
    return "".join(line for line in said.splitlines(keepends=True) if not _SECOND_BEGINNING.search(line))


def packets(path: Path, stream: str) -> list[dict[str, Any]]:
    """ffprobe's packets of stream "v" or "a": pts_time, flags, size…"""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", stream, "-show_packets", "-of", "json", str(path)],
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["packets"]
    return found
