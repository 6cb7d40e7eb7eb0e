"""The link of a hall's big screen: shown beside the operator's, renewed with it, good for looking on alone."""

from __future__ import annotations

from urllib.parse import quote

from conference.clock import Clock
from conference.model.errors import ConferenceError
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import Venue
from conference.services.entrances import Issue, Issued, Pass, entered
from conference.services.links import Links
from conference.services.ports import Storage


class ScreenLinks:
    """Nothing is stored of them: the code follows from the venue and the revision of the operator's link."""

    def __init__(self, storage: Storage, clock: Clock, links: Links, issue: Issue) -> None:
        self._storage = storage
        self._clock = clock
        self._links = links
        self._issue = issue

    def address(self, venue: Venue) -> str:
        """The page with the code behind #, which no server on the way and no log gets to see. `?view=confidence` before
        it makes the monitor for who speaks."""
        code = self._links.screen_code(venue)
        page = f"/screen/{quote(venue.consultation_id, safe='')}"
        return f"{self._links.base}{page}#venue={venue.id}&code={code}"

    async def enter(self, consultation_id: str, venue_id: str, code: str) -> Issued:
        """A token for the screen, while the consultation may be entered; link_invalid when the code is none."""
        async with self._storage.transaction() as unit:
            venue = await unit.venues.get(venue_id)
            if venue is None or venue.removed_at_ms is not None or venue.consultation_id != consultation_id:
                raise ConferenceError("link_invalid")
            if not self._links.is_screen(venue, code):
                raise ConferenceError("link_invalid")
            consultation = await unit.consultations.get(venue.consultation_id)
            if consultation is None:
                raise ConferenceError("link_invalid")
            consultation.require_open()
            given = Pass(
                consultation_id=venue.consultation_id,
                role=Role.OBSERVER,
                name=venue.name,
                venue=venue.name,
                via=EntryMeans.SCREEN,
                invitee_id=None,
                venue_id=venue.id,
                link_revision=venue.link_revision,
            )
            issued = self._issue(given)
            await unit.audit.append(entered(given, issued, "screen.opened", self._clock.wall_ms()))
        return issued
