"""Rehearsals in the rows: of every table somebody has said what becomes of it when one ends."""

from __future__ import annotations

from typing import Final

from conference.storage.archive_rows import NOT_ARCHIVED
from conference.storage.rehearsals import BESIDE, MADE, WITH_OTHERS
from conference.storage.tables import metadata

# What a rehearsal leaves as it is: preparations, what the public did, and what is about these.
LEFT: Final = {
    "briefing_files",
    "cameras",
    "clips",
    "comment_marks",
    "comment_words",
    "consultations",
    "departments",
    "follow_ups",
    "identities",
    "invitees",
    "minutes",  # there are none before the end of a consultation
    "minutes_layouts",
    "minutes_texts",
    "notices",
    "precheck_pictures",
    "prechecks",
    "rehearsals",
    "response_ratings",
    "responses",
    "term_lists",
    "terms",
    "venues",
    "viewer_minutes",
}


def test_every_table_of_a_consultation_is_erased_put_back_or_left() -> None:
    ours = {table.name for table in metadata.tables.values() if table not in NOT_ARCHIVED}
    seen_to = {table.name for table in (*MADE, *BESIDE, *WITH_OTHERS)}
    assert ours <= seen_to | LEFT, "say in storage/rehearsals.py what becomes of it, or add it to LEFT"
    assert not seen_to & LEFT
