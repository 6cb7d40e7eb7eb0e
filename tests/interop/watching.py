"""What a Chromium page shows of a participant whose picture has no code of ours: that it moves, and how it is coded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.async_api import WebSocket

from tests.support.browser import BrowserClient

# A small checksum over the picture of each visible <video> in the tile of a participant.
_PICTURES_JS = """
(id) => {
  const canvas = document.createElement("canvas");
  canvas.width = 64;
  canvas.height = 36;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const found = [];
  for (const tile of document.querySelectorAll('[data-testid="participant-tile"]')) {
    if (tile.dataset.participantId !== id) continue;
    for (const video of tile.querySelectorAll("video")) {
      if (!video.videoWidth || video.readyState < 2) continue;
      context.drawImage(video, 0, 0, 64, 36);
      const { data } = context.getImageData(0, 0, 64, 36);
      let sum = 0, light = 0;
      for (let at = 0; at < data.length; at += 4) {
        for (let channel = 0; channel < 3; channel++) sum = (Math.imul(sum, 31) + data[at + channel]) | 0;
        light = Math.max(light, data[at], data[at + 1], data[at + 2]);
      }
      found.push({ sum, light, width: video.videoWidth, height: video.videoHeight });
    }
  }
  return found;
}
"""
_SAMPLES = 8  # different pictures that must have been seen
_LIGHT = 64  # the brightest channel of the brightest pixel: a black picture has none


@dataclass(frozen=True)
class Moving:
    """A picture that moves."""

    width: int
    height: int
    codec: str  # "video/VP8", …


async def moves(client: BrowserClient, participant_id: str, *, timeout_s: float = 30.0) -> Moving:
    """Wait until the tile showed several different pictures and the decoder counted at least as many frames."""
    sums: set[int] = set()
    sizes: list[tuple[int, int]] = []
    frames = await _frames(client, participant_id)

    async def watched() -> bool:
        for picture in await client.evaluate(_PICTURES_JS, participant_id):
            if picture["light"] >= _LIGHT:
                sums.add(picture["sum"])
                sizes.append((int(picture["width"]), int(picture["height"])))
        decoded = await _frames(client, participant_id) - frames
        assert len(sums) >= _SAMPLES, f"{len(sums)} different pictures, {decoded} frames decoded"
        assert decoded >= _SAMPLES, f"{decoded} frames decoded"
        return True

    await client.wait_until(watched, timeout_s=timeout_s, what=f"sees {participant_id} move")
    return Moving(*sizes[-1], codec=await codec_of(client, participant_id))


async def codec_of(client: BrowserClient, participant_id: str) -> str:
    """MIME type (with its parameters for H264) under which the picture of a participant arrives."""
    codecs = {one["id"]: one for one in await client.stats("subscribe") if one["type"] == "codec"}
    for stream in await client.inbound():
        if stream.participant_id == participant_id and stream.kind == "video":
            codec = codecs.get(stream.stats.get("codecId", ""), {})
            return " ".join(part for part in (codec.get("mimeType"), codec.get("sdpFmtpLine")) if part)
    return ""


def told_of_subscriptions(client: BrowserClient) -> list[dict[str, Any]]:
    """A list that grows with each `subscription.changed` of the sockets that the page opens from now on."""
    told: list[dict[str, Any]] = []

    def on_frame(payload: str | bytes) -> None:
        if isinstance(payload, str) and (start := payload.find('["subscription.changed"')) >= 0:
            told.append(json.loads(payload[start:])[1])

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", on_frame)

    client.page.on("websocket", on_socket)
    return told


async def _frames(client: BrowserClient, participant_id: str) -> int:
    return sum(
        stream.frames
        for stream in await client.inbound()
        if stream.participant_id == participant_id and stream.kind == "video"
    )
