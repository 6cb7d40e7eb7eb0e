"""Films of the coded picture with a tone that begins at a known time, as people might bring them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from tests.support.media import cached
from tests.support.picture_code import draw

TONE_HZ = 440


def film(
    path: Path,
    *,
    participant: int = 3,
    size: tuple[int, int] = (320, 180),
    fps: int = 30,
    seconds: float = 2.0,
    codec: str | None = "libx264",
    sound: str | None = "aac",
    level: float = 0.1,
    beeps_every_s: float | None = None,
    options: Mapping[str, object] | None = None,
) -> Path:
    """Write it. `beeps_every_s`: the tone lasts for the tenth of a second after each such time only; else all along."""
    with av.open(str(path), "w") as out:
        video, audio = None, None
        if codec is not None:
            video = out.add_stream(codec, rate=fps)
            assert isinstance(video, VideoStream)
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            video.codec_context.thread_count = 1
            video.options = dict(options or {})
        if sound is not None:
            audio = out.add_stream(sound, rate=44_100)
            assert isinstance(audio, AudioStream)
            audio.codec_context.layout = "stereo"
        if isinstance(video, VideoStream):
            for number in range(round(fps * seconds)):
                picture = draw(participant, number, *size)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        if isinstance(audio, AudioStream):
            times = np.arange(round(44_100 * seconds)) / 44_100
            wave = np.sin(2 * np.pi * TONE_HZ * times) * level
            if beeps_every_s is not None:
                wave *= times % beeps_every_s < 0.1
            step = audio.codec_context.frame_size or 1024
            for at in range(0, len(wave) - step + 1, step):
                piece = np.stack([wave[at : at + step]] * 2).astype(np.float32)
                part = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
                part.sample_rate, part.pts, part.time_base = 44_100, at, Fraction(1, 44_100)
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))
    return path


def prepared_film(seconds: float = 8.0, size: tuple[int, int] = (320, 180), participant: int = 3) -> Path:
    """A clip as the transcoder makes it, with a beep at each whole second; cached."""
    from conference.ingest.clip_file import Places, make_clip

    def make(path: Path) -> None:
        source = path.with_suffix(".source.mp4")
        try:
            film(source, participant=participant, size=size, seconds=seconds, level=0.5, beeps_every_s=1.0)
            made = path.with_suffix(".made.mp4")
            make_clip(Places(source, made, path.with_suffix(".poster.jpg"), 0), lambda *_: None)
            path.with_suffix(".poster.jpg").unlink()
            made.replace(path)
        finally:
            source.unlink(missing_ok=True)

    return cached("prepared-film", ".mp4", [seconds, size, participant, 1], make)
