"""The sound beside the transcript, and what somebody gets of their own speeches by their own link when it is over."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.media import Speaker, SpeakersChanged
from conference.model.permissions import Role
from conference.model.recording import FileState, Recording
from conference.model.transcript import SpeakerLabel, TranscriptSegment
from conference.services.rooms import RoomLimits
from recording.track_writer import Format, TrackWriter
from tests.integration.test_guests import API, CID, by_link, http, made, seated
from tests.support.encoded import sounds
from tests.support.eventually import eventually
from tests.support.transcripts import HALL, keep, said
from tests.unit.signaling.harness import Client, Signalling, signalling

SECONDS = 60


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20)) as running:
        yield running


async def record(server: Signalling, participant_id: str, *, is_open: bool = False) -> None:
    """A minute of a microphone, from the beginning of the session on."""
    path = server.recorder.path(f"c/1/{participant_id}.webm")
    path.parent.mkdir(parents=True, exist_ok=True)

    def write() -> None:
        writer = TrackWriter(path, Format("opus"))
        for number, data in enumerate(sounds(SECONDS * 50)):
            writer.write(data, number * 20_000, is_key=True)
        writer.close()

    await asyncio.to_thread(write)
    state = FileState.RECORDING if is_open else FileState.DONE
    row = Recording(
        f"r_{participant_id}", "c", participant_id, "某", "microphone", "opus", f"c/1/{participant_id}.webm",
        0, 0 if is_open else SECONDS * 1000, 9, "a" * 64, state, 1,
    )  # fmt: skip
    async with server.process.database.transaction() as unit:
        await unit.recordings.save([row])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_opened"))


async def fetch(
    server: Signalling, path: str, token: str | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    token = token or server.token(Role.SECRETARIAT)
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{server.url}{CID}{path}", headers={"Authorization": f"Bearer {token}", **headers}
        ) as response,
    ):
        return response.status, await response.read(), response.headers


def seconds(data: bytes) -> float:
    with av.open(io.BytesIO(data), "r") as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / 48_000


# ── beside the transcript ───────────────────────────────────────────────────────────────────────


async def test_the_sound_of_a_segment_is_that_of_its_very_track(server: Signalling) -> None:
    await keep(server.process.database, [said(1, "老旧", "小区"), said(2, "水费", participant_id="p2")])
    await record(server, "p1")
    status, data, headers = await fetch(server, "/transcript/seg_0001/sound")
    assert (status, headers["Content-Type"], headers["X-Program-Time-Ms"]) == (200, "audio/webm", "9700")
    assert seconds(data) == pytest.approx(0.8 + 0.6, abs=0.05)
    assert headers["Cache-Control"] == "private, no-cache"
    again = await fetch(server, "/transcript/seg_0001/sound", **{"If-None-Match": headers["ETag"]})
    assert (again[0], again[1]) == (304, b"")
    part = await fetch(server, "/transcript/seg_0001/sound", Range="bytes=10-19")
    assert (part[0], part[1], part[2]["Content-Range"]) == (206, data[10:20], f"bytes 10-19/{len(data)}")
    tail = await fetch(server, "/transcript/seg_0001/sound", Range="bytes=-7")
    assert (tail[0], tail[1]) == (206, data[-7:])
    for wrong in ("bytes=999999-", "bytes=x"):
        assert (await fetch(server, "/transcript/seg_0001/sound", Range=wrong))[0] == 416
    for path in ("seg_0002/sound", "seg_none/sound"):
        assert (await fetch(server, f"/transcript/{path}"))[0] == 404
    status, body, _ = await fetch(server, "/transcript/seg_0002/sound")
    assert b"nothing_recorded" in body


async def test_a_stretch_of_a_microphone_also_while_it_is_recorded(server: Signalling) -> None:
    await record(server, "p1", is_open=True)
    path = "/transcript/sound?participant_id=p1"
    status, data, headers = await fetch(server, f"{path}&from_ms=5000&to_ms=8000")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert seconds(data) == pytest.approx(3, abs=0.05)
    for wrong in ("from_ms=0&to_ms=60001", "from_ms=9&to_ms=9", "from_ms=-1&to_ms=5", "from_ms=x&to_ms=5"):
        assert (await fetch(server, f"{path}&{wrong}"))[0] == 400, wrong
    assert (await fetch(server, f"{path}&from_ms=600000&to_ms=601000"))[0] == 404
    assert (await fetch(server, "/transcript/sound?participant_id=p9&from_ms=0&to_ms=9"))[0] == 404


async def test_nobody_hears_what_they_may_not_read(server: Signalling) -> None:
    await keep(server.process.database, [replace(said(1, "机密"), is_confidential=True)])
    await record(server, "p1")
    stretch = "/transcript/sound?participant_id=p1&from_ms=9000&to_ms=12000"
    moderator, member = server.token(Role.MODERATOR), server.token(Role.MEMBER)
    assert (await fetch(server, "/transcript/seg_0001/sound", moderator))[0] == 404
    assert (await fetch(server, stretch, moderator))[0] == 403
    assert (await fetch(server, stretch.replace("p1", "p2"), moderator))[0] == 404
    assert (await fetch(server, stretch))[0] == 200
    for path in ("/transcript/seg_0001/sound", stretch):
        assert (await fetch(server, path, member))[0] == 403


async def test_the_sound_around_a_segment_ends_where_something_confidential_begins(
    server: Signalling,
) -> None:
    first = said(1, "老旧", "小区")
    hidden = replace(
        said(2, "机密"), start_ms=first.end_ms + 100, end_ms=first.end_ms + 900, is_confidential=True
    )
    after = replace(said(3, "水费"), start_ms=first.end_ms + 1_000, end_ms=first.end_ms + 1_800)
    await keep(server.process.database, [first, hidden, after])
    await record(server, "p1")
    moderator = server.token(Role.MODERATOR)
    _, data, headers = await fetch(server, "/transcript/seg_0001/sound", moderator)
    assert headers["X-Program-Time-Ms"] == str(first.start_ms - 300)
    assert seconds(data) == pytest.approx((first.end_ms + 100 - first.start_ms + 300) / 1000, abs=0.03)
    _, _, headers = await fetch(server, "/transcript/seg_0003/sound", moderator)
    assert headers["X-Program-Time-Ms"] == str(hidden.end_ms)
    _, _, headers = await fetch(server, "/transcript/seg_0003/sound")
    assert headers["X-Program-Time-Ms"] == str(after.start_ms - 300)


# ── one's own speeches ──────────────────────────────────────────────────────────────────────────


def spoken(number: int, name: str, participant_id: str, *words: str) -> TranscriptSegment:
    speaker = SpeakerLabel(name, Role.MEMBER)
    return said(number, *words, participant_id=participant_id, speaker=speaker)


async def hold(server: Signalling) -> tuple[str, Client]:
    """Two invitees come by their links; the first has the floor once, writes, and is answered. It is over."""
    invitee = await made(server, "/invitees", {"name": "林晓梅"})
    other = await made(server, "/invitees", {"name": "何建国"})
    member = await seated(server, await by_link(server, invitee["link"]))
    second = await seated(server, await by_link(server, other["link"]))
    chair = await server.join(Role.CHAIR, "周正明")
    assert (await http(server, "POST", f"{CID}/start", Role.CHAIR))[0] == 200
    await chair.ask("floor.grant", {"participant_id": member.me})
    server.media.emit(SpeakersChanged("c", (Speaker(member.me, -20),)))
    await eventually(lambda: (chair.state.floor["holder"] or {}).get("state") == "running", every_s=0.01)
    await chair.ask("floor.end")
    statement = (await member.ask("statement.add", {"text": "建议加装电梯。", "key": "k" * 8}))["statement"]
    reply = {"text": "将列入计划。", "key": "l" * 8, "reply_to": statement["id"]}
    await second.ask("statement.add", reply)
    await second.ask("statement.add", {**reply, "text": "只告诉秘书处。", "key": "n" * 8, "private": True})
    await second.ask("statement.add", {"text": "别人的话。", "key": "m" * 8})
    await keep(
        server.process.database,
        [
            spoken(1, "林晓梅", member.me, "我们", "走访", "了"),
            spoken(2, "何建国", second.me, "我", "补充"),
            spoken(
                3, "林晓梅", "p_hall", "谢谢", "主持人"
            ),  # into the hall's microphone, as was found out later
            replace(spoken(4, "林晓梅", member.me, "病人", "名字"), is_confidential=True),
            said(5, "大家", "好", participant_id="p_hall", speaker=HALL),
        ],
    )
    await record(server, member.me)
    link = invitee["link"].rpartition("/")[2]
    status, refused = await http(server, "POST", f"{API}/links/{link}/look-back", None)
    assert (status, refused["code"]) == (409, "invalid_state")
    assert (await http(server, "POST", f"{CID}/end", Role.CHAIR))[0] == 200
    return link, member


async def looked_back(server: Signalling, link: str) -> str:
    status, entered = await http(server, "POST", f"{API}/links/{link}/look-back", None)
    assert status == 200, entered
    return str(entered["token"])


async def own(server: Signalling, token: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{server.url}{CID}/own-speeches", headers={"Authorization": f"Bearer {token}"}
        ) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.json()


async def test_own_speeches_by_the_own_link(server: Signalling) -> None:
    link, _ = await hold(server)
    status, refused = await http(server, "POST", f"{API}/links/{link}/enter", None)
    assert (status, refused["code"]) == (409, "consultation_ended")
    found = await own(server, await looked_back(server, link))
    assert (found["name"], found["consultation"]["title"]) == ("林晓梅", "协商会")
    texts = [each["text"] for speech in found["speeches"] for each in speech["segments"]]
    assert sorted(texts) == ["我们走访了。", "谢谢主持人。"]
    (turn,) = [each for each in found["speeches"] if each["turn_id"] is not None]
    assert (turn["has_sound"], turn["clip"]) == (True, None)
    (statement,) = found["statements"]
    assert statement["text"] == "建议加装电梯。"
    assert [(each["name"], each["text"]) for each in statement["replies"]] == [("何建国", "将列入计划。")]
    assert "别人的话" not in str(found)


async def test_words_into_the_microphone_of_a_hall_are_nobodys_where_two_bear_that_name(
    server: Signalling,
) -> None:
    await made(server, "/invitees", {"name": "林晓梅", "title": "另一位"})
    link, _ = await hold(server)
    found = await own(server, await looked_back(server, link))
    texts = [each["text"] for speech in found["speeches"] for each in speech["segments"]]
    assert texts == ["我们走访了。"]


async def test_a_token_of_then_opens_no_room_and_nobody_elses_speeches(server: Signalling) -> None:
    link, member = await hold(server)
    token = await looked_back(server, link)
    client = await server.connect({"token": token})
    await eventually(lambda: not client.connected or client.events)
    assert "room.snapshot" not in client.names()
    stranger = await own(server, server.token(Role.MEMBER, "林晓梅"))
    assert (stranger["speeches"], stranger["statements"]) == ([], [])
    assert (await fetch(server, "/transcript", token))[0] == 403
    assert (await fetch(server, f"/transcript/sound?participant_id={member.me}&from_ms=0&to_ms=9", token))[
        0
    ] == 403


async def test_the_own_sound_without_what_is_confidential(server: Signalling) -> None:
    link, member = await hold(server)
    token = await looked_back(server, link)
    (speech,) = [each for each in (await own(server, token))["speeches"] if "走访" in str(each["segments"])]
    span = f"from_ms={speech['from_ms']}&to_ms={speech['to_ms']}"
    status, data, headers = await fetch(server, f"/own-speeches/sound?{span}", token)
    assert (status, headers["Content-Type"]) == (200, "audio/webm")
    assert seconds(data) == pytest.approx((speech["to_ms"] - speech["from_ms"]) / 1000, abs=0.05)
    await fetch(server, f"/own-speeches/sound?{span}", token, Range="bytes=10-")
    _, trace = await http(server, "GET", f"{CID}/audit?limit=500", Role.SECRETARIAT)
    taken = [each for each in trace["items"] if each["action"] == "recording.downloaded"]
    assert [each["subject"] for each in taken] == [member.me], "one line for a sound in many pieces"
    for beyond in ("from_ms=39000&to_ms=42000", "from_ms=9000&to_ms=12000", "from_ms=0&to_ms=60000"):
        assert (await fetch(server, f"/own-speeches/sound?{beyond}", token))[0] == 403, beyond
    assert (await fetch(server, "/own-speeches/sound?from_ms=0&to_ms=1800001", token))[0] == 400
    stranger = server.token(Role.MEMBER, "林晓梅")
    assert (await fetch(server, "/own-speeches/sound?from_ms=9000&to_ms=12000", stranger))[0] == 403


async def test_a_hall_gets_nothing_of_what_others_said_in_it(server: Signalling) -> None:
    invitee = await made(server, "/invitees", {"name": "青禾县分会场"})
    member = await seated(server, await by_link(server, invitee["link"]))
    await server.join(Role.CHAIR, "周正明")
    assert (await http(server, "POST", f"{CID}/start", Role.CHAIR))[0] == 200
    await keep(
        server.process.database,
        [
            spoken(1, "青禾县分会场", member.me, "我们", "汇报"),
            spoken(2, "林晓梅", member.me, "我", "补充"),  # found out later: a guest in that hall
            spoken(3, "青禾县分会场", member.me, "谢谢"),
        ],
    )
    await record(server, member.me)
    assert (await http(server, "POST", f"{CID}/end", Role.CHAIR))[0] == 200
    token = await looked_back(server, invitee["link"].rpartition("/")[2])
    found = (await own(server, token))["speeches"]
    assert [[each["text"] for each in speech["segments"]] for speech in found] == [["我们汇报。"], ["谢谢。"]]
    for speech in found:
        span = f"from_ms={speech['from_ms']}&to_ms={speech['to_ms']}"
        assert (await fetch(server, f"/own-speeches/sound?{span}", token))[0] == 200
    whole = f"from_ms={found[0]['from_ms']}&to_ms={found[1]['to_ms']}"
    assert (await fetch(server, f"/own-speeches/sound?{whole}", token))[0] == 403


async def test_a_clip_of_the_own_turn_is_made_on_request(server: Signalling) -> None:
    link, _ = await hold(server)
    token = await looked_back(server, link)
    (turn,) = [each["turn_id"] for each in (await own(server, token))["speeches"] if each["turn_id"]]
    path = f"/own-speeches/{turn}/clip"
    assert (await fetch(server, path, token))[0] == 404
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.url}{CID}{path}", headers=headers) as response:
            assert response.status == 202
        async with session.post(f"{server.url}{CID}/own-speeches/t_none/clip", headers=headers) as response:
            assert response.status == 404

    def clips(found: Any) -> list[Any]:
        return [
            each["clip"] for each in found["speeches"] if each["clip"] and each["clip"]["state"] == "done"
        ]

    await eventually(lambda: own(server, token), clips, timeout_s=30, what="the clip")
    (speech,) = [each for each in (await own(server, token))["speeches"] if each["turn_id"]]
    assert speech["clip"]["state"] == "done"
    status, data, answered = await fetch(server, path, token)
    assert (status, answered["Content-Type"]) == (200, "audio/mp4")
    assert len(data) == speech["clip"]["size_bytes"]
    other = server.token(Role.MEMBER, "何建国")
    assert (await fetch(server, path, other))[0] == 404


async def test_before_the_end_there_is_nothing_to_look_back_at(server: Signalling) -> None:
    status, body, _ = await fetch(server, "/own-speeches", server.token(Role.MEMBER))
    assert status == 409
    assert b"invalid_state" in body
