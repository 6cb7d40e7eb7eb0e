"""Word lists of bodies (审核词表): the filter looks for them in the comments of all their consultations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from conference.clock import Clock
from conference.model.audit import STAFF_CHAIN, AuditEntry, Personal, Value
from conference.model.comment import MAX_WORDS, Word
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.services.logins import StaffMember
from conference.services.ports import Storage, UnitOfWork
from conference.services.staff import Staff

_NAMED: Final = 500  # words that a line names; with more it counts


@dataclass(frozen=True, slots=True)
class BodyWordList:
    """In the order of their text. `revision` is one more after each change, 0 before the first."""

    words: tuple[Word, ...]
    revision: int


NO_WORDS: Final = BodyWordList((), 0)


class BodyWords:
    """For administrators: of the own body and of those below. Boards follow by themselves, on every node."""

    def __init__(self, storage: Storage, staff: Staff, clock: Clock) -> None:
        self._storage = storage
        self._staff = staff
        self._clock = clock

    async def get(self, by: StaffMember, organization_id: str) -> BodyWordList:
        """As it is now. forbidden, not_found."""
        await self._require(by, organization_id)
        async with self._storage.reading() as unit:
            return await body_word_list(unit, organization_id)

    async def put(
        self, by: StaffMember, organization_id: str, words: Iterable[Word], seen: int | None = None
    ) -> BodyWordList:
        """The whole list instead of the one at revision `seen`; of equal texts the last counts.

        Raises edit_conflict when somebody changed it since, too_many_words, forbidden, not_found.
        """
        wanted = tuple(sorted({each.text: each for each in words}.values(), key=lambda each: each.text))
        if len(wanted) > MAX_WORDS:
            raise ConferenceError("too_many_words", f"{len(wanted)}")
        await self._require(by, organization_id)
        async with self._storage.transaction() as unit:
            before = await body_word_list(unit, organization_id)
            if seen is not None and seen != before.revision:
                raise ConferenceError("edit_conflict", f"the words are at revision {before.revision}")
            if before.words == wanted:
                return before
            revision = await unit.body_words.replace(organization_id, before.revision, wanted)
            await unit.audit.append(self._entry(by, organization_id, before.words, wanted))
        return BodyWordList(wanted, revision)

    async def _require(self, by: StaffMember, organization_id: str) -> None:
        require(by.user.role, Action.ORGANIZATION_MANAGE)
        if organization_id not in await self._staff.visible(by):
            raise NotFoundError(f"organization {organization_id}")

    def _entry(
        self, by: StaffMember, organization_id: str, before: Iterable[Word], after: Iterable[Word]
    ) -> AuditEntry:
        gone, new = set(before) - set(after), set(after) - set(before)
        content: dict[str, Value] = {"added": len(new), "removed": len(gone)}
        if len(gone) + len(new) <= _NAMED:
            content["what"] = Personal(
                "\n".join(
                    f"{sign}{each.text}:{each.level}"
                    for sign, some in (("-", gone), ("+", new))
                    for each in sorted(some, key=lambda word: word.text)
                )
            )
        now_ms = self._clock.wall_ms()
        return AuditEntry(STAFF_CHAIN, now_ms, None, by.actor, "words.changed", organization_id, content)


async def body_word_list(unit: UnitOfWork, organization_id: str) -> BodyWordList:
    """The revision is asked for first: of a list that changes in between it is the one before."""
    revisions = await unit.body_words.revisions([organization_id])
    return BodyWordList(tuple(await unit.body_words.of(organization_id)), revisions[organization_id])
