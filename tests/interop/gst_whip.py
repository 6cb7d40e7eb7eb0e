"""GStreamer's webrtcbin as a WHIP encoder: test picture and tone into a room, until standard input ends.

Run by the system's Python, which has the GObject bindings, with nothing of ours on its path:
`gst_whip.py URL TOKEN vp8|constrained-baseline|main|high`. One JSON line on standard output for each thing that
happened: `{"location"}` when the server took the offer, `{"connected", "key"}` when media flows (`key` is the kind of
our certificate's key), `{"deleted"}` with the status of the DELETE at the end, `{"error"}`.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urljoin

import gi  # type: ignore[import-not-found,unused-ignore]

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found,unused-ignore]  # noqa: E402

_PICTURE = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=15/1 ! videoconvert"
)
_VP8 = "vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=60 ! rtpvp8pay pt=96"
_H264 = (
    "x264enc tune=zerolatency speed-preset=veryfast bitrate=500 key-int-max=60 ! video/x-h264,profile={} "
    "! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency"
)
_SOUND = "audiotestsrc is-live=true wave=pink-noise volume=0.3 ! audioconvert ! opusenc ! rtpopuspay pt=111"
_RSA = bytes.fromhex("2a864886f70d010101")  # the object identifier rsaEncryption in DER
_TIMEOUT_S = 10.0


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def description(codec: str) -> str:
    """The pipeline's text."""
    video = _VP8 if codec == "vp8" else _H264.format(codec)
    return (
        "webrtcbin name=peer bundle-policy=max-bundle "
        f"{_PICTURE} ! {video} ! queue ! peer. {_SOUND} ! queue ! peer."
    )


class Encoder:
    """One pipeline and its WHIP resource."""

    def __init__(self, url: str, token: str, codec: str) -> None:
        self._url = url
        self._authorization = f"Bearer {token}"
        self._location = ""
        self._offered = False
        self._loop = GLib.MainLoop()
        self._pipeline = Gst.parse_launch(description(codec))
        self._peer = self._pipeline.get_by_name("peer")
        self._peer.connect("on-negotiation-needed", self._negotiate)
        self._peer.connect("notify::ice-gathering-state", self._gathered)
        self._peer.connect("notify::connection-state", self._connection_changed)
        bus = self._pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self._failed)

    def run(self) -> None:
        """Until standard input ends or something fails."""
        threading.Thread(target=self._wait_for_end, daemon=True).start()
        self._pipeline.set_state(Gst.State.PLAYING)
        self._loop.run()
        if self._location:
            say(deleted=self._request(self._location, "DELETE")[0])
        self._pipeline.set_state(Gst.State.NULL)

    def _negotiate(self, _peer: Any) -> None:
        for index in range(2):  # picture and sound
            transceiver = self._peer.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self._peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offer_made))

    def _offer_made(self, promise: Any) -> None:
        reply = promise.get_reply()  # owns the offer: it must outlive its use
        offer = reply.get_value("offer")
        self._peer.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, peer: Any, _property: Any) -> None:
        complete = peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if complete and not self._offered:
            self._offered = True
            GLib.idle_add(self._exchange)

    def _exchange(self) -> bool:
        text = self._peer.get_property("local-description").sdp.as_text()
        status, headers, body = self._request(self._url, "POST", text)
        if status != 201:
            say(error=f"{status}: {body}")
            self._loop.quit()
            return False
        self._location = urljoin(self._url, headers.get("Location", ""))
        say(location=self._location)
        _, message = GstSdp.SDPMessage.new_from_text(body)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self._peer.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def _request(self, url: str, method: str, body: str | None = None) -> tuple[int, Any, str]:
        headers = {"Authorization": self._authorization, "Content-Type": "application/sdp"}
        request = urllib.request.Request(
            url, data=None if body is None else body.encode(), method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode(errors="replace")

    def _connection_changed(self, peer: Any, _property: Any) -> None:
        state = peer.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            say(connected=True, key=self._key())
        elif state == GstWebRTC.WebRTCPeerConnectionState.FAILED:
            say(error="the connection failed")
            self._loop.quit()

    def _key(self) -> str:
        """Kind of the certificate that GStreamer made for us."""
        elements = self._peer.iterate_recurse()
        while True:
            result, element = elements.next()
            if result != Gst.IteratorResult.OK:
                return "unknown"
            if element.get_factory() and element.get_factory().get_name() == "dtlsdec":
                lines = element.get_property("pem").split("-----")[2]
                return "RSA" if _RSA in base64.b64decode(lines) else "other"

    def _failed(self, _bus: Any, message: Any) -> None:
        say(error=str(message.parse_error()))
        self._loop.quit()

    def _wait_for_end(self) -> None:
        sys.stdin.read()
        GLib.idle_add(self._loop.quit)


def main() -> None:
    Gst.init(None)
    url, token, codec = sys.argv[1:]
    Encoder(url, token, codec).run()


if __name__ == "__main__":
    main()
