"""The role × action table, cell by cell, through every door: HTTP with tokens and sessions, and Socket.IO."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.clock import SystemClock
from conference.model.organization import STAFF_ROLES, Level
from conference.model.permissions import PERMISSIONS, Action, Role, actions_of, allowed
from conference.services.logins import Logins
from conference.services.passwords import Passwords
from conference.services.rooms import RoomLimits
from conference.services.staff import Staff, UserDraft
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Client, Signalling, signalling

PASSWORD = "viermal ist Papier"
CID = "/api/v1/consultations/c"
OFFER = "v=0"


@dataclass(frozen=True)
class Door:
    """A request that changes nothing where it is let through, or nothing that the next ones mind."""

    action: Action
    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


NO_RULES = {"max_live": None, "max_participants": None, "max_storage_gb": None, "retention_days": None}


def door(action: Action, method: str, path: str, body: Any = None, **options: Any) -> Door:
    path = path if path.startswith(("/api", "/wh")) else CID + path
    return Door(action, method, path, options if body is None else {"json": body})


USER = {"login": "x", "name": "x", "role": "moderator", "password": "kurz"}
DOORS = (
    door(Action.CONSULTATION_READ, "GET", ""),
    door(Action.CONSULTATION_READ, "GET", "/participants"),
    door(Action.CONSULTATION_READ, "GET", "/agenda"),
    door(Action.CONSULTATION_READ, "GET", "/floor"),
    door(Action.CONSULTATION_READ, "GET", "/statements"),
    door(Action.INVITEE_READ, "GET", "/venues"),
    door(Action.VENUE_WATCH, "GET", "/venues/v_none/messages"),
    door(Action.VENUE_WATCH, "GET", "/venues/health"),
    door(Action.VENUE_WATCH, "GET", "/venues/health.csv"),
    door(Action.VENUE_WATCH, "GET", "/venues/v_none/health"),
    door(Action.PRECHECK_READ, "GET", "/prechecks"),
    door(Action.PRECHECK_READ, "GET", "/venues/v_none/prechecks"),
    door(Action.PRECHECK_RUN, "GET", "/precheck?venue=v_none"),
    door(Action.PRECHECK_RUN, "POST", "/venues/v_none/prechecks", {"took_ms": 1, "items": []}),
    door(Action.CLIP_ADD, "GET", "/clips"),
    door(Action.CLIP_ADD, "POST", "/clips?name=x.mp4", data=b"x"),
    door(Action.CLIP_ADD, "PATCH", "/clips/k_none", {"cue_ms": 1}),
    door(Action.CLIP_ADD, "DELETE", "/clips/k_none"),
    door(Action.CLIP_ADD, "GET", "/clips/k_none/poster"),
    door(Action.CONSULTATION_READ, "GET", "/files"),
    door(Action.CONSULTATION_READ, "GET", "/files/f_none"),
    door(Action.CONSULTATION_EDIT, "POST", "/files?name=x.exe", data=b"x"),
    door(Action.CONSULTATION_EDIT, "DELETE", "/files/f_none"),
    door(Action.CONSULTATION_EDIT, "PATCH", "", {"revision": 99, "title": "x"}),
    door(Action.CONSULTATION_EDIT, "GET", "/readiness"),
    door(Action.AGENDA_EDIT, "PUT", "/agenda", {"items": []}),
    door(Action.ATTENDANCE_READ, "GET", "/attendance"),
    door(Action.INVITEE_READ, "GET", "/invitees"),
    door(Action.INVITEE_EDIT, "POST", "/invitees", {"name": "某", "venue_id": "v_none"}),
    door(Action.INVITEE_EDIT, "DELETE", "/invitees/i_none"),
    door(Action.VENUE_EDIT, "POST", "/venues/v_none/link"),
    door(Action.INVITEE_READ, "GET", "/venues/v_none/cameras"),
    door(Action.VENUE_EDIT, "POST", "/venues/v_none/cameras", {"label": "台", "address": "rtsp://c"}),
    door(Action.VENUE_EDIT, "POST", "/venues/v_none/cameras/find"),
    door(Action.VENUE_EDIT, "POST", "/venues/v_none/cameras/streams", {"address": "192.0.2.1"}),
    door(Action.VENUE_EDIT, "PATCH", "/venues/v_none/cameras/m_none", {"label": "台"}),
    door(Action.VENUE_EDIT, "DELETE", "/venues/v_none/cameras/m_none"),
    door(Action.VENUE_EDIT, "POST", "/venues/v_none/cameras/m_none/test"),
    door(Action.VENUE_EDIT, "DELETE", "/venues/v_none"),
    door(Action.TOKEN_REVOKE, "POST", "/tokens/t_none/revoke"),
    door(Action.AUDIT_READ, "GET", "/audit"),
    door(Action.ROOM_INSPECT, "GET", "/inspector"),
    door(Action.ROOM_INSPECT, "GET", "/inspector.jsonl"),
    door(Action.AUDIT_FORGET, "POST", "/audit/9999/forget"),
    door(Action.ARCHIVE_READ, "GET", "/archive"),
    door(Action.RECORDING_READ, "GET", "/recordings"),
    door(Action.RECORDING_READ, "GET", "/recordings/rec_none/file"),
    door(Action.RECORDING_DELETE, "DELETE", "/recordings/rec_none"),
    door(Action.RECORDING_READ, "GET", "/exports"),
    door(Action.EXPORT_CREATE, "POST", "/exports", {"kind": "program"}),
    door(Action.RECORDING_READ, "GET", "/exports/x_none/file"),
    door(Action.RECORDING_DELETE, "DELETE", "/exports/x_none"),
    door(Action.DESK_JOIN, "GET", "/broadcast"),
    door(Action.BROADCAST_CUT, "POST", "/broadcast/cut", {}),
    door(Action.BROADCAST_CUT, "POST", "/broadcast/restore"),
    door(Action.BROADCAST_CUT, "POST", "/broadcast/withdraw", {"from_ms": 9, "to_ms": 1, "reason": "x"}),
    door(Action.BROADCAST_CUT, "POST", "/broadcast/reinstate", {"id": "b_none", "reason": "x"}),
    door(Action.COMMENT_MODERATE, "GET", "/comments"),
    door(Action.COMMENT_MODERATE, "GET", "/comments/topics"),
    door(Action.COMMENT_MODERATE, "POST", "/comments/undo", {"id": "u_none"}),
    door(Action.ACCOUNT_READ, "GET", "/account"),
    door(Action.ACCOUNT_READ, "GET", "/account.pdf"),
    door(Action.ACCOUNT_READ, "GET", "/account.xlsx"),
    door(Action.COMMENT_MODERATE, "GET", "/comments/groups"),
    door(Action.COMMENT_MODERATE, "GET", "/comments/words"),
    door(Action.COMMENT_MODERATE, "PUT", "/comments/words", {"items": []}),
    door(Action.COMMENT_MODERATE, "POST", "/comments/merge", {"ids": ["m_none"]}),
    door(Action.COMMENT_MODERATE, "POST", "/comments/split", {"ids": ["m_none"]}),
    *(
        door(Action.COMMENT_MODERATE, "POST", f"/comments/m_none/{what}", {})
        for what in ("approve", "reject", "hold", "hide", "reopen", "claim", "release", "represent")
    ),
    door(Action.COMMENT_TRACE, "GET", "/comments/m_none/author"),
    door(Action.COMMENT_PROMOTE, "POST", "/comments/m_none/promote"),
    door(Action.COMMENT_PROMOTE, "GET", "/promotions"),
    door(Action.COMMENT_PROMOTE, "POST", "/promotions/pr_none/decline"),
    door(Action.PROMOTION_DECIDE, "POST", "/promotions/pr_none/end"),
    door(Action.RESPONSE_READ, "GET", "/responses"),
    door(Action.RESPONSE_READ, "GET", "/responses/rs_none"),
    door(Action.RESPONSE_OPEN, "POST", "/responses", {"comment_id": "m_none"}),
    door(Action.RESPONSE_MANAGE, "POST", "/responses/rs_none/assign", {"department_id": "dp_none"}),
    door(Action.RESPONSE_MANAGE, "POST", "/responses/rs_none/extend", {"until_wall_ms": 1}),
    *(
        door(Action.RESPONSE_MANAGE, "POST", f"/responses/rs_none/{what}", {"reason": "x"})
        for what in ("deny-extension", "return", "reopen", "remind", "approve", "unapprove", "close")
    ),
    door(Action.RESPONSE_READ, "GET", "/departments"),
    door(Action.RESPONSE_MANAGE, "POST", "/departments", {"name": "某局"}),
    door(Action.RESPONSE_MANAGE, "PATCH", "/departments/dp_none", {"name": "x"}),
    door(Action.RESPONSE_MANAGE, "GET", "/departments/dp_none/link"),
    door(Action.RESPONSE_MANAGE, "POST", "/departments/dp_none/renew"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/find?q=x"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/search?q=x"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/seg_none"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/seg_none/revisions"),
    door(Action.TRANSCRIPT_EDIT, "PATCH", "/transcript/seg_none", {"revision": 1}),
    door(Action.TRANSCRIPT_EDIT, "POST", "/transcript/seg_none/split", {"revision": 1, "at": 1}),
    door(Action.TRANSCRIPT_EDIT, "POST", "/transcript/seg_none/join", {"revision": 1, "next_revision": 1}),
    door(Action.TRANSCRIPT_EDIT, "POST", "/transcript/seg_none/restore", {"revision": 1, "to": 1}),
    door(Action.TRANSCRIPT_EDIT, "POST", "/transcript/seg_none/proposal", {"revision": 1, "accept": True}),
    door(
        Action.TRANSCRIPT_EDIT, "POST", "/transcript/replace", {"find": "x", "replace": "y", "segments": []}
    ),
    *(door(Action.TRANSCRIPT_READ, "GET", f"/transcript.{kind}") for kind in ("json", "txt", "srt", "vtt")),
    door(Action.TRANSCRIPT_READ, "GET", "/terms"),
    door(Action.TRANSCRIPT_EDIT, "PUT", "/terms", {"items": []}),
    door(Action.TRANSCRIPT_EDIT, "POST", "/terms/import", data=b""),
    door(Action.MINUTES_READ, "GET", "/minutes"),
    door(Action.MINUTES_READ, "GET", "/minutes/record/1"),
    door(Action.MINUTES_READ, "GET", "/minutes/passages?section=decisions"),
    door(Action.MINUTES_READ, "GET", "/minutes.docx"),
    door(Action.MINUTES_READ, "GET", "/minutes.pdf"),
    door(Action.MINUTES_READ, "GET", "/minutes/m_none/earlier"),
    door(Action.MINUTES_EDIT, "POST", "/minutes/record"),
    door(Action.MINUTES_EDIT, "PATCH", "/minutes/m_none", {"revision": 1, "sections": []}),
    door(Action.MINUTES_EDIT, "POST", "/minutes/m_none/review", {"revision": 1}),
    door(Action.MINUTES_EDIT, "POST", "/minutes/m_none/reopen", {"revision": 1}),
    door(Action.MINUTES_APPROVE, "POST", "/minutes/m_none/approve", {"revision": 1}),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript.docx"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript.pdf"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript.xlsx"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/seg_none/sound"),
    door(Action.TRANSCRIPT_READ, "GET", "/transcript/sound?participant_id=p_none&from_ms=0&to_ms=9"),
    door(Action.CONSULTATION_READ, "GET", "/own-speeches"),
    door(Action.CONSULTATION_READ, "GET", "/own-speeches/sound?from_ms=0&to_ms=9"),
    door(Action.CONSULTATION_READ, "POST", "/own-speeches/t_none/clip"),
    door(Action.CONSULTATION_READ, "GET", "/own-speeches/t_none/clip"),
    door(Action.WHIP_PUBLISH, "POST", "/whip/c", data=OFFER, headers={"Content-Type": "application/sdp"}),
    door(Action.WHEP_PLAY, "POST", "/whep/c/p_x", data=OFFER, headers={"Content-Type": "application/sdp"}),
    door(Action.CONSULTATION_START, "POST", "/start"),
    door(Action.CONSULTATION_END, "POST", "/end"),
    door(Action.CONSULTATION_PUBLISH, "POST", "/publish"),
    door(Action.CONSULTATION_PUBLISH, "POST", "/postpone", {"reason": "x"}),
    door(Action.CONSULTATION_PUBLISH, "POST", "/cancel", {"reason": "x"}),
    door(Action.CONSULTATION_PUBLISH, "POST", "/unpublish"),
    door(Action.CONSULTATION_PUBLISH, "POST", "/seal"),
)
STAFF_DOORS = (
    door(Action.CONSULTATION_CREATE, "POST", "/api/v1/consultations", {"title": "x"}),
    door(Action.TRANSCRIPT_READ, "GET", "/api/v1/transcripts/search?q=x"),
    door(Action.TRANSCRIPT_READ, "GET", "/api/v1/organizations/o_none/terms"),
    door(Action.TERMS_EDIT, "PUT", "/api/v1/organizations/o_none/terms", {"items": []}),
    door(Action.TERMS_EDIT, "POST", "/api/v1/organizations/o_none/terms/import", data=b""),
    door(Action.MINUTES_READ, "GET", "/api/v1/organizations/o_none/minutes-template"),
    door(Action.MINUTES_READ, "GET", "/api/v1/organizations/o_none/minutes-template/file"),
    door(Action.MINUTES_READ, "GET", "/api/v1/organizations/o_none/minutes-template/sample"),
    door(Action.MINUTES_TEMPLATE, "PUT", "/api/v1/organizations/o_none/minutes-template", data=b"x"),
    door(Action.MINUTES_TEMPLATE, "DELETE", "/api/v1/organizations/o_none/minutes-template"),
    door(Action.USER_MANAGE, "GET", "/api/v1/users"),
    door(Action.USER_MANAGE, "POST", "/api/v1/users", USER),
    door(Action.USER_MANAGE, "PATCH", "/api/v1/users/u_none", {"name": "x"}),
    door(Action.ORGANIZATION_MANAGE, "GET", "/api/v1/organizations"),
    door(Action.ORGANIZATION_MANAGE, "POST", "/api/v1/organizations", {"name": "省", "level": "province"}),
    door(Action.ORGANIZATION_MANAGE, "PATCH", "/api/v1/organizations/o_none", {"name": "x"}),
    door(Action.ORGANIZATION_MANAGE, "GET", "/api/v1/rules"),
    door(Action.ORGANIZATION_MANAGE, "PUT", "/api/v1/organizations/o_none/rules", NO_RULES),
    door(Action.ORGANIZATION_MANAGE, "GET", "/api/v1/organizations/o_none/words"),
    door(Action.ORGANIZATION_MANAGE, "PUT", "/api/v1/organizations/o_none/words", {"items": []}),
    door(Action.ORGANIZATION_WATCH, "GET", "/api/v1/overview"),
    door(Action.ORGANIZATION_WATCH, "GET", "/api/v1/audit"),
)
REQUESTS: tuple[tuple[Action, str, dict[str, Any]], ...] = (
    (Action.MEDIA_PUBLISH, "media.publish", {"sdp": OFFER, "tracks": []}),
    (
        Action.MEDIA_SCREEN,
        "media.publish",
        {"sdp": OFFER, "tracks": [{"mid": "0", "source": "screen", "label": ""}]},
    ),
    (Action.PARTICIPANT_UPDATE, "participant.update", {"name": "x"}),
    (Action.PARTICIPANT_MUTE, "participant.mute", {"participant_id": "p_none", "muted": True}),
    (Action.PARTICIPANT_REMOVE, "participant.remove", {"participant_id": "p_none"}),
    (Action.PARTICIPANT_ADMIT, "participant.admit", {"participant_id": "p_none"}),
    (Action.PARTICIPANT_ADMIT, "participant.refuse", {"participant_id": "p_none"}),
    (Action.FLOOR_REQUEST, "floor.request", {}),
    (Action.FLOOR_ORDER, "floor.order", {"participant_ids": []}),
    (Action.FLOOR_ORDER, "floor.withdraw", {"participant_id": "p_none"}),
    (Action.FLOOR_GRANT, "floor.grant", {"participant_id": "p_none"}),
    (Action.FLOOR_GRANT, "floor.extend", {"ms": 1}),
    (Action.FLOOR_GRANT, "floor.end", {}),
    (Action.FLOOR_MODE, "floor.mode", {"mode": "free"}),
    (Action.CLIP_PLAY, "clip.play", {"clip_id": "k_none"}),
    (Action.CLIP_PLAY, "clip.pause", {}),
    (Action.CLIP_PLAY, "clip.resume", {}),
    (Action.CLIP_PLAY, "clip.seek", {"position_ms": 1}),
    (Action.CLIP_PLAY, "clip.stop", {}),
    (Action.AGENDA_EDIT, "agenda.set", {"items": []}),
    (Action.AGENDA_RUN, "agenda.start", {"item_id": "a_none"}),
    (Action.AGENDA_RUN, "agenda.next", {}),
    (Action.AGENDA_RUN, "agenda.end", {}),
    (Action.STATEMENT_ADD, "statement.add", {"text": "x", "key": "k" * 8}),
    (Action.STATEMENT_LIKE, "statement.like", {"id": "s_none", "liked": True}),
    (Action.STATEMENT_TAKE, "statement.take", {"id": "s_none", "taken": True}),
    (Action.VENUE_MESSAGE, "venue.message", {"venue_id": "v_none", "text": "x"}),
    (Action.PROGRAM_DIRECT, "program.direct", {"mode": "manual", "people": ["p_none"]}),
    (Action.BROADCAST_CUT, "broadcast.restore", {}),
    (Action.BROADCAST_CUT, "broadcast.cut", {}),
    (Action.BROADCAST_CUT, "broadcast.withdraw", {"from_ms": 9, "to_ms": 1, "reason": "x"}),
    (Action.BROADCAST_CUT, "broadcast.reinstate", {"id": "b_none", "reason": "x"}),
    (Action.RECORDING_PAUSE, "recording.pause", {"paused": False}),
    (Action.COMMENT_MODERATE, "comments.list", {}),
    (Action.COMMENT_MODERATE, "comments.group", {"id": "g_none"}),
    *(
        (Action.COMMENT_MODERATE, f"comment.{what}", {"ids": ["m_none"]})
        for what in ("approve", "reject", "hold", "hide", "reopen", "merge", "split")
    ),
    *(
        (Action.COMMENT_MODERATE, f"comment.{what}", {"id": "m_none"})
        for what in ("claim", "release", "represent")
    ),
    (Action.COMMENT_PROMOTE, "comment.promote", {"id": "m_none"}),
    (Action.COMMENT_PROMOTE, "promotions.list", {}),
    (Action.COMMENT_PROMOTE, "promotion.decline", {"id": "pr_none"}),
    (Action.PROMOTION_DECIDE, "promotion.end", {}),
    (Action.TRANSCRIPT_EDIT, "transcript.edit_at", {}),
)
LOOKED_AT = {  # doors that open for more, or show more: see the tests below, and test_live_http
    Action.PROGRAM_READ,
    Action.ROOM_JOIN,
    Action.STATEMENT_READ_PRIVATE,
    Action.LINK_READ,
    Action.TRANSCRIPT_CONFIDENTIAL,
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=40)) as running:
        yield running


async def session_of(server: Signalling, role: Role) -> str:
    """Somebody with an account in this role, logged in."""
    database, passwords, clock = server.process.database, Passwords(), SystemClock()
    staff = Staff(database, passwords, clock)
    organization = await staff.organization_named("临江县政协", Level.COUNTY)
    await staff.add_user(None, UserDraft(role.value, "某", role, PASSWORD, organization.id))
    return (await Logins(database, passwords, clock).login(role.value, PASSWORD))[0]


async def status_of(server: Signalling, door: Door, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", **door.options.get("headers", {})}
    options = {**door.options, "headers": headers}
    async with (
        aiohttp.ClientSession() as session,
        session.request(door.method, server.url + door.path, **options) as response,
    ):
        await response.read()
        assert response.status < 500, door
        return response.status


def test_every_action_has_a_door() -> None:
    behind = {each.action for each in (*DOORS, *STAFF_DOORS)} | {action for action, _, _ in REQUESTS}
    assert behind | LOOKED_AT == set(Action)
    assert behind.isdisjoint(LOOKED_AT)


@pytest.mark.parametrize("role", Role)
async def test_every_cell_over_http_with_a_token(server: Signalling, role: Role) -> None:
    token = server.token(role)
    for each in DOORS:
        assert (await status_of(server, each, token) == 403) is not allowed(role, each.action), each
    for each in STAFF_DOORS:
        assert await status_of(server, each, token) == 403, "only those who logged in"


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
async def test_every_cell_over_http_with_a_session(server: Signalling, role: Role) -> None:
    session = await session_of(server, role)
    for each in (*STAFF_DOORS, *DOORS):
        assert (await status_of(server, each, session) == 403) is not allowed(role, each.action), each


@pytest.mark.parametrize("role", Role)
async def test_every_cell_over_sockets(server: Signalling, role: Role) -> None:
    assert Action.ROOM_JOIN in PERMISSIONS[role]
    client = await server.join(role)
    assert client.state.snapshot is not None
    assert client.state.snapshot["self"]["can"] == list(actions_of(role))
    desk = await server.connect({"token": server.token(role)}, "/desk")
    await eventually(lambda: desk.events)
    assert (desk.names()[0] == "desk.snapshot") is allowed(role, Action.DESK_JOIN)
    for action, name, body in REQUESTS:
        assert await forbidden(client, name, body) is not allowed(role, action), name


async def forbidden(client: Client, name: str, body: dict[str, Any]) -> bool:
    ack = await client.call(name, body)
    return not ack["ok"] and ack["error"]["code"] == "forbidden"


async def test_doors_that_show_more_to_some(server: Signalling) -> None:
    """Private notes, and the links and codes of venues."""
    member = await server.join(Role.MEMBER, "张三")
    await member.ask("statement.add", {"text": "只给秘书处", "key": "k" * 8, "private": True})
    venue = {"name": "主会场", "kind": "main"}
    made = Door(Action.VENUE_EDIT, "POST", f"{CID}/venues", {"json": venue})
    assert await status_of(server, made, server.token(Role.SECRETARIAT)) == 201
    async with aiohttp.ClientSession() as session:
        for role in Role:
            headers = {"Authorization": f"Bearer {server.token(role)}"}
            async with session.get(f"{server.url}{CID}/statements", headers=headers) as response:
                notes = (await response.json())["items"]
            assert bool(notes) is allowed(role, Action.STATEMENT_READ_PRIVATE), role
            if not allowed(role, Action.INVITEE_READ):
                continue
            async with session.get(f"{server.url}{CID}/venues", headers=headers) as response:
                (shown,) = (await response.json())["items"]
            assert (shown["link"] is not None) is allowed(role, Action.LINK_READ), role
