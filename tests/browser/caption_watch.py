"""What one reader sees in the caption lines, from the first word to the last."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.browser import BrowserClient

_WATCH_JS = """() => {
  const seen = (window.__captions = new Map());
  const read = () => {
    for (const line of document.querySelectorAll('[data-testid="caption-line"] .caption')) {
      const text = line.querySelector(".roll").innerText, partial = line.querySelector(".partial")?.innerText ?? "";
      const said = text.slice(0, text.length - partial.length).trim();
      const shown = [line.dataset.participantId, line.querySelector(".who").innerText, said, partial];
      seen.set(JSON.stringify(shown), shown);
    }
  };
  const options = { subtree: true, childList: true, characterData: true };
  new MutationObserver(read).observe(document.body, options);
  read();
}"""


@dataclass(frozen=True)
class CaptionLine:
    """A line as it stood there for a while: what is settled, and what is still being said."""

    participant_id: str
    name: str
    said: str
    partial: str


class CaptionWatch:
    """All lines that the page of `client` shows from now on."""

    def __init__(self, client: BrowserClient) -> None:
        self._client = client

    async def start(self) -> None:
        await self._client.evaluate(_WATCH_JS)

    async def lines(self) -> list[CaptionLine]:
        """The oldest first."""
        return [CaptionLine(*each) for each in await self._client.evaluate("() => [...__captions.values()]")]
