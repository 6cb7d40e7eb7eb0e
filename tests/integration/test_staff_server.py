"""Staff and the real server: logging in, preparing, files, revoking, from the outside."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.archive.verifier import Damage, Finding, verify_archive
from signaling.auth.tokens import TokenKey
from signaling.data_dir import DataDirectory
from tests.support.eventually import eventually
from tests.support.server import Server
from tests.unit.signaling.harness import Client

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
_address = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(arguments=["--demo", "--trusted-proxies", "127.0.0.1"]) as running:
        yield running


class Api:
    """Requests from an address of their own, so that tests do not count on each other's limits."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.address = f"10.0.0.{next(_address)}"
        self.token = ""

    async def __call__(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        response = await self.raw(method, path, **options)
        text = await response.text()
        return response.status, json.loads(text) if text else None

    async def raw(self, method: str, path: str, **options: Any) -> aiohttp.ClientResponse:
        headers = {"X-Forwarded-For": options.pop("address", self.address), **options.pop("headers", {})}
        if token := options.pop("token", self.token):
            headers["Authorization"] = f"Bearer {token}"
        response = await self.session.request(
            method, f"{self.server.url}/api/v1{path}", headers=headers, **options
        )
        await response.read()
        return response

    async def login(self, login: str, password: str, **options: Any) -> tuple[int, Any]:
        body = {"login": login, "password": password}
        return await self("POST", "/sessions", json=body, token="", **options)

    async def demo(self) -> None:
        staff = self.server.staff
        status, body = await self.login(staff["login"], staff["password"])
        assert status == 201, body
        self.token = body["token"]

    async def draft(self, **fields: Any) -> dict[str, Any]:
        status, body = await self("POST", "/consultations", json={"title": "垃圾分类协商会", **fields})
        assert status == 201, body
        made: dict[str, Any] = body
        return made

    async def client(self, token: str, namespace: str = "/room") -> Client:
        client = Client(self.server.url, namespace)
        await client.connect({"token": token})
        await eventually(client.has_snapshot)
        return client


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(server, session)


# ── logging in ──────────────────────────────────────────────────────────────────────────────────


async def test_from_login_to_logout(api: Api) -> None:
    await api.demo()
    status, user = await api("GET", "/sessions/current")
    assert status == 200
    assert (user["login"], user["role"], user["disabled"]) == ("demo", "secretariat", False)
    assert (user["organization"]["name"], user["organization"]["level"]) == ("澄川市政协", "city")
    status, listed = await api("GET", "/consultations")
    assert status == 200
    assert "demo" in [each["id"] for each in listed["items"]]
    assert (await api("DELETE", "/sessions/current"))[0] == 204
    status, refused = await api("GET", "/sessions/current")
    assert (status, refused["code"]) == (401, "session_expired")


async def test_wrong_passwords_lock_for_a_minute(api: Api) -> None:
    for left in (4, 3, 2, 1):
        status, body = await api.login("zhou", "falsch")
        assert (status, body["code"], body["attempts_left"]) == (401, "login_failed", left)
    for _ in range(2):
        response = await api.raw("POST", "/sessions", json={"login": "zhou", "password": "x"})
        body = await response.json(content_type=None)
        assert (response.status, body["code"]) == (429, "login_locked")
        assert 55 <= body["retry_after_s"] <= 60
        assert response.headers["Retry-After"] == str(body["retry_after_s"])


async def test_one_address_cannot_try_for_ever(api: Api) -> None:
    codes = [(await api.login(f"nobody{n}", "falsch"))[1]["code"] for n in range(70)]
    assert codes[:60] == ["login_failed"] * 60
    assert codes[60:] == ["rate_limited"] * 10


async def test_a_storm_of_logins_stops_nobody_else(api: Api) -> None:
    storm = asyncio.gather(*(api.login(f"storm{n}", "x", address=f"10.1.0.{n}") for n in range(100)))
    answered = 0
    while not storm.done():
        async with api.session.get(f"{api.server.url}/healthz") as response:
            assert response.status == 200
        answered += not storm.done()
    assert {status for status, _ in await storm} == {401}
    assert answered >= 5, "others were answered in the midst of it"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/sessions", {"login": 5, "password": "x"}, (400, "bad_request")),
        ("POST", "/sessions", [], (400, "bad_request")),
        ("POST", "/sessions", {"login": "x", "password": "x" * 10_000_000}, (413, "too_large")),
        ("POST", "/consultations", {"title": ""}, (400, "bad_request")),
        ("POST", "/consultations", {"title": "x", "kind": "party"}, (400, "bad_request")),
        ("POST", "/consultations", {"title": "x", "scheduled_at_ms": 1e30}, (400, "bad_request")),
        ("POST", "/consultations", {"title": "x\u0000"}, (400, "bad_request")),
        ("POST", "/consultations", {"title": "x", "briefing": "长" * 10_001}, (400, "bad_request")),
        ("PATCH", "/consultations/demo", {"title": "x"}, (400, "bad_request")),
        ("PATCH", "/consultations/demo", {"revision": 1, "title": None}, (400, "bad_request")),
        ("PATCH", "/consultations/demo", {"revision": 99, "title": "x"}, (409, "edit_conflict")),
        ("PATCH", "/consultations/none", {"revision": 1}, (404, "consultation_not_found")),
        ("POST", "/consultations/demo/cancel", {}, (400, "bad_request")),
        ("POST", "/consultations/demo/tokens/..%2Fx/revoke", None, (404, "not_found")),
        ("GET", "/consultations?status=finished", None, (400, "bad_request")),
        ("GET", "/users", None, (403, "forbidden")),
        ("POST", "/organizations", {"name": "x", "level": "county"}, (403, "forbidden")),
    ],
)
async def test_bad_requests(api: Api, method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    await api.demo()
    options = {} if body is None else {"json": body}
    status, answer = await api(method, path, **options)
    assert (status, answer["code"]) == expected


# ── preparing ───────────────────────────────────────────────────────────────────────────────────


async def test_preparing_a_consultation(api: Api) -> None:
    await api.demo()
    made = await api.draft(briefing="背景", scheduled_at_ms=1_900_000_000_000)
    cid = made["id"]
    assert (made["status"], made["is_public"], made["revision"]) == ("draft", False, 1)
    assert made["organization"] == "澄川市政协"
    edit = {"revision": 1, "title": "新题目", "waiting_room": True, "mode": "agenda"}
    status, edited = await api("PATCH", f"/consultations/{cid}", json=edit)
    assert status == 200
    assert (edited["revision"], edited["title"], edited["mode"]) == (2, "新题目", "agenda")
    status, late = await api("PATCH", f"/consultations/{cid}", json={"revision": 1, "title": "旧"})
    assert (status, late["code"]) == (409, "edit_conflict")
    status, readiness = await api("GET", f"/consultations/{cid}/readiness")
    assert status == 200
    assert not readiness["ready"]
    assert {"code": "no_chair", "part": "invitees", "count": 1} in readiness["missing"]
    status, refused = await api("POST", f"/consultations/{cid}/publish")
    assert (status, refused["code"]) == (409, "not_ready")
    assert refused["missing"] == readiness["missing"]
    status, page = await api("GET", "/consultations?limit=1")
    assert [each["id"] for each in page["items"]] == [cid]
    status, rest = await api("GET", f"/consultations?after={page['next']}")
    assert cid not in [each["id"] for each in rest["items"]]
    status, cancelled = await api("POST", f"/consultations/{cid}/cancel", json={"reason": "天气"})
    assert (status, cancelled["status"]) == (200, "cancelled")


async def test_staff_open_the_desk_with_a_token_of_their_own(api: Api) -> None:
    await api.demo()
    status, body = await api("POST", "/consultations/demo/token")
    assert (status, body["role"]) == (200, "secretariat")
    assert body["expires_at_ms"] > time.time() * 1000
    desk = await api.client(body["token"], "/desk")
    assert desk.names()[0] == "desk.snapshot"
    status, edited = await api("GET", "/consultations/demo")
    edit = {"revision": edited["revision"], "title": "远程协商演示会"}
    assert (await api("PATCH", "/consultations/demo", json=edit))[0] == 200
    await eventually(lambda: desk.of("consultation.updated"))
    assert desk.of("consultation.updated")[-1]["consultation"]["title"] == "远程协商演示会"
    _, trace = await api("GET", "/consultations/demo/audit?action=consultation.edited")
    assert trace["items"][-1]["actor_kind"] == "staff"
    await desk.close()


async def test_a_county_sees_nothing_of_another(api: Api) -> None:
    await api.demo()
    cid = (await api.draft())["id"]
    add = ["user", "add", "--login", "fremd", "--name", "外", "--role", "secretariat", "--generate"]
    password = await asyncio.to_thread(api.server.run, *add, "--organization", "青石县政协")
    _, body = await api.login("fremd", password)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("GET", "/files"),
        ("POST", "/token"),
        ("POST", "/seal"),
        ("GET", "/audit"),
    ):
        options = {"json": {"revision": 1}} if method == "PATCH" else {}
        status, refused = await api(method, f"/consultations/{cid}{path}", token=body["token"], **options)
        assert (status, refused["code"]) == (404, "consultation_not_found"), path
    _, listed = await api("GET", "/consultations", token=body["token"])
    assert cid not in [each["id"] for each in listed["items"]]


