"""What there is to show of programs, for the public pages. Implements conference.services.ports.airing.FootageShelf."""

from __future__ import annotations

from typing import Final

from conference.clock import Clock
from conference.model.footage import Footage, Still
from conference.services.broadcasts import Broadcasts
from recording.hls.shown import View, is_complete, replay_spans
from recording.hls.store import ProgramStores

_KEPT: Final = 256


class StoredFootage:
    """From the stores that hand the livestream out: what it says is what the playlists hold."""

    def __init__(self, stores: ProgramStores, broadcasts: Broadcasts, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._broadcasts = broadcasts
        self._known: dict[str, tuple[object, Footage]] = {}

    async def footage(self, consultation_id: str) -> Footage:
        """Empty for a consultation without a program. Stills are all there are, shown or not."""
        store = await self._stores.find(consultation_id)
        if store is None:
            return Footage()
        seen = await self._broadcasts.view(consultation_id)
        until_ms = store.shown_until(seen.shown_until_ms(self._clock.wall_ms()))
        view = View(until_ms, seen.withdrawn, seen.ended)
        whole = is_complete(store, view)  # before that the playlist is a live one
        state = (store, store.until(until_ms), len(store.stills), seen.withdrawn, len(store.inits), whole)
        known = self._known.get(consultation_id)
        if known is not None and known[0] == state:
            return known[1]
        shown = Footage(
            renditions=tuple(init.rendition for init in store.renditions) if store.until(until_ms) else (),
            spans=replay_spans(store, view) if whole else (),
            stills=tuple(Still(each.program_time_ms, each.file) for each in store.stills),
        )
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[consultation_id] = (state, shown)
        return shown
