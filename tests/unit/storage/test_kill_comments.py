"""Kill -9 at every point of each kind of write about comments: rows are what the trace alone tells, and all goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.model.comment import Decision
from conference.model.permissions import Role
from conference.services.rooms import RoomLimits
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.identities_stage import Visitors
from tests.unit.storage.comments_stage import KINDS
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.proceedings_stage import BEGAN_MS

HOUR_MS = 3_600_000
DECIDED = {
    "comment.approved": "approved",
    "comment.rejected": "rejected",
    "comment.held": "held",
    "comment.hidden": "hidden",
    "comment.reopened": "pending",
    "comment.withdrawn": "withdrawn",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "comments_stage") as made:
        yield made


@dataclass
class Story:
    """By id: state, group and marks of comments, states of promotions; and the current item of the agenda."""

    states: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    likes: dict[str, int] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    promotions: dict[str, str] = field(default_factory=dict)
    words: int = 0
    item: str | None = None
    proofs: dict[str, int] = field(default_factory=dict)  # tried so often
    identities: dict[str, str] = field(default_factory=dict)


def told(lines: list[AuditLine]) -> Story:
    story = Story()
    for line in lines:
        content, what = json.loads(line.content), line.subject or ""
        match line.action:
            case "comment.posted":
                story.states[what], story.groups[what] = content["state"], content["group"]
                story.likes[what] = story.reports[what] = 0
            case "comment.liked":
                for each, count in content["comments"].items():
                    story.likes[each] += count
            case "comment.reported":
                for each, count in content["comments"].items():
                    story.reports[each] += count
            case "comment.merged" | "comment.split":
                story.groups |= dict.fromkeys(content["comments"], what)
            case "comment.words_edited":
                story.words = content["count"]
            case "promotion.proposed":
                story.promotions[what] = "proposed"
            case "promotion.started":
                story.promotions[what] = "taken"
                story.states[content["comment"]] = "promoted"
            case "promotion.declined":
                story.promotions[what] = content["state"]
            case "agenda.started":
                story.item = what
            case "agenda.ended":
                story.item = None
            case "identity.begun":
                story.proofs[what] = 0
            case "identity.failed":
                story.proofs[what] += 1
            case "identity.not_asked":
                del story.proofs[what]
            case "identity.proven":
                del story.proofs[content["proof"]]
                story.identities[what] = content["kind"]
            case "identity.lapsed":
                story.proofs.clear()
            case "identity.erased":
                story.identities = dict.fromkeys(story.identities, "erased")
            case "comment.undone":
                story.states[what] = content["to"]
            case action if action in DECIDED:
                story.states[what] = DECIDED[action]
    return story


async def stored(world: World) -> Story:
    shown = await Visitors(world).rows()
    async with world.database.reading() as unit:
        comments = [each async for page in unit.comments.pages("c", 100) for each in page]
        current = (await unit.agenda.get("c")).current
        return Story(
            {each.id: each.state.value for each in comments},
            {each.id: each.group_id for each in comments},
            {each.id: each.likes for each in comments},
            {each.id: each.reports for each in comments},
            {each.id: each.state.value for each in await unit.promotions.of("c")},
            len(await unit.comments.words("c")),
            None if current is None else current.id,
            {each["id"]: each["attempts"] for each in shown["identity_proofs"]},
            {
                each["id"]: each["kind"] if each["sealed_subject"] and each["subject_hash"] else "erased"
                for each in shown["identities"]
            },
        )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point)


async def _check(left: Path, kind: str, point: str) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + HOUR_MS), RoomLimits())
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        assert await stored(world) == told(lines), point

        for service in (world.programs, world.rooms, world.floor_clock):
            await service.restore()
        public = Audience(world)
        again = await public.post("安装呼叫器找谁", device="x", key="fresh key", region="南坪镇")
        moderator = World.bearer(Role.MODERATOR, "新来的")
        await public.desk.claim("c", moderator, again.id, take_over=True)
        await public.desk.decide("c", moderator, Decision.APPROVE, [again.id])
        await public.promotions.promote("c", World.bearer(Role.CHAIR), again.id)
        story = await stored(world)
        assert story == told(await world.trace())
        assert list(story.states.values()).count("promoted") >= 1
        assert len(story.states) == 4, "tried again with its key it is the same comment"
