"""What the public is told: never ahead of its picture, never of what was withdrawn, nothing of what is internal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.audit import SYSTEM, AuditEntry
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.footage import Footage, OnAir, Still
from conference.model.permissions import Role
from conference.model.transcript import Coverage, SpeakerLabel, TranscriptSegment
from conference.services import public_views
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.ports.airing import Broadcast
from conference.services.public_captions import PublicCaptions
from conference.services.public_views import EntryKind, PublicViews, reached
from conference.services.viewers import Viewers
from tests.unit.services.conftest import World

CHAIR = World.bearer(Role.CHAIR)
DRAFTS = [
    AgendaDraft("通报", AgendaKind.REPORT, planned_minutes=10),
    AgendaDraft("助餐点能不能接受现金？", AgendaKind.PROMOTION, speaker="市民政局"),
    AgendaDraft("讨论", AgendaKind.DISCUSSION),
]


@dataclass
class Shown:
    """What `Airing.view` gives."""

    consultation: Consultation
    program_time_ms: int | None
    delay_ms: int
    is_cut: bool
    withdrawn: tuple[tuple[int, int | None], ...]


class OnAirNow:
    """A broadcast as the test says, of the rows of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.on_air = OnAir()
        self.film = Footage()
        self.asked = 0

    async def view(self, consultation_id: str) -> Broadcast:
        self.asked += 1
        consultation = await self.world.consultations.get(consultation_id)
        on_air = self.on_air
        now_ms = self.world.programs.now_ms(consultation)
        return Shown(consultation, now_ms, on_air.delay_ms, on_air.is_cut, on_air.withdrawn)

    async def footage(self, consultation_id: str) -> Footage:
        return self.film


