"""Pre-checks over HTTP: by an operator's link before the day, judged here, told to desks, proved and printed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pypdf
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from conference.model.permissions import Role
from conference.model.precheck_figures import Figures, PrecheckItem
from conference.services.rooms import RoomLimits
from tests.integration.test_guests import API, CID, Json, by_link, made
from tests.support.eventually import eventually
from tests.support.prechecks import CAMERA, LOUDSPEAKER, NETWORK, as_body
from tests.unit.signaling.harness import KEY, Signalling, signalling


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20)) as running:
        yield running


async def ask(
    server: Signalling, method: str, path: str, token: str, body: Any = None
) -> tuple[int, Json | bytes]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, headers=headers, json=body) as response,
    ):
        if response.content_type == "application/pdf":
            return response.status, await response.read()
        return response.status, await response.json(content_type=None)


async def got(server: Signalling, path: str, token: str) -> Json:
    status, body = await ask(server, "GET", path, token)
    assert status == 200, body
    assert isinstance(body, dict)
    return body


async def hall(server: Signalling, name: str = "青禾县分会场") -> tuple[Json, str]:
    """A venue, and the token behind its operator's link."""
    venue = await made(server, "/venues", {"name": name, "kind": "branch", "operator_name": "赵六"})
    return venue, await by_link(server, venue["link"])


async def handed_in(
    server: Signalling,
    venue: Json,
    token: str,
    changed: dict[PrecheckItem, tuple[Figures | None, str]] | None = None,
) -> Json:
    path = f"{CID}/venues/{venue['id']}/prechecks"
    status, sheet = await ask(server, "POST", path, token, as_body(changed))
    assert status == 201, sheet
    assert isinstance(sheet, dict)
    return sheet


async def test_from_the_link_to_the_desk(server: Signalling) -> None:
    venue, token = await hall(server)
    await made(server, "/invitees", {"name": "何委员", "venue_id": venue["id"]})
    desk = await server.desk(Role.SECRETARIAT)
    opening = await got(server, f"{CID}/precheck", token)
    assert opening["venue"] == {"id": venue["id"], "name": "青禾县分会场", "kind": "branch"}
    assert (opening["plates"], opening["last"]) == (["何委员"], None)
    assert opening["consultation"]["status"] == "scheduled"

    dead = replace(LOUDSPEAKER, notes_heard=0)
    first = await handed_in(server, venue, token, {PrecheckItem.LOUDSPEAKER: (dead, "音箱明天到")})
    second = await handed_in(server, venue, token)
    assert [(each["number"], each["verdict"]) for each in (first, second)] == [(1, "failed"), (2, "passed")]
    speaker = first["items"][3]
    assert (speaker["faults"], speaker["reason"]) == (["not_heard"], "音箱明天到")
    await eventually(lambda: len(desk.of("precheck.updated")) == 2)
    told = desk.of("precheck.updated")[0]["precheck"]
    assert told == first

    history = await got(server, f"{CID}/venues/{venue['id']}/prechecks?limit=1", token)
    assert [each["id"] for each in history["items"]] == [second["id"]]
    older = await got(server, f"{CID}/venues/{venue['id']}/prechecks?after={history['next']}", token)
    assert older == {"items": [first], "next": None}
    board = await got(server, f"{CID}/prechecks", server.token(Role.SECRETARIAT))
    assert board["items"] == [second]
    assert (await got(server, f"{CID}/precheck", token))["last"] == second


async def test_a_page_cannot_claim_green(server: Signalling) -> None:
    venue, token = await hall(server)
    body = as_body({PrecheckItem.CAMERA: (replace(CAMERA, still_ms=4000), "")})
    body["items"][0] |= {"verdict": "passed", "faults": []}
    status, refused = await ask(server, "POST", f"{CID}/venues/{venue['id']}/prechecks", token, body)
    assert isinstance(refused, dict)
    assert (status, refused["code"], refused["item"]) == (422, "precheck_reason", "camera")
    body["items"][0]["reason"] = "明天换"
    status, sheet = await ask(server, "POST", f"{CID}/venues/{venue['id']}/prechecks", token, body)
    assert isinstance(sheet, dict)
    assert (status, sheet["items"][0]["verdict"], sheet["verdict"]) == (201, "failed", "failed")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["items"].pop(),
        lambda body: body["items"].append(body["items"][0]),
        lambda body: body["items"][0]["figures"].update(width=-1),
        lambda body: body["items"][0]["figures"].update(width=10**9),
        lambda body: body["items"][0]["figures"].update(problem="green"),
        lambda body: body["items"][0]["figures"].pop("still_ms"),
        lambda body: body["items"][0]["figures"].update(extra=1),
        lambda body: body["items"][2]["figures"].update(speech_dbfs="NaN"),
        lambda body: body["items"][5]["figures"].update(way="pigeon"),
        lambda body: body["items"][0].update(figures=body["items"][1]["figures"]),
        lambda body: body["items"][0].update(item="coffee"),
        lambda body: body["items"][7]["figures"].update(height=0),
        lambda body: body["items"][0].update(reason="长" * 201),
        lambda body: body.update(took_ms=-1),
    ],
)
async def test_what_is_no_sheet_is_refused(server: Signalling, spoil: Any) -> None:
    venue, token = await hall(server)
    body = as_body()
    spoil(body)
    status, _ = await ask(server, "POST", f"{CID}/venues/{venue['id']}/prechecks", token, body)
    assert status == 400
    assert (await got(server, f"{CID}/prechecks", token))["items"] == []


