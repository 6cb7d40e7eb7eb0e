"""What an archive package says of itself: its files with their hashes, and the end of the audit chain.

A package is a ZIP without compression, so that a damaged byte damages one line and no more:

    consultations.jsonl, participants.jsonl, …   rows, one JSON object a line
    audit_lines.jsonl                            the trace: each line with its hash and the hash of the one before
    audit_texts.jsonl                            the personal texts of the trace that were not deleted, with salts
    line_hashes.txt                              SHA-256 of every line: `<hash>  <file>:<number>`
    files/<sha256>                               contents of background material, named by their hash
    manifest.json                                this
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from conference.model.audit import AuditHead, canonical_json

FORMAT: Final = "yuanshang-archive"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
LINE_HASHES: Final = "line_hashes.txt"
AUDIT_LINES: Final = "audit_lines.jsonl"
AUDIT_TEXTS: Final = "audit_texts.jsonl"
CONTENTS: Final = "files/"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the package. Contents of background material count no lines."""

    lines: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The table of contents. `files` in the order of the package, itself left out."""

    consultation_id: str
    created_at_ms: int
    software: str
    head: AuditHead
    files: Mapping[str, FileEntry]

    def to_json(self) -> str:
        """With a hash over itself, so that a damaged manifest is seen as such."""
        body = {
            "format": FORMAT,
            "version": VERSION,
            "consultation_id": self.consultation_id,
            "created_at_ms": self.created_at_ms,
            "software": self.software,
            "audit_head": {"number": self.head.number, "hash": self.head.hash},
            "files": {name: asdict(entry) for name, entry in self.files.items()},
        }
        return json.dumps({**body, "sha256": _hash_of(body)}, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """ValueError when it is not one that we wrote."""
        body = json.loads(text)
        try:
            declared = body.pop("sha256")
            if (body["format"], body["version"]) != (FORMAT, VERSION):
                raise ValueError(f"format {body['format']} {body['version']}")
            manifest = cls(
                body["consultation_id"],
                body["created_at_ms"],
                body["software"],
                AuditHead(body["consultation_id"], **body["audit_head"]),
                {name: FileEntry(**entry) for name, entry in body["files"].items()},
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("not a manifest") from error
        if declared != _hash_of(body) or manifest.to_json() != text:
            raise ValueError("the manifest was changed")
        return manifest


def _hash_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()
