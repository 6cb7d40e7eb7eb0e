"""How smoothly a page shows a picture: the longest time between two frames that were presented, as the browser says."""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.firefox import Firefox
from tests.support.browser import BrowserClient

# The element of a picture stays the same when its tile moves or changes its size.
_WATCH_JS = """
(id) => {
  const video = [...document.querySelectorAll('[data-testid="participant-tile"]')]
    .filter((tile) => tile.dataset.participantId === id)
    .flatMap((tile) => [...tile.querySelectorAll('video')])
    .find((each) => each.videoWidth > 0);
  if (!video) return false;
  const seen = (window.__smoothness = { longest: 0, frames: 0, last: performance.now(), sizes: [] });
  const step = (now, { height }) => {
    if (window.__smoothness !== seen) return;
    seen.longest = Math.max(seen.longest, now - seen.last);
    seen.last = now;
    seen.frames += 1;
    if (seen.sizes[seen.sizes.length - 1] !== height) seen.sizes.push(height);
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
  return true;
}
"""
_READ_JS = """
() => {
  const { longest, frames, last, sizes } = window.__smoothness;
  return { longest: Math.max(longest, performance.now() - last), frames, sizes };
}
"""


@dataclass(frozen=True)
class Shown:
    """Since the watch began. `heights`: of the frames in px, each time that it changed."""

    longest_gap_ms: float
    frames: int
    heights: tuple[int, ...]


async def watch(viewer: BrowserClient | Firefox, participant_id: str) -> None:
    """Begin anew; the participant's picture must be shown."""
    assert await viewer.evaluate(_WATCH_JS, participant_id), f"{viewer.name} shows no picture"


async def shown(viewer: BrowserClient | Firefox) -> Shown:
    """What was presented since `watch`, with the time since the last frame as a gap of its own."""
    found = await viewer.evaluate(_READ_JS)
    return Shown(float(found["longest"]), int(found["frames"]), tuple(int(each) for each in found["sizes"]))
