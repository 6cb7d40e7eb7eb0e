"""The trace (全程留痕): append-only lines, each holding the hash of the one before, so that no line can be
changed, moved or taken out unnoticed.

Personal text never goes into a line, only its salted hash. Salt and text are kept beside the line and may be
deleted by law; the line stays as it is and the chain verifiable.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

STAFF_CHAIN: Final = "staff"  # matters of no single consultation; the other chains bear a consultation's id
GENESIS: Final = "0" * 64  # stands where the first line has the hash of the one before
_PERSONAL_KEY: Final = "salted_sha256"


@dataclass(frozen=True, slots=True)
class Personal:
    """A text about a person: a name, what somebody wrote, an address."""

    text: str


Value: TypeAlias = "str | int | bool | Personal | Sequence[Value] | Mapping[str, Value] | None"


class ActorKind(StrEnum):
    """Who can be behind a change."""

    PARTICIPANT = "participant"
    TOKEN = "token"  # over HTTP, by a token whose holder is not in the room  # noqa: S105
    STAFF = "staff"
    DEPARTMENT = "department"  # by its link
    VIEWER = "viewer"  # somebody of the public, without a name
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. Role and name go into the content of the line, the name as personal text."""

    kind: ActorKind
    id: str | None = None
    role: str | None = None
    name: str | None = None


CLI: Final = Actor(ActorKind.CLI)
SYSTEM: Final = Actor(ActorKind.SYSTEM)
VIEWER: Final = Actor(ActorKind.VIEWER)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is to be noted. `at_ms` is UTC; `subject` is the id of what was changed."""

    chain: str
    at_ms: int
    program_time_ms: int | None
    actor: Actor
    action: str
    subject: str | None = None
    content: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of a chain, as it is stored. `content` is canonical JSON."""

    chain: str
    number: int
    at_ms: int
    program_time_ms: int | None
    actor_kind: str
    actor_id: str | None
    action: str
    subject: str | None
    content: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditText:
    """The personal text behind one field of a line. `field` is the path in the content, with dots."""

    chain: str
    number: int
    field: str
    salt: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of a chain: number and hash of its last line."""

    chain: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True, order=True)
class AuditPlace:
    """Where a line stands among those of all chains, by time."""

    at_ms: int
    chain: str
    number: int


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """Which lines of several chains are wanted. Times are UTC ms, `until_ms` not included.

    `organization_ids`: lines of their consultations, of those of none, and of the staff chain what is about
    or by them and their accounts; `all_staff`: the whole staff chain. `actor` is an id or a kind of actor.
    """

    organization_ids: frozenset[str]
    all_staff: bool = False
    chain: str | None = None
    action: str | None = None
    actor: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class Fault(StrEnum):
    """What can be wrong with a chain."""

    NUMBER = "number"  # a line is missing, twice, or of another chain
    CONTENT = "content"  # not canonical JSON
    HASH = "hash"  # the line, or the one before, is not what was hashed
    TEXT = "text"  # a personal text is not the one of its line
    HEAD = "head"  # the chain does not end where its head says


@dataclass(frozen=True, slots=True)
class Breach:
    """The first line that is not as it was written."""

    number: int
    fault: Fault


def canonical_json(value: object) -> str:
    """The one spelling of a value: keys sorted, no blanks, characters as they are."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def salted_hash(salt: str, text: str) -> str:
    """What a line holds of a personal text."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


def new_salt() -> str:
    return secrets.token_hex(16)


def beginning(chain: str) -> AuditHead:
    """The head of a chain without lines."""
    return AuditHead(chain, 0, GENESIS)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def seal(
    entry: AuditEntry, head: AuditHead, salt: Callable[[], str] = new_salt
) -> tuple[AuditLine, list[AuditText]]:
    """The line that follows `head`, and the personal texts to keep beside it."""
    number = head.number + 1
    texts: list[AuditText] = []

    def hashed(value: Value, path: str) -> Any:
        if isinstance(value, Personal):
            text = AuditText(entry.chain, number, path, salt(), value.text)
            texts.append(text)
            return {_PERSONAL_KEY: salted_hash(text.salt, text.text)}
        if isinstance(value, Mapping):
            return {key: hashed(each, f"{path}.{key}" if path else key) for key, each in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [hashed(each, f"{path}.{index}") for index, each in enumerate(value)]
        return value

    content = canonical_json(hashed({**_of_actor(entry.actor), **entry.content}, ""))
    fields = (
        entry.chain,
        number,
        entry.at_ms,
        entry.program_time_ms,
        entry.actor.kind.value,
        entry.actor.id,
        entry.action,
        entry.subject,
        content,
    )
    return AuditLine(*fields, hash=line_hash(AuditLine(*fields, hash=""), head.hash)), texts


def _of_actor(actor: Actor) -> dict[str, Value]:
    content: dict[str, Value] = {}
    if actor.role is not None:
        content["by_role"] = actor.role
    if actor.name is not None:
        content["by_name"] = Personal(actor.name)
    return content


def line_hash(line: AuditLine, previous: str) -> str:
    """SHA-256 over the canonical JSON of the line without its hash, with the hash of the one before."""
    body = line_record(line, previous)
    del body["hash"]
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()


def line_record(line: AuditLine, previous: str) -> dict[str, Any]:
    """The line as it stands in an archive: what the hash covers, and the hash."""
    return {
        "chain": line.chain,
        "number": line.number,
        "at_ms": line.at_ms,
        "program_time_ms": line.program_time_ms,
        "actor_kind": line.actor_kind,
        "actor_id": line.actor_id,
        "action": line.action,
        "subject": line.subject,
        "content": json.loads(line.content),
        "previous": previous,
        "hash": line.hash,
    }


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def personal_hashes(content: str) -> dict[str, str]:
    """The salted hashes in a line's content, by the path of their field."""
    return dict(_hashes(json.loads(content), ""))


