"""A viewer's telephone number, shown by a code of six digits in a short message."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from conference.model.errors import ConferenceError
from conference.model.identity import VALID_MS, IdentityKind, mobile_number
from conference.services.ports import NotSentError, Question

log = structlog.get_logger(__name__)

# Hands a message over, under a key that stays the same; raises NotSentError.
Deliver = Callable[[str, Mapping[str, str | None]], Awaitable[None]]
_MAX_TITLE_CHARS: Final = 20
_PATIENCE_S: Final = 4.0  # proxies in front have five


class PhoneIdentity:
    """Implements services.ports.IdentityProvider. A message is sent once: nobody waits for a late one."""

    kind = IdentityKind.PHONE

    def __init__(self, deliver: Deliver, patience_s: float = _PATIENCE_S) -> None:
        """`patience_s`: whoever takes a message and says nothing for so long is believed to have it. When nobody can be
        reached, `deliver` says so sooner."""
        self._deliver = deliver
        self._patience_s = patience_s

    def begin(self, proof_id: str, consultation_id: str, title: str, claim: str) -> Question:
        return Question(proof_id, title, mobile_number(claim), f"{secrets.randbelow(10**6):06}")

    async def ask(self, question: Question) -> None:
        minutes = VALID_MS // 60_000
        title = question.title
        if len(title) > _MAX_TITLE_CHARS:
            title = title[: _MAX_TITLE_CHARS - 1] + "…"
        text = f"验证码 {question.answer}，用于在“{title}”留言，{minutes} 分钟内有效。请勿告诉他人。"
        payload = {"kind": "sms", "phone": question.subject, "text": text, "code": question.answer}
        try:
            async with asyncio.timeout(self._patience_s):
                await self._deliver(question.proof_id, payload)
        except TimeoutError:
            log.warning("identity.message_slow")  # it may come yet, and another can be asked for
        except NotSentError as error:
            raise ConferenceError("identity_unavailable", error.reason) from error

    async def named(self, answer: str) -> str | None:
        return None  # the answer is in the question
