"""Written statements: what participants type to the session, or privately to the secretariat."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from conference.model.errors import NotFoundError
from conference.model.permissions import Action, Role, allowed

MAX_TEXT_CHARS: Final = 1000


@dataclass(frozen=True, slots=True)
class Statement:
    """`number` is its place in the record; `key` makes a client's repeated attempt the same statement."""

    id: str
    consultation_id: str
    number: int
    participant_id: str
    name: str
    role: Role
    venue: str | None
    text: str
    at_ms: int | None
    at_wall_ms: int
    key: str
    reply_to: str | None = None
    private: bool = False
    taken: bool = False


@dataclass(slots=True)
class StatementBoard:
    """All statements of a consultation in their order, and who likes which."""

    statements: dict[str, Statement] = field(default_factory=dict)
    likers: dict[str, set[str]] = field(default_factory=dict)
    _by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    _readers: dict[str, frozenset[str]] = field(default_factory=dict)  # of private ones

    @property
    def next_number(self) -> int:
        last = next(reversed(self.statements.values()), None)
        return 1 if last is None else last.number + 1

    def put(self, statement: Statement) -> None:
        """Add it at the end, or overwrite it in its place."""
        self.statements[statement.id] = statement
        self._by_key[statement.participant_id, statement.key] = statement.id
        if statement.private and statement.id not in self._readers:
            above = self._readers.get(statement.reply_to or "", frozenset())
            self._readers[statement.id] = above | {statement.participant_id}

    def visible_to(self, statement: Statement, participant_id: str | None, role: Role) -> bool:
        """Private notes are for the secretariat, their author, and those whose private note they answer."""
        return (
            not statement.private
            or participant_id in self._readers[statement.id]
            or allowed(role, Action.STATEMENT_READ_PRIVATE)
        )

    def get(self, statement_id: str, participant_id: str | None, role: Role) -> Statement:
        """NotFoundError also for what the caller may not see."""
        statement = self.statements.get(statement_id)
        if statement is None or not self.visible_to(statement, participant_id, role):
            raise NotFoundError(f"statement {statement_id}")
        return statement

    def with_key(self, participant_id: str, key: str) -> Statement | None:
        """What the participant added under this key before."""
        statement_id = self._by_key.get((participant_id, key))
        return None if statement_id is None else self.statements[statement_id]

    def visible(self, participant_id: str | None, role: Role) -> list[Statement]:
        """Oldest first."""
        return [each for each in self.statements.values() if self.visible_to(each, participant_id, role)]

    def like(self, statement_id: str, participant_id: str, liked: bool) -> None:
        likers = self.likers.setdefault(statement_id, set())
        (likers.add if liked else likers.discard)(participant_id)

    def likes(self, statement_id: str) -> int:
        return len(self.likers.get(statement_id, ()))

    def is_liked(self, statement_id: str, participant_id: str | None) -> bool:
        return participant_id in self.likers.get(statement_id, ())


def taken(statement: Statement, is_taken: bool) -> Statement:
    """Taken to the floor, or not any more."""
    return replace(statement, taken=is_taken)
