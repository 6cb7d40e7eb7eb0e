"""Runs as a Markdown table: ours beside Janus, row by row."""

from collections.abc import Sequence

from benchmarks.net_links.run import Outcome


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _after(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return "–" if seconds < 0 else f"{seconds:.1f}"


def _load(outcome: Outcome) -> tuple[str, str]:
    if outcome.load is None:
        return "–", "–"
    return f"{100 * outcome.load.offered:.0f}", _percent(outcome.load.dropped)


def table(outcomes: Sequence[Outcome]) -> str:
    """In the order in which rows came first."""
    lines = [
        "| link | server | sound made up % | longest silence s | picture frozen % (getStats) | longest freeze s "
        "| pictures/s | lines (least) | good after s | whole again after s | offered % of rate | dropped % "
        "| sound waits ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in dict.fromkeys(outcome.row for outcome in outcomes):
        for outcome in outcomes:
            if outcome.row != row:
                continue
            side = "↑" if row.startswith("up") else "↓"
            seen = outcome.quality
            cells = (
                f"{side} {outcome.title}",
                outcome.target,
                _percent(seen.concealed),
                f"{seen.silence_s:.1f}",
                f"{_percent(seen.frozen)} ({_percent(seen.frozen_by_stats)})",
                f"{seen.longest_freeze_s:.1f}",
                f"{seen.fps:.1f}",
                f"{seen.height} ({seen.least_height})",
                _after(outcome.down_s),
                _after(outcome.up_s),
                *_load(outcome),
                f"{seen.sound_wait_ms:.0f}",
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
