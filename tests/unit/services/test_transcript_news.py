"""Telling of changed segments: captions follow where they are read, and each event is one for all."""

from __future__ import annotations

import pytest

from conference.events import CaptionCorrected
from conference.model.audit import SYSTEM
from conference.model.transcript import RevisionKind
from conference.services.transcript_changes import TranscriptChange
from conference.services.transcript_news import TranscriptNews
from tests.unit.services.conftest import World
from tests.unit.services.test_transcription import Stage, said


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


async def rendered_anew(stage: Stage, text: str) -> None:
    """As a changed list of terms does it: every segment at once."""
    async with stage.world.database.transaction() as unit:
        change = await TranscriptChange.begin(unit, "c", SYSTEM, 1, lambda _: 0)
        for segment in (await change.hold([each.id for each in await unit.transcript.of("c")])).values():
            change.put(segment.revised(text=text), RevisionKind.TERMS)
        change.note("transcript.rendered", "c", segments=sorted(change.after))
        await change.write()
    TranscriptNews(stage.world.rooms).changed(change)


def corrected(stage: Stage) -> list[str]:
    return [each.segment_id for each in stage.world.publisher.of_kind("张三", CaptionCorrected)]


async def test_only_captions_that_may_still_be_read_are_corrected_for_everybody(stage: Stage) -> None:
    await stage.begin()
    for number in range(30):
        stage.world.clock.forward(10)
        begin_ms = number * 10_000
        await stage.hears(begin_ms, begin_ms + 10_000, said(f"第{number}句话", begin_ms + 8_000))
    rows = await stage.rows()
    await rendered_anew(stage, "都改了。")
    assert set(corrected(stage)) == {each.id for each in rows if each.end_ms >= 300_200 - 60_000}
    assert len(corrected(stage)) == 6
    stage.world.clock.forward(600)
    await rendered_anew(stage, "又改了。")
    last = {each.id for each in rows[-3:]}
    assert (len(corrected(stage)), set(corrected(stage)[6:])) == (9, last), "who comes in is shown these"
