"""Figures of a venue in which everything is right, and sheets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from conference.model.precheck import CheckedItem, checked
from conference.model.precheck_figures import (
    CameraFigures,
    ClockFigures,
    EchoFigures,
    Figures,
    LightFigures,
    LoudspeakerFigures,
    MicrophoneFigures,
    NameplateFigures,
    NetworkFigures,
    PrecheckItem,
    ProjectionFigures,
    item_of,
)

CAMERA = CameraFigures("", 1920, 1080, 25.0, 120, 4000)
LIGHT = LightFigures(True, 118.0, 52.0, 0.02)
MICROPHONE = MicrophoneFigures("", -22.0, -61.5, 0.0, -22.0, -23.0, 6000)
LOUDSPEAKER = LoudspeakerFigures(True, 4, 4, 31.0)
ECHO = EchoFigures(True, -28.0, -58.0)
NETWORK = NetworkFigures("udp", 4_000_000.0, 4_000_000.0, 0.001, 0.002, 38.0, 6.0, 30_000)
CLOCK = ClockFigures(-120, 15)
PROJECTION = ProjectionFigures(1920, 1080, "whole")
NAMEPLATE = NameplateFigures("青禾县分会场", "right", "")

HEALTHY: Final[tuple[Figures, ...]] = (
    CAMERA,
    LIGHT,
    MICROPHONE,
    LOUDSPEAKER,
    ECHO,
    NETWORK,
    CLOCK,
    PROJECTION,
    NAMEPLATE,
)


def healthy_items(
    changed: Mapping[PrecheckItem, tuple[Figures | None, str]] | None = None,
) -> list[CheckedItem]:
    """All nine; `changed`: other figures, or none, and the reason."""
    changed = changed or {}
    found = {item_of(each): (each, "") for each in HEALTHY} | dict(changed)
    return [checked(item, figures, reason) for item, (figures, reason) in found.items()]


def as_body(changed: Mapping[PrecheckItem, tuple[Figures | None, str]] | None = None) -> dict[str, Any]:
    """The same as a page hands it in."""
    found = {item_of(each): (each, "") for each in HEALTHY} | dict(changed or {})
    items = [
        {"item": item.value, "figures": None if figures is None else asdict(figures), "reason": reason}
        for item, (figures, reason) in found.items()
    ]
    return {"took_ms": 118_000, "items": items}
