"""What the web process and the document worker say to each other: msgpack of these types, one request a process."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec


class Style(StrEnum):
    """How a block looks. What `label` is stands in brackets."""

    FIELD = "field"  # what something is [its word], 出席：…
    HEADING = "heading"  # 一、
    POINT = "point"  # （一） [its first sentence]
    TEXT = "text"
    SPEECH = "speech"  # what somebody said [who]
    REMARK = "remark"  # by the server, in brackets
    TIMED = "timed"  # of the transcript: what was said [who and when]
    SIGNATURE = "signature"  # [what is signed], the name where it is known
    NOTE = "note"  # small print behind a rule


class Block(msgspec.Struct, frozen=True):
    """A paragraph, or several, one a line. Plain text: nothing in it is markup."""

    style: Style
    text: str
    label: str = ""


class Document(msgspec.Struct, frozen=True):
    """What is to be laid out. `title`: lines; `state` stands below it, empty for what is final."""

    title: tuple[str, ...]
    state: str
    author: str
    blocks: tuple[Block, ...]


class WriteDocument(msgspec.Struct, frozen=True, tag=True):
    """As DOCX, in the built-in layout."""

    document: Document


class FillTemplate(msgspec.Struct, frozen=True, tag=True):
    """A template with words put in its places."""

    template: bytes
    words: dict[str, Any]


class CheckTemplate(msgspec.Struct, frozen=True, tag=True):
    """Whether a template can be filled, with a sample."""

    template: bytes
    words: dict[str, Any]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """A template that cannot be used. `reason`: not_docx, too_large, unsafe, wrong_words, too_slow; `said`: what the
    fault in its words is, as far as it can be told."""

    reason: str
    said: str = ""


class Made(msgspec.Struct, frozen=True, tag=True):
    """The file; empty for one that was only checked."""

    data: bytes


Request = WriteDocument | FillTemplate | CheckTemplate
Answer = Made | Refused
REQUEST: Final = msgspec.msgpack.Decoder(Request)
ANSWER: Final = msgspec.msgpack.Decoder(Answer)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(message: Request | Answer) -> bytes:
    return _ENCODER.encode(message)
