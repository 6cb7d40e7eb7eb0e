"""Video and sound files for browsers' fake devices and for light clients: generated once and cached."""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Literal

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import Image

from tests.support.picture_code import draw

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_RATE = 48_000
FORMAT = 1  # part of the key: raise it when the files' content changes

SPEECH = {
    "zh": "各位领导，各位代表，大家好。现在开始远程协商会议，请各会场依次报告准备情况。",
    "en": "Good morning everybody. This is a remote consultation. Please report from each venue in turn.",
}
VOICES = {"zh": "cmn", "en": "en"}


def cache_dir() -> Path:
    """$XDG_CACHE_HOME/yuanshang-test-media, or build/test-media in the repository."""
    base = os.environ.get("XDG_CACHE_HOME")
    path = Path(base) / "yuanshang-test-media" if base else ROOT / "build" / "test-media"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One maker at a time, over processes: pytest-xdist's workers share the cache."""
    with path.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cached(name: str, suffix: str, parameters: object, make: Callable[[Path], None]) -> Path:
    """The cached file of that name and these parameters; `make` writes it when it is not there yet."""
    key = hashlib.sha256(json.dumps([FORMAT, parameters], default=str).encode()).hexdigest()[:12]
    path = cache_dir() / f"{name}-{key}{suffix}"
    if not path.exists():
        with _locked(path):
            if not path.exists():
                handle, temporary = tempfile.mkstemp(suffix=suffix, dir=path.parent)
                os.close(handle)
                try:
                    make(Path(temporary))
                    os.replace(temporary, path)
                finally:
                    Path(temporary).unlink(missing_ok=True)
    return path


def participant_video(
    index: int,
    size: tuple[int, int] = (640, 360),
    fps: int = 30,
    seconds: float = 10.0,
    container: Literal["mjpeg", "y4m"] = "mjpeg",
) -> Path:
    """A file for `--use-file-for-fake-video-capture`: the coded picture of participant `index`.

    Chromium plays MJPEG at 30 frames a second whatever was meant; for another rate take y4m (much larger).
    """
    width, height = size
    frames = round(fps * seconds)

    def make(path: Path) -> None:
        with path.open("wb") as out:
            if container == "y4m":
                out.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
            for number in range(frames):
                picture = draw(index, number, width, height)
                if container == "mjpeg":
                    Image.fromarray(picture).save(out, "JPEG", quality=80)
                else:
                    frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
                    out.write(b"FRAME\n" + frame.to_ndarray().tobytes())

    parameters = [index, size, fps, seconds, container]
    return cached(f"participant-{index}-{width}x{height}", "." + container, parameters, make)


def vp8_clip(
    index: int,
    size: tuple[int, int] = (320, 180),
    fps: int = 15,
    frames: int = 60,
    bitrate_bps: int = 300_000,
    *,
    layered: bool = False,
) -> list[bytes]:
    """The coded picture as VP8 frames (the first is a keyframe), for clients without an encoder.

    `layered`: in the temporal layers of TEMPORAL.
    """

    def make(path: Path) -> None:
        encoded = encode_vp8(index, size, fps, frames, bitrate_bps, layered=layered)
        path.write_bytes(b"".join(len(frame).to_bytes(4, "big") + frame for frame in encoded))

    parameters = [index, size, fps, frames, bitrate_bps, *(["layered"] if layered else [])]
    raw = cached(f"clip-{index}", ".vp8", parameters, make).read_bytes()
    clip: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:4], "big")
        clip.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return clip


TEMPORAL = (0, 2, 1, 2)


def encode_vp8(
    index: int, size: tuple[int, int], fps: int, frames: int, bitrate_bps: int, *, layered: bool = False
) -> Iterator[bytes]:
    """Encode the coded picture the way a live sender does."""
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height = size
    codec.pix_fmt = "yuv420p"
    codec.bit_rate = bitrate_bps
    codec.time_base, codec.framerate = Fraction(1, fps), Fraction(fps)
    codec.gop_size = max(frames, 1)
    rate = str(bitrate_bps)
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": rate,
    }
    if layered:
        rates = ",".join(str(int(bitrate_bps * share / 1000)) for share in (0.4, 0.6, 1.0))
        codec.options |= {
            "error-resilient": "1",
            "ts-parameters": f"ts_number_layers=3:ts_target_bitrate={rates}:ts_rate_decimator=4,2,1:ts_periodicity=4:"
            f"ts_layer_id={','.join(map(str, TEMPORAL))}:ts_layering_mode=3",
        }
    for number in range(frames):
        frame = VideoFrame.from_ndarray(draw(index, number, *size), format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        yield from (bytes(packet) for packet in codec.encode(frame))
    yield from (bytes(packet) for packet in codec.encode(None))


def speech(
    text: str = SPEECH["zh"], voice: str = "cmn", words_per_minute: int = 160
) -> npt.NDArray[np.int16]:
    """What espeak-ng says, 48 kHz mono."""
    done = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", text],
        capture_output=True,
        check=True,
    )
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    chunks: list[npt.NDArray[np.int16]] = []
    with av.open(BytesIO(done.stdout), "r") as container:
        frames: list[AudioFrame | None] = [*container.decode(audio=0), None]
    for frame in frames:
        chunks += [part.to_ndarray().reshape(-1).astype(np.int16) for part in resampler.resample(frame)]
    return np.concatenate(chunks)


def speech_wav(
    text: str = SPEECH["zh"],
    seconds: float = 20.0,
    voice: str = "cmn",
    pause_s: float = 0.5,
    level: float = 0.6,
) -> Path:
    """A file for `--use-file-for-fake-audio-capture`: speech with pauses, repeated to fill `seconds`."""

    def make(path: Path) -> None:
        samples = speech(text, voice).astype(np.float32)
        samples *= level * 32767 / max(1.0, float(np.abs(samples).max()))
        sentence = np.concatenate([samples, np.zeros(round(pause_s * SAMPLE_RATE), np.float32)]).astype(
            np.int16
        )
        wanted = round(seconds * SAMPLE_RATE)
        whole = np.tile(sentence, -(-wanted // len(sentence)))[:wanted]
        write_wav(path, whole)

    return cached(f"speech-{voice}", ".wav", [text, seconds, voice, pause_s, level], make)


def tone_wav(hertz: int, seconds: float = 4.0, level: float = 0.2) -> Path:
    """A steady tone; whole periods, so that it can be repeated."""

    def make(path: Path) -> None:
        times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        write_wav(path, (np.sin(times * 2 * np.pi * hertz) * level * 32767).astype(np.int16))

    return cached(f"tone-{hertz}", ".wav", [hertz, seconds, level], make)


def write_wav(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """48 kHz mono s16."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(samples.tobytes())


def opus_packets(wav: Path, bitrate_bps: int = 32_000) -> list[bytes]:
    """The file's sound as Opus packets of 20 ms."""
    codec = av.CodecContext.create("libopus", "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "mono", "s16"
    codec.bit_rate, codec.time_base = bitrate_bps, Fraction(1, SAMPLE_RATE)
    codec.options = {"frame_duration": "20", "application": "voip"}
    with wave.open(str(wav), "rb") as source:
        samples = np.frombuffer(source.readframes(source.getnframes()), np.int16)
    packets: list[bytes] = []
    for start in range(0, len(samples) - 959, 960):
        frame = AudioFrame.from_ndarray(samples[None, start : start + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets
