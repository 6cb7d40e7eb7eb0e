"""How a viewer shows who they are, and rows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from conference.model.identity import Identity, IdentityKind, Proof
from conference.services.ports.comments import Sealer


@dataclass(frozen=True, slots=True)
class Question:
    """What a viewer is asked. `subject`: whom they claim to be, empty where only the answer tells; `answer`: what
    proves it, empty where somebody else knows; `url`: where the viewer goes for the answer."""

    proof_id: str
    title: str
    subject: str = ""
    answer: str = ""
    url: str | None = None


class IdentityProvider(Protocol):
    """One way to show who one is. Errors never name a number, a secret or an answer."""

    @property
    def kind(self) -> IdentityKind: ...

    def begin(self, proof_id: str, consultation_id: str, title: str, claim: str) -> Question:
        """What to ask; nothing is sent yet. bad_request for a claim that nobody can prove."""

    async def ask(self, question: Question) -> None:
        """Bring the question to the viewer; identity_unavailable when it cannot be brought."""

    async def named(self, answer: str) -> str | None:
        """Whom the answer names, asked of whoever knows; None for a wrong answer. identity_unavailable when nobody
        can be asked. Only for questions without an answer of their own."""


class IdentityVault(Sealer, Protocol):
    """Seals subjects, and tells whether two are the same without reading either."""

    def fingerprint(self, text: str) -> str:
        """Keyed: whoever lacks the key cannot try all numbers."""

    def is_fingerprint(self, text: str, fingerprint: str) -> bool:
        """Whether it is of this text, also by a key that was rotated since."""


class IdentityRepository(Protocol):
    """Rows of proofs under way, and of what devices have shown."""

    async def begin(self, proof: Proof) -> None:
        """Add it; earlier ones of this device in this consultation are void."""

    async def proof(self, proof_id: str, *, lock: bool = False) -> Proof | None:
        """`lock`: nobody else can change it before this transaction ends."""

    async def tried(self, proof: Proof) -> None:
        """Write how often it was tried."""

    async def forget(self, proof_id: str) -> None:
        """Delete a proof."""

    async def lapsed(self, wall_ms: int) -> list[str]:
        """Consultations with proofs whose time is over."""

    async def forget_lapsed(self, consultation_id: str, wall_ms: int) -> int:
        """Delete these; returns how many."""

    async def add(self, identity: Identity) -> None: ...

    async def kinds(self, consultation_id: str) -> dict[str, IdentityKind]:
        """By device: what it showed last."""

    async def shown(
        self, consultation_id: str, device_hash: str, kind: IdentityKind, before_wall_ms: int
    ) -> Identity | None:
        """What a device had shown of this kind at that time."""

    async def with_subjects(self, before_wall_ms: int) -> list[str]:
        """Consultations with subjects shown before that."""

    async def erase_subjects(self, consultation_id: str, before_wall_ms: int) -> int:
        """Delete these subjects and their hashes; returns how many."""
