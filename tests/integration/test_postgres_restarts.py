"""PostgreSQL is gone for a while under a session: media goes on, writes are refused plainly, nothing agreed is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, SessionRefusedError, VideoSource
from tests.support.postgres_server import running_postgres
from tests.support.server import Server


async def add(client: RoomClient, text: str) -> str:
    """The code of a refusal, or "ok"."""
    try:
        await client.request("statement.add", {"text": text, "key": text * 4})
    except SessionRefusedError as refused:
        return refused.code
    return "ok"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_session_outlives_a_restart_of_the_database(tmp_path: Path, mode: str) -> None:
    with running_postgres() as postgres:
        server = Server(data_dir=tmp_path / "data", arguments=["--database-url", postgres.url])
        async with server:
            cid = await asyncio.to_thread(server.create_consultation)
            async with (
                RoomClient(server.url, server.token(cid, "chair", "主持人")) as chair,
                RoomClient(server.url, server.token(cid, "member", "陈委员")) as member,
            ):
                await member.publish([AudioSource(), VideoSource()], names=["microphone", "camera"])
                await chair.receives(member.participant_id, "camera")
                assert await add(member, "停库之前") == "ok"

                async def readiness() -> int:
                    status, _ = await asyncio.to_thread(server.get, "/readyz")
                    return status

                await asyncio.to_thread(postgres.stop, mode)
                try:
                    await eventually(readiness, lambda status: status == 503, timeout_s=20)
                    assert await add(member, "停库之中") == "storage_unavailable"
                    await chair.receives(member.participant_id, "camera", packets=60)
                finally:
                    await asyncio.to_thread(postgres.start)
                await eventually(readiness, lambda status: status == 200, timeout_s=20)
                await eventually(lambda: add(member, "停库之后"), lambda code: code == "ok", timeout_s=20)
                await chair.receives(member.participant_id, "camera", packets=60)
                state: Any = await chair.request("room.sync", {})
                assert [each["text"] for each in state["statements"]] == ["停库之前", "停库之后"]
                assert {each["id"] for each in state["participants"]} == {
                    chair.participant_id,
                    member.participant_id,
                }
                status, body = await asyncio.to_thread(
                    server.get, f"/api/v1/consultations/{cid}/audit", server.token(cid, "secretariat", "秘书")
                )
                assert status == 200
                assert body.decode().count("statement.added") == 2, "each that was accepted, and no other"
