"""What happened in a consultation: as the trace alone tells it, and as the rows have it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conference.model.audit import AuditLine, AuditText
from conference.model.participant import LeaveReason
from conference.storage.database import Database

SOFT, HARD = "soft", "hard"


@dataclass
class Person:
    """Somebody who is, was, or wants to be in the room."""

    name: str
    token: str
    waiting: bool
    invitee: str | None = None
    gone: str | None = None
    mutes: set[str] = field(default_factory=set)
    microphone_on: bool = True
    camera_on: bool = True


@dataclass
class Story:
    """Consultation, agenda, statements, floor, people, attendance, gaps, venues and invitees."""

    status: str = "scheduled"
    title: str = ""
    mode: str = "free"
    agenda: list[list[str | None]] = field(default_factory=list)  # id, title, state
    statements: dict[str, list[Any]] = field(default_factory=dict)  # private, taken, who likes it
    turns: list[list[Any]] = field(default_factory=list)  # holder, limit, state, why it ended, spoken ms
    hands: list[str] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)  # participants with an open stay
    stays: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    links: dict[str, int] = field(default_factory=dict)  # which link of an invitee or a venue is good
    listed: dict[str, str] = field(default_factory=dict)  # names of invitees
    coded: set[str] = field(default_factory=set)  # venues with an entry code
    revoked: set[str] = field(default_factory=set)
    recordings: dict[str, str] = field(default_factory=dict)  # states of files
    is_paused: bool = False
    messages: dict[str, bool] = field(default_factory=dict)  # talkback: whether an operator wrote
    cuts: dict[str, list[Any]] = field(default_factory=dict)  # kind, from, to, reinstated, erased

    def leave(self, who: str, reason: str) -> None:
        self.people[who].gone = reason
        self.people[who].waiting &= reason not in ("left", "removed") or who not in self.inside
        self.inside.discard(who)
        if who in self.hands:
            self.hands.remove(who)

    def arrive(self, who: str, *, with_stay: bool = True) -> None:
        self.people[who].gone = None
        if with_stay:
            self.inside.add(who)
            self.stays[who] += 1


def _pause(from_ms: int | None) -> list[Any]:
    return ["pause", from_ms, None, False, False]


class Telling:
    """A story grows line by line."""

    def __init__(self, texts: Iterable[AuditText]) -> None:
        self.story = Story()
        self._texts = {(each.number, each.field): each.text for each in texts}
        self._marks: dict[str, str] = {}  # what the last mute of all did to whom

    def tell(self, line: AuditLine) -> None:
        content = json.loads(line.content)
        match line.action.partition(".")[0]:
            case "participant" | "waiting":
                self._of_person(line, content)
            case "room":
                self._of_all(line, content)
            case "floor" | "hand":
                self._of_floor(line, content)
            case "invitee" | "venue":
                self._of_list(line, content)
            case "recording" | "broadcast":
                self._of_airing(line, content)
            case _:
                self._of_meeting(line, content)

    def _text(self, line: AuditLine, path: str) -> str:
        return self._texts[line.number, path]

    def _of_person(self, line: AuditLine, content: dict[str, Any]) -> None:
        story, who = self.story, line.subject or ""
        match line.action.partition(".")[2]:
            case "joined" | "returned" | "waiting" | "moved" as action:
                before = story.people.get(who)
                name, waiting = self._text(line, "by_name"), action == "waiting"
                if before is None:
                    story.people[who] = Person(name, content["token"], waiting, content["invitee"])
                    story.people[who].microphone_on = content["via"] != "code"
                else:
                    before.name, before.token, before.waiting = name, content["token"], waiting
                story.arrive(who, with_stay=not waiting)
            case "resumed":
                story.arrive(who, with_stay=who not in story.inside)
            case "admitted":
                story.people[who].waiting = False
                story.arrive(who)
            case "disconnected":
                story.inside.discard(who)
            case "renamed":
                story.people[who].name = self._text(line, "name")
            case "corrected":
                for each in map(story.people.get, content["participants"]):
                    assert each is not None
                    each.name = story.listed.get(each.invitee or "", each.name)
            case "microphone":
                story.people[who].microphone_on = content["on"]
                if content["on"]:
                    story.people[who].mutes.discard(SOFT)
            case "camera":
                story.people[who].camera_on = content["on"]
            case "muted":
                story.people[who].mutes.add(HARD if content["hard"] else SOFT)
            case "unmuted":
                story.people[who].mutes.clear()
            case reason:
                story.leave(who, LeaveReason(reason).value)

    def _of_all(self, line: AuditLine, content: dict[str, Any]) -> None:
        for who in content["participants"]:
            if line.action == "room.muted":
                self._marks[who] = HARD if content["hard"] else SOFT
                self.story.people[who].mutes.add(self._marks[who])
            else:
                self.story.people[who].mutes.discard(self._marks.pop(who))

    def _of_floor(self, line: AuditLine, content: dict[str, Any]) -> None:
        story, who = self.story, line.subject or ""
        match line.action:
            case "hand.raised":
                story.hands.append(who)
            case "hand.lowered":
                story.hands.remove(who)
            case "floor.ordered":
                story.hands = content["participants"]
            case "floor.granted":
                if story.turns and story.turns[-1][0] == who and story.turns[-1][3] is None:
                    story.turns[-1][1] = content["duration_ms"]
                else:
                    story.turns.append([who, content["duration_ms"], "waiting", None, None])
                story.hands = [each for each in story.hands if each != who]
            case "floor.extended":
                story.turns[-1][1] += content["ms"]
            case "floor.ended":
                story.turns[-1][2:] = [None, content["reason"], content["spoken_ms"]]
                if content["reason"] == "time":
                    story.people[who].mutes.add(SOFT)
            case "floor.mode":
                story.mode = content["mode"]
            case "floor.started":
                story.turns[-1][2] = "running"
            case "floor.over":
                story.turns[-1][2] = "over"
            case "floor.held":
                story.turns[-1][2] = "grace"
            case "floor.returned":
                story.turns[-1][2] = "waiting"

    def _of_list(self, line: AuditLine, content: dict[str, Any]) -> None:
        story, who = self.story, line.subject or ""
        match line.action:
            case "invitee.added" | "venue.added":
                story.links[who] = 1
                if line.action == "invitee.added":
                    story.listed[who] = self._text(line, "name")
            case "invitee.edited":
                story.listed[who] = self._text(line, "name.new")
            case "invitee.link" | "venue.link":
                story.links[who] = content["revision"]
            case "invitee.removed" | "venue.removed":
                del story.links[who]
                story.listed.pop(who, None)
            case "venue.message":
                story.messages[who] = content["from_venue"]
            case "venue.taken_over":
                for each in content["participants"]:
                    story.people[each].microphone_on = story.people[each].camera_on = False
            case "venue.code":
                story.coded = story.coded | {who} if content["valid"] else story.coded - {who}

    def _of_airing(self, line: AuditLine, content: dict[str, Any]) -> None:
        story, what = self.story, line.subject or ""
        match line.action:
            case "recording.file_opened":
                story.recordings[what] = "recording"
            case "recording.file_closed":
                story.recordings[what] = content["state"]
            case "recording.deleted":
                del story.recordings[what]
            case "recording.paused":
                story.is_paused = True
                story.cuts[content["pause"]] = _pause(line.program_time_ms)
            case "recording.resumed":
                story.is_paused = False
                story.cuts[content["pause"]][2] = line.program_time_ms
            case "broadcast.cut":
                story.cuts[what] = ["cut", content["from_ms"], None, False, False]
            case "broadcast.restored":
                story.cuts[what][2] = content["to_ms"]
            case "broadcast.withdrawn":
                story.cuts[what] = ["withdrawn", content["from_ms"], content["to_ms"], False, False]
            case "broadcast.reinstated":
                story.cuts[what][3] = True

    def _of_meeting(self, line: AuditLine, content: dict[str, Any]) -> None:
        story, who = self.story, line.subject or ""
        match line.action:
            case "consultation.created":
                story.title, story.mode = content["title"], content["mode"]
            case "consultation.edited":
                story.title = content["changes"].get("title", {"to": story.title})["to"]
                story.mode = content["changes"].get("mode", {"to": story.mode})["to"]
                if "pause" in content:
                    story.is_paused = False
                    at_ms, pause = line.program_time_ms, story.cuts.setdefault(content["pause"], [])
                    is_on = content["changes"]["recording"]["to"]
                    pause[:] = [*pause[:2], at_ms, *pause[3:]] if is_on else pause or _pause(at_ms)
            case "consultation.started":
                story.status = "live"
                if "pause" in content:
                    story.cuts[content["pause"]] = _pause(0)
            case "consultation.ended":
                story.status, story.is_paused = "ended", False
                for cut in story.cuts.values():
                    if cut[0] == "pause" and cut[2] is None:
                        cut[2] = line.program_time_ms
                for each in story.agenda:
                    each[2] = "done" if each[2] == "current" else each[2]
            case "agenda.edited":
                states = {each[0]: each[2] for each in story.agenda}
                story.agenda = [
                    [each["id"], each["title"], states.get(each["id"], "pending")]
                    for each in content["items"]
                ]
            case "agenda.started" | "agenda.ended":
                for each in story.agenda:
                    if each[2] == "current" or each[0] == who:
                        each[2] = "current" if each[0] == who else "done"
            case "statement.added":
                story.statements[who] = [content["private"], False, set()]
            case "statement.liked":
                story.statements[who][2].add(line.actor_id)
            case "statement.unliked":
                story.statements[who][2].discard(line.actor_id)
            case "statement.taken" | "statement.returned":
                story.statements[who][1] = line.action == "statement.taken"
            case "attendance.outage":
                story.inside -= set(content["participants"])
            case "program.erased":
                story.cuts[who][4] = True
            case "program.gap":
                story.gaps.append((content["from_ms"], content["to_ms"]))
            case "token.revoked":
                story.revoked.add(who)


def told(lines: Iterable[AuditLine], texts: Iterable[AuditText]) -> Story:
    """By the trace alone."""
    telling = Telling(texts)
    for line in lines:
        telling.tell(line)
    return telling.story


async def stored(database: Database) -> Story:
    """By the rows alone."""
    async with database.reading() as unit:
        consultation = await unit.consultations.get("c")
        agenda, board = await unit.agenda.get("c"), await unit.statements.board("c")
        turns, stays = await unit.floor.turns("c"), await unit.stays.of("c")
        gaps = await unit.consultations.gaps("c")
        venues, invitees = await unit.venues.of("c"), await unit.invitees.of("c")
        people = await unit.participants.of("c")
        revoked = await unit.revocations.among(["t_guest", "t_stranger"])
        messages = await unit.venue_messages.of("c")
        files, cuts = await unit.recordings.of("c"), await unit.broadcast_cuts.of("c")
    assert consultation is not None
    return Story(
        consultation.status.value,
        consultation.title,
        consultation.mode.value,
        [[each.id, each.title, each.state.value] for each in agenda.items],
        {
            each.id: [each.private, each.taken, board.likers.get(each.id, set())]
            for each in board.statements.values()
        },
        [
            [
                each.participant_id,
                each.duration_ms,
                each.state.value if reason is None else None,
                reason and reason.value,
                each.spoken_ms if reason else None,
            ]
            for each in turns
            for reason in [each.end_reason]
        ],
        [p.id for p in sorted(people, key=lambda p: p.hand_order or 0) if p.hand_order is not None],
        {
            p.id: Person(
                p.name,
                p.token_id,
                p.waiting_since_ms is not None,
                p.invitee_id,
                p.leave_reason and p.leave_reason.value,
                {SOFT} & {SOFT * p.soft_muted} | {HARD} & {HARD * p.hard_muted},
                p.microphone_on,
                p.camera_on,
            )
            for p in people
        },
        {each.participant_id for each in stays if each.to_wall_ms is None},
        Counter(each.participant_id for each in stays),
        [(each.from_ms, each.to_ms) for each in gaps],
        {each.id: each.link_revision for each in venues} | {each.id: each.link_revision for each in invitees},
        {each.id: each.name for each in invitees},
        {each.id for each in venues if each.entry_code is not None},
        revoked,
        {each.id: each.state.value for each in files},
        consultation.recording_paused,
        {each.id: each.from_venue for each in messages},
        {
            each.id: [
                each.kind.value,
                each.from_ms,
                each.to_ms,
                each.reinstated_wall_ms is not None,
                each.erased_wall_ms is not None,
            ]
            for each in cuts
        },
    )
