"""A consultation that was spoken in and is over, with its transcript, and everything about its minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.audit import CLI, AuditEntry
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.transcript import Gap, GapState, SpeakerLabel, TranscriptSegment
from conference.services.minutes import MinutesDesk
from conference.services.ports import UnitOfWork
from tests.unit.services.conftest import World

ZONE = ZoneInfo("Asia/Shanghai")
STAFF = World.bearer(Role.SECRETARIAT, "钱文")
CHAIR = World.bearer(Role.CHAIR, "周正明")
GAP = Gap("c", "p_1", "石桥村连线点", 10_000, 28_000, GapState.LOST)
TEMPLATE = b"a template"


@dataclass
class ScriptedGaps:
    """Says what is missing."""

    found: Sequence[Gap] = ()

    async def gaps(self, consultation_id: str) -> Sequence[Gap]:
        return [each for each in self.found if each.consultation_id == consultation_id]

    async def gaps_in(self, unit: UnitOfWork, consultation_id: str) -> Sequence[Gap]:
        return await self.gaps(consultation_id)


@dataclass
class ScriptedChecker:
    """Refuses what is not TEMPLATE."""

    seen: list[bytes] = field(default_factory=list)

    async def check(self, content: bytes) -> None:
        self.seen.append(content)
        if content != TEMPLATE:
            raise ConferenceError("template_refused", reason="not_docx", said="")


@dataclass
class Writing:
    """The minutes of a world."""

    world: World

    def __post_init__(self) -> None:
        self.gaps, self.checker = ScriptedGaps(), ScriptedChecker()
        self.desk = MinutesDesk(
            self.world.database, self.world.programs, self.world.clock, self.gaps, self.checker, ZONE
        )

    async def hold(self, *, is_over: bool = True) -> None:
        """The chair opens, a member speaks, and it ends after two minutes."""
        world = self.world
        await world.agendas.edit(
            "c",
            World.bearer(Role.SECRETARIAT),
            [AgendaDraft("开幕", AgendaKind.REPORT), AgendaDraft("讨论", AgendaKind.DISCUSSION)],
        )
        await world.join("周正明", Role.CHAIR)
        await world.join("张三")
        await world.life_cycle.start("c", CHAIR)
        (first, second) = await self.items()
        await world.agendas.start("c", CHAIR, first)
        world.clock.forward(60)
        await world.agendas.start("c", CHAIR, second)
        world.clock.forward(60)
        await self.say(
            segment(1, "周正明", 2_000, "现在开会。", role=Role.CHAIR, item_id=first),
            segment(2, "张三", 62_000, "建议增加班车。", item_id=second),
            segment(3, "张三", 70_000, "病人的名字是某某。", item_id=second, is_confidential=True),
            segment(4, "周正明", 80_000, "同意，由交通局牵头落实。", role=Role.CHAIR, item_id=second),
        )
        if is_over:
            await world.life_cycle.end("c", CHAIR)

    async def items(self) -> list[str]:
        async with self.world.database.reading() as unit:
            return [each.id for each in (await unit.agenda.get("c")).items]

    async def say(self, *segments: TranscriptSegment) -> None:
        async with self.world.database.transaction() as unit:
            await unit.transcript.save(segments)
            await unit.audit.append(AuditEntry("c", 1, None, CLI, "transcript.heard"))

    async def actions(self) -> list[str]:
        return [each.action for each in await self.world.trace() if each.action.startswith("minutes.")]


def segment(
    number: int, name: str, start_ms: int, text: str, *, role: Role = Role.MEMBER, **more: Any
) -> TranscriptSegment:
    return TranscriptSegment(
        id=f"g_{number}",
        consultation_id="c",
        participant_id=f"p_{name}",
        speaker=more.pop("speaker", SpeakerLabel(name, role)),
        start_ms=start_ms,
        end_ms=start_ms + 4_000,
        text=text,
        raw=text,
        words=(),
        engine="scripted",
        **more,
    )
