"""The boards of this node: read from the rows when somebody asks, dropped when nobody did for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from conference.clock import Clock
from conference.model.audit import Actor, AuditEntry, Value
from conference.model.consultation import Consultation
from conference.model.ids import new_id
from conference.model.promotion import Promotion
from conference.services.body_words import NO_WORDS, body_word_list
from conference.services.comment_board import CommentBoard
from conference.services.comment_topics import CommentTopics
from conference.services.ports import CommentReader, Storage
from conference.services.rooms import Rooms

MAX_COMMENTS: Final = 100_000  # of one consultation
_IDLE_S: Final = 1_800.0
_ROWS_AT_ONCE: Final = 100


class CommentBoards:
    """Each is for the node that holds its room: others answer other_node."""

    def __init__(self, rooms: Rooms, reader: CommentReader, *, most_held: int = 3 * MAX_COMMENTS) -> None:
        """`most_held`: comments in memory. Anybody may ask for the boards of old consultations."""
        self.rooms = rooms
        self.reader = reader
        self.topics = CommentTopics(reader)
        self._most_held = most_held
        self._boards: dict[str, CommentBoard] = {}
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def clock(self) -> Clock:
        return self.rooms.clock

    @property
    def storage(self) -> Storage:
        return self.rooms.storage

    def all(self) -> tuple[CommentBoard, ...]:
        return tuple(self._boards.values())

    async def get(self, consultation_id: str) -> CommentBoard:
        """The board as the rows say; the consultation is known to be there."""
        self.rooms.require_here(consultation_id)
        board = self._boards.get(consultation_id)
        if board is None or board.is_stale:
            reading = self._reading.get(consultation_id)
            if reading is None:
                reading = self._reading[consultation_id] = asyncio.Lock()
            async with reading:  # a long one holds up nobody else's
                board = self._boards.get(consultation_id)
                if board is None or board.is_stale:
                    board = self._boards[consultation_id] = await self._read(consultation_id)
        board.used_at_s = self.clock.monotonic()
        return board

    @asynccontextmanager
    async def locked(self, consultation_id: str) -> AsyncIterator[CommentBoard]:
        """The board, with its lock held: the one that counts now, also when it was read anew while others held it."""
        while True:
            board = await self.get(consultation_id)
            async with board.lock:
                if board.is_stale or self._boards.get(consultation_id) is not board:
                    continue
                yield board
                return

    async def _read(self, consultation_id: str) -> CommentBoard:
        async with self.storage.reading() as unit:
            words = tuple(await unit.comments.words(consultation_id))
            consultation = await unit.consultations.get(consultation_id)
            organization_id = None if consultation is None else consultation.organization_id
            body = NO_WORDS if organization_id is None else await body_word_list(unit, organization_id)
            judge = await asyncio.to_thread(self.reader.judge, body.words, words)
            board = CommentBoard(
                consultation_id,
                judge,
                self.reader.grouping(),
                words=words,
                organization_id=organization_id,
                body=body,
            )
            board.identities = await unit.identities.kinds(consultation_id)
            async for some in unit.comments.pages(consultation_id, _ROWS_AT_ONCE):
                for comment in some:
                    board.put(comment)
                await asyncio.sleep(0)  # the room goes on meanwhile
            for group in await unit.comments.groups(consultation_id):
                if board.has_group(group.id):
                    board.put_group(group)
            for promotion in await unit.promotions.of(consultation_id):
                board.put_promotion(promotion)
        board.dirty.clear()
        board.is_grouped = not board.comments
        return board

    async def follow_bodies(self) -> None:
        """Judge by the lists of bodies as they are now, whoever changed them and at which node. Call every few
        seconds. Raises storage_unavailable."""
        owned = [(board, board.organization_id) for board in self._boards.values() if board.organization_id]
        if not owned:
            return
        async with self.storage.reading() as unit:
            revisions = await unit.body_words.revisions({organization_id for _, organization_id in owned})
        for board, organization_id in owned:
            if revisions[organization_id] == board.body.revision:
                continue
            async with board.lock:
                async with self.storage.reading() as unit:
                    body = await body_word_list(unit, organization_id)
                judge = await asyncio.to_thread(self.reader.judge, body.words, board.words)
                board.body, board.judge = body, judge

    @staticmethod
    async def regroup(board: CommentBoard) -> None:
        """Make the grouping know what the board does. Only who writes needs it: who reads need not wait for that. The
        board's lock is held; harmless when it is done already."""
        if board.is_grouped:
            return
        known = [each for each in board.comments.values() if not each.is_test]
        for first in range(0, len(known), _ROWS_AT_ONCE):
            some = known[first : first + _ROWS_AT_ONCE]
            board.grouping.restore([(each.id, each.text, each.group_id) for each in some])
            await asyncio.sleep(0)
        board.is_grouped = True

    def closings(
        self, consultation: Consultation, by: Actor, closed: Iterable[Promotion]
    ) -> list[AuditEntry]:
        """A line for each proposal that fell with its comment."""
        return [
            self.entry(
                consultation,
                by,
                "promotion.declined",
                each.id,
                comment=each.comment_id,
                group=each.group_id,
                state=each.state.value,
            )
            for each in closed
        ]

    @staticmethod
    def new_group_id() -> str:
        return new_id("g")

    def drop_idle(self) -> None:
        """Forget boards that nobody asked for, and those asked for longest ago where all are too many; call now and
        then."""
        now_s = self.clock.monotonic()
        held = sum(len(board.comments) for board in self._boards.values())
        for board in sorted(self._boards.values(), key=lambda each: each.used_at_s):
            if now_s - board.used_at_s < _IDLE_S and held <= self._most_held:
                return
            if not board.lock.locked() and not board.unwritten:
                del self._boards[board.consultation_id]
                held -= len(board.comments)

    def entry(
        self, consultation: Consultation, by: Actor, action: str, subject: str | None, **content: Value
    ) -> AuditEntry:
        """What the trace shall say of a change to comments, made now."""
        at_ms = self.rooms.program_time_ms(consultation)
        return AuditEntry(consultation.id, self.clock.wall_ms(), at_ms, by, action, subject, content)
