"""Installed speech models: folders below `models` in the data directory, each with a model.json that says whence."""

from __future__ import annotations

from pathlib import Path

from transcription.engines import CARD


def newest(models: Path) -> Path | None:
    """The one that was installed last. Half-made ones have a name with a dot in front and no model.json."""
    found = [
        (card.stat().st_mtime_ns, card.parent)
        for card in models.glob(f"*/{CARD}")
        if not card.parent.name.startswith(".")
    ]
    return max(found)[1] if found else None
