"""What was prepared: as the traces of consultations and staff alone tell it, and as the rows have it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from conference.model.audit import AuditLine, AuditText
from conference.model.rules import Rules
from conference.storage.database import Database
from conference.storage.tables import staff_sessions

Texts = dict[tuple[str, int, str], str]


@dataclass
class Draft:
    """A consultation and what belongs to it. `rows` of the list that is read, None without one."""

    title: str
    status: str
    revision: int = 1
    venues: dict[str, str] = field(default_factory=dict)
    invitees: dict[str, list[str | None]] = field(default_factory=dict)  # name, where
    rows: int | None = None
    files: dict[str, str] = field(default_factory=dict)
    prechecks: dict[str, list[str]] = field(default_factory=dict)  # venue, hash of what was signed
    cameras: dict[str, list[Any]] = field(default_factory=dict)  # venue, label, whether the main one


@dataclass
class Account:
    """What of an account the trace tells."""

    role: str
    disabled: bool = False
    failed: int = 0
    locked_until_ms: int | None = None


@dataclass
class Story:
    """Everything of all chains."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    bodies: dict[str, list[str | None]] = field(default_factory=dict)  # name, level, parent
    rules: dict[str, dict[str, int | None]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: Counter[str] = field(default_factory=Counter)


_STATUS = {
    "published": "scheduled",
    "unpublished": "draft",
    "postponed": "postponed",
    "cancelled": "cancelled",
    "started": "live",
    "ended": "ended",
    "sealed": "archived",
}


def _consultation(story: Story, line: AuditLine, content: dict[str, Any]) -> None:
    match line.action.partition(".")[2]:
        case "created":
            story.drafts[line.chain] = Draft(content["title"], content["status"])
        case "deleted":
            del story.drafts[line.chain]
        case "edited":
            draft = story.drafts[line.chain]
            draft.title, draft.revision = content["changes"]["title"]["to"], content["revision"]
        case step:
            story.drafts[line.chain].status = _STATUS[step]


def _part(draft: Draft, line: AuditLine, content: dict[str, Any], names: Texts) -> None:
    who = line.subject or ""
    match line.action:
        case "venue.added":
            draft.venues[who] = content["name"]
        case "venue.edited":
            draft.venues[who] = content["name"]["new"]
        case "venue.removed":
            del draft.venues[who]
        case "invitee.added":
            draft.invitees[who] = [names[line.chain, line.number, "name"], content["venue_id"]]
        case "invitee.edited":
            draft.invitees[who] = [names[line.chain, line.number, "name.new"], content["venue_id"]["new"]]
        case "invitee.removed":
            del draft.invitees[who]
        case "import.read":
            draft.rows = content["rows"]
        case "invitees.imported":
            draft.rows = content["left"] or None
        case "import.dropped":
            draft.rows = None
        case "precheck.submitted":
            draft.prechecks[who] = [content["venue"], content["sha256"]]
        case "camera.added":
            draft.cameras[who] = [content["venue"], content["label"], content["is_main"]]
        case "camera.edited":
            camera = draft.cameras[who]
            camera[1] = content.get("label", {"new": camera[1]})["new"]
            if content.get("is_main", {}).get("new"):
                for each in draft.cameras.values():
                    each[2] = each is camera
        case "camera.removed":
            del draft.cameras[who]
            if "main" in content:
                draft.cameras[content["main"]][2] = True
        case "file.added":
            draft.files[who] = content["sha256"]
        case "file.removed":
            del draft.files[who]


def _staff(story: Story, line: AuditLine, content: dict[str, Any]) -> None:
    who = line.subject or ""
    account = story.accounts.get(who, Account(""))
    match line.action:
        case "organization.added" | "organization.changed":
            story.bodies[who] = [content["name"], content["level"], content["parent_id"]]
        case "rules.changed":
            rules = story.rules.setdefault(who, asdict(Rules()))
            for name in rules.keys() & content.keys():
                assert rules[name] == content[name]["from"]
                rules[name] = content[name]["to"]
        case "user.added":
            story.accounts[who] = Account(content["role"])
        case "user.changed":
            account.disabled = content.get("disabled", account.disabled)
            if content.get("new_password"):
                account.failed, account.locked_until_ms = 0, None
            if content.get("new_password") or account.disabled:
                story.sessions[who] = 0
        case "user.logged_in":
            account.failed, account.locked_until_ms = 0, None
            story.sessions[who] += 1
        case "user.login_failed":
            account.failed, account.locked_until_ms = content["failed"], content["locked_until_ms"]
        case "user.password_changed":
            account.failed, account.locked_until_ms = 0, None
            story.sessions[who] = 1
        case "user.logged_out":
            story.sessions[who] -= 1


def told(lines: list[AuditLine], texts: list[AuditText]) -> Story:
    """By the traces alone."""
    story, names = Story(), {(each.chain, each.number, each.field): each.text for each in texts}
    for line in lines:
        content = json.loads(line.content)
        if line.action == "token.revoked":
            story.revoked.add(line.subject or "")
        elif line.chain == "staff":
            _staff(story, line, content)
        elif line.action.startswith("consultation."):
            _consultation(story, line, content)
        else:
            _part(story.drafts[line.chain], line, content, names)
    return story


async def stored(database: Database) -> Story:
    """By the rows alone."""
    story = Story()
    async with database.reading() as unit:
        for chain in ("c", "n"):
            consultation = await unit.consultations.get(chain)
            if consultation is None:
                continue
            draft = Draft(consultation.title, consultation.status.value, consultation.revision)
            draft.venues = {each.id: each.name for each in await unit.venues.of(chain)}
            draft.invitees = {each.id: [each.name, each.venue_id] for each in await unit.invitees.of(chain)}
            kept = await unit.invitee_imports.get(chain)
            draft.rows = None if kept is None else len(kept.rows)
            draft.files = {each.id: each.sha256 for each in await unit.files.of(chain)}
            draft.cameras = {
                each.id: [each.venue_id, each.label, each.is_main] for each in await unit.cameras.of(chain)
            }
            for sheet in await unit.prechecks.newest(chain):
                digest = hashlib.sha256(sheet.document().encode()).hexdigest()
                draft.prechecks[sheet.id] = [sheet.venue_id, digest]
            story.drafts[chain] = draft
        story.revoked = await unit.revocations.among(["t_1", "t_2"])
        bodies = await unit.organizations.all()
        story.bodies = {each.id: [each.name, each.level.value, each.parent_id] for each in bodies}
        story.rules = {owner: asdict(each) for owner, each in (await unit.rules.all()).items()}
        for user in await unit.users.of(story.bodies):
            is_disabled = user.disabled_at_ms is not None
            story.accounts[user.id] = Account(
                user.role.value, is_disabled, user.failed_logins, user.locked_until_ms
            )
    async with database._engine.connect() as connection:
        story.sessions.update((await connection.execute(sa.select(staff_sessions.c.user_id))).scalars())
    return story
