"""HTTP: the API, WHIP and WHEP, pages, health and metrics, on a real port."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conference.model.media import Direction, Kind, PublicationInfo, Source, TransportChanged, TransportState
from conference.model.permissions import Role
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, Signalling, signalling

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


class Http:
    """Requests with a token of a role."""

    def __init__(self, server: Signalling, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def __call__(
        self, method: str, path: str, *, token: str | None = None, role: Role | None = None, **options: Any
    ) -> aiohttp.ClientResponse:
        headers = dict(options.pop("headers", {}))
        token = token or (self.server.token(role) if role else None)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        response = await self._session.request(method, self.server.url + path, headers=headers, **options)
        await response.read()
        return response

    async def problem(self, *arguments: Any, **options: Any) -> tuple[int, str]:
        response = await self(*arguments, **options)
        assert response.content_type == "application/problem+json"
        body = await response.json()
        assert body["status"] == response.status
        assert set(body) == {"type", "title", "status", "detail", "code"}
        return response.status, body["code"]


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[Http]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as session:
        yield Http(server, session)


async def test_session(http: Http) -> None:
    body = await (await http("GET", "/api/v1/session", role=Role.CHAIR)).json()
    assert body == {
        "consultation": {
            "id": "c",
            "title": "协商会",
            "status": "scheduled",
            "mode": "free",
            "scheduled_at_ms": None,
            "organization": None,
        },
        "name": "张三",
        "role": "chair",
        "venue": None,
        "in_hall": False,
        "room_full": False,
        "participants": 0,
    }


async def test_life_cycle_and_reading(http: Http) -> None:
    path = "/api/v1/consultations/c"
    assert (await (await http("GET", path, role=Role.OBSERVER)).json())["program_time_ms"] is None
    assert await http.problem("POST", f"{path}/start", role=Role.MEMBER) == (403, "forbidden")
    started = await (await http("POST", f"{path}/start", role=Role.CHAIR)).json()
    assert started["status"] == "live"
    assert await http.problem("POST", f"{path}/start", role=Role.CHAIR) == (409, "invalid_state")
    assert (await (await http("GET", path, role=Role.OBSERVER)).json())["program_time_ms"] >= 0
    assert (await (await http("POST", f"{path}/end", role=Role.ORGANIZER)).json())["status"] == "ended"
    assert await http.problem("POST", "/whip/c", role=Role.MEMBER, headers=SDP, data="offer") == (
        409,
        "consultation_ended",
    )


async def test_tokens_at_the_http_doors(http: Http) -> None:
    path = "/api/v1/consultations/c"
    assert await http.problem("GET", path) == (401, "token_missing")
    assert await http.problem("GET", path, token="rubbish") == (401, "token_invalid")
    assert await http.problem("GET", path, token=http.server.token(ttl_s=-1)) == (401, "token_expired")
    assert await http.problem("GET", path, token=http.server.token(cid="other")) == (
        403,
        "token_other_consultation",
    )
    assert await http.problem("GET", "/api/v1/consultations/none", role=Role.CHAIR) == (
        404,
        "consultation_not_found",
    )
    response = await http("GET", path)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_participants_with_their_publications_in_pages(http: Http) -> None:
    http.server.media.publications = (PublicationInfo("v1", Kind.VIDEO, Source.CAMERA, "", "VP8"),)
    first, second = await http.server.join(), await http.server.join()
    await first.ask("media.publish", {"sdp": "offer"})
    path = "/api/v1/consultations/c/participants"
    page = await (await http("GET", f"{path}?limit=1", role=Role.OBSERVER)).json()
    assert [each["id"] for each in page["items"]] == [first.me]
    assert page["items"][0]["publications"] == [
        {"id": "v1", "kind": "video", "source": "camera", "label": "", "codec": "VP8", "main": False}
    ]
    page = await (await http("GET", f"{path}?limit=1&after={page['next']}", role=Role.OBSERVER)).json()
    assert ([each["id"] for each in page["items"]], page["next"]) == ([second.me], None)
    assert await http.problem("GET", f"{path}?limit=many", role=Role.OBSERVER) == (400, "bad_request")


async def test_whip(http: Http) -> None:
    watcher = await http.server.join()
    token = http.server.token(Role.VENUE_OPERATOR, "会场")
    response = await http("POST", "/whip/c?label=主席台", token=token, headers=SDP, data="offer")
    assert (response.status, response.content_type, await response.text()) == (
        201,
        "application/sdp",
        "answer to offer",
    )
    location, tag = response.headers["Location"], response.headers["ETag"]
    assert location.startswith("/whip/c/")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    await eventually(lambda: watcher.of("participant.joined"))
    joined = watcher.of("participant.joined")[0]["participant"]
    assert (joined["id"], joined["kind"], joined["name"]) == (location.rsplit("/", 1)[1], "whip", "主席台")
    patch: dict[str, Any] = {"token": token, "data": "a=candidate"}
    assert (await http("PATCH", location, headers=FRAGMENT | {"If-Match": tag}, **patch)).status == 204
    http.server.media.fragment = "a=ice-ufrag:x"
    restarted = await http("PATCH", location, headers=FRAGMENT | {"If-Match": "*"}, **patch)
    assert (restarted.status, await restarted.text()) == (200, "a=ice-ufrag:x")
    assert restarted.headers["ETag"] != tag
    stale = await http.problem("PATCH", location, headers=FRAGMENT | {"If-Match": tag}, **patch)
    assert stale == (412, "precondition_failed")
    assert await http.problem("DELETE", location, role=Role.MEMBER) == (403, "forbidden")
    assert (await http("DELETE", location, token=token)).status == 200
    assert await http.problem("DELETE", location, token=token) == (404, "not_found")
    await eventually(lambda: watcher.of("participant.left"))


async def test_a_session_may_be_closed_after_its_token_expired(http: Http) -> None:
    token = http.server.token(ttl_s=1)
    response = await http("POST", "/whip/c", token=token, headers=SDP, data="offer")
    await eventually(lambda: KEY.read(token).expires_at_s <= time.time())
    assert await http.problem("POST", "/whip/c", token=token, headers=SDP, data="x") == (401, "token_expired")
    assert (await http("DELETE", response.headers["Location"], token=token)).status == 200


async def test_whip_refusals(http: Http) -> None:
    path = "/whip/c"
    assert await http.problem("POST", path, headers=SDP, data="x") == (401, "token_missing")
    assert await http.problem("POST", path, role=Role.OBSERVER, headers=SDP, data="x") == (403, "forbidden")
    assert await http.problem("POST", path, role=Role.MEMBER, data="x") == (415, "unsupported_media_type")
    big = "x" * (256 * 1024 + 1)
    assert await http.problem("POST", path, role=Role.MEMBER, headers=SDP, data=big) == (413, "too_large")
    assert await http.problem("POST", path, role=Role.MEMBER, headers=SDP, data=b"\xff\xfe") == (
        400,
        "sdp_invalid",
    )
    assert await http.problem("POST", "/whip/none", role=Role.MEMBER, headers=SDP, data="x") == (
        404,
        "consultation_not_found",
    )
    assert await http.problem("PUT", path, role=Role.MEMBER) == (405, "method_not_allowed")
    http.server.media.failures["publish"] = "sdp_invalid"
    assert await http.problem("POST", path, role=Role.MEMBER, headers=SDP, data="x") == (400, "sdp_invalid")
    http.server.media.failures = {"join": "media_unavailable"}
    assert await http.problem("POST", path, role=Role.MEMBER, headers=SDP, data="x") == (
        503,
        "media_unavailable",
    )
    options = await http("OPTIONS", path)
    assert (options.status, options.headers["Accept-Post"]) == (204, "application/sdp")
    assert "Authorization" in options.headers["Access-Control-Allow-Headers"]


async def test_an_encoder_whose_transport_is_gone_is_removed(http: Http) -> None:
    watcher = await http.server.join()
    response = await http("POST", "/whip/c", role=Role.MEMBER, headers=SDP, data="offer")
    encoder = response.headers["Location"].rsplit("/", 1)[1]
    http.server.media.emit(TransportChanged("c", encoder, Direction.PUBLISH, TransportState.CLOSED))
    await eventually(lambda: watcher.of("participant.left"))
    assert watcher.of("participant.left")[0] | {"version": 0} == {
        "version": 0,
        "participant_id": encoder,
        "reason": "lost",
    }


async def test_whep(http: Http) -> None:
    target = await http.server.join()
    token = http.server.token(Role.OBSERVER, "墙")
    response = await http("POST", f"/whep/c/{target.me}", token=token, headers=SDP, data="offer")
    assert (response.status, await response.text()) == (201, "answer to offer")
    location = response.headers["Location"]
    assert (await http("PATCH", location, token=token, headers=FRAGMENT, data="a=candidate")).status == 204
    listed = await (await http("GET", "/api/v1/consultations/c/participants", token=token)).json()
    assert [each["id"] for each in listed["items"]] == [target.me]
    assert (await http("DELETE", location, token=token)).status == 200
    assert await http.problem("DELETE", location, token=token) == (404, "not_found")
    assert await http.problem("POST", "/whep/c/p_none", token=token, headers=SDP, data="x") == (
        404,
        "not_found",
    )


async def test_whep_of_the_program_needs_nobody_in_the_room_but_a_token_of_it(http: Http) -> None:
    for role in (Role.OBSERVER, Role.CHAIR, Role.MEMBER, Role.VENUE_OPERATOR):
        token = http.server.token(role, "墙")
        response = await http("POST", "/whep/c/program", token=token, headers=SDP, data="offer")
        assert (response.status, await response.text()) == (201, "answer to offer")
    assert {call[2] for call in http.server.media.calls if call[0] == "pull"} == {"program"}
    assert (await http.problem("POST", "/whep/c/program", headers=SDP, data="x"))[0] == 401
    token = http.server.token(Role.OBSERVER, "墙")
    assert (await http.problem("POST", "/whep/other/program", token=token, headers=SDP, data="x"))[0] in (
        403,
        404,
    )


async def test_health_and_metrics(http: Http) -> None:
    await http.server.join()
    assert (await http("GET", "/healthz")).status == 200
    assert (await (await http("GET", "/readyz")).json())["status"] == "ok"
    text = await (await http("GET", "/metrics")).text()
    samples = {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples[("yuanshang_rooms", ())] == 1
    assert samples[("yuanshang_participants", (("connected", "true"),))] == 1
    assert samples[("yuanshang_media_packets_total", (("direction", "in"),))] == 3
    assert any(name == "yuanshang_web_event_loop_lag_seconds_bucket" for name, _ in samples)
    http.server.media.failures["statistics"] = "media_unavailable"
    assert (await http("GET", "/readyz")).status == 503
    assert (await http("GET", "/metrics")).status == 200


async def test_pages_carry_the_security_headers(http: Http) -> None:
    for path in (
        "/",
        "/room/c",
        "/desk/c",
        "/desk/c/responses",
        "/d/code",
        "/account/c",
        "/assets/none.js",
        "/api/v1/session",
        "/assets/..%2f..%2fpyproject.toml",
    ):
        response = await http("GET", path)
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Server"] == "yuanshang"
    assert await http.problem("GET", "/assets/..%2f..%2fpyproject.toml") == (404, "not_found")
    assert await http.problem("GET", "/nowhere") == (404, "not_found")
    document = await (await http("GET", "/api/v1/openapi.json")).json()
    assert "/api/v1/session" in document["paths"]
