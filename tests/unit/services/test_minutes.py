"""Minutes as their writers meet them: made of what took place, written by revision, approved once and for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.errors import ConferenceError
from conference.model.minutes import BlockerCode, Letterhead, Minutes, MinutesKind, MinutesState
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.transcript import GapState, SpeakerLabel
from tests.unit.services.conftest import World
from tests.unit.services.minutes_stage import CHAIR, GAP, STAFF, TEMPLATE, Writing, segment

RECORD, SUMMARY = MinutesKind.RECORD, MinutesKind.SUMMARY
ORGANIZATION = Organization("o", "市政协", Level.CITY, None, 1)
NOTED = AuditEntry(STAFF_CHAIN, 1, None, CLI, "organization.added", "o")


@pytest.fixture
async def writing(world: World) -> Writing:
    made = Writing(world)
    await made.hold()
    return made


async def code_of(attempt: Awaitable[object]) -> str:
    with pytest.raises(ConferenceError) as error:
        await attempt
    return error.value.code


async def approved(writing: Writing, kind: MinutesKind = SUMMARY) -> Minutes:
    minutes = await writing.desk.make("c", kind, STAFF)
    minutes = await writing.desk.review("c", minutes.id, minutes.revision, STAFF)
    return await writing.desk.approve("c", minutes.id, minutes.revision, CHAIR)


async def test_the_record_is_made_of_what_took_place(writing: Writing) -> None:
    record = await writing.desk.make("c", RECORD, STAFF)
    first, second = await writing.items()
    assert (record.version, record.revision, record.state, record.updated_by) == (
        1,
        1,
        MinutesState.DRAFT,
        "钱文",
    )
    assert record.section("chair").text == "周正明"
    assert record.section(f"item:{first}").text == "周正明（主持人）：现在开会。"
    assert record.section(f"item:{second}").text.split("\n") == [
        "张三（委员）：建议增加班车。（此处内容不公开，略）",
        "周正明（主持人）：同意，由交通局牵头落实。",
    ]
    view = await writing.desk.view("c", STAFF)
    assert (view.record, view.summary, view.versions, view.blockers) == (
        record,
        None,
        (replace(record, sections=()),),
        (),
    )
    assert view.head.hash == (await writing.world.trace())[-1].hash
    line = (await writing.world.trace())[-1]
    told = json.loads(line.content)
    assert (line.action, line.subject, told["segments"], told["sha256"]) == (
        "minutes.made",
        record.id,
        4,
        record.digest,
    )


async def test_making_it_anew_takes_in_what_was_corrected_since(writing: Writing) -> None:
    before = await writing.desk.make("c", RECORD, STAFF)
    assert await writing.desk.make("c", RECORD, STAFF, 1) == before
    first, _ = await writing.items()
    await writing.say(segment(1, "周正明", 2_000, "现在正式开会。", role=Role.CHAIR, item_id=first))
    after = await writing.desk.make("c", RECORD, STAFF, before.revision)
    assert (after.id, after.version, after.revision) == (before.id, 1, 2)
    assert "正式开会" in after.section(f"item:{first}").text
    assert await writing.actions() == ["minutes.made", "minutes.made"]


async def test_what_was_written_by_hand_is_not_lost_when_it_is_made_anew(writing: Writing) -> None:
    made = await writing.desk.make("c", RECORD, STAFF)
    first, _ = await writing.items()
    key = f"item:{first}"
    other = World.bearer(Role.ORGANIZER, "李四")
    written = await writing.desk.edit("c", made.id, 1, {key: "手写的话。"}, other)
    for seen in (None, 1):
        assert await code_of(writing.desk.make("c", RECORD, STAFF, seen)) == "edit_conflict"
    assert await writing.desk.version("c", RECORD, None, STAFF) == written
    again = await writing.desk.make("c", RECORD, STAFF, written.revision)
    assert again.section(key) == made.section(key)
    kept = await writing.desk.earlier("c", made.id, STAFF)
    assert [(each.revision, each.written_by, each.replaced_by) for each in kept] == [
        (2, "李四", "钱文"),
        (1, "钱文", "李四"),
    ]
    assert [[section.text for section in each.sections] for each in kept] == [
        ["手写的话。"],
        ["周正明（主持人）：现在开会。"],
    ]
    assert await code_of(writing.desk.earlier("c", "m_none", STAFF)) == "not_found"


async def test_a_record_is_made_anew_when_something_came_later_or_somebody_says_why(
    writing: Writing,
) -> None:
    record = await writing.desk.make("c", RECORD, STAFF)
    await writing.say(segment(5, "张三", 95_000, "补上的一句。"))
    outdated = [(each.code, each.count, each.kind) for each in (await writing.desk.view("c", STAFF)).blockers]
    assert outdated == [(BlockerCode.OUTDATED, 1, RECORD)]
    assert await code_of(writing.desk.review("c", record.id, 1, STAFF)) == "minutes_outdated"
    anew = await writing.desk.make("c", RECORD, STAFF, 1)
    assert (await writing.desk.view("c", STAFF)).blockers == ()
    reviewed = await writing.desk.review("c", record.id, anew.revision, STAFF)
    await writing.say(segment(5, "张三", 95_000, "补上的又一句。"))
    attempt = writing.desk.approve("c", record.id, reviewed.revision, CHAIR)
    assert await code_of(attempt) == "minutes_outdated"
    done = await writing.desk.approve("c", record.id, reviewed.revision, CHAIR, "", "只差一个字")
    assert done.approval is not None
    assert done.approval.despite_outdated_reason == "只差一个字"


async def test_a_reason_for_what_came_later_holds_until_more_comes(writing: Writing) -> None:
    record = await writing.desk.make("c", RECORD, STAFF)
    await writing.say(segment(5, "张三", 95_000, "补上的一句。"))
    reviewed = await writing.desk.review("c", record.id, 1, STAFF, "", "已经手工改好")
    assert (await writing.desk.view("c", STAFF)).blockers == ()
    await writing.say(segment(5, "张三", 95_000, "补上的又一句。"))
    approve = writing.desk.approve
    assert await code_of(approve("c", record.id, reviewed.revision, CHAIR)) == "minutes_outdated"
    done = await approve("c", record.id, reviewed.revision, CHAIR, "", "又改了")
    assert done.approval is not None
    assert done.approval.despite_outdated_reason == "已经手工改好；又改了"


async def test_a_draft_that_is_the_same_again_is_no_longer_outdated(writing: Writing) -> None:
    record = await writing.desk.make("c", RECORD, STAFF)
    await writing.say()  # a line without another word
    again = await writing.desk.make("c", RECORD, STAFF, 1)
    assert (again.sections, again.revision) == (record.sections, 2)
    assert (await writing.desk.view("c", STAFF)).blockers == ()


async def test_what_became_confidential_stands_in_the_way_until_it_is_taken_out(writing: Writing) -> None:
    first, second = await writing.items()
    summary = await writing.desk.make("c", SUMMARY, STAFF)
    quoted = "（一）张三：建议，增加 班车！"
    summary = await writing.desk.edit("c", summary.id, 1, {"decisions": quoted}, STAFF)
    assert (await writing.desk.view("c", STAFF)).blockers == ()
    line = segment(2, "张三", 62_000, "建议增加班车。好的。", item_id=second, is_confidential=True)
    await writing.say(line)
    found = [(each.code, each.count, each.kind) for each in (await writing.desk.view("c", STAFF)).blockers]
    assert found == [(BlockerCode.CONFIDENTIAL, 1, SUMMARY)]
    review = writing.desk.review
    assert await code_of(review("c", summary.id, 2, STAFF, "理由", "理由")) == "confidential_text"
    cleaned = await writing.desk.edit("c", summary.id, 2, {"decisions": "（一）略。"}, STAFF)
    reviewed = await review("c", summary.id, cleaned.revision, STAFF)
    opening = "现在正式开会，请大家发言。"
    await writing.say(segment(5, "周正明", 90_000, opening, role=Role.CHAIR, item_id=first))
    draft = await writing.desk.reopen("c", summary.id, reviewed.revision, STAFF)
    draft = await writing.desk.edit("c", summary.id, draft.revision, {"decisions": opening}, STAFF)
    reviewed = await review("c", summary.id, draft.revision, STAFF)
    await writing.say(segment(5, "周正明", 90_000, opening, role=Role.CHAIR, is_confidential=True))
    attempt = writing.desk.approve("c", summary.id, reviewed.revision, CHAIR)
    assert await code_of(attempt) == "confidential_text"
    await writing.say(segment(6, "周正明", 99_000, opening, role=Role.CHAIR))  # it was said openly as well
    assert await writing.desk.approve("c", summary.id, reviewed.revision, CHAIR)


async def test_a_reason_holds_for_the_gaps_that_it_was_given_for(writing: Writing) -> None:
    summary = await writing.desk.make("c", SUMMARY, STAFF)
    writing.gaps.found = [GAP]
    reviewed = await writing.desk.review("c", summary.id, 1, STAFF, "没有录音")
    later = replace(GAP, from_ms=60_000, to_ms=90_000)
    writing.gaps.found = [replace(GAP, to_ms=20_000), later]  # of the first one something was found
    with pytest.raises(ConferenceError, check=lambda error: error.code == "gaps_open") as refused:
        await writing.desk.approve("c", summary.id, reviewed.revision, CHAIR)
    assert refused.value.members["gaps"] == 1
    done = await writing.desk.approve("c", summary.id, reviewed.revision, CHAIR, "线路又断了")
    assert done.approval is not None
    assert done.approval.despite_gaps_reason == "没有录音；线路又断了"


async def test_approved_minutes_are_printed_under_what_they_were_approved_under(writing: Writing) -> None:
    world = writing.world
    async with world.database.transaction() as unit:
        await unit.organizations.add(ORGANIZATION)
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, organization="市政协", organization_id="o"))
        await unit.audit.append(NOTED)
    await writing.desk.set_template("o", "x.docx", TEMPLATE, STAFF)
    done = await approved(writing)
    assert done.letterhead == Letterhead("协商会", "市政协", hashlib.sha256(TEMPLATE).hexdigest())
    assert done.digest != replace(done, letterhead=None).digest
    await writing.desk.remove_template("o", STAFF)
    async with world.database.transaction() as unit:
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, title="别的会", organization="省政协"))
        await unit.audit.append(NOTED)
    printed = await writing.desk.printed("c", SUMMARY, None, STAFF, "docx")
    assert (printed.consultation.title, printed.consultation.organization) == ("协商会", "市政协")
    assert printed.template == TEMPLATE
    later = await writing.desk.reopen("c", done.id, done.revision, STAFF)
    printed = await writing.desk.printed("c", SUMMARY, later.version, STAFF, "docx")
    assert (printed.consultation.title, printed.template) == ("别的会", None)


async def test_a_meeting_that_was_never_live_has_no_minutes(world: World) -> None:
    assert await code_of(Writing(world).desk.make("c", RECORD, STAFF)) == "invalid_state"


async def test_a_draft_is_made_while_the_meeting_goes_on_and_not_approved_before_its_end(
    world: World,
) -> None:
    writing = Writing(world)
    await writing.hold(is_over=False)
    minutes = await writing.desk.make("c", RECORD, STAFF)
    minutes = await writing.desk.review("c", minutes.id, 1, STAFF)
    assert await code_of(writing.desk.approve("c", minutes.id, 2, CHAIR)) == "invalid_state"


async def test_two_who_write_do_not_overwrite_each_other(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    other = World.bearer(Role.ORGANIZER, "李四")
    first = await writing.desk.edit("c", minutes.id, 1, {"decisions": "（一）增加班车。"}, other)
    assert (first.revision, first.updated_by) == (2, "李四")
    assert await code_of(writing.desk.edit("c", minutes.id, 1, {"decisions": "x"}, STAFF)) == "edit_conflict"
    assert await writing.desk.edit("c", minutes.id, 2, {"decisions": "（一）增加班车。"}, STAFF) == first
    assert await writing.desk.version("c", SUMMARY, None, STAFF) == first
    told = json.loads((await writing.world.trace())[-1].content)
    assert (told["sections"], told["sha256"]) == (["decisions"], first.digest)
    assert "班车" not in json.dumps(told, ensure_ascii=False)


async def test_open_gaps_stand_in_the_way_until_somebody_says_why(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    writing.gaps.found = [GAP, replace(GAP, from_ms=40_000, state=GapState.WAIVED, note="休会")]
    assert await code_of(writing.desk.review("c", minutes.id, 1, STAFF)) == "gaps_open"
    assert await code_of(writing.desk.review("c", minutes.id, 1, STAFF, " \n ")) == "gaps_open"
    reviewed = await writing.desk.review("c", minutes.id, 1, STAFF, "线路中断，没有录音")
    done = await writing.desk.approve("c", minutes.id, reviewed.revision, CHAIR)
    assert done.approval is not None
    assert done.approval.despite_gaps_reason == "线路中断，没有录音"
    assert [(each.name, each.state, each.note) for each in done.approval.gaps] == [
        ("石桥村连线点", GapState.LOST, ""),
        ("石桥村连线点", GapState.WAIVED, "休会"),
    ]
    told = json.loads((await writing.world.trace())[-1].content)
    assert told["open_gaps"] == 1
    assert "despite_gaps_reason" in told


async def test_a_gap_that_came_after_the_review_needs_a_reason_of_its_own(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    reviewed = await writing.desk.review("c", minutes.id, 1, STAFF, "不用的理由")
    assert reviewed.gaps_reason == ""
    writing.gaps.found = [GAP]
    assert await code_of(writing.desk.approve("c", minutes.id, 2, CHAIR)) == "gaps_open"
    done = await writing.desk.approve("c", minutes.id, 2, CHAIR, "没有录音")
    assert done.approval is not None
    assert done.approval.despite_gaps_reason == "没有录音"


async def test_waived_gaps_stand_in_nobodys_way(writing: Writing) -> None:
    writing.gaps.found = [replace(GAP, state=GapState.WAIVED, note="休会")]
    done = await approved(writing)
    assert done.approval is not None
    assert (len(done.approval.gaps), done.approval.despite_gaps_reason) == (1, "")


async def test_approved_minutes_bear_the_end_of_the_trace_and_stay_as_they_are(writing: Writing) -> None:
    done = await approved(writing)
    (line,) = [each for each in await writing.world.trace() if each.action == "minutes.approved"]
    assert done.approval is not None
    assert (done.approval.head_number, done.approval.head_hash) == (line.number, line.hash)
    assert (done.approval.by, done.approval.gaps) == ("周正明", ())
    assert json.loads(line.content)["sha256"] == done.digest
    for attempt in (
        writing.desk.edit("c", done.id, done.revision, {"decisions": "x"}, STAFF),
        writing.desk.make("c", SUMMARY, STAFF),
        writing.desk.review("c", done.id, done.revision, STAFF),
        writing.desk.approve("c", done.id, done.revision, CHAIR),
    ):
        assert await code_of(attempt) == "invalid_state"
    assert await writing.desk.version("c", SUMMARY, None, STAFF) == done


async def test_what_comes_later_is_another_version(writing: Writing) -> None:
    done = await approved(writing)
    later = await writing.desk.reopen("c", done.id, done.revision, STAFF)
    assert (later.version, later.state, later.sections) == (2, MinutesState.DRAFT, done.sections)
    await writing.desk.edit("c", later.id, 1, {"decisions": "（一）更正。"}, STAFF)
    assert await writing.desk.version("c", SUMMARY, 1, STAFF) == done
    assert [each.version for each in (await writing.desk.view("c", STAFF)).versions] == [1, 2]
    assert await code_of(writing.desk.reopen("c", done.id, done.revision, STAFF)) == "invalid_state"
    assert await code_of(writing.desk.version("c", SUMMARY, 3, STAFF)) == "not_found"


async def test_sent_back_from_review_it_is_the_same_version(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    reviewed = await writing.desk.review("c", minutes.id, 1, STAFF)
    draft = await writing.desk.reopen("c", minutes.id, reviewed.revision, STAFF)
    assert (draft.id, draft.version, draft.state, draft.revision) == (minutes.id, 1, MinutesState.DRAFT, 3)


async def test_what_is_to_be_looked_at_is_counted(writing: Writing) -> None:
    hall = SpeakerLabel("青禾县分会场", Role.VENUE_OPERATOR, is_certain=False)
    await writing.say(
        segment(5, "青禾县分会场", 90_000, "我补充。", speaker=hall),
        segment(6, "张三", 95_000, "听不清。", is_unclear=True),
        segment(7, "张三", 99_000, "也听不清。", is_unclear=True),
    )
    writing.gaps.found = [GAP]
    blockers = (await writing.desk.view("c", STAFF)).blockers
    assert [(each.code, each.count) for each in blockers] == [
        (BlockerCode.GAPS, 1),
        (BlockerCode.UNCERTAIN_SPEAKERS, 1),
        (BlockerCode.UNCLEAR, 2),
    ]


async def test_the_view_is_the_very_same_until_something_changes(writing: Writing) -> None:
    summary = await writing.desk.make("c", SUMMARY, STAFF)
    view = await writing.desk.view("c", STAFF)
    assert await writing.desk.view("c", STAFF) is view
    writing.gaps.found = [GAP]
    assert [each.code for each in (await writing.desk.view("c", STAFF)).blockers] == [BlockerCode.GAPS]
    await writing.desk.edit("c", summary.id, 1, {"decisions": "x"}, STAFF)
    changed = (await writing.desk.view("c", STAFF)).summary
    assert changed is not None
    assert changed.revision == 2


async def test_passages_beside_a_heading(writing: Writing) -> None:
    record = await writing.desk.make("c", RECORD, STAFF)
    summary = await writing.desk.make("c", SUMMARY, STAFF)
    _, second = await writing.items()
    own = await writing.desk.passages("c", record.id, f"item:{second}", "", STAFF)
    assert [(each.segment.text, each.item_title) for each in own] == [
        ("建议增加班车。", "讨论"),
        ("同意，由交通局牵头落实。", "讨论"),
    ]
    decided = await writing.desk.passages("c", summary.id, "decisions", "", STAFF)
    assert [(each.segment.id, each.cues) for each in decided] == [("g_4", ("同意", "落实", "牵头"))]
    asked = await writing.desk.passages("c", summary.id, "decisions", "（一）班车", STAFF)
    assert [each.segment.id for each in asked] == []  # too short to say anything by itself
    assert await code_of(writing.desk.passages("c", summary.id, "other", "", STAFF)) == "not_found"


async def test_only_those_who_may(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    desk, member = writing.desk, World.bearer(Role.MEMBER)
    for attempt in (
        desk.view("c", member),
        desk.earlier("c", minutes.id, member),
        desk.version("c", SUMMARY, None, member),
        desk.passages("c", minutes.id, "decisions", "", member),
        desk.printed("c", SUMMARY, None, member, "docx"),
        desk.make("c", RECORD, CHAIR),
        desk.edit("c", minutes.id, 1, {}, CHAIR),
        desk.review("c", minutes.id, 1, CHAIR),
        desk.approve("c", minutes.id, 1, World.bearer(Role.ORGANIZER)),
        desk.reopen("c", minutes.id, 1, CHAIR),
        desk.set_template("o", "x", TEMPLATE, CHAIR),
        desk.remove_template("o", CHAIR),
    ):
        assert await code_of(attempt) == "forbidden"


async def test_minutes_of_another_consultation_are_not_found(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    assert await code_of(writing.desk.edit("d", minutes.id, 1, {}, STAFF)) == "consultation_not_found"
    assert await code_of(writing.desk.edit("c", "m_none", 1, {}, STAFF)) == "not_found"


async def test_an_archived_consultation_is_closed_for_writers(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    await writing.world.life_cycle.seal("c", STAFF)
    for attempt in (
        writing.desk.edit("c", minutes.id, 1, {"decisions": "x"}, STAFF),
        writing.desk.make("c", SUMMARY, STAFF),
        writing.desk.review("c", minutes.id, 1, STAFF),
    ):
        assert await code_of(attempt) == "invalid_state"
    assert (await writing.desk.view("c", STAFF)).summary == minutes


async def test_taking_a_file_leaves_a_line(writing: Writing) -> None:
    minutes = await writing.desk.make("c", SUMMARY, STAFF)
    printed = await writing.desk.printed("c", SUMMARY, None, STAFF, "pdf")
    assert (printed.minutes, printed.template, printed.consultation.id) == (minutes, None, "c")
    line = (await writing.world.trace())[-1]
    assert line.action == "minutes.exported"
    assert json.loads(line.content)["format"] == "pdf"
    assert await code_of(writing.desk.printed("c", RECORD, None, STAFF, "pdf")) == "not_found"


async def test_a_template_is_tried_before_it_is_kept(writing: Writing) -> None:
    async with writing.world.database.transaction() as unit:
        await unit.organizations.add(ORGANIZATION)
        await unit.audit.append(NOTED)
    assert await code_of(writing.desk.template("o")) == "not_found"
    assert await code_of(writing.desk.set_template("o", "x.docx", b"junk", STAFF)) == "template_refused"
    assert await code_of(writing.desk.set_template("o", "x.docx", b"0" * (2 << 21), STAFF)) == "too_large"
    assert await code_of(writing.desk.template("o")) == "not_found"
    kept = await writing.desk.set_template("o", " 纪要\n.docx", TEMPLATE, STAFF)
    assert (kept.name, kept.size_bytes, kept.added_by) == ("纪要 .docx", len(TEMPLATE), "钱文")
    assert await writing.desk.template("o") == (kept, TEMPLATE)
    await writing.desk.remove_template("o", STAFF)
    assert await code_of(writing.desk.remove_template("o", STAFF)) == "not_found"
    lines = [each.action for each in await writing.world.trace("staff")]
    assert lines[-2:] == ["minutes.template_set", "minutes.template_removed"]
