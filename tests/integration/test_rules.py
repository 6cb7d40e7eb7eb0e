"""Rules of bodies through their doors: read, changed, refused, and felt where a meeting begins and a film comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.clock import SystemClock
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from tests.integration.test_permission_doors import session_of
from tests.integration.test_signaling_doors import refusal
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Client, Signalling, signalling

NONE = {"max_live": None, "max_participants": None, "max_storage_gb": None, "retention_days": None}


class Office:
    """An administrator of a body that nobody stands above."""

    def __init__(self, http: aiohttp.ClientSession, server: Signalling, session: str) -> None:
        self.http = http
        self.server = server
        self.session = session

    async def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None, data: bytes | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.session}"}
        url = f"{self.server.url}/api/v1{path}"
        async with self.http.request(method, url, json=body, data=data, headers=headers) as response:
            return response.status, await response.json()

    async def own(self) -> Any:
        status, body = await self.ask("GET", "/rules")
        assert status == 200, body
        (own,) = body["items"]
        return own

    async def put(self, **rules: int | None) -> tuple[int, Any]:
        path = f"/organizations/{(await self.own())['organization']['id']}/rules"
        return await self.ask("PUT", path, {**NONE, **rules})

    async def held(self, *cids: str) -> None:
        """Consultations of the body."""
        owner = (await self.own())["organization"]["id"]
        for cid in cids:
            draft = ConsultationDraft(title=cid, id=cid, organization_id=owner)
            await Consultations(self.server.process.database, SystemClock()).create(draft)

    async def act(self, cid: str, act: str) -> tuple[int, Any]:
        return await self.ask(
            "POST", f"/consultations/{cid}/{act}", token=self.server.token(Role.CHAIR, cid=cid)
        )


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as http:
        yield Office(http, server, await session_of(server, Role.ADMINISTRATOR))


async def test_rules_are_read_and_changed_as_a_whole(office: Office) -> None:
    own = await office.own()
    assert (own["rules"], own["may_limit"], own["organization"]["name"]) == (NONE, True, "临江县政协")
    assert own["use"] == {
        "live": 0,
        "present": 0,
        "fullest": 0,
        "used_bytes": None,
        "measured_at_ms": None,
        "fill": "ok",
    }
    rules = {"max_live": 2, "max_participants": 5, "max_storage_gb": 300, "retention_days": 0}
    status, changed = await office.put(**rules)
    assert (status, changed["rules"]) == (200, rules)
    assert (await office.own())["rules"] == rules
    _, body = await office.ask("GET", "/rules")
    assert body["server"] == {"max_participants": 8, "retention_days": 0}
    await office.put()
    assert (await office.own())["rules"] == NONE


@pytest.mark.parametrize(
    ("rules", "status", "code"),
    [
        ({"max_participants": 9}, 422, "limit_beyond_server"),
        ({"max_live": 0}, 400, "bad_request"),
        ({"max_storage_gb": -1}, 400, "bad_request"),
        ({"retention_days": 36_501}, 400, "bad_request"),
        ({"max_speakers": 1}, 400, "bad_request"),
    ],
)
async def test_what_no_rule_can_be_is_refused(
    office: Office, rules: dict[str, int], status: int, code: str
) -> None:
    answer, body = await office.put(**rules)
    assert (answer, body["code"]) == (status, code)
    assert (await office.own())["rules"] == NONE


async def test_what_is_missing_is_not_taken_for_no_limit(office: Office) -> None:
    await office.put(max_live=1)
    path = f"/organizations/{(await office.own())['organization']['id']}/rules"
    assert (await office.ask("PUT", path, {"retention_days": 3}))[0] == 400
    assert (await office.own())["rules"]["max_live"] == 1


async def test_a_start_beyond_the_limit_says_what_the_limit_is(office: Office) -> None:
    await office.held("one", "two")
    await office.put(max_live=1)
    assert (await office.act("one", "start"))[0] == 200
    assert (await office.own())["use"]["live"] == 1
    for step in ("start", "rehearsal/start"):
        status, body = await office.act("two", step)
        assert (status, body["code"], body["limit"]) == (409, "too_many_live", 1)
        assert "同时进行" in body["title"]
    await office.act("one", "end")
    assert (await office.act("two", "start"))[0] == 200


async def test_a_full_room_says_so_and_who_is_in_it_stays(office: Office) -> None:
    await office.held("one")
    await office.put(max_participants=1)
    server = office.server
    first = await server.connect({"token": server.token(Role.MEMBER, "甲", cid="one")})
    await eventually(lambda: first.state.snapshot)
    assert await refusal(server, {"token": server.token(Role.MEMBER, "乙", cid="one")}) == "room_limit"
    assert (await office.own())["use"]["present"] == 1
    assert first.state.snapshot is not None
    me = first.state.snapshot["self"]
    resume = {"participant_id": me["participant_id"], "secret": me["resume_secret"]}
    again = await server.connect({"token": server.token(Role.MEMBER, "甲", cid="one"), "resume": resume})
    await eventually(lambda: again.state.snapshot)
    assert again.state.snapshot is not None
    assert again.state.snapshot["self"]["participant_id"] == me["participant_id"]


def told(desk: Client) -> list[Any]:
    return [payload for name, payload in desk.events if name == "storage.updated"]


async def test_a_film_beyond_the_space_is_refused_and_desks_see_why(office: Office, tmp_path: Path) -> None:
    """Measured by the real process; the rule is a GB, the file a hole of that size."""
    await office.held("one")
    recording = tmp_path / "recordings" / "one" / "1" / "1.webm"
    recording.parent.mkdir(parents=True)
    with recording.open("wb") as file:
        file.truncate(1_000_000_000)
    await office.put(max_storage_gb=1)
    server = office.server
    desk = await server.connect({"token": server.token(Role.SECRETARIAT, cid="one")}, "/desk")
    await eventually(lambda: desk.state.snapshot)
    path = "/consultations/one/clips?name=a.mp4"
    token = server.token(Role.SECRETARIAT, cid="one")
    status, body = await office.ask("POST", path, token=token, data=b"film")
    assert (status, body["code"]) == (507, "storage_quota")
    assert (body["used_bytes"], body["max_bytes"]) == (1_000_000_000, 1_000_000_000)
    assert (await office.own())["use"]["fill"] == "full"
    await server.process.storage_watch.tell()
    await eventually(lambda: told(desk))
    assert told(desk)[-1]["storage"]["fill"] == "full"
    assert (await office.act("one", "start"))[0] == 200, "a meeting is not kept from beginning"
    recording.unlink()
    await office.put(max_storage_gb=2)
    await server.process.storage_watch.measure()
    status, body = await office.ask("POST", path, token=token, data=b"film")
    assert status == 201, body
