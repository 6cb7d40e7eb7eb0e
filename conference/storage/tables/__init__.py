"""The tables. Types are those that SQLite and PostgreSQL share; times are UTC milliseconds."""

from __future__ import annotations

from conference.storage.tables.audit import (
    audit_heads,
    audit_lines,
    audit_texts,
)
from conference.storage.tables.base import metadata
from conference.storage.tables.camera import cameras
from conference.storage.tables.clip import clip_plays, clips
from conference.storage.tables.comment import (
    comment_groups,
    comment_marks,
    comment_words,
    comments,
    organization_word_lists,
    organization_words,
    promotions,
)
from conference.storage.tables.consultation import (
    consultations,
    participants,
    program_gaps,
    revoked_tokens,
)
from conference.storage.tables.document import (
    minutes,
    minutes_layouts,
    minutes_templates,
    minutes_texts,
)
from conference.storage.tables.precheck import prechecks
from conference.storage.tables.preparation import (
    briefing_files,
    invitee_imports,
    invitees,
    venues,
)
from conference.storage.tables.proceedings import (
    agenda_items,
    floor_turns,
    statement_likes,
    statements,
    stays,
)
from conference.storage.tables.recording import (
    broadcast_cuts,
    exports,
    recordings,
)
from conference.storage.tables.rehearsal import rehearsals
from conference.storage.tables.response import (
    departments,
    follow_ups,
    notices,
    response_ratings,
    responses,
)
from conference.storage.tables.rule import organization_rules, storage_uses
from conference.storage.tables.shared_directory import shared_directories
from conference.storage.tables.staff import (
    organizations,
    staff_sessions,
    users,
)
from conference.storage.tables.talkback import venue_messages
from conference.storage.tables.term import (
    term_lists,
    terms,
)
from conference.storage.tables.transcript import (
    second_passes,
    transcript_coverage,
    transcript_gaps,
    transcript_grams,
    transcript_revisions,
    transcript_segments,
)
from conference.storage.tables.viewer import (
    identities,
    identity_proofs,
    viewer_minutes,
)

__all__ = [
    "agenda_items",
    "audit_heads",
    "audit_lines",
    "audit_texts",
    "briefing_files",
    "broadcast_cuts",
    "cameras",
    "clip_plays",
    "clips",
    "comment_groups",
    "comment_marks",
    "comment_words",
    "comments",
    "consultations",
    "departments",
    "exports",
    "floor_turns",
    "follow_ups",
    "identities",
    "identity_proofs",
    "invitee_imports",
    "invitees",
    "metadata",
    "minutes",
    "minutes_layouts",
    "minutes_templates",
    "minutes_texts",
    "notices",
    "organization_rules",
    "organization_word_lists",
    "organization_words",
    "organizations",
    "participants",
    "prechecks",
    "program_gaps",
    "promotions",
    "recordings",
    "rehearsals",
    "response_ratings",
    "responses",
    "revoked_tokens",
    "second_passes",
    "shared_directories",
    "staff_sessions",
    "statement_likes",
    "statements",
    "stays",
    "storage_uses",
    "term_lists",
    "terms",
    "transcript_coverage",
    "transcript_gaps",
    "transcript_grams",
    "transcript_revisions",
    "transcript_segments",
    "users",
    "venue_messages",
    "venues",
    "viewer_minutes",
]
