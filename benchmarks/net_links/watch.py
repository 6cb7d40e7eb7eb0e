"""What the viewer's page notes: each picture when it is shown, and ten times a second what getStats says."""

from dataclasses import dataclass
from typing import Any

WATCH_JS = """
(selector) => {
  if (window.linkWatch) return;
  const watch = (window.linkWatch = { pictures: [], samples: [] });
  const followed = new WeakSet();
  const peers = [];
  const follow = (video) => {
    const shown = (at, about) => {
      watch.pictures.push([at / 1000, about.rtpTimestamp ?? -1, about.height]);
      video.requestVideoFrameCallback(shown);
    };
    followed.add(video);
    video.requestVideoFrameCallback(shown);
  };
  const read = async () => {
    for (const video of document.querySelectorAll(selector)) if (!followed.has(video)) follow(video);
    const peer = (window.lightPeers || {}).subscribe || (window.yuanshangDebug || {}).subscribeConnection;
    const sample = { at_s: performance.now() / 1000, peer: -1, audio: {}, video: {} };
    if (peer) {
      if (!peers.includes(peer)) peers.push(peer);
      sample.peer = peers.indexOf(peer);
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        const sums = sample[report.kind];
        for (const key of KEYS) if (report[key] !== undefined) sums[key] = (sums[key] || 0) + report[key];
      }
    }
    watch.samples.push(sample);
  };
  let busy = false;
  setInterval(() => {
    if (busy) return;
    busy = true;
    read().finally(() => { busy = false; });
  }, 100);
}
""".replace(
    "KEYS",
    str(
        [
            "packetsReceived",
            "packetsLost",
            "totalSamplesReceived",
            "concealedSamples",
            "totalAudioEnergy",
            "jitterBufferDelay",
            "jitterBufferEmittedCount",
            "totalFreezesDuration",
            "framesDecoded",
            "keyFramesDecoded",
            "nackCount",
            "pliCount",
        ]
    ),
)
"""Called with a CSS selector of the <video> elements to look at. `lightPeers.subscribe` or, in our room, the
connection that it shows to support is asked."""


@dataclass(frozen=True)
class Picture:
    """One that was shown, `at_s` on the page's clock."""

    at_s: float
    rtp_ts: int
    height: int


@dataclass(frozen=True)
class Sample:
    """Sums of getStats; `peer` counts peer connections, -1: there was none."""

    at_s: float
    peer: int
    audio: dict[str, float]
    video: dict[str, float]


@dataclass(frozen=True)
class Notes:
    """All that was noted, in order."""

    pictures: tuple[Picture, ...]
    samples: tuple[Sample, ...]

    @classmethod
    def read(cls, raw: dict[str, Any]) -> "Notes":
        """From the page. A picture that two elements show counts once."""
        pictures: dict[int, Picture] = {}
        for number, (at_s, rtp_ts, height) in enumerate(raw["pictures"]):
            key = int(rtp_ts) if rtp_ts >= 0 else -1 - number
            pictures.setdefault(key, Picture(float(at_s), int(rtp_ts), int(height)))
        ordered = tuple(sorted(pictures.values(), key=lambda picture: picture.at_s))
        return cls(ordered, tuple(Sample(**sample) for sample in raw["samples"]))
