"""Long work lets others have their turn."""

from __future__ import annotations

import asyncio

import pytest

from conference.services.pauses import Pauses


@pytest.mark.parametrize(("pieces", "turns"), [([1] * 9, 0), ([1] * 25, 2), ([25], 1), ([4] * 6, 2), ([], 0)])
async def test_after_so_many_pieces_others_have_a_turn(pieces: list[int], turns: int) -> None:
    seen, order = list[int](), Pauses(10)
    done = 0

    async def other() -> None:
        while True:
            seen.append(done)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    for each in pieces:
        done += each
        await order.after(each)
    assert len(seen) - 1 == turns
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
