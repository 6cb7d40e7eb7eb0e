"""The program takes the layer that fits its tile: a three-layer camera, the real media process, the real worker."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from conference.media.client import MediaClient
from conference.model.media import PROGRAM_TARGET, LayersNeeded
from tests.integration.test_simulcast import camera
from tests.support.eventually import eventually
from tests.support.media_meeting import ROOM, Meeting
from tests.support.program_process import ProgramProcess, person, scene, speaking

OTHERS = [person(f"p{number}", camera=False) for number in range(8)]
EVERYBODY = [person("member"), *OTHERS]
GRID = {"mode": "manual", "layout": "grid", "people": [each["id"] for each in EVERYBODY]}


@pytest.mark.timeout(180)
async def test_a_camera_comes_as_large_as_it_is_drawn(
    meeting: Meeting, media: MediaClient, tmp_path: Path
) -> None:
    def told() -> tuple[str, ...]:
        needs = [event.layers for event in meeting.events if isinstance(event, LayersNeeded)]
        return needs[-1] if needs else ()

    async def needed(*layers: str) -> None:
        await eventually(told, lambda it: it == layers, timeout_s=40, what=f"{layers} are needed")

    source = camera()
    await meeting.publish_layers("member", source)
    worker = await asyncio.to_thread(ProgramProcess, tmp_path / "c", renditions=["360p"], nice=0, most_load=5)
    try:
        await asyncio.to_thread(worker.wait, "ready")
        worker.show(speaking("member", *EVERYBODY))
        await media.tap(
            ROOM, worker.tap_path, program_time_ms=0, at_monotonic_s=time.monotonic(), name=PROGRAM_TARGET
        )
        await asyncio.to_thread(worker.wait, "layout", name="speaker")
        await needed("f")
        worker.show(scene(*EVERYBODY, direction=GRID))
        await needed("h")
        worker.show(speaking("member", *EVERYBODY))
        await eventually(lambda: "f" in told(), timeout_s=20, what="the large one again")
        worker.show(speaking("p1", *EVERYBODY))
        await needed("q")
        assert not worker.named("trouble")
    finally:
        await media.untap(ROOM, PROGRAM_TARGET)
        await asyncio.to_thread(worker.close)
