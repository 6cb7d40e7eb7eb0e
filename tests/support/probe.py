"""What is read out of a page: JavaScript that looks at tiles, pictures and statistics, and the types of its answers."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.picture_code import READ_CODE_JS, Code

# Installed before the page's own scripts, in each document.
INSTALL_JS = f"""
(() => {{
  if (window.__probe) return;
  const readCode = {READ_CODE_JS};
  const id = (name, root) => [...(root || document).querySelectorAll(`[data-testid="${{name}}"]`)];
  const visible = (element) => {{
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.display !== "none";
  }};
  const videos = (root) => [...root.querySelectorAll("video")];
  const describe = (video) => ({{
    code: readCode(video),
    width: video.videoWidth,
    height: video.videoHeight,
    paused: video.paused,
    mirrored: new DOMMatrix(getComputedStyle(video).transform).a < 0,
  }});
  window.__probe = {{
    readCode,
    tiles: () => id("participant-tile").map((tile) => ({{
      participant_id: tile.dataset.participantId || "",
      speaking: tile.dataset.speaking === "true",
      text: tile.innerText.trim(),
      visible: visible(tile),
      videos: videos(tile).filter(visible).map(describe),
    }})),
    state: () => {{
      const element = id("connection-state")[0];
      return element ? {{ text: element.innerText.trim(), ...element.dataset }} : null;
    }},
    box: (name, nth) => {{
      const element = id(name).filter(visible)[nth];
      if (!element) return null;
      element.scrollIntoView({{ block: "nearest", inline: "nearest" }});
      const box = element.getBoundingClientRect();
      const x = box.left + box.width / 2, y = box.top + box.height / 2;
      const top = document.elementFromPoint(x, y);
      const hit = !!top && (element.contains(top) || top.contains(element));
      // Under a bar that stands still: a person scrolls on.
      if (!hit) element.scrollIntoView({{ block: "center", inline: "nearest" }});
      return {{ x, y, width: box.width, height: box.height, disabled: !!element.disabled, hit }};
    }},
    count: (name) => id(name).filter(visible).length,
    connections: () => {{
      const debug = window.yuanshangDebug || {{}};
      return {{ publish: debug.publishConnection || null, subscribe: debug.subscribeConnection || null }};
    }},
    stats: async (which) => {{
      const peer = (window.lightPeers || {{}})[which] || window.__probe.connections()[which];
      return peer ? [...(await peer.getStats()).values()] : [];
    }},
    connectionState: (which) => {{
      const peer = window.__probe.connections()[which];
      return peer ? peer.connectionState : null;
    }},
    msids: () => {{
      const peer = window.__probe.connections().subscribe;
      const text = (peer && peer.remoteDescription && peer.remoteDescription.sdp) || "";
      const found = {{}};
      for (const part of text.split(/^m=/m).slice(1)) {{
        const mid = /^a=mid:(\\S+)/m.exec(part), msid = /^a=msid:(\\S+)/m.exec(part);
        if (mid && msid) found[mid[1]] = msid[1];
      }}
      return found;
    }},
    overflow: () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    join: {{ clicked: null, picture: null }},
    watchJoin: () => {{
      const join = window.__probe.join;
      document.addEventListener("click", (event) => {{
        const button = event.target.closest && event.target.closest('[data-testid="join-button"]');
        if (button && join.clicked === null) join.clicked = performance.now();
      }}, true);
      const own = new Set();
      const look = () => {{
        if (join.clicked === null) for (const v of document.querySelectorAll("video")) {{
          const code = readCode(v);
          if (code) own.add(code.participant);
        }} else for (const v of document.querySelectorAll("video")) {{
          const code = readCode(v);
          if (code && !own.has(code.participant)) {{ join.picture = performance.now(); return; }}
        }}
        requestAnimationFrame(look);
      }};
      requestAnimationFrame(look);
    }},
  }};
}})()
"""


@dataclass(frozen=True)
class Picture:
    """One visible <video>."""

    code: Code | None
    width: int
    height: int
    paused: bool
    mirrored: bool

    @classmethod
    def read(cls, raw: dict[str, Any]) -> "Picture":
        """From the page's answer."""
        code = raw["code"]
        read = Code(int(code["participant"]), int(code["frame"])) if code else None
        return cls(read, int(raw["width"]), int(raw["height"]), bool(raw["paused"]), bool(raw["mirrored"]))


@dataclass(frozen=True)
class Tile:
    """One participant-tile."""

    participant_id: str
    speaking: bool
    text: str
    visible: bool
    pictures: tuple[Picture, ...]

    @classmethod
    def read(cls, raw: dict[str, Any]) -> "Tile":
        """From the page's answer."""
        pictures = tuple(Picture.read(video) for video in raw["videos"])
        return cls(raw["participant_id"], bool(raw["speaking"]), raw["text"], bool(raw["visible"]), pictures)

    @property
    def codes(self) -> set[int]:
        """Participants whose pictures are in the tile."""
        return {picture.code.participant for picture in self.pictures if picture.code}


@dataclass(frozen=True)
class Inbound:
    """One received stream of a page with what its statistics say."""

    participant_id: str
    source: str
    kind: str
    mid: str
    stats: dict[str, Any] = field(repr=False)

    def number(self, name: str) -> float:
        """A statistic; 0 when it is not there."""
        return float(self.stats.get(name) or 0)

    @property
    def packets(self) -> int:
        """Packets received."""
        return int(self.number("packetsReceived"))

    @property
    def energy(self) -> float:
        """Sound energy heard so far; its growth is loudness over time."""
        return self.number("totalAudioEnergy")

    @property
    def frames(self) -> int:
        """Pictures decoded."""
        return int(self.number("framesDecoded"))

    @property
    def frozen_s(self) -> float:
        """Seconds in which the picture stood."""
        return self.number("totalFreezesDuration")
