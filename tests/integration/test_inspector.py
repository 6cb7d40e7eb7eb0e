"""The room inspector: over HTTP with scripted media, and of a real room with real packets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conference.model.media import Kind
from conference.model.media_report import ConnectionReport, MediaReport, ReceivedTrack
from conference.model.media_report import Path as Way
from conference.model.permissions import Role
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhepPlayer, WhipPublisher
from tests.support.server import Server
from tests.unit.signaling.harness import Signalling, signalling

PATH = "/api/v1/consultations/c/inspector"


class Http:
    """Requests with a token of a role."""

    def __init__(self, server: Signalling, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def get(self, path: str, role: Role = Role.ADMINISTRATOR) -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bearer {self.server.token(role)}"}
        response = await self._session.get(self.server.url + path, headers=headers)
        await response.read()
        return response


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[Http]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as session:
        yield Http(server, session)


def report(participant_id: str, *receives: ReceivedTrack, loss: float = 0.0) -> MediaReport:
    up, down = ConnectionReport("connected", Way.TCP, loss), ConnectionReport("connected", Way.TCP, 0.0)
    return MediaReport(participant_id, up, down, 40, 900_000, 500_000, receives=receives)


async def test_a_room_that_nobody_is_in(http: Http) -> None:
    body = await (await http.get(PATH)).json()
    assert (body["participants"], body["relay"]) == ([], "off")
    trail = await http.get(f"{PATH}.jsonl")
    assert (trail.status, await trail.read()) == (200, b"")


async def test_who_fares_how_and_the_tracks_of_who_is_asked_for(http: Http) -> None:
    sender, viewer = await http.server.join(name="张三"), await http.server.join(Role.CHAIR, "李四")
    paused = ReceivedTrack(
        "v1", sender.me, Kind.VIDEO, "camera", "waiting", None, 0, 180, 720, 2, "bandwidth", 0, 0.0
    )
    http.server.media.reports = (report(sender.me, loss=0.2), report(viewer.me, paused))
    body = await (await http.get(f"{PATH}?of={viewer.me}")).json()
    first, second = body["participants"]
    assert (first["name"], first["role"], first["path"], first["receives"]) == ("张三", "member", "tcp", None)
    assert [(one["finding"], one["grade"]) for one in first["found"]] == [
        ("uplink_loss", "bad"),
        ("over_tcp", "note"),
    ]
    assert first["found"][0]["value"] == pytest.approx(0.2)
    assert (second["score"], second["lowered"], second["estimate_bps"]) == (0, 1, 900_000)
    (track,) = second["receives"]
    assert (track["layer"], track["reason"], track["score"]) == (None, "bandwidth", 0)

    await http.server.process.insight.tick()
    trail = await http.get(f"{PATH}.jsonl", Role.ORGANIZER)
    assert trail.content_type == "application/x-ndjson"
    assert "attachment" in trail.headers["Content-Disposition"]
    text = await trail.text()
    kept = [json.loads(line) for line in text.splitlines()]
    assert {line["participant_id"] for line in kept} == {sender.me, viewer.me}
    assert "张三" not in text

    metrics = await (await http.get("/metrics")).text()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
    }
    assert samples["yuanshang_tracks_weak", (("room", "c"),)] == 1
    assert samples["yuanshang_media_paths", (("path", "tcp"), ("room", "c"))] == 2
    assert samples["yuanshang_participants_ailing", (("grade", "bad"), ("room", "c"))] == 1
    worst = (("kind", "video"), ("quantile", "0.0"), ("room", "c"))
    assert samples["yuanshang_track_quality", worst] == 0


async def test_a_media_process_that_is_away_is_said_so(http: Http) -> None:
    await http.server.join()
    http.server.media.failures["room_report"] = "media_unavailable"
    response = await http.get(PATH)
    assert (response.status, (await response.json())["code"]) == (503, "media_unavailable")


async def test_the_document_of_the_api_has_it(http: Http) -> None:
    document = await (await http.get("/api/v1/openapi.json")).json()
    path = "/api/v1/consultations/{cid}/inspector"
    assert {path, f"{path}.jsonl"} <= set(document["paths"])
    names = {one["name"] for one in document["paths"][path]["get"]["parameters"]}
    assert names == {"cid", "of"}


# ── of a real room ──────────────────────────────────────────────────────────────────────────────


async def look(server: Server, consultation: str, of: str = "") -> dict[str, Any]:
    """Everybody by id, as the secretariat sees them."""
    token = server.token(consultation, "secretariat", "刘秘书")
    path = f"/api/v1/consultations/{consultation}/inspector?of={of}"
    status, body = await asyncio.to_thread(server.get, path, token)
    assert status == 200, body
    return {each["id"]: each for each in json.loads(body)["participants"]}


async def test_real_packets_are_told_with_way_and_reason(server: Server, consultation: str) -> None:
    async with (
        RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair,
        RoomClient(server.url, server.token(consultation, "member", "陈委员")) as viewer,
    ):
        await chair.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        await viewer.receives(chair.participant_id, "camera", packets=60)
        await viewer.receives(chair.participant_id, "microphone", packets=60)
        report = {"interval_ms": 5000, "items": []}
        for each in chair.participants[chair.participant_id]["publications"]:
            field = "freeze_ms" if each["source"] == "camera" else "concealed_ms"
            report["items"].append({"publication_id": each["id"], field: 500})  # type: ignore[attr-defined]
        await viewer.request("media.report", report)

        async def told() -> dict[str, Any]:
            everybody = await look(server, consultation, viewer.participant_id)
            return dict(everybody[viewer.participant_id])

        def is_whole(one: dict[str, Any]) -> bool:
            tracks = one["receives"]
            return len(tracks) == 2 and all((each["freeze"] or each["concealed"]) for each in tracks)

        seen = await eventually(told, is_whole, what="both tracks with what the client said of them")
        by_source = {each["source"]: each for each in seen["receives"]}
        assert by_source["camera"]["participant_id"] == chair.participant_id
        assert (by_source["camera"]["layer"], by_source["camera"]["state"]) == ("", "active")
        assert by_source["camera"]["freeze"] == pytest.approx(0.1)
        # Light clients do not say how long they kept a report: the round trip looks longer than it is.
        assert 25 <= by_source["camera"]["score"] <= 50
        assert by_source["microphone"]["concealed"] == pytest.approx(0.1)
        assert {one["finding"] for one in seen["found"]} >= {"freezes", "broken_sound"}
        sends = (await look(server, consultation))[chair.participant_id]
        assert sends["uplink"]["state"] == "connected"
        assert sends["path"] == "udp"
        rates = {each["source"]: each["bitrate_bps"] for each in sends["sends"]}
        assert rates["camera"] > 10_000


async def test_encoders_and_players_over_tcp_are_told(server: Server, consultation: str) -> None:
    token = server.token(consultation, "member", "陈委员")
    encoder = WhipPublisher([AudioSource(), VideoSource()], token=token)
    encoder_id = await encoder.publish(f"{server.url}/whip/{consultation}?label=全景", tcp=True)
    player = WhepPlayer(token=token)
    await player.play(f"{server.url}/whep/{consultation}/{encoder_id}", tcp=True)

    async def told() -> dict[str, Any]:
        return await look(server, consultation)

    everybody = await eventually(
        told,
        lambda found: {one["kind"] for one in found.values() if one["path"] == "tcp"} == {"whip", "whep"},
    )
    playing = next(one for one in everybody.values() if one["kind"] == "whep")
    assert (playing["name"], playing["role"]) == (None, None)
    assert everybody[encoder_id]["name"] == "全景"
    await player.close()
    await encoder.close()
