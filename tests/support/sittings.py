"""A county's consultation as it may have been: its people, agenda, speeches, statements and what the public asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.attendance import Stay
from conference.model.consultation import Consultation, Mode, Status
from conference.model.floor import Ending, EndReason, Turn, TurnState
from conference.model.invitee import Invitee
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.record import Record, people
from conference.model.sitting import GivenAnswer, Promoted, Sitting
from conference.model.statement import Statement
from conference.model.timeline import Stretch
from conference.model.transcript import Gap, GapState, SpeakerLabel, TranscriptSegment
from conference.model.venue import Venue, VenueKind

ZONE: Final = ZoneInfo("Asia/Shanghai")
STARTED: Final = int(datetime(2026, 11, 20, 14, 30, tzinfo=ZONE).timestamp() * 1000)
MINUTE: Final = 60_000
END: Final = 151 * MINUTE
MAIN, BRANCH, POINT = "市政协议事厅", "青禾县分会场", "石桥村连线点"
CONSULTATION: Final = Consultation(
    "c",
    "推进县域养老服务高质量发展",
    Status.ENDED,
    Mode.AGENDA,
    True,
    False,
    True,
    STARTED - 86_400_000,
    organization="澄江市政协",
    started_at_ms=STARTED,
    ended_at_ms=STARTED + END,
    program_high_water_ms=END,
)
# name, role, title, sector, venue
PEOPLE: Final = (
    ("周正明", Role.CHAIR, "市政协副主席", "", MAIN),
    ("林晓梅", Role.MEMBER, "市人民医院护理部主任", "医药卫生界", None),
    ("何建国", Role.MEMBER, "青禾县康养集团董事长", "经济界", BRANCH),
    ("吴志强", Role.MEMBER, "石桥村党支部书记", "农业界", POINT),
    ("欧阳秀兰", Role.MEMBER, "市民进副主委", "民进", None),
    ("马伟", Role.MEMBER, "市律师协会副会长", "社会科学界", None),
    ("市民政局", Role.DEPARTMENT, "副局长 王海涛", "", MAIN),
    ("市财政局", Role.DEPARTMENT, "社保科科长 赵敏", "", MAIN),
    ("陈大伯", Role.CITIZEN, "石桥村村民代表", "", POINT),
    ("刘思远", Role.EXPERT, "省社科院研究员", "", None),
    ("孙莉", Role.OBSERVER, "市人大社会委", "", None),
    ("钱文", Role.SECRETARIAT, "市政协办公室", "", MAIN),
)
ITEMS: Final = (
    ("a_open", "开幕致辞", AgendaKind.REPORT, "周正明", 0, 9),
    ("a_report", "市民政局通报全市养老服务工作情况", AgendaKind.REPORT, "市民政局", 9, 24),
    ("a_talk", "委员发言", AgendaKind.SPEECH, None, 24, 60),
    ("a_break", "休会", AgendaKind.BREAK, None, 60, 68),
    ("a_discuss", "互动讨论", AgendaKind.DISCUSSION, None, 68, 130),
    ("a_sum", "主持人总结", AgendaKind.SUMMARY, "周正明", 130, 151),
)
QUESTION: Final = "村里的助餐点能不能保留现金付款？很多老人不会用手机，刷脸也常常刷不上。"
SPEECHES: Final = (
    # who, from minute, seconds, item, texts
    ("周正明", 0.2, 150, "a_open", (
        "各位委员，同志们，现在开会。",
        "今天我们以远程协商的方式，围绕推进县域养老服务高质量发展进行协商，主会场设在市政协议事厅，青禾县设分会场，石桥村设连线点。",
        "截至去年底，全市60岁以上老年人占总人口的24.6%，其中七成住在县城以下，养老服务的重点和难点都在县域。",
    )),
    ("市民政局", 9.5, 600, "a_report", (
        "我代表市民政局通报有关情况。",
        "目前全市建成县级养老服务中心6个、乡镇区域中心41个、村级互助养老点612个，覆盖率达到86%。",
        "存在的主要问题：一是护理力量不足，持证护理员平均每村不到1名；二是运营资金来源单一，村级互助点主要靠县级补贴；"
        "三是医养结合还不够紧密，签约医生上门次数偏少。",
        "下一步，我们将把助餐服务扩大到全部行政村，对行动不便的老人由助餐员送餐上门。",
    )),
    ("林晓梅", 24.5, 420, "a_talk", (
        "村里的互助养老点，最缺的不是房子，是能上门、懂护理的人。",
        "我们走访的32个村，持证护理员平均每村不到1名。",
        "建议由市人民医院牵头，与县职教中心合办护理员培训班，三年内为每个村培养两名本地护理员。",
    )),
    ("何建国", 34.0, 300, "a_talk", (
        "我们县的做法是由乡镇卫生院与养老机构签约，医养结合。",
        "希望把签约费用纳入医保门诊统筹，先在两个县试点。",
    )),
    ("陈大伯", 45.0, 120, "a_talk", (
        "我今年七十八，儿子在外头打工，平时吃饭就是对付一口。",
        "村里办了助餐点以后，一天两顿热饭，就是不会用手机交钱。",
    )),
    ("周正明", 69.5, 25, "a_promo", (
        "刚才有一百二十六位网友问到助餐点付款的事，这条留言我们带到会上，请民政局回应。",
    )),
    ("市民政局", 70.0, 40, "a_promo", (
        "助餐点可以用现金，也可以刷社保卡。",
        "行动不便的老人，由村助餐员送餐上门，每份补贴2元，从明年1月起覆盖全部94个行政村。",
    )),
    ("周正明", 78.3, 12, "a_discuss", ("谢谢。请财政局就护理员岗位补贴作个说明。",)),
    ("市财政局", 81.2, 60, "a_discuss", (
        "目前持证上岗的，每人每月补贴300元，由县级财政承担。",
        "下一步考虑按工作年限分档，最高到600元。",
    )),
    ("吴志强", 84.5, 90, "a_discuss", (
        "这个分档我赞成，村里能留得住人。",
        "另外护理员的培训费，能不能由县里统一出？",
    )),
    ("周正明", 131.0, 240, "a_sum", (
        "今天的协商会开得很好，大家提了23条意见建议。",
        "会后请市政协办公室整理，送市委、市政府和有关部门研究办理，办理情况在三个月内向委员反馈。",
        "散会。",
    )),
)  # fmt: skip


def at(minute: float) -> int:
    """Program time."""
    return round(minute * MINUTE)


def sitting(**changes: Any) -> Sitting:
    """The whole of it; fields of the sitting may be given otherwise."""
    participants = tuple(_participant(number, *each) for number, each in enumerate(PEOPLE))
    record = Record(
        consultation=CONSULTATION,
        now_ms=END,
        participants=participants,
        stays=tuple(_stay(each) for each in participants),
        turns=(
            turn("t_lin", "林晓梅", 24.3, 31.6, "a_talk"),
            turn("t_ma", "马伟", 50.0, 53.0, "a_talk"),
        ),
        statements=(
            statement(
                "s_1", "欧阳秀兰", 41.0, "建议把村级互助养老点的运营经费列入县级财政预算，按服务人次补助。"
            ),
            statement("s_2", "市财政局", 44.0, "将在编制明年预算时研究。", reply_to="s_1"),
            statement("s_3", "林晓梅", 50.0, "护理员的名单会后发。", private=True),
        ),
        requests=(),
        invitees=(
            invitee("李静", "市工商联副主席", excused=True),
            invitee("黄立新", "青禾县政协委员", venue_id="v_2"),
        ),
        venues=(
            venue("v_1", "主会场", VenueKind.MAIN, MAIN),
            venue("v_2", BRANCH, VenueKind.BRANCH, "青禾县政协三楼会议室"),
            venue("v_3", POINT, VenueKind.POINT, "石桥村便民服务中心"),
        ),
        agenda_titles={},
    )
    made = Sitting(
        record=record,
        people=people(record),
        agenda=agenda(),
        stretches=stretches(),
        segments=tuple(segments()),
        promotions=(
            Promoted(
                "a_promo",
                126,
                (
                    GivenAnswer(
                        "市民政局",
                        "所有助餐点保留现金付款，已发文要求12月10日前整改到位。",
                        STARTED + 5 * 86_400_000,
                    ),
                ),
            ),
        ),
        gaps=(Gap("c", "p_3", POINT, at(70.68), at(70.98), GapState.LOST, note="连线中断"),),
        zone=ZONE,
    )
    return replace(made, **changes)


def agenda() -> tuple[AgendaItem, ...]:
    made = [
        AgendaItem(
            key, title, kind, speaker=who, state=ItemState.DONE, started_at_ms=at(a), ended_at_ms=at(b)
        )
        for key, title, kind, who, a, b in ITEMS
    ]
    promotion = AgendaItem(
        "a_promo",
        QUESTION,
        AgendaKind.PROMOTION,
        state=ItemState.DONE,
        comment_id="m_1",
        words=QUESTION,
        nickname="晨光",
        place="青禾县",
    )
    later = AgendaItem("a_later", "委员提问", AgendaKind.DISCUSSION)
    return (*made[:5], promotion, later, made[5])


def stretches() -> list[Stretch]:
    found = [Stretch(key, title, at(a), at(b)) for key, title, _, _, a, b in ITEMS if key != "a_discuss"]
    found += [
        Stretch("a_discuss", "互动讨论", at(68), at(69.4)),
        Stretch("a_promo", "", at(69.4), at(72)),
        Stretch("a_discuss", "互动讨论", at(72), at(130)),
    ]
    return sorted(found, key=lambda each: each.from_ms)


def segments() -> list[TranscriptSegment]:
    """Each text of a speech is one; those of the branch hall have an uncertain speaker once."""
    found: list[TranscriptSegment] = []
    for who, minute, seconds, item_id, texts in SPEECHES:
        each_ms = seconds * 1000 // len(texts)
        for number, text in enumerate(texts):
            start = at(minute) + number * each_ms
            found.append(segment(len(found), who, start, start + each_ms - 600, text, item_id=item_id))
    hall = SpeakerLabel(BRANCH, Role.VENUE_OPERATOR, None, None, is_certain=False)
    found.append(
        segment(
            900,
            BRANCH,
            at(88),
            at(88.4),
            "我补充一句，签约医生每个月上门不少于一次。",
            item_id="a_discuss",
            speaker=hall,
        )
    )
    found.append(
        segment(
            901, "何建国", at(90), at(90.3), "费用测算在后面的附表里。", item_id="a_discuss", is_unclear=True
        )
    )
    found.append(
        segment(
            902,
            "何建国",
            at(91),
            at(91.3),
            "个别老人的病情我就不点名了。",
            item_id="a_discuss",
            is_confidential=True,
        )
    )
    return sorted(found, key=lambda each: each.start_ms)


def segment(number: int, who: str, start_ms: int, end_ms: int, text: str, **more: Any) -> TranscriptSegment:
    place = next((i for i, each in enumerate(PEOPLE) if each[0] == who), 90)
    if place < 90:
        name, role, title, _, hall = PEOPLE[place]
        more.setdefault("speaker", SpeakerLabel(name, role, hall, title))
    return TranscriptSegment(
        id=f"g_{number:04}",
        consultation_id="c",
        participant_id=f"p_{place}",
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        raw=text,
        words=(),
        engine="scripted",
        **more,
    )


def _participant(
    number: int, name: str, role: Role, title: str, sector: str, hall: str | None
) -> Participant:
    return Participant(
        id=f"p_{number}",
        consultation_id="c",
        name=name,
        role=role,
        venue=hall,
        kind=ParticipantKind.CLIENT,
        device=None,
        token_id=f"k_{number}",
        resume_hash="",
        joined_at_ms=STARTED + number,
        last_seen_ms=STARTED,
        title=title,
        sector=sector,
    )


def _stay(of: Participant) -> Stay:
    return Stay(f"y_{of.id}", "c", of.id, of.kind, None, 0, STARTED, END, STARTED + END, "left")


def turn(turn_id: str, who: str, begin: float, end: float, item_id: str) -> Turn:
    number = next(i for i, each in enumerate(PEOPLE) if each[0] == who)
    return Turn(
        turn_id,
        "c",
        f"p_{number}",
        who,
        PEOPLE[number][1],
        PEOPLE[number][4],
        item_id,
        "周正明",
        at(begin),
        STARTED + at(begin),
        5 * MINUTE,
        Ending.SOFT,
        TurnState.OVER,
        first_started_at_ms=at(begin),
        spoken_ms=at(end - begin),
        ended_at_ms=at(end),
        ended_wall_ms=STARTED + at(end),
        end_reason=EndReason.FINISHED,
    )


def statement(statement_id: str, who: str, minute: float, text: str, **more: Any) -> Statement:
    number = next(i for i, each in enumerate(PEOPLE) if each[0] == who)
    return Statement(
        statement_id,
        "c",
        int(statement_id[2:]),
        f"p_{number}",
        who,
        PEOPLE[number][1],
        PEOPLE[number][4],
        text,
        at(minute),
        STARTED + at(minute),
        statement_id,
        **more,
    )


def invitee(name: str, title: str, *, excused: bool = False, venue_id: str | None = None) -> Invitee:
    return Invitee(
        f"i_{name}", "c", 0, name, title, "", Role.MEMBER, venue_id, "", False, excused, 1, name, STARTED
    )


def venue(venue_id: str, name: str, kind: VenueKind, place: str) -> Venue:
    return Venue(venue_id, "c", 0, name, kind, place, "", "", None, 1, venue_id, STARTED)
