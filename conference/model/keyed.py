"""What in the rows stands on a key of the installation: sealed values, and links."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SealedKind(StrEnum):
    """What is kept encrypted."""

    CAMERA = "camera"  # addresses with passwords
    COMMENT = "comment"  # from where the public wrote
    IDENTITY = "identity"  # who a viewer is
    PROOF = "proof"  # the same, being shown


@dataclass(frozen=True, slots=True)
class SealedRow:
    """`context`: what the fingerprint beside it begins with, empty where there is none."""

    id: str
    sealed: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What is stored of the link of an invitee, a venue or a department: `kind` says whose."""

    kind: str
    id: str
    consultation_id: str
    revision: int
    hash: str


@dataclass(frozen=True, slots=True)
class Resealed:
    """A sealed value as it was and as it is to be. `fingerprint` is None where there is none beside it."""

    id: str
    before: str
    after: str
    fingerprint: str | None = None
