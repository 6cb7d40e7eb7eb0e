"""Cameras that nobody here wrote: GStreamer's RTSP server in a process of its own, run by Debian's Python.

`RtspServer` starts, stops and kills it; run as a script (`rtsp_server.py PORT [USER PASSWORD]`) this file is it.
Every camera shows a ball that moves on a coloured ground, and sounds a tone of 440 Hz where it has sound.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PYTHON = "/usr/bin/python3"
WIDTH, HEIGHT, RATE = 640, 360, 25
TONE_HZ = 440

_PICTURE = (
    "videotestsrc is-live=true pattern=ball background-color=0xff2060c0 ! "
    f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1 "
)
_SOUND = f"audiotestsrc is-live=true wave=sine freq={TONE_HZ} volume=0.4 "
_BASELINE = (
    "! x264enc tune=zerolatency speed-preset=ultrafast bitrate={bitrate} key-int-max={gop} ! "
    "video/x-h264,profile=baseline ! rtph264pay name=pay0 pt=96 config-interval=0 "
)
CAMERAS = {
    # Parameter sets stand in the description alone, as with many cameras.
    "/baseline": _PICTURE
    + _BASELINE.format(bitrate=800, gop=RATE)
    + _SOUND
    + "! alawenc ! rtppcmapay name=pay1 pt=8",
    "/ulaw": _PICTURE
    + _BASELINE.format(bitrate=800, gop=RATE)
    + _SOUND
    + "! mulawenc ! rtppcmupay name=pay1 pt=0",
    "/opus": _PICTURE
    + _BASELINE.format(bitrate=800, gop=RATE)
    + _SOUND
    + "! opusenc ! rtpopuspay name=pay1 pt=97",
    "/silent": _PICTURE + _BASELINE.format(bitrate=800, gop=RATE),
    "/long": _PICTURE + _BASELINE.format(bitrate=800, gop=10 * RATE),
    "/two-megabits": (
        "videotestsrc is-live=true pattern=snow ! "  # nothing else needs as much as a real camera
        f"video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1 ! "
        f"x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max={2 * RATE} ! "
        "video/x-h264,profile=baseline ! "
        "rtph264pay name=pay0 pt=96 config-interval=0"
    ),
    "/b-frames": (
        _PICTURE + "! x264enc speed-preset=veryfast bframes=2 b-adapt=false rc-lookahead=0 sync-lookahead=0 "
        f"bitrate=800 key-int-max={RATE} ! video/x-h264,profile=main ! rtph264pay name=pay0 pt=96 config-interval=0 "
        + _SOUND
        + "! audioconvert ! audio/x-raw,rate=48000,channels=1 ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    ),
    "/hevc": (
        _PICTURE + f"! x265enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max={RATE} ! "
        "rtph265pay name=pay0 pt=96 config-interval=0"
    ),
    "/sound": _SOUND + "! alawenc ! rtppcmapay name=pay0 pt=8",
    # After four seconds it is another picture.
    "/changing": (
        "videotestsrc is-live=true pattern=ball ! videoscale ! "
        f"capsfilter name=size caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1 "
        f"! x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max={RATE} ! "
        "video/x-h264,profile=baseline ! rtph264pay name=pay0 pt=96 config-interval=-1"
    ),
}


# Of these all clients get the same picture at the same time, which says how late it is where.
_SHARED = ("/two-megabits",)


@functools.cache
def is_installed(*elements: str) -> bool:
    """Whether Debian's Python finds the server and these elements."""
    probe = (
        "import sys, gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0');"
        "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
        "sys.exit(not all(Gst.ElementFactory.find(name) for name in sys.argv[1:]))"
    )
    try:
        done = subprocess.run([PYTHON, "-c", probe, *elements], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return done.returncode == 0


class RtspServer:
    """Started by `with`; `kill` and `start` again as often as one likes, always on the same port."""

    def __init__(self, port: int, *, user: str = "", password: str = "") -> None:
        self.port = port
        self._login = [user, password] if user else []
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, path: str, login: str = "") -> str:
        return f"rtsp://{login + '@' if login else ''}127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Until it listens."""
        command = [PYTHON, str(Path(__file__)), str(self.port), *self._login]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the RTSP server does not start"

    def kill(self) -> None:
        """As a power cut does it; idempotent."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def pause(self, seconds: float) -> None:
        """Nothing comes for that long, then what the kernel kept."""
        self.freeze()
        time.sleep(seconds)
        self.thaw()

    def freeze(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _serve(port: int, login: list[str]) -> None:
    import gi  # type: ignore[import-not-found,unused-ignore]

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found,unused-ignore]

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(port))
    if login:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
        server.set_auth(auth)

    def change(_factory: object, media: object) -> None:
        size = media.get_element().get_by_name("size")  # type: ignore[attr-defined]
        if size is not None:
            other = Gst.Caps.from_string(f"video/x-raw,format=I420,width=320,height=240,framerate={RATE}/1")
            GLib.timeout_add(4000, lambda: size.set_property("caps", other) and False)

    for path, pipeline in CAMERAS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {pipeline} )")
        # Each client gets a picture of its own: what two share answers 503 for ever when one of them was cut off.
        factory.set_shared(path in _SHARED)
        factory.connect("media-configure", change)
        if login:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        sys.exit(1)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2:])
