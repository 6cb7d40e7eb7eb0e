"""What everybody may read without a token: a consultation as the public sees it, and 图文直播.

Answers are the same for all, so that a cache in front carries the crowd: an entity tag, and one second of life.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r304, r400, r404

from conference.model.agenda import AgendaKind, ItemState
from conference.model.chapters import ChapterKind
from conference.model.comment import CommentsState
from conference.model.consultation import Moderation, Status
from conference.model.identity import IdentityKind
from conference.services.public_views import EntryKind, PublicPage
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented
from signaling.http.tagged import Bodies, Body, for_all


class PublicAgendaItem(Resource):
    """Times that are real are program time; the plan is UTC."""

    id: str
    title: str
    kind: AgendaKind
    state: ItemState
    planned_minutes: int | None
    planned_start_wall_ms: int | None
    speaker: str | None
    started_at_ms: int | None
    ended_at_ms: int | None


class PublicSpeaker(Resource):
    """Who holds the floor, and the second line of the name plate."""

    name: str
    line: str


class PublicPromotion(Resource):
    """上会: what the public said and the session is about now."""

    text: str
    nickname: str | None
    place: str | None
    answering: str | None


class PublicCaption(Resource):
    """What was said, in program time. `speaker` is null where nobody knows."""

    speaker: str | None
    text: str
    start_ms: int
    end_ms: int


class PublicLive(Resource):
    """`url` is the playlist of the livestream."""

    url: str
    renditions: list[str]


class PublicChapter(Resource):
    kind: ChapterKind
    title: str
    from_ms: int
    to_ms: int


class PublicReplay(Resource):
    """`url` is the playlist. It plays `spans`, stretches of program time, in a row."""

    url: str
    renditions: list[str]
    duration_ms: int
    spans: list[tuple[int, int]]
    chapters: list[PublicChapter]


class PublicComments(Resource):
    """`state`: open, paused while the broadcast is interrupted, closed, or off. `total`: how many are shown."""

    state: CommentsState
    total: int
    moderation: Moderation


class PublicBeacon(Resource):
    """A page that is watched may say so every `every_s` seconds, when its id is in the `share`; see presence."""

    every_s: int
    share: float


class PublicResponses(Resource):
    """Cases of departments that the public knows of, and how many of them were answered."""

    total: int
    answered: int


class PublicIdentity(Resource):
    """How viewers may show who they are, and whether they have to before they comment."""

    kinds: list[IdentityKind]
    required: bool


class PublicConsultation(Resource):
    """A consultation as far as its delayed picture has come. Times with `wall`, `scheduled`, `ends`, `closing` are UTC
    milliseconds, others program time. `cut`: the broadcast is interrupted. `captions` is null where there are
    none. `viewers`: about how many watch now, rounded; null while that is not known. `identity` is null where the
    server has no way to ask who a viewer is."""

    id: str
    title: str
    organization: str | None
    status: Status
    scheduled_at_ms: int | None
    ends_at_ms: int | None
    closing_at_ms: int | None
    started_wall_ms: int | None
    ended_wall_ms: int | None
    delay_s: int
    cut: bool
    agenda: list[PublicAgendaItem]
    current_item: str | None
    speaker: PublicSpeaker | None
    promotion: PublicPromotion | None
    captions: list[PublicCaption] | None
    live: PublicLive | None
    replay: PublicReplay | None
    comments: PublicComments
    beacon: PublicBeacon | None
    viewers: int | None
    responses: PublicResponses
    identity: PublicIdentity | None


class PublicTextEntry(Resource):
    """`text` is an item's title, a speaker's name, or what was put to the session; a still has its `url`."""

    kind: EntryKind
    at_ms: int
    text: str
    line: str
    url: str | None


class PublicStill(Resource):
    url: str
    at_ms: int


class PublicText(Resource):
    """Newest first. `next` is the `before` of the page behind this one."""

    still: PublicStill | None
    items: list[PublicTextEntry]
    next: int | None


class PublicCaptionPage(Resource):
    """By beginning. `until_ms`: how far the public has come; null before its broadcast has begun."""

    items: list[PublicCaption]
    until_ms: int | None


class PublicDoor:
    """What everybody may read of a consultation."""

    def __init__(self) -> None:
        self._bodies: Bodies[PublicPage] = Bodies(PublicConsultation.model_validate)

    def add_to(self, app: web.Application) -> None:
        path = f"{PREFIX}/public/consultations/{{cid}}"
        app.router.add_get(path, documented(self.get_public_consultation))
        app.router.add_get(f"{path}/text", documented(self.get_public_text))
        app.router.add_get(f"{path}/captions", documented(self.get_public_captions))

    async def get_public_consultation(
        self, request: web.Request, cid: str, /
    ) -> r200[PublicConsultation] | r304 | r404[Problem]:
        """
        A consultation as everybody may see it. 404 for what is not public.

        Tags: public
        """
        page = await request.app[CONTEXT].public_views.get(cid)
        return for_all(request, self._bodies.body(cid, page))

    async def get_public_text(
        self, request: web.Request, cid: str, /, before: int | None = None
    ) -> r200[PublicText] | r304 | r404[Problem]:
        """
        图文直播: what happened, newest first, or before a moment of program time.

        Tags: public
        """
        view = await request.app[CONTEXT].public_views.text(cid, before)
        return for_all(request, Body.of(PublicText.model_validate(view)))

    async def get_public_captions(
        self, request: web.Request, cid: str, /, from_ms: int, to_ms: int
    ) -> r200[PublicCaptionPage] | r304 | r400[Problem] | r404[Problem]:
        """
        What was said in a stretch of program time of at most ten minutes, as far as the delayed picture has come.

        Tags: public
        """
        page = await request.app[CONTEXT].public_captions.page(cid, from_ms, to_ms)
        return for_all(request, Body.of(PublicCaptionPage.model_validate(page)))
