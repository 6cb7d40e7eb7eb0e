"""Fan-out: what many sessions are sent is put into words once."""

from __future__ import annotations

from conference.transcript_views import TranscriptChanged
from signaling.realtime.fanout import Fanout


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
