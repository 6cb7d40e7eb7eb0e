"""A signed POST to whoever sends short messages, or anything else, to departments."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Final

import aiohttp

from conference.model.department import Department
from conference.model.notice import Channel
from conference.services.ports import Letter, NotSentError

_PATIENCE_S: Final = 15.0
_CONNECT_S: Final = 3.0  # sooner than a viewer who waits for a code is told that it was sent
_AGAIN: Final = frozenset({408, 425, 429})


class WebhookNotifier:
    """`url` takes JSON: `{id, kind, phone, text, …}`; kind is `sms` where a telephone number is known, else `notice`.
    `secret` signs time and body."""

    channel: Final = Channel.WEBHOOK

    def __init__(self, url: str, secret: str, connect_s: float = _CONNECT_S) -> None:
        """`connect_s`: after so long without a connection nobody is there."""
        self._url = url
        self._secret = secret.encode()
        self._timeout = aiohttp.ClientTimeout(total=_PATIENCE_S, connect=connect_s)

    def reaches(self, department: Department) -> bool:
        return True

    async def send(self, letter: Letter) -> None:
        message = {
            "kind": "sms" if letter.to.phone else "notice",
            "phone": letter.to.phone,
            "text": letter.text,
            "subject": letter.subject,
            "occasion": letter.kind.value,
            "department": letter.to.name,
            "consultation": letter.title,
            "case": letter.label,
            "link": letter.link,
        }
        await self.post(letter.key, message)

    async def post(self, key: str, message: Mapping[str, str | None]) -> None:
        """Hand any message over; `key` stays the same when it is tried again. Raises NotSentError."""
        body = json.dumps({"id": key, **message}, ensure_ascii=False).encode()
        at = str(int(time.time()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": key,
            "X-Yuanshang-Timestamp": at,
            "X-Yuanshang-Signature": f"sha256={signature(self._secret, at, body)}",
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSentError(type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotSentError(f"answered {status}", is_final=300 <= status < 500 and status not in _AGAIN)


def signature(secret: bytes, at: str, body: bytes) -> str:
    """HMAC-SHA256 in hexadecimal digits over the time stamp, a dot and the body."""
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
