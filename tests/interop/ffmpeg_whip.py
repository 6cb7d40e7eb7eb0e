"""FFmpeg's WHIP muxer, as PyAV ships it, sends the coded picture and speech until standard input ends.

`python -m tests.interop.ffmpeg_whip URL TOKEN NUMBER [option=value …]`; the options go to the muxer.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from tests.support.media import SAMPLE_RATE, speech
from tests.support.picture_code import draw

WIDTH, HEIGHT, FPS = 640, 360, 15
OPUS_SAMPLES = SAMPLE_RATE // 50
# What a browser's H264 decoder takes for granted: no reordering, and a keyframe now and then.
X264 = {"profile": "baseline", "preset": "ultrafast", "tune": "zerolatency", "g": str(2 * FPS), "bf": "0"}


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def publish(url: str, token: str, number: int, options: dict[str, str]) -> None:
    """Encode and send in real time."""
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=[ended], daemon=True).start()
    with av.open(url, "w", format="whip", options={"authorization": token, **options}) as output:
        video = output.add_stream("libx264", rate=FPS, options=X264)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.bit_rate = 500_000
        audio = output.add_stream("libopus", rate=SAMPLE_RATE, layout="stereo")
        audio.bit_rate = 32_000
        samples = speech()
        sent = 0
        began = time.monotonic()
        for count in itertools.count():
            if ended.wait(max(0.0, began + count / FPS - time.monotonic())):
                return
            picture = VideoFrame.from_ndarray(draw(number, count, WIDTH, HEIGHT), format="rgb24")
            frame = picture.reformat(format="yuv420p")
            frame.pts, frame.time_base = count, Fraction(1, FPS)
            output.mux(video.encode(frame))
            while sent < count * SAMPLE_RATE // FPS:
                start = sent % (len(samples) - OPUS_SAMPLES)
                part = samples[start : start + OPUS_SAMPLES]
                sound = AudioFrame.from_ndarray(part.repeat(2)[None, :], format="s16", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, sent, Fraction(1, SAMPLE_RATE)
                output.mux(audio.encode(sound))
                sent += OPUS_SAMPLES


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], int(sys.argv[3]), dict(each.split("=", 1) for each in sys.argv[4:]))
