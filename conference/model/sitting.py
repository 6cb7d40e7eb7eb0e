"""A sitting: everything that minutes are made of, as the rows tell it; and who was there, in the words of minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.minutes_words import ROLE_WORDS, enumerated, titled
from conference.model.permissions import Role
from conference.model.record import Person, Record
from conference.model.timeline import Stretch
from conference.model.transcript import Gap, TranscriptSegment
from conference.model.venue import VenueKind

PRESENT_ROLES = (Role.MEMBER, Role.DEPARTMENT, Role.EXPERT, Role.CITIZEN)
_BARE = frozenset({Role.MEMBER})  # so many that their names stand alone


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a department answered. `text` is None for an answer that only those who asked may read."""

    department: str
    text: str | None
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class Promoted:
    """A comment that was put to the session: for how many it stands, and what was answered since."""

    item_id: str
    authors: int
    answers: tuple[GivenAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Sitting:
    """Rows, read together. `stretches` say when which item of the agenda was the current one."""

    record: Record
    people: Sequence[Person]
    agenda: Sequence[AgendaItem]
    stretches: Sequence[Stretch]
    segments: Sequence[TranscriptSegment]
    promotions: Sequence[Promoted]
    gaps: Sequence[Gap]
    zone: tzinfo

    @property
    def title(self) -> str:
        return self.record.consultation.title

    def wall_ms(self, at_ms: int) -> int:
        """UTC of a program time."""
        return (self.record.consultation.started_at_ms or 0) + at_ms

    def item_at(self, at_ms: int) -> str | None:
        """Which item was the current one."""
        for each in reversed(self.stretches):
            if each.from_ms <= at_ms and (each.to_ms is None or at_ms < each.to_ms):
                return each.item_id
        return None

    def items(self) -> list[AgendaItem]:
        """Those that had their turn, by their first beginning; breaks left out."""
        order = {each.item_id: number for number, each in reversed(list(enumerate(self.stretches)))}
        began = [each for each in self.agenda if each.id in order and each.kind is not AgendaKind.BREAK]
        return sorted(began, key=lambda each: order[each.id])

    def breaks(self) -> list[Stretch]:
        found = {each.id for each in self.agenda if each.kind is AgendaKind.BREAK}
        return [each for each in self.stretches if each.item_id in found]

    # ── who was there ───────────────────────────────────────────────────────────────────────────

    def came(self) -> list[Person]:
        """Each human being once, in the order of joining."""
        return list(_once(each for each in self.people if each.counts and each.present))

    def missing(self) -> list[Person]:
        """Who was expected and never connected, excused or not."""
        names = {(each.name, each.role) for each in self.came()}
        return [
            each
            for each in self.people
            if each.participant is None and not each.present and (each.name, each.role) not in names
        ]

    def chairs(self) -> str:
        """With what they are."""
        return enumerated(titled(each.name, each.title) for each in self.came() if each.role is Role.CHAIR)

    def present(self) -> str:
        """A paragraph for each kind of people, with their number."""
        came = self.came()
        return "\n".join(
            f"{ROLE_WORDS[role]}{len(found)}人\u3000{_named(found, role)}"
            for role in PRESENT_ROLES
            if (found := [each for each in came if each.role is role])
        )

    def attending(self) -> str:
        """列席"""
        return enumerated(titled(each.name, each.title) for each in self.came() if each.role is Role.OBSERVER)

    def excused(self) -> str:
        return enumerated(each.name for each in self.missing() if each.excused)

    def unseen(self) -> str:
        """Who was expected, is not excused, and connected by nothing: perhaps sat in a hall."""
        return enumerated(
            titled(each.name, each.venue)
            for each in self.missing()
            if not each.excused and each.role in (*PRESENT_ROLES, Role.OBSERVER, Role.CHAIR)
        )

    def places(self) -> str:
        """Where, and by which means."""
        halls = {
            VenueKind.MAIN: "主会场",
            VenueKind.BRANCH: "分会场",
            VenueKind.POINT: "连线点",
        }
        said = ["远程视频协商"]
        for kind, word in halls.items():
            found = [
                titled(each.name if each.name != word else each.place or word, each.place)
                for each in self.record.venues
                if each.kind is kind
            ]
            if found:
                said.append(f"{word}：{enumerated(found)}")
        afar = sum(
            each.venue is None and each.role in (*PRESENT_ROLES, Role.OBSERVER) for each in self.came()
        )
        if afar:
            said.append(f"{afar}人通过手机或电脑参会")
        return "；".join(said)

    def counts(self) -> str:
        """委员22人、部门代表5人"""
        came = self.came()
        return enumerated(
            f"{ROLE_WORDS[role]}{count}人"
            for role in PRESENT_ROLES
            if (count := sum(each.role is role for each in came))
        )


def _named(people: Iterable[Person], role: Role) -> str:
    if role in _BARE:
        return enumerated(each.name for each in people)
    return enumerated(titled(each.name, each.title or each.sector) for each in people)


def _once(people: Iterable[Person]) -> Iterator[Person]:
    """Who came by several doors is one: an invitee, or a name with a role."""
    seen: set[tuple[str, ...]] = set()
    for each in people:
        key = ("", each.invitee.id) if each.invitee is not None else (each.name, each.role.value)
        if key not in seen:
            seen.add(key)
            yield each
