"""Who a viewer is, where it is wanted: proofs by telephone or WeChat, without an account.

What is shown belongs to the device's cookie in one consultation: another consultation learns nothing of it. Numbers
and WeChat's ids are stored sealed, for as many days as addresses of comments; the trace never has them.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import SYSTEM, VIEWER, Value
from conference.model.comment import require_commentable
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.identity import AGAIN_MS, VALID_MS, Identity, IdentityKind, Proof, Visitor
from conference.model.ids import new_id
from conference.model.limit import Limit
from conference.model.permissions import Action
from conference.services.comment_boards import CommentBoards
from conference.services.comment_changes import caller_of
from conference.services.ports import IdentityProvider, IdentityVault, RateLimits, UnitOfWork
from conference.services.ports.airing import Airing
from conference.services.trace import Bearer

_DAY_MS: Final = 86_400_000
# Each message is paid for, and rings on somebody's telephone. Carriers put many behind one address.
_BY_ADDRESS: Final = Limit("identity_address", 60, 600.0)
_BY_DEVICE: Final = Limit("identity_device", 5, 600.0)
_BY_SUBJECT: Final = Limit("identity_subject", 1, AGAIN_MS / 1000)
_BY_SUBJECT_DAY: Final = Limit("identity_subject_day", 5, 86_400.0)
_BY_SERVER: Final = Limit("identity_server", 600, 60.0)  # whoever has many addresses
_TRIES_BY_ADDRESS: Final = Limit("identity_try_address", 300, 600.0)
_TRIES_BY_DEVICE: Final = Limit("identity_try_device", 20, 600.0)


@dataclass(frozen=True, slots=True)
class Begun:
    """A proof under way. `url`: where the viewer goes for the answer; `again_wall_ms`: until then no other is begun."""

    id: str
    url: str | None
    expires_wall_ms: int
    again_wall_ms: int


@dataclass(frozen=True, slots=True)
class KnownAuthor:
    """Who wrote a comment; `subject` is None once it was erased."""

    kind: IdentityKind
    subject: str | None


class Identities:
    """`providers`: what this server has; none, and nobody is asked anything."""

    def __init__(
        self,
        boards: CommentBoards,
        airing: Airing,
        providers: Sequence[IdentityProvider],
        vault: IdentityVault,
        rate_limits: RateLimits,
        *,
        days: int,
    ) -> None:
        """`days`: how long subjects are kept; 0 keeps none."""
        self._boards = boards
        self._airing = airing
        self._providers = {each.kind: each for each in providers}
        self._vault = vault
        self._rate_limits = rate_limits
        self._days = days

    @property
    def kinds(self) -> tuple[IdentityKind, ...]:
        """What is on offer."""
        return tuple(self._providers)

    async def of(self, consultation_id: str, device_hash: str) -> IdentityKind | None:
        """What this device has shown here."""
        (await self._airing.view(consultation_id)).consultation.require_public()
        return (await self._boards.get(consultation_id)).identities.get(device_hash)

    # ── proving ─────────────────────────────────────────────────────────────────────────────────

    async def begin(self, consultation_id: str, kind: IdentityKind, claim: str, by: Visitor) -> Begun:
        """Ask the viewer; not_found for a kind that is not on offer, bad_request for a number that is none."""
        provider = self._providers.get(kind)
        if provider is None:
            raise NotFoundError(f"identity {kind}")
        consultation = await self._open(consultation_id)
        proof_id = secrets.token_hex(16)  # WeChat takes letters and digits only
        question = provider.begin(proof_id, consultation_id, consultation.title, claim)
        await self._limit(_BY_ADDRESS, by.address)
        await self._limit(_BY_DEVICE, by.device_hash)
        if question.subject:
            key = self._vault.fingerprint(f"limit {kind} {question.subject}")
            await self._limit(_BY_SUBJECT, key)
            await self._limit(_BY_SUBJECT_DAY, key)
            await self._limit(_BY_SERVER, "all")
        now_ms = self._boards.clock.wall_ms()
        proof = Proof(
            id=proof_id,
            consultation_id=consultation_id,
            device_hash=by.device_hash,
            kind=kind,
            sealed_subject=self._vault.seal(question.subject) if question.subject else "",
            answer_hash=self._vault.fingerprint(_answered(proof_id, question.answer))
            if question.answer
            else "",
            attempts=0,
            expires_wall_ms=now_ms + VALID_MS,
        )
        async with self._boards.storage.transaction() as unit:
            await unit.identities.begin(proof)
            await self._say(unit, consultation, "identity.begun", proof_id, kind)
        try:
            await provider.ask(question)
        except ConferenceError:
            async with self._boards.storage.transaction() as unit:
                await unit.identities.forget(proof_id)
                await self._say(unit, consultation, "identity.not_asked", proof_id, kind)
            raise
        again_ms = now_ms + (AGAIN_MS if question.subject else 0)
        return Begun(proof_id, question.url, proof.expires_wall_ms, again_ms)

    async def finish(self, consultation_id: str, proof_id: str, answer: str, by: Visitor) -> IdentityKind:
        """Take the answer: from now on the device is known to be somebody's.

        identity_wrong with `left`, the tries that remain; identity_lapsed when there is nothing to answer any more.
        """
        consultation = await self._open(consultation_id)
        await self._limit(_TRIES_BY_ADDRESS, by.address)
        await self._limit(_TRIES_BY_DEVICE, by.device_hash)
        async with self._boards.storage.reading() as unit:
            proof = self._open_proof(await unit.identities.proof(proof_id), consultation_id, by)
        subject = await self._subject(proof, answer)
        async with self._boards.storage.transaction() as unit:
            found = await unit.identities.proof(proof_id, lock=True)
            proof = self._open_proof(found, consultation_id, by)  # others may have tried meanwhile
            if subject is None:
                proof = proof.tried()
                await unit.identities.tried(proof)
                await self._say(unit, consultation, "identity.failed", proof_id, proof.kind)
            else:
                identity = self._identity(proof, subject)
                await unit.identities.forget(proof_id)
                await unit.identities.add(identity)
                await self._say(
                    unit, consultation, "identity.proven", identity.id, proof.kind, proof=proof_id
                )
        if subject is None:
            raise ConferenceError("identity_wrong", left=proof.left)
        (await self._boards.get(consultation_id)).identities[by.device_hash] = proof.kind
        return proof.kind

    def _open_proof(self, proof: Proof | None, consultation_id: str, by: Visitor) -> Proof:
        if proof is None or proof.consultation_id != consultation_id:
            raise ConferenceError("identity_lapsed")
        proof.require_open(by.device_hash, self._boards.clock.wall_ms())
        return proof

    async def _subject(self, proof: Proof, answer: str) -> str | None:
        if not proof.answer_hash:
            provider = self._providers.get(proof.kind)
            return None if provider is None else await provider.named(answer)
        is_right = self._vault.is_fingerprint(_answered(proof.id, answer), proof.answer_hash)
        return self._vault.open(proof.sealed_subject) if is_right else None

    def _identity(self, proof: Proof, subject: str) -> Identity:
        return Identity(
            id=new_id("v"),
            consultation_id=proof.consultation_id,
            device_hash=proof.device_hash,
            kind=proof.kind,
            subject_hash=self._vault.fingerprint(f"{proof.consultation_id} {proof.kind} {subject}"),
            sealed_subject=self._vault.seal(subject) if self._days else "",
            proven_wall_ms=self._boards.clock.wall_ms(),
        )

    # ── for administrators ──────────────────────────────────────────────────────────────────────

    async def author(self, consultation_id: str, by: str | Bearer, comment_id: str) -> KnownAuthor:
        """Who wrote a comment; not_found when they showed nothing. Every look leaves a line."""
        consultation, caller = await caller_of(self._boards, consultation_id, by, Action.COMMENT_TRACE)
        comment = (await self._boards.get(consultation_id)).get(comment_id)
        if comment.identity is None:
            raise NotFoundError(f"identity of {comment_id}")
        async with self._boards.storage.transaction() as unit:
            shown = await unit.identities.shown(
                consultation_id, comment.device_hash, comment.identity, comment.at_wall_ms
            )
            await unit.audit.append(
                self._boards.entry(consultation, caller.actor, "identity.read", comment_id)
            )
        sealed = "" if shown is None else shown.sealed_subject
        return KnownAuthor(comment.identity, self._vault.open(sealed) if sealed else None)

    # ── forgetting ──────────────────────────────────────────────────────────────────────────────

    async def forget_lapsed(self) -> None:
        """Delete proofs that nobody finished. Call every minute."""
        now_ms = self._boards.clock.wall_ms()
        async with self._boards.storage.reading() as unit:
            found = await unit.identities.lapsed(now_ms)
        for consultation_id in found:
            async with self._boards.storage.transaction() as unit:
                count = await unit.identities.forget_lapsed(consultation_id, now_ms)
                await self._count(unit, consultation_id, "identity.lapsed", count)

    async def erase_subjects(self) -> None:
        """Delete those whose days are over. Call now and then."""
        before_ms = self._boards.clock.wall_ms() - self._days * _DAY_MS
        async with self._boards.storage.reading() as unit:
            found = await unit.identities.with_subjects(before_ms)
        for consultation_id in found:
            async with self._boards.storage.transaction() as unit:
                count = await unit.identities.erase_subjects(consultation_id, before_ms)
                await self._count(unit, consultation_id, "identity.erased", count)

    async def _count(self, unit: UnitOfWork, consultation_id: str, action: str, count: int) -> None:
        consultation = await unit.consultations.get(consultation_id)
        if consultation is not None and count:
            await unit.audit.append(self._boards.entry(consultation, SYSTEM, action, None, count=count))

    # ── what all of them need ───────────────────────────────────────────────────────────────────

    async def _say(
        self,
        unit: UnitOfWork,
        consultation: Consultation,
        action: str,
        subject: str,
        kind: IdentityKind,
        **more: Value,
    ) -> None:
        entry = self._boards.entry(consultation, VIEWER, action, subject, kind=kind.value, **more)
        await unit.audit.append(entry)

    async def _open(self, consultation_id: str) -> Consultation:
        """Of a consultation that takes comments: elsewhere nobody needs to show anything."""
        consultation = (await self._airing.view(consultation_id)).consultation
        require_commentable(consultation, self._boards.clock.wall_ms(), is_cut=False)
        self._boards.rooms.require_here(consultation_id)
        return consultation

    async def _limit(self, limit: Limit, key: str) -> None:
        wait_s = await self._rate_limits.hit(limit, key)
        if wait_s > 0:
            raise ConferenceError("rate_limited", limit.name, retry_after_s=math.ceil(wait_s))


def _answered(proof_id: str, answer: str) -> str:
    return f"answer {proof_id} {answer}"
