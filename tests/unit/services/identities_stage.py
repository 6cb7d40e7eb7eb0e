"""Viewers of a world who show who they are. The telephone and WeChat are outside; they are scripted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind, Visitor
from conference.services.identities import Begun, Identities
from conference.services.ports import NotSentError, Question
from conference.storage.ephemeral.memory import MemoryRateLimits
from conference.storage.tables import identities, identity_proofs
from signaling.auth.sealer import SubjectVault
from signaling.identity.phone import PhoneIdentity
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World

NUMBER = "13800138000"
DEVICE = "d1"


@dataclass
class Telephones:
    """What was sent to them."""

    sent: list[Mapping[str, str | None]] = field(default_factory=list)
    is_down: bool = False

    async def deliver(self, key: str, payload: Mapping[str, str | None]) -> None:
        if self.is_down:
            raise NotSentError("answered 502")
        self.sent.append(payload)

    @property
    def code(self) -> str:
        """Of the newest message."""
        return str(self.sent[-1]["code"])


class Wechat:
    """Knows one code and whose it is."""

    kind = IdentityKind.WECHAT
    is_down = False

    def begin(self, proof_id: str, consultation_id: str, title: str, claim: str) -> Question:
        return Question(proof_id, title, url=f"https://wechat.example/?state={proof_id}")

    async def ask(self, question: Question) -> None:
        pass

    async def named(self, answer: str) -> str | None:
        if self.is_down:
            raise ConferenceError("identity_unavailable")
        return {"the code": "openid7", "another": "openid8"}.get(answer)


@dataclass
class Visitors:
    """Everything about who viewers are, on one world."""

    world: World
    days: int = 180
    last: Begun | None = None

    def __post_init__(self) -> None:
        self.public = Audience(self.world)
        self.telephones = Telephones()
        self.wechat = Wechat()
        self.vault = SubjectVault(b"k" * 32)
        self.identities = Identities(
            self.public.boards,
            self.public.broadcasts,
            (PhoneIdentity(self.telephones.deliver), self.wechat),
            self.vault,
            MemoryRateLimits(self.world.clock),
            days=self.days,
        )

    async def begin(
        self,
        claim: str = NUMBER,
        device: str = DEVICE,
        kind: IdentityKind = IdentityKind.PHONE,
        address: str = "203.0.113.7",
        cid: str = "c",
    ) -> Begun:
        self.last = await self.identities.begin(cid, kind, claim, Visitor(device, address))
        return self.last

    async def finish(
        self, begun: Begun, answer: str | None = None, device: str = DEVICE, cid: str = "c"
    ) -> IdentityKind:
        answer = self.telephones.code if answer is None else answer
        return await self.identities.finish(cid, begun.id, answer, Visitor(device, "203.0.113.7"))

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        """What is stored of identities and proofs, by table."""
        async with self.world.database._engine.connect() as connection:
            return {
                table.name: [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]
                for table in (identities, identity_proofs)
            }
