"""Commands on the data directory."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner, Result

from signaling.auth.tokens import TokenKey
from signaling.cli import app
from signaling.console import Ready, ready_json, ready_text
from signaling.data_dir import DataDirectory


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(data_dir)])


def test_create_and_token(tmp_path: Path) -> None:
    created = run(tmp_path, "consultation", "create", "--title", "协商会", "--id", "water")
    assert (created.exit_code, created.stdout) == (0, "water\n")
    made = run(tmp_path, "token", "--consultation", "water", "--role", "chair", "--name", "李", "--ttl", "60")
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert made.stdout == token + "\n"
    claims = TokenKey(DataDirectory(tmp_path).load_key()).read(token)
    assert (claims.consultation_id, claims.role, claims.name) == ("water", "chair", "李")


def test_refusals_are_plain(tmp_path: Path) -> None:
    run(tmp_path, "consultation", "create", "--title", "a", "--id", "a")
    twice = run(tmp_path, "consultation", "create", "--title", "a", "--id", "a")
    assert twice.exit_code == 1
    assert "已被另一场协商会使用" in twice.stderr
    assert twice.stdout == ""
    for arguments in (
        ["consultation", "create", "--title", "a", "--id", "../a"],
        ["consultation", "create", "--title", " "],
        ["token", "--consultation", "none", "--role", "chair", "--name", "x"],
        ["token", "--consultation", "a", "--role", "king", "--name", "x"],
        ["token", "--consultation", "a", "--role", "chair", "--name", " "],
        ["token", "--consultation", "a", "--role", "chair", "--name", "x", "--ttl", "0"],
    ):
        refused = run(tmp_path, *arguments)
        assert refused.exit_code != 0
        assert refused.stdout == ""


def test_migrate_twice(tmp_path: Path) -> None:
    first, second = run(tmp_path, "migrate"), run(tmp_path, "migrate")
    assert (first.exit_code, first.stdout) == (0, second.stdout)


def test_openapi_describes_the_contract(tmp_path: Path) -> None:
    document = json.loads(run(tmp_path, "openapi").stdout)
    paths = document["paths"]
    assert set(paths) == {
        "/api/v1/session",
        "/api/v1/consultations/{cid}",
        "/api/v1/consultations/{cid}/participants",
        "/api/v1/consultations/{cid}/start",
        "/api/v1/consultations/{cid}/end",
        "/api/v1/consultations/{cid}/rehearsal/start",
        "/api/v1/consultations/{cid}/rehearsal/end",
        "/api/v1/consultations/{cid}/rehearsal/comments",
        "/api/v1/consultations/{cid}/agenda",
        "/api/v1/consultations/{cid}/floor",
        "/api/v1/consultations/{cid}/statements",
        "/api/v1/consultations/{cid}/attendance",
        "/api/v1/consultations/{cid}/audit",
        "/api/v1/consultations/{cid}/archive",
        "/api/v1/consultations/{cid}/inspector",
        "/api/v1/consultations/{cid}/inspector.jsonl",
        "/api/v1/consultations/{cid}/invitees/template.xlsx",
        "/api/v1/consultations/{cid}/invitees/import",
        "/api/v1/consultations/{cid}/invitees/import/apply",
        "/api/v1/consultations/{cid}/invitees/import/marked.xlsx",
        "/api/v1/consultations/{cid}/venues",
        "/api/v1/consultations/{cid}/venues/{vid}",
        "/api/v1/consultations/{cid}/venues/{vid}/link",
        "/api/v1/consultations/{cid}/venues/{vid}/code",
        "/api/v1/consultations/{cid}/venues/{vid}/cameras",
        "/api/v1/consultations/{cid}/venues/{vid}/cameras/find",
        "/api/v1/consultations/{cid}/venues/{vid}/cameras/streams",
        "/api/v1/consultations/{cid}/venues/{vid}/cameras/{camera_id}",
        "/api/v1/consultations/{cid}/venues/{vid}/cameras/{camera_id}/test",
        "/api/v1/consultations/{cid}/venues/{vid}/messages",
        "/api/v1/consultations/{cid}/venues/health",
        "/api/v1/consultations/{cid}/venues/health.csv",
        "/api/v1/consultations/{cid}/venues/health.xlsx",
        "/api/v1/consultations/{cid}/venues/{vid}/health",
        "/api/v1/consultations/{cid}/invitees",
        "/api/v1/consultations/{cid}/invitees/{iid}",
        "/api/v1/consultations/{cid}/invitees/{iid}/link",
        "/api/v1/consultations/{cid}/links",
        "/api/v1/consultations/{cid}/links.xlsx",
        "/api/v1/links/{code}",
        "/api/v1/links/{code}/enter",
        "/api/v1/entry-codes/check",
        "/api/v1/entry-codes/enter",
        "/api/v1/screens/enter",
        "/api/v1/network-test",
        "/api/v1/network-test/bytes",
        "/api/v1/consultations/{cid}/statistics",
        "/api/v1/consultations/{cid}/attendance.xlsx",
        "/api/v1/consultations/{cid}/attendance.csv",
        "/api/v1/consultations/{cid}/duty-records.xlsx",
        "/api/v1/sessions",
        "/api/v1/sessions/current",
        "/api/v1/sessions/current/password",
        "/api/v1/users",
        "/api/v1/users/{user_id}",
        "/api/v1/organizations",
        "/api/v1/organizations/{organization_id}",
        "/api/v1/organizations/{organization_id}/rules",
        "/api/v1/organizations/{oid}/words",
        "/api/v1/rules",
        "/api/v1/overview",
        "/api/v1/audit",
        "/api/v1/consultations",
        "/api/v1/consultations/{cid}/readiness",
        "/api/v1/consultations/{cid}/publish",
        "/api/v1/consultations/{cid}/unpublish",
        "/api/v1/consultations/{cid}/postpone",
        "/api/v1/consultations/{cid}/cancel",
        "/api/v1/consultations/{cid}/seal",
        "/api/v1/consultations/{cid}/token",
        "/api/v1/consultations/{cid}/tokens/{token_id}/revoke",
        "/api/v1/consultations/{cid}/audit/{number}/forget",
        "/api/v1/consultations/{cid}/files",
        "/api/v1/consultations/{cid}/files/{fid}",
        "/api/v1/consultations/{cid}/broadcast",
        "/api/v1/consultations/{cid}/broadcast/cut",
        "/api/v1/consultations/{cid}/broadcast/restore",
        "/api/v1/consultations/{cid}/broadcast/withdraw",
        "/api/v1/consultations/{cid}/broadcast/reinstate",
        "/api/v1/consultations/{cid}/comments",
        "/api/v1/consultations/{cid}/comments/groups",
        "/api/v1/consultations/{cid}/account",
        "/api/v1/consultations/{cid}/account.pdf",
        "/api/v1/consultations/{cid}/account.xlsx",
        "/api/v1/consultations/{cid}/comments/topics",
        "/api/v1/consultations/{cid}/comments/decide",
        "/api/v1/consultations/{cid}/comments/undo",
        "/api/v1/consultations/{cid}/comments/words",
        "/api/v1/consultations/{cid}/comments/merge",
        "/api/v1/consultations/{cid}/comments/split",
        "/api/v1/consultations/{cid}/comments/{comment_id}/approve",
        "/api/v1/consultations/{cid}/comments/{comment_id}/reject",
        "/api/v1/consultations/{cid}/comments/{comment_id}/hold",
        "/api/v1/consultations/{cid}/comments/{comment_id}/hide",
        "/api/v1/consultations/{cid}/comments/{comment_id}/reopen",
        "/api/v1/consultations/{cid}/comments/{comment_id}/claim",
        "/api/v1/consultations/{cid}/comments/{comment_id}/release",
        "/api/v1/consultations/{cid}/comments/{comment_id}/represent",
        "/api/v1/consultations/{cid}/comments/{comment_id}/promote",
        "/api/v1/consultations/{cid}/comments/{comment_id}/author",
        "/api/v1/consultations/{cid}/promotions",
        "/api/v1/consultations/{cid}/promotions/{promotion_id}/decline",
        "/api/v1/consultations/{cid}/promotions/{promotion_id}/end",
        "/api/v1/public/consultations/{cid}/presence",
        "/api/v1/public/consultations/{cid}/comments",
        "/api/v1/public/consultations/{cid}/comments/mine",
        "/api/v1/public/consultations/{cid}/identity",
        "/api/v1/public/consultations/{cid}/identity/{proof_id}",
        "/api/v1/consultations/{cid}/identity",
        "/api/v1/consultations/{cid}/comments/{comment_id}/identity",
        "/api/v1/public/consultations/{cid}/comments/{comment_id}/like",
        "/api/v1/public/consultations/{cid}/comments/{comment_id}/report",
        "/api/v1/public/consultations/{cid}/comments/{comment_id}/withdraw",
        "/api/v1/consultations/{cid}/responses",
        "/api/v1/consultations/{cid}/responses/{rid}",
        "/api/v1/consultations/{cid}/responses/{rid}/assign",
        "/api/v1/consultations/{cid}/responses/{rid}/extend",
        "/api/v1/consultations/{cid}/responses/{rid}/deny-extension",
        "/api/v1/consultations/{cid}/responses/{rid}/remind",
        "/api/v1/consultations/{cid}/responses/{rid}/return",
        "/api/v1/consultations/{cid}/responses/{rid}/approve",
        "/api/v1/consultations/{cid}/responses/{rid}/unapprove",
        "/api/v1/consultations/{cid}/responses/{rid}/reopen",
        "/api/v1/consultations/{cid}/responses/{rid}/close",
        "/api/v1/consultations/{cid}/departments",
        "/api/v1/consultations/{cid}/departments/{did}",
        "/api/v1/consultations/{cid}/departments/{did}/link",
        "/api/v1/consultations/{cid}/departments/{did}/renew",
        "/api/v1/department",
        "/api/v1/department/cases/{rid}",
        "/api/v1/department/cases/{rid}/answer",
        "/api/v1/department/cases/{rid}/extension",
        "/api/v1/department/cases/{rid}/refuse",
        "/api/v1/public/consultations/{cid}/responses",
        "/api/v1/public/consultations/{cid}/responses/{rid}/rating",
        "/api/v1/public/consultations/{cid}/responses/{rid}/follow-up",
        "/api/v1/consultations/{cid}/exports",
        "/api/v1/consultations/{cid}/exports/{xid}",
        "/api/v1/consultations/{cid}/exports/{xid}/file",
        "/api/v1/consultations/{cid}/recordings",
        "/api/v1/consultations/{cid}/recordings/{rid}",
        "/api/v1/consultations/{cid}/recordings/{rid}/file",
        "/api/v1/consultations/{cid}/minutes",
        "/api/v1/consultations/{cid}/minutes.docx",
        "/api/v1/consultations/{cid}/minutes.pdf",
        "/api/v1/consultations/{cid}/minutes/passages",
        "/api/v1/consultations/{cid}/minutes/{kind}",
        "/api/v1/consultations/{cid}/minutes/{kind}/{version}",
        "/api/v1/consultations/{cid}/minutes/{mid}",
        "/api/v1/consultations/{cid}/minutes/{mid}/approve",
        "/api/v1/consultations/{cid}/minutes/{mid}/earlier",
        "/api/v1/consultations/{cid}/minutes/{mid}/reopen",
        "/api/v1/consultations/{cid}/minutes/{mid}/review",
        "/api/v1/consultations/{cid}/own-speeches",
        "/api/v1/consultations/{cid}/own-speeches/sound",
        "/api/v1/consultations/{cid}/own-speeches/{turn}/clip",
        "/api/v1/consultations/{cid}/terms",
        "/api/v1/consultations/{cid}/terms/import",
        "/api/v1/consultations/{cid}/transcript",
        "/api/v1/consultations/{cid}/transcript.docx",
        "/api/v1/consultations/{cid}/transcript.pdf",
        "/api/v1/consultations/{cid}/transcript.xlsx",
        "/api/v1/consultations/{cid}/transcript.{format}",
        "/api/v1/consultations/{cid}/transcript/find",
        "/api/v1/consultations/{cid}/transcript/gaps",
        "/api/v1/consultations/{cid}/transcript/replace",
        "/api/v1/consultations/{cid}/transcript/search",
        "/api/v1/consultations/{cid}/transcript/sound",
        "/api/v1/consultations/{cid}/transcript/state",
        "/api/v1/consultations/{cid}/transcript/second-pass",
        "/api/v1/consultations/{cid}/transcript/proposals",
        "/api/v1/consultations/{cid}/transcript/proposals/undo",
        "/api/v1/consultations/{cid}/transcript/{sid}",
        "/api/v1/consultations/{cid}/transcript/{sid}/join",
        "/api/v1/consultations/{cid}/transcript/{sid}/proposal",
        "/api/v1/consultations/{cid}/transcript/{sid}/restore",
        "/api/v1/consultations/{cid}/transcript/{sid}/revisions",
        "/api/v1/consultations/{cid}/transcript/{sid}/sound",
        "/api/v1/consultations/{cid}/transcript/{sid}/split",
        "/api/v1/links/{code}/look-back",
        "/api/v1/organizations/{oid}/minutes-template",
        "/api/v1/organizations/{oid}/minutes-template/file",
        "/api/v1/organizations/{oid}/minutes-template/sample",
        "/api/v1/organizations/{oid}/terms",
        "/api/v1/organizations/{oid}/terms/import",
        "/api/v1/transcripts/search",
        "/api/v1/consultations/{cid}/clips",
        "/api/v1/consultations/{cid}/clips/{kid}",
        "/api/v1/consultations/{cid}/clips/{kid}/poster",
        "/api/v1/consultations/{cid}/precheck",
        "/api/v1/consultations/{cid}/precheck/judgement",
        "/api/v1/consultations/{cid}/prechecks",
        "/api/v1/consultations/{cid}/venues/{vid}/prechecks",
        "/api/v1/consultations/{cid}/venues/{vid}/prechecks/{pid}",
        "/api/v1/consultations/{cid}/venues/{vid}/prechecks/{pid}.pdf",
        "/api/v1/consultations/{cid}/venues/{vid}/prechecks/{pid}/proof",
        "/api/v1/time",
    }
    assert set(paths["/api/v1/session"]) == {"get"}
    assert document["openapi"] == "3.1.0"


def test_the_ready_line_and_the_table() -> None:
    links = {"chair": "http://x/room/demo#token=a", "venue_operator": "http://x/room/demo#token=b"}
    ready = Ready("http://x", (7882,), 42, links)
    assert json.loads(ready_json(ready)) == {"url": "http://x", "media_port": 7882, "pid": 42, "links": links}
    assert "\n" not in ready_json(ready)
    several = replace(ready, media_ports=(7882, 7883))
    assert json.loads(ready_json(several))["media_ports"] == [7882, 7883]
    assert "媒体端口 UDP/TCP 7882、7883" in ready_text(several)
    text = ready_text(ready)
    assert "  主持人      http://x/room/demo#token=a" in text
    assert "  会场操作员  http://x/room/demo#token=b" in text
    assert "http://x/live/demo" in text


def test_the_table_of_a_lan_server_has_a_qr_code() -> None:
    ready = Ready(
        "https://10.0.0.2:8080", (7882,), 1, {"member": "https://10.0.0.2:8080/room/demo#token=x"}, "AA:BB"
    )
    text = ready_text(ready)
    assert "AA:BB" in text
    assert "▄" in text


def test_a_command_imports_what_it_needs_alone() -> None:
    code = (
        "import sys, signaling.cli, conference.archive.verifier, signaling.archive_text\n"
        "print({'aiohttp', 'sqlalchemy', 'socketio', 'pydantic', 'av', 'structlog'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout == "set()\n"


def test_nor_does_a_command_on_rows_import_the_server(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    for command in (["migrate"], ["consultation", "create", "--title", "协商会"]):
        code = (
            "import sys; from typer.testing import CliRunner; from signaling.cli import app\n"
            f"done = CliRunner().invoke(app, {[*command, '--data-dir', str(tmp_path)]!r})\n"
            "assert done.exit_code == 0, done.output\n"
            "print({'aiohttp', 'socketio', 'pydantic_settings', 'alembic', 'av', 'numpy'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        assert done.stdout == "set()\n", command
