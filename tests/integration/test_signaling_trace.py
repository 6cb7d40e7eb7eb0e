"""The trace over HTTP: who may read it, its pages and filters, and a package that verifies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conference.archive.verifier import verify_archive
from conference.model.permissions import Role
from tests.integration.test_signaling_http import Http
from tests.integration.test_signaling_http import http as http  # the fixture

AUDIT = "/api/v1/consultations/c/audit"
ARCHIVE = "/api/v1/consultations/c/archive"


async def read(http: Http, **query: Any) -> dict[str, Any]:
    response = await http("GET", AUDIT, role=Role.SECRETARIAT, params=query)
    assert response.status == 200
    body: dict[str, Any] = await response.json()
    return body


async def test_what_happened_is_read_in_pages(http: Http) -> None:
    chair = await http.server.join(Role.CHAIR, name="王主任")
    member = await http.server.join(Role.MEMBER, name="李委员")
    member_id = member.state.snapshot["self"]["participant_id"] if member.state.snapshot else ""
    await chair.ask("participant.mute", {"participant_id": member_id, "muted": True, "hard": True})
    first = await read(http, limit=2)
    assert [each["number"] for each in first["items"]] == [1, 2]
    assert first["next"] == 2
    rest = await read(http, after=first["next"])
    assert rest["next"] is None
    muted = rest["items"][-1]
    assert (muted["action"], muted["subject"], muted["actor_kind"]) == (
        "participant.muted",
        member_id,
        "participant",
    )
    assert muted["names"] == {"by_name": "王主任", "name": "李委员"}
    assert (muted["content"]["by_role"], muted["content"]["hard"]) == ("chair", True)
    assert muted["content"]["by_name"].keys() == {"salted_sha256"}
    joined = await read(http, action="participant.joined")
    assert [each["names"]["by_name"] for each in joined["items"]] == ["王主任", "李委员"]
    assert [each["number"] for each in (await read(http, actor=member_id))["items"]] == [
        joined["items"][1]["number"]
    ]
    assert (await read(http, action="none")) == {"items": [], "next": None}


async def test_a_start_over_http_names_the_token(http: Http) -> None:
    await http("POST", "/api/v1/consultations/c/start", token=http.server.token(Role.CHAIR, "王主任"))
    started = (await read(http, action="consultation.started"))["items"]
    assert [(each["actor_kind"], each["names"], each["program_time_ms"]) for each in started] == [
        ("token", {"by_name": "王主任"}, 0)
    ]


@pytest.mark.parametrize("path", [AUDIT, ARCHIVE])
async def test_who_may_not_read(http: Http, path: str) -> None:
    for role in (Role.MEMBER, Role.MODERATOR, Role.OBSERVER, Role.VENUE_OPERATOR):
        assert await http.problem("GET", path, role=role) == (403, "forbidden")
    assert await http.problem("GET", path) == (401, "token_missing")
    token = http.server.token(Role.SECRETARIAT, cid="other")
    assert await http.problem("GET", path, token=token) == (403, "token_other_consultation")


async def test_bad_queries(http: Http) -> None:
    for query in ({"limit": "x"}, {"after": "x"}):
        assert await http.problem("GET", AUDIT, role=Role.CHAIR, params=query) == (400, "bad_request")
    assert (await read(http, after=2**70)) == {"items": [], "next": None}
    assert len((await read(http, limit=0))["items"]) == 1


async def test_an_archive_verifies(http: Http, tmp_path: Path) -> None:
    await http.server.join(Role.CHAIR, name="王主任")
    assert await http.problem("GET", ARCHIVE, role=Role.CHAIR) == (403, "forbidden")
    response = await http("GET", ARCHIVE, role=Role.SECRETARIAT)
    assert (response.status, response.content_type) == (200, "application/zip")
    assert response.headers["Content-Disposition"] == 'attachment; filename="c.zip"'
    path = tmp_path / "c.zip"
    path.write_bytes(await response.read())
    report = verify_archive(path)
    assert report.findings == []
    assert report.intact["audit_lines.jsonl"] == 2
    assert "王主任".encode() in path.read_bytes()