class Public:
    """The views, and time that passes between two looks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.air = OnAirNow(world)
        self.views = PublicViews(
            world.database, world.clock, self.air, self.air, Viewers(world.rooms, self.air)
        )

    async def page(self) -> public_views.PublicPage:
        self.world.clock.forward(0.5)
        return await self.views.get("c")

    async def text(self, before_ms: int | None = None) -> public_views.TextView:
        self.world.clock.forward(0.5)
        return await self.views.text("c", before_ms)


@pytest.fixture
async def public(world: World) -> Public:
    await world.agendas.edit("c", world.bearer(Role.ORGANIZER), DRAFTS)
    return Public(world)


async def live(public: Public) -> tuple[str, str]:
    """Going live; the chair and somebody who may speak."""
    chair, member = await public.world.join("主持人", Role.CHAIR), await public.world.join("林文博")
    await public.world.life_cycle.start("c", CHAIR)
    return chair, member


async def test_before_it_begins(public: Public) -> None:
    page = await public.page()
    assert (page.status, page.live, page.replay, page.started_wall_ms) == (Status.SCHEDULED, None, None, None)
    assert [(item.title, item.state) for item in page.agenda] == [
        (draft.title, "pending") for draft in DRAFTS
    ]
    assert (await public.text()).items == ()


@pytest.mark.parametrize("draft", [{"is_public": False}, {"status": Status.DRAFT}])
async def test_what_is_internal_is_not_there(world: World, draft: dict[str, Any]) -> None:
    await world.consultations.create(ConsultationDraft(title="内部", id="i", **draft))
    with pytest.raises(ConferenceError) as caught:
        await Public(world).views.get("i")
    assert caught.value.code == "consultation_not_found"
    with pytest.raises(ConferenceError) as caught:
        await Public(world).views.text("i")
    assert caught.value.code == "consultation_not_found"


async def test_the_page_of_a_live_session(public: Public) -> None:
    chair, member = await live(public)
    await public.world.agendas.advance("c", chair)
    await public.world.floors.grant("c", chair, member)
    public.air.film = Footage(("720p", "360p"))
    page = await public.page()
    assert page.status is Status.LIVE
    assert page.live is not None
    assert (page.live.url, page.live.renditions) == ("/live/c/index.m3u8", ("720p", "360p"))
    assert page.started_wall_ms == (await public.world.consultations.get("c")).started_at_ms
    assert page.current_item == page.agenda[0].id
    assert page.speaker is not None
    assert page.speaker.name == "林文博"
    assert (page.promotion, page.captions, page.cut, page.delay_s) == (None, None, False, 0)
    await public.world.agendas.advance("c", chair)
    page = await public.page()
    assert page.promotion is not None
    assert (page.promotion.text, page.promotion.answering) == (DRAFTS[1].title, DRAFTS[1].speaker)


async def test_nothing_runs_ahead_of_the_delayed_picture(public: Public) -> None:
    public.air.on_air = OnAir(delay_ms=30_000)
    public.air.film = Footage(
        ("720p",), ((0, 60_000),), tuple(Still(at, "1/stills/1.jpg") for at in (0, 10_000))
    )
    chair, member = await live(public)
    await public.world.agendas.advance("c", chair)
    page = await public.page()
    assert (page.status, page.live, page.started_wall_ms) == (Status.SCHEDULED, None, None)
    assert {item.state for item in page.agenda} == {"pending"}
    assert (await public.text()).items == ()
    public.world.clock.forward(30)
    assert (await public.page()).status is Status.LIVE
    public.world.clock.forward(5)
    await public.world.floors.grant("c", chair, member)
    await public.world.agendas.advance("c", chair)
    await public.world.agendas.edit("c", CHAIR, [*_kept(await public.world.agendas.get("c")), DRAFTS[0]])
    page, text = await public.page(), await public.text()
    assert (page.speaker, page.promotion, page.current_item) == (None, None, page.agenda[0].id)
    assert len(page.agenda) == len(DRAFTS)
    assert [each.kind for each in text.items] == [EntryKind.ITEM, EntryKind.STILL]
    assert text.still is not None
    assert text.still.at_ms == 0
    public.world.clock.forward(30)
    page, text = await public.page(), await public.text()
    assert page.speaker is not None
    assert page.promotion is not None
    assert len(page.agenda) == len(DRAFTS) + 1
    assert {EntryKind.SPEAKER, EntryKind.PROMOTION} < {each.kind for each in text.items}
    await public.world.life_cycle.end("c", CHAIR)
    page = await public.page()
    assert (page.status, page.ended_wall_ms, page.replay) == (Status.LIVE, None, None)
    assert page.live is not None
    public.world.clock.forward(30)
    page = await public.page()
    assert (page.status, page.live) == (Status.ENDED, None)
    assert page.replay is not None


def _kept(items: Any) -> list[AgendaDraft]:
    return [AgendaDraft(item.title, item.kind, id=item.id, speaker=item.speaker) for item in items]


async def say(public: Public, who: str, text: str, from_ms: int, to_ms: int, **values: Any) -> str:
    """A row of the transcript, and that it was listened to."""
    segment = TranscriptSegment(
        f"seg_{from_ms}",
        "c",
        who,
        SpeakerLabel("林文博", Role.MEMBER),
        from_ms,
        to_ms,
        text,
        text,
        (),
        "e",
        **values,
    )
    async with public.world.database.transaction() as unit:
        await unit.transcript.save([segment])
        await unit.transcript.cover(Coverage("c", who, from_ms, to_ms))
        await unit.audit.append(AuditEntry("c", 1, None, SYSTEM, "transcript.heard"))
    return segment.id


async def test_captions_are_the_last_words_and_no_others(public: Public) -> None:
    _, member = await live(public)
    page = await public.page()
    assert page.captions is None, "nobody listens"
    public.world.clock.forward(60)
    for number in range(3):
        await say(public, member, f"第{number}句。", 50_000 + 3000 * number, 52_000 + 3000 * number)
    await say(public, member, "秘密。", 59_000, 59_500, is_confidential=True)
    await say(public, member, "还没说完的。", 60_000, 90_000)
    page = await public.page()
    assert page.captions is not None
    assert [(each.text, each.speaker, each.start_ms) for each in page.captions] == [
        ("第1句。", "林文博", 53_000),
        ("第2句。", "林文博", 56_000),
    ]
    text = await public.text()
    said = [each for each in text.items if each.kind is EntryKind.CAPTION]
    assert [(each.text, each.line) for each in said] == [(f"第{n}句。", "林文博") for n in (2, 1, 0)]
    public.world.clock.forward(60)
    page = await public.page()
    assert page.captions is not None
    assert [each.text for each in page.captions] == []


async def test_captions_wait_for_the_delayed_picture_and_stop_with_it(public: Public) -> None:
    public.air.on_air = OnAir(delay_ms=30_000)
    _, member = await live(public)
    public.world.clock.forward(60)
    await say(public, member, "看得到。", 20_000, 29_000)
    await say(public, member, "还看不到。", 31_000, 35_000)
    captions = PublicCaptions(public.world.database, public.world.clock, public.views)
    page, whole = await public.page(), await captions.page("c", 0, 600_000)
    assert page.captions is not None
    assert [each.text for each in page.captions] == [each.text for each in whole.items] == ["看得到。"]
    assert whole.until_ms is not None
    assert 30_000 <= whole.until_ms < 31_000
    public.air.on_air = OnAir(is_cut=True, withdrawn=((25_000, None),))
    page, whole = await public.page(), await captions.page("c", 0, 600_000)
    assert (page.captions, whole.items, whole.until_ms) == ((), (), 25_000)
    public.air.on_air = OnAir(withdrawn=((25_000, 30_000),))
    public.world.clock.forward(1)
    await public.world.life_cycle.end("c", CHAIR)
    page, whole = await public.page(), await captions.page("c", 0, 600_000)
    assert page.captions == ()
    assert [each.text for each in whole.items] == ["还看不到。"], "withdrawn is withdrawn for good"


async def test_a_page_of_captions_is_read_once_for_all_and_not_too_long(public: Public) -> None:
    _, member = await live(public)
    public.world.clock.forward(60)
    await say(public, member, "一句。", 1_000, 2_000)
    captions = PublicCaptions(public.world.database, public.world.clock, public.views)
    one, other = await asyncio.gather(captions.page("c", 0, 10_000), captions.page("c", 0, 10_000))
    assert one is other
    for stretch in ((0, 600_001), (5, 5), (-1, 5)):
        with pytest.raises(ConferenceError):
            await captions.page("c", *stretch)
    await public.world.consultations.create(ConsultationDraft(title="内部", id="i", is_public=False))
    with pytest.raises(ConferenceError) as caught:
        await captions.page("i", 0, 10_000)
    assert caught.value.code == "consultation_not_found"


async def test_captions_that_are_switched_off_are_no_pages_either(public: Public) -> None:
    _, member = await live(public)
    public.world.clock.forward(60)
    await say(public, member, "一句。", 1_000, 2_000)
    captions = PublicCaptions(public.world.database, public.world.clock, public.views)
    assert len((await captions.page("c", 0, 10_000)).items) == 1
    revision = (await public.world.consultations.get("c")).revision
    editing = Editing(public.world.rooms, public.world.floors, public.world.waiting)
    await editing.edit("c", World.bearer(Role.SECRETARIAT), revision, {"captions": False})
    public.world.clock.forward(1)
    assert ((await public.page()).captions, (await captions.page("c", 0, 10_000)).items) == (None, ())


async def test_a_long_text_is_read_page_by_page(public: Public) -> None:
    _, member = await live(public)
    public.world.clock.forward(600)
    for number in range(120):
        await say(public, member, f"第{number}句。", 4000 * number, 4000 * number + 3000)
    seen: list[str] = []
    before_ms: int | None = None
    while True:
        view = await public.text(before_ms)
        seen += [each.text for each in view.items if each.kind is EntryKind.CAPTION]
        before_ms = view.next
        if before_ms is None:
            break
    assert seen == [f"第{number}句。" for number in reversed(range(120))]


async def test_while_it_is_cut_off_the_words_stand_still(public: Public) -> None:
    chair, member = await live(public)
    await public.world.agendas.advance("c", chair)
    public.world.clock.forward(60)
    cut_ms = public.world.programs.now_ms(await public.world.consultations.get("c"))
    assert cut_ms is not None
    await public.world.floors.grant("c", chair, member)
    await public.world.agendas.advance("c", chair)
    public.air.film = Footage(
        ("720p",), (), (Still(10_000, "1/stills/2.jpg"), Still(cut_ms + 300, "1/stills/3.jpg"))
    )
    public.air.on_air = OnAir(is_cut=True, withdrawn=((cut_ms - 10_000, None),))
    page, text = await public.page(), await public.text()
    assert (page.cut, page.speaker, page.promotion) == (True, None, None)
    assert page.current_item == page.agenda[0].id
    assert text.still is None
    assert [(each.kind, each.at_ms) for each in text.items if each.kind is not EntryKind.ITEM] == [
        (EntryKind.STILL, 10_000)
    ]
    public.world.clock.forward(20)
    public.air.on_air = OnAir(withdrawn=((cut_ms - 10_000, cut_ms + 5000),))
    page, text = await public.page(), await public.text()
    assert page.cut is False
    assert page.current_item == page.agenda[1].id
    assert page.speaker is not None
    assert [each.text for each in text.items if each.kind is EntryKind.SPEAKER] == []
    assert [each.url for each in text.items if each.kind is EntryKind.STILL] == ["/live/c/1/stills/2.jpg"]
    await public.world.life_cycle.end("c", CHAIR)
    public.air.film = replace(public.air.film, spans=((0, 80_000),))
    page = await public.page()
    assert page.replay is not None
    # What began in the stretch that was taken away is named from where the picture comes back.
    assert [(each.title, each.from_ms) for each in page.replay.chapters] == [
        (DRAFTS[0].title, 0),
        (DRAFTS[1].title, cut_ms + 5000),
    ]


async def test_the_replay_has_chapters_and_maps_time(public: Public) -> None:
    chair, _ = await live(public)
    await public.world.agendas.advance("c", chair)
    public.world.clock.forward(60)
    await public.world.agendas.advance("c", chair)
    public.world.clock.forward(30)
    await public.world.life_cycle.end("c", CHAIR)
    assert (await public.page()).replay is None
    public.air.film = Footage(("720p",), ((0, 40_000), (52_000, 90_000)))
    page = await public.page()
    assert page.replay is not None
    assert page.replay.duration_ms == 78_000
    assert [(each.kind, each.from_ms, each.to_ms) for each in page.replay.chapters] == [
        ("item", 0, 60_000),
        ("promotion", 60_000, 90_000),
    ]
    assert (page.current_item, page.agenda[1].state, page.agenda[1].ended_at_ms) == (None, "done", 90_000)


async def test_text_comes_in_pages(public: Public) -> None:
    chair, _ = await live(public)
    await public.world.agendas.advance("c", chair)
    public.world.clock.forward(7200)
    stills = tuple(Still(at * 10_000, f"1/stills/{at:08}.jpg") for at in range(720))
    public.air.film = Footage(("720p",), (), stills)
    first = await public.text()
    assert first.still is not None
    assert first.still.url == "/live/c/1/stills/00000719.jpg"
    assert len(first.items) == public_views.PAGE
    second = await public.text(first.next)
    third = await public.text(second.next)
    assert third.next is None
    moments = [each.at_ms for page in (first, second, third) for each in page.items]
    assert moments == sorted(moments, reverse=True)
    assert len(moments) == 120 + 1


async def test_many_who_ask_at_once_cost_one_look(public: Public) -> None:
    pages = await asyncio.gather(*(public.views.get("c") for _ in range(50)))
    assert public.air.asked == 1
    assert all(page is pages[0] for page in pages)


async def test_a_consultation_made_anew_has_no_past(public: Public) -> None:
    chair, _ = await live(public)
    await public.world.agendas.advance("c", chair)
    await public.page()
    await public.world.life_cycle.end("c", CHAIR)
    await public.world.consultations.rehearse(ConsultationDraft(title="新", id="c"))
    page = await public.page()
    assert (page.title, page.status, page.agenda, page.current_item) == ("新", Status.SCHEDULED, (), None)


@pytest.mark.parametrize(
    ("status", "now_ms", "over_for_ms", "expected"),
    [
        (Status.SCHEDULED, None, 0, (Status.SCHEDULED, None)),
        (Status.LIVE, 19_999, 0, (Status.SCHEDULED, None)),
        (Status.LIVE, 20_000, 0, (Status.LIVE, 0)),
        (Status.ENDED, 90_000, 0, (Status.LIVE, 70_000)),
        (Status.ENDED, 90_000, 19_999, (Status.LIVE, 89_999)),
        (Status.ENDED, 90_000, 20_000, (Status.ENDED, 90_000)),
        (Status.ENDED, 5000, 1000, (Status.SCHEDULED, None)),
        (Status.ARCHIVED, 90_000, 0, (Status.ARCHIVED, 90_000)),
    ],
)
def test_how_far_the_public_has_come(
    status: Status, now_ms: int | None, over_for_ms: int, expected: tuple[Status, int | None]
) -> None:
    begun = ConsultationDraft("题")
    consultation = Consultation(
        id="c",
        title=begun.title,
        status=status,
        mode=begun.mode,
        is_public=True,
        waiting_room=False,
        microphone_on_join=True,
        created_at_ms=0,
        started_at_ms=None if now_ms is None else 1000,
        ended_at_ms=50_000,
    )
    assert reached(consultation, now_ms, 50_000 + over_for_ms, OnAir(delay_ms=20_000)) == expected