def _hashes(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if path and value.keys() == {_PERSONAL_KEY}:
            yield path, value[_PERSONAL_KEY]
            return
        for key, each in value.items():
            yield from _hashes(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _hashes(each, f"{path}.{index}")


def verify(
    lines: Iterable[AuditLine], texts: Iterable[AuditText] = (), head: AuditHead | None = None
) -> Breach | None:
    """The first line of one whole chain that is not as it was written, or None. Texts may be missing."""
    kept: dict[int, list[AuditText]] = {}
    for text in texts:
        kept.setdefault(text.number, []).append(text)
    last: AuditHead | None = None
    for line in lines:
        last = last or beginning(line.chain)
        fault = check_line(line, last, kept.pop(line.number, ()))
        if fault is not None:
            return Breach(last.number + 1 if fault is Fault.NUMBER else line.number, fault)
        last = AuditHead(line.chain, line.number, line.hash)
    if kept:
        return Breach(min(kept), Fault.TEXT)
    if head is not None and head != (last or beginning(head.chain)):
        return Breach((last.number if last else 0) + 1, Fault.HEAD)
    return None


def check_line(line: AuditLine, previous: AuditHead, texts: Iterable[AuditText] = ()) -> Fault | None:
    """What is wrong with a line that should follow `previous`, or None."""
    if (line.chain, line.number) != (previous.chain, previous.number + 1):
        return Fault.NUMBER
    try:
        if canonical_json(json.loads(line.content)) != line.content:
            return Fault.CONTENT
        if line_hash(line, previous.hash) != line.hash:
            return Fault.HASH
        hashes = personal_hashes(line.content)
    except ValueError:
        return Fault.CONTENT
    if any(
        text.chain != line.chain or hashes.get(text.field) != salted_hash(text.salt, text.text)
        for text in texts
    ):
        return Fault.TEXT
    return None