# ── files ───────────────────────────────────────────────────────────────────────────────────────


async def test_files(api: Api, tmp_path: Path) -> None:
    await api.demo()
    cid = (await api.draft())["id"]
    path = f"/consultations/{cid}/files"
    status, file = await api("POST", path, params={"name": "C:\\稿\\背景 材料.pdf"}, data=PDF)
    assert status == 201
    assert (file["name"], file["media_type"], file["size_bytes"]) == (
        "背景 材料.pdf",
        "application/pdf",
        len(PDF),
    )
    whole = await api.raw("GET", f"{path}/{file['id']}")
    assert (whole.status, await whole.read()) == (200, PDF)
    assert whole.headers["Content-Type"] == "application/pdf"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%83%8C")
    part = await api.raw("GET", f"{path}/{file['id']}", headers={"Range": "bytes=5-9"})
    assert (part.status, await part.read()) == (206, PDF[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(PDF)}"
    beyond = await api.raw("GET", f"{path}/{file['id']}", headers={"Range": "bytes=99999999-"})
    assert beyond.status == 416
    for name, content, expected in (
        ("x.pdf", b"MZ\x90", (415, "file_type_refused")),
        ("x.exe", PDF, (415, "file_type_refused")),
        (".pdf", PDF, (415, "file_type_refused")),
        (
            "x.docx",
            b"PK\x03\x04 [Content_Types].xml word/document.xml vbaProject.bin",
            (415, "file_type_refused"),
        ),
        ("x.txt", b"\x00\x01", (415, "file_type_refused")),
        ("x.pdf", PDF + b"0" * (20 << 20), (413, "too_large")),
    ):
        status, refused = await api("POST", path, params={"name": name}, data=content)
        assert (status, refused["code"]) == expected, name
    status, other = await api("POST", path, params={"name": "同样.pdf"}, data=PDF)
    assert status == 201

    target = tmp_path / "c.zip"
    await asyncio.to_thread(api.server.run, "archive", "export", str(target), "--consultation", cid)
    stored_as = f"files/{file['sha256']}"
    report = verify_archive(target)
    assert report.findings == []
    assert stored_as in report.intact
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(target.read_bytes().replace(PDF[:600], PDF[:599] + b"X"))
    assert verify_archive(damaged).findings == [Finding(stored_as, Damage.BYTES)]
    archive = await api.raw("GET", f"/consultations/{cid}/archive")
    (tmp_path / "http.zip").write_bytes(await archive.read())
    with zipfile.ZipFile(tmp_path / "http.zip") as package:
        assert package.read(stored_as) == PDF

    stored = api.server.data_dir / stored_as
    assert (await api("DELETE", f"{path}/{file['id']}"))[0] == 204
    assert stored.exists()
    assert (await api("DELETE", f"{path}/{other['id']}"))[0] == 204
    assert not stored.exists()
    assert (await api("GET", f"{path}/{file['id']}"))[0] == 404
    assert (await api("GET", path))[1] == {"items": []}


async def test_at_most_twenty_files(api: Api) -> None:
    await api.demo()
    path = f"/consultations/{(await api.draft())['id']}/files"
    for number in range(20):
        name = {"name": f"{number}.txt"}
        assert (await api("POST", path, params=name, data=f"第{number}份".encode("gb18030")))[0] == 201
    status, refused = await api("POST", path, params={"name": "x.txt"}, data=b"x")
    assert (status, refused["code"]) == (409, "too_many_files")


async def test_a_package_without_a_file_of_its_trace_is_not_intact(api: Api, tmp_path: Path) -> None:
    await api.demo()
    cid = (await api.draft())["id"]
    path = f"/consultations/{cid}/files"
    _, file = await api("POST", path, params={"name": "x.txt"}, data=f"只有一次 {cid}".encode())
    (api.server.data_dir / "files" / file["sha256"]).unlink()
    assert (await api("GET", f"{path}/{file['id']}"))[0] == 404
    target = tmp_path / "c.zip"
    await asyncio.to_thread(api.server.run, "archive", "export", str(target), "--consultation", cid)
    assert verify_archive(target).findings == [Finding(f"files/{file['sha256']}", Damage.MISSING)]


# ── revoking ────────────────────────────────────────────────────────────────────────────────────


async def expelled(client: Client) -> None:
    """Told, and closed, within two seconds."""
    await eventually(lambda: client.of("session.removed"), timeout_s=2)
    assert client.of("session.removed")[0]["reason"] == "revoked"
    await eventually(lambda: not client.connected, timeout_s=2)


async def test_a_revoked_token_closes_what_it_opened(api: Api) -> None:
    await api.demo()
    key = TokenKey(DataDirectory(api.server.data_dir).load_key())
    token, other = (api.server.token("demo", name=name) for name in ("甲", "乙"))
    member, bystander = await api.client(token), await api.client(other)
    revoke = f"/consultations/demo/tokens/{key.read(token).token_id}/revoke"
    assert (await api("POST", revoke, token=other))[0] == 403
    assert (await api("POST", revoke))[0] == 204
    await expelled(member)
    await eventually(lambda: bystander.of("participant.left"))
    assert (await api("GET", "/session", token=token))[1]["code"] == "token_revoked"
    assert bystander.connected
    await bystander.close()


async def test_the_command_line_revokes_in_the_running_server(api: Api) -> None:
    key = TokenKey(DataDirectory(api.server.data_dir).load_key())
    tokens = [api.server.token("demo", role) for role in ("member", "chair")]
    member, desk = await api.client(tokens[0]), await api.client(tokens[1], "/desk")
    for token, client in zip(tokens, (member, desk), strict=True):
        arguments = ("--consultation", "demo", "--token-id", key.read(token).token_id)
        await asyncio.to_thread(api.server.run, "token-revoke", *arguments)
        await expelled(client)


async def test_a_disabled_account_is_out_everywhere(api: Api) -> None:
    add = ["user", "add", "--login", "weg", "--name", "某", "--role", "organizer", "--generate"]
    password = await asyncio.to_thread(api.server.run, *add, "--organization", "澄川市政协")
    _, body = await api.login("weg", password)
    session = body["token"]
    _, body = await api("POST", "/consultations/demo/token", token=session)
    desk = await api.client(body["token"], "/desk")
    await asyncio.to_thread(api.server.run, "user", "disable", "--login", "weg")
    await expelled(desk)
    assert (await api("GET", "/sessions/current", token=session))[1]["code"] == "session_expired"
    assert (await api("GET", "/consultations/demo", token=body["token"]))[1]["code"] == "token_revoked"
    assert (await api.login("weg", password))[0] == 401