async def test_figures_are_judged_without_being_kept(server: Signalling) -> None:
    _, token = await hall(server)
    measured = as_body({PrecheckItem.NETWORK: (replace(NETWORK, up_loss=0.05), "")})["items"][5]
    body = {"checked": {"item": "network", "figures": measured["figures"]}}
    status, judged = await ask(server, "POST", f"{CID}/precheck/judgement", token, body)
    assert (status, judged) == (200, {"verdict": "warning", "faults": ["loss"]})
    body["checked"]["figures"] = None
    assert (await ask(server, "POST", f"{CID}/precheck/judgement", token, body))[0] == 400


async def test_an_operator_sees_the_own_venue_alone(server: Signalling) -> None:
    own, token = await hall(server)
    other, other_token = await hall(server, "西乡分会场")
    theirs = await handed_in(server, other, other_token)
    of_other = f"{CID}/venues/{other['id']}/prechecks"
    for method, path, body in (
        ("GET", of_other, None),
        ("POST", of_other, as_body()),
        ("GET", f"{of_other}/{theirs['id']}", None),
        ("GET", f"{of_other}/{theirs['id']}.pdf", None),
        ("GET", f"{CID}/venues/{own['id']}/prechecks/{theirs['id']}/proof", None),
        ("GET", f"{CID}/precheck?venue={other['id']}", None),
    ):
        assert (await ask(server, method, path, token, body))[0] == 404, path
    assert (await got(server, f"{CID}/prechecks", token))["items"] == []
    by_name = KEY.issue("c", Role.VENUE_OPERATOR, "钱七", venue="西乡分会场", ttl_s=60)
    assert (await got(server, f"{CID}/precheck", by_name))["last"] == theirs
    assert (await ask(server, "GET", f"{CID}/precheck", server.token(Role.VENUE_OPERATOR)))[0] == 404
    assert (await ask(server, "GET", f"{CID}/prechecks", server.token(Role.MEMBER)))[0] == 403


async def test_a_sheet_is_proved_by_us_and_by_anybody(server: Signalling) -> None:
    venue, token = await hall(server)
    sheet = await handed_in(server, venue, token)
    path = f"{CID}/venues/{venue['id']}/prechecks/{sheet['id']}"
    proof = await got(server, f"{path}/proof", token)
    assert (proof["id"], proof["valid"]) == (sheet["id"], True)
    document = await got(server, path, token)
    key = OKPKey.import_key(document["key"])
    said = document["document"].encode()
    assert jws.deserialize_compact(document["signature"], key, algorithms=["Ed25519"], payload=said)
    trace = await got(server, f"{CID}/audit?limit=500", server.token(Role.SECRETARIAT))
    (line,) = [each for each in trace["items"] if each["action"] == "precheck.submitted"]
    assert line["content"]["sha256"] == proof["sha256"]


async def test_a_sheet_is_printed(server: Signalling) -> None:
    venue, token = await hall(server)
    dead = replace(LOUDSPEAKER, notes_heard=0)
    changed: dict[PrecheckItem, tuple[Figures | None, str]] = {
        PrecheckItem.LOUDSPEAKER: (dead, "音箱明天到"),
        PrecheckItem.PROJECTION: (None, "投影机没有到"),
    }
    sheet = await handed_in(server, venue, token, changed)
    status, paper = await ask(server, "GET", f"{CID}/venues/{venue['id']}/prechecks/{sheet['id']}.pdf", token)
    assert status == 200
    assert isinstance(paper, bytes)
    (page,) = pypdf.PdfReader(io.BytesIO(paper)).pages
    text = page.extract_text()
    for words in ("青禾县分会场", "没有收到试音", "音箱明天到", "投影机没有到", "已跳过", "签名有效", "赵六"):
        assert words in text, words


async def test_the_clock_of_the_server_is_told(server: Signalling) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}{API}/time") as response:
        assert (response.status, (await response.json())["now_ms"] > 1.6e12) == (200, True)
