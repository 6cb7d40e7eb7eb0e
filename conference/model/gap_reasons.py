"""Why a stretch of a meeting has no text, and how Chinese minutes say it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class GapReason(StrEnum):
    """`reason` of a gap. Whoever shows gaps has words for each of them: here the minutes, and the desk page."""

    UNREADABLE = "unreadable"  # its file cannot be read, or ends early
    WORKER_ENDED = "worker_ended"  # recognition stopped in it, again and again
    REFUSED = "refused"  # the database takes everything but what was said there
    UNSETTLED = "unsettled"  # its file is not closed yet, so that it cannot be recognised yet
    DELETED = "deleted"  # its files are gone
    NOT_LISTENED = "not_listened"  # nobody wanted it written down
    NOT_TRANSCRIBED = "not_transcribed"  # nor anything else of the whole meeting


GAP_WORDS: Final[Mapping[GapReason, str]] = {
    GapReason.UNREADABLE: "录音读不出来",
    GapReason.WORKER_ENDED: "识别中断",
    GapReason.REFUSED: "识别出的文字没有存下",
    GapReason.UNSETTLED: "录音尚未写完",
    GapReason.DELETED: "录音已删除",
    GapReason.NOT_LISTENED: "没有转写",
    GapReason.NOT_TRANSCRIBED: "本次会议没有转写",
}


def reason_words(reason: str) -> str:
    """Empty where the words say nothing of it."""
    return GAP_WORDS[GapReason(reason)] if reason in set(GapReason) else ""
