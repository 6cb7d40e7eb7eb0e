"""Fan-out: what many sessions are sent is put into words once, and goes first to those who are farther away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from conference.events import ParticipantLeft
from conference.model.participant import LeaveReason
from conference.transcript_views import TranscriptChanged
from signaling.realtime.fanout import Fanout
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from conference.events import Snapshot
    from signaling.realtime.outbox import Outbox


async def test_the_same_event_to_one_after_the_other_is_one_body() -> None:
    fanout = Fanout()
    boxes = [fanout.open(f"s{number}", lambda: None) for number in range(3)]
    event, other = TranscriptChanged((), ("seg_1",), ""), TranscriptChanged((), ("seg_1",), "")
    for number in range(3):
        fanout.send(f"s{number}", event)
    fanout.send("s0", other)
    first, second, third = [await each.next() for each in boxes]
    assert first is second
    assert second is third
    again = await boxes[0].next()
    assert (again, again is first) == (first, False)


async def test_an_event_of_a_room_goes_first_to_those_who_were_led_here() -> None:
    fanout = Fanout()
    greeting, news = (
        cast("Snapshot", TranscriptChanged((), (), "")),
        ParticipantLeft(1, "p_1", LeaveReason.LEFT),
    )
    order: list[str] = []

    async def pump(session_id: str, box: Outbox) -> None:
        while not (await box.next()).is_last:
            order.append(session_id)

    pumps = []
    for session_id, is_led in (("own1", False), ("led1", True), ("own2", False), ("led2", True)):
        box = fanout.open(session_id, lambda: None, is_led=is_led)
        pumps.append(asyncio.create_task(pump(session_id, box)))
        fanout.enter(session_id, "room", greeting)
        await eventually(lambda: len(order) == len(pumps))
    order.clear()
    fanout.publish("room", news)
    await eventually(lambda: len(order) == 4)
    assert order == ["led1", "led2", "own1", "own2"]
    for gone in ("led1", "own2"):
        fanout.forget(gone)
    order.clear()
    fanout.publish("room", news)
    await eventually(lambda: len(order) == 2)
    assert order == ["led2", "own1"]
    for task in pumps:
        task.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)
