"""The comments of a world: the public that writes, and those who moderate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conference.clock import Clock
from conference.model.comment import Comment
from conference.model.identity import Visitor
from conference.services.broadcasts import Broadcasts
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.comment_desk import CommentDesk
from conference.services.comments import CommentDraft, Comments, OwnComment
from conference.services.promotions import Promotions
from conference.text.reader import TextReader
from signaling.auth.sealer import AddressSealer
from tests.unit.services.conftest import World

ADDRESS = "203.0.113.7:40000"


@dataclass
class Audience:
    """Everything about comments, on one world."""

    world: World

    def __post_init__(self) -> None:
        sealer = AddressSealer(b"k" * 32)
        self.boards = CommentBoards(self.world.rooms, TextReader())
        self.broadcasts = Broadcasts(self.world.rooms)
        self.comments = Comments(self.boards, self.broadcasts, sealer, address_days=180)
        self.promotions = Promotions(self.boards)
        self.desk = CommentDesk(self.boards, self.promotions, sealer)
        self.keys = 0

    @property
    def clock(self) -> Clock:
        return self.world.clock

    async def post(self, text: str, device: str = "d1", nickname: str = "老李", **more: Any) -> OwnComment:
        """A new comment by that device."""
        self.keys += 1
        draft = CommentDraft(nickname, text, **{"key": f"key {self.keys:06}", **more})
        return await self.comments.post("c", draft, Visitor(device, ADDRESS))

    async def board(self) -> CommentBoard:
        return await self.boards.get("c")

    async def stored(self) -> list[Comment]:
        """The rows."""
        async with self.world.database.reading() as unit:
            return [each async for page in unit.comments.pages("c", 100) for each in page]
