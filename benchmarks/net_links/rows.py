"""The rows of the matrix: what the link of one side is like, step by step."""

from dataclasses import dataclass, replace
from typing import Literal

from tests.support.link import Conditions

Side = Literal["up", "down"]

WIDE = Conditions(delay_ms=20)
"""The link before and after each row, one way."""
STAIR_S = 10.0
OUTAGE_S = 10.0


@dataclass(frozen=True)
class Step:
    """For so long the direction that carries media is so, and the one back."""

    seconds: float
    media: Conditions
    back: Conditions = WIDE


@dataclass(frozen=True)
class Row:
    """`down_at`: the step in which the picture has to find its way down; `up_at`: from which step on it may rise to
    its former height, counted behind the last one as the wide link. None: nothing to be measured."""

    name: str
    title: str
    side: Side
    steps: tuple[Step, ...]
    down_at: int | None = 0
    up_at: int | None = None

    @property
    def seconds(self) -> float:
        """How long all steps last."""
        return sum(step.seconds for step in self.steps)

    def starts_s(self, index: int) -> float:
        """When a step begins."""
        return sum(step.seconds for step in self.steps[:index])


def _thin(rate_bps: float) -> Conditions:
    return replace(WIDE, rate_bps=rate_bps)


def _both(seconds: float, conditions: Conditions) -> tuple[Step, ...]:
    return (Step(seconds, conditions, conditions),)


def rows(seconds: float) -> dict[str, Row]:
    """All rows by name; those without steps of their own last `seconds`."""
    kinds: list[tuple[str, str, tuple[Step, ...], int | None, int | None]] = [
        ("open", "wide open, 40 ms", _both(seconds, WIDE), None, None),
        ("300k", "300 kbit/s", (Step(seconds, _thin(300e3)),), 0, 1),
        ("1m", "1 Mbit/s", (Step(seconds, _thin(1e6)),), 0, 1),
        ("3m", "3 Mbit/s", (Step(seconds, _thin(3e6)),), 0, 1),
        ("loss5", "5 % loss", _both(seconds, replace(WIDE, loss=0.05)), None, None),
        ("loss15", "15 % loss", _both(seconds, replace(WIDE, loss=0.15)), None, None),
        ("rtt300", "300 ms round trip", _both(seconds, replace(WIDE, delay_ms=150)), None, None),
        (
            "jitter50",
            "±50 ms jitter",
            _both(seconds, replace(WIDE, delay_ms=60, jitter_ms=50)),
            None,
            None,
        ),
        (
            "outage",
            f"{OUTAGE_S:.0f} s outage",
            (*_both(OUTAGE_S, replace(WIDE, outage=True)), *_both(max(5.0, seconds - OUTAGE_S), WIDE)),
            None,
            1,
        ),
        (
            "stairs",
            "3 → 1 → 0.3 → 1 → 3 Mbit/s",
            tuple(Step(STAIR_S, _thin(rate)) for rate in (3e6, 1e6, 300e3, 1e6, 3e6)),
            2,
            4,
        ),
    ]
    sides: tuple[Side, Side] = ("up", "down")
    return {
        f"{side}-{name}": Row(f"{side}-{name}", title, side, steps, down_at, up_at)
        for name, title, steps, down_at, up_at in kinds
        for side in sides
    }
