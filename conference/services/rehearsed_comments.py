"""Comments for a rehearsal: written at a desk, so that moderating and putting one to the session can be tried."""

from __future__ import annotations

from conference.desk_views import CommentView
from conference.model.audit import Personal, Value
from conference.model.comment import TEST_DEVICE, Comment, CommentState, Level
from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.folding import tidied
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.model.rehearsal import MAX_TEST_COMMENTS
from conference.services.comment_board import comment_view
from conference.services.comment_boards import CommentBoards
from conference.services.trace import Bearer

NICKNAME = "演练网友"


class RehearsedComments:
    """They are in the queue as any other, in a group of their own each, and go with the rehearsal."""

    def __init__(self, boards: CommentBoards) -> None:
        self._boards = boards

    async def add(self, consultation_id: str, by: str | Bearer, text: str, nickname: str = "") -> CommentView:
        """One more. invalid_state unless it is being rehearsed."""
        words = tidied(text)
        if not words:
            raise ConferenceError("bad_request", "no text")
        async with (
            self._boards.rooms.locked(consultation_id) as room,
            self._boards.locked(consultation_id) as board,
        ):
            caller = room.caller(by)
            require(caller.role, Action.COMMENT_MODERATE)
            if room.consultation.status is not Status.REHEARSAL:
                raise ConferenceError("invalid_state", "it is not being rehearsed")
            if board.test_count >= MAX_TEST_COMMENTS:
                raise ConferenceError("too_many_test_comments")
            comment_id = new_id("m")
            comment = Comment(
                id=comment_id,
                consultation_id=room.id,
                number=board.last_number + 1,
                nickname=tidied(nickname) or NICKNAME,
                region=None,
                text=words,
                program_time_ms=self._boards.rooms.program_time_ms(room.consultation),
                at_wall_ms=self._boards.clock.wall_ms(),
                state=CommentState.PENDING,
                level=Level.PASS,
                reasons=(),
                group_id=comment_id,
                device_hash=TEST_DEVICE,
                key=comment_id,
            )
            content: dict[str, Value] = {"text": Personal(words), "nickname": Personal(comment.nickname)}
            entry = self._boards.rooms.entry(
                room, caller.actor, "rehearsal.comment_added", comment.id, **content
            )
            try:
                async with self._boards.storage.transaction() as unit:
                    await unit.comments.add([comment])
                    await unit.audit.append(entry)
            except ConferenceError as error:
                board.is_stale = board.is_stale or error.code == "stale"  # another node wrote
                raise
            board.put(comment)
            board.arrived(self._boards.clock.monotonic())
            return comment_view(comment)
