"""Who a viewer showed to be, without an account: a telephone number or a WeChat user, and the proof under way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.consultation import CommentIdentity
from conference.model.errors import ConferenceError

MAX_ATTEMPTS: Final = 5
VALID_MS: Final = 600_000
AGAIN_MS: Final = 60_000  # so long until the same number gets another code
_MOBILE: Final = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_BETWEEN: Final = re.compile(r"[\s\-()]+")


class IdentityKind(StrEnum):
    """What shows who a viewer is."""

    PHONE = "phone"
    WECHAT = "wechat"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody without an account: what stands for the device, and from where."""

    device_hash: str
    address: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was begun. `sealed_subject` is empty where only the answer tells; `answer_hash` is keyed, and empty
    where somebody else knows the answer."""

    id: str
    consultation_id: str
    device_hash: str
    kind: IdentityKind
    sealed_subject: str
    answer_hash: str
    attempts: int
    expires_wall_ms: int

    def require_open(self, device_hash: str, wall_ms: int) -> None:
        """identity_lapsed for another device, after its time, and when it was tried too often."""
        if self.device_hash != device_hash or wall_ms >= self.expires_wall_ms or not self.left:
            raise ConferenceError("identity_lapsed", self.id)

    @property
    def left(self) -> int:
        """How many more tries there are."""
        return max(0, MAX_ATTEMPTS - self.attempts)

    def tried(self) -> Proof:
        """Once more in vain."""
        return replace(self, attempts=self.attempts + 1)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device has shown in one consultation. `subject_hash` is keyed and the same for the same person there.
    It and `sealed_subject` are empty once their days are over."""

    id: str
    consultation_id: str
    device_hash: str
    kind: IdentityKind
    subject_hash: str
    sealed_subject: str
    proven_wall_ms: int


def require_offered(wanted: CommentIdentity | None, kinds: Sequence[IdentityKind]) -> None:
    """identity_not_offered when viewers would be asked for what nobody here can show: `kinds` is empty."""
    if wanted is CommentIdentity.REQUIRED and not kinds:
        raise ConferenceError("identity_not_offered")


def mobile_number(said: str) -> str:
    """The eleven digits of a mobile number of the mainland, however they are spaced; bad_request for anything else.

    Only these: short messages abroad are paid by the piece, to whoever asks for them.
    """
    found = _MOBILE.fullmatch(_BETWEEN.sub("", unicodedata.normalize("NFKC", said)))
    if found is None:
        raise ConferenceError("bad_request", "no mobile number")
    return found[1]
