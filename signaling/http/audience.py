"""Who asks for a livestream, and what of it they may see now.

To the public of a public consultation: with its delay, and cards where it was cut. To those who show a token that may
read programs: as it is now, also of internal consultations, which do not exist for others.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action
from recording.hls.shown import View
from recording.hls.store import ProgramStore
from signaling.http.context import CONTEXT, bearer_token

_PRIVATE = "private, no-store"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who asks for what. `is_public`: caches may keep the answer."""

    consultation_id: str
    store: ProgramStore
    view: View
    epoch_wall_ms: int
    is_public: bool

    def cache(self, directive: str) -> str:
        """The Cache-Control header."""
        return directive if self.is_public else _PRIVATE

    def knows_life(self, life: int) -> bool:
        """Whether anything of it may be seen, or is about to be."""
        begun = self.store.lives.get(life)
        return begun is not None and self.view.shows(begun.program_time_ms)


async def audience_of(request: web.Request) -> Audience:
    """Who asks, and what they may see now. not_found for whatever they may not know of."""
    context = request.app[CONTEXT]
    context.cards.begin()
    consultation_id = request.match_info["cid"]
    is_inside = bearer_token(request) is not None and await _may_read(request, consultation_id)
    broadcasts = context.broadcasts
    seen = await (broadcasts.inside if is_inside else broadcasts.view)(consultation_id)
    consultation = seen.consultation
    if not consultation.is_public and not is_inside:
        raise NotFoundError("not public")
    store = await context.stores.find(consultation_id)
    if store is None or consultation.started_at_ms is None:
        raise NotFoundError("no program")
    if is_inside and not seen.ended:
        view = View()
    else:
        until_ms = store.shown_until(seen.shown_until_ms(context.rooms.clock.wall_ms()))
        view = View(until_ms, seen.withdrawn, seen.ended)
    return Audience(consultation_id, store, view, consultation.started_at_ms, not is_inside)


async def _may_read(request: web.Request, consultation_id: str) -> bool:
    try:
        await request.app[CONTEXT].authorise(request, consultation_id, Action.PROGRAM_READ)
    except ConferenceError as error:
        if error.code == "storage_unavailable":
            raise
        return False
    return True
