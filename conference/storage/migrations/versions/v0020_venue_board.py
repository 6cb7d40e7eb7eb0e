"""Messages between desk and venues, and how venues fared."""

from __future__ import annotations

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Filled by its part."""
