"""`python -m benchmarks.net_links`: bad links between real browsers, our server and Janus in turns.

Prints one JSON line a run and a table. One row alone: `--rows down-300k --targets ours,janus --seconds 30`.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.async_api import Error as PlaywrightError

from benchmarks.net_links.janus import JanusMeeting
from benchmarks.net_links.meeting import Meeting
from benchmarks.net_links.ours import OurMeeting
from benchmarks.net_links.report import table
from benchmarks.net_links.rows import Side, rows
from benchmarks.net_links.run import Outcome, run_row
from benchmarks.report import append
from benchmarks.target import TargetMissingError

TARGETS: dict[str, Callable[[Side], Meeting]] = {"ours": OurMeeting, "janus": JanusMeeting}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.net_links",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = list(rows(1))
    parser.add_argument("--rows", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--targets", default=",".join(TARGETS), help=f"of {', '.join(TARGETS)}")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="of each row that has no steps of its own"
    )
    parser.add_argument("--out", type=Path, default=Path("build/net-links.jsonl"))
    options = parser.parse_args(arguments)
    for chosen, known in ((options.rows, names), (options.targets, list(TARGETS))):
        if unknown := set(chosen.split(",")) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


def main() -> int:
    """Run what was asked for; 1 when a run failed."""
    options = parse()
    known = rows(options.seconds)
    outcomes: list[Outcome] = []
    failed = 0
    for name in options.rows.split(","):
        for target in options.targets.split(","):  # in turns: both meet the same machine
            began = time.monotonic()
            try:
                outcome = asyncio.run(run_row(TARGETS[target](known[name].side), known[name]))
            except TargetMissingError as missing:
                print(f"{target} is left out, it needs {missing}", file=sys.stderr)
                continue
            except (AssertionError, RuntimeError, OSError, PlaywrightError) as error:
                print(f"{name} with {target} failed: {error}", file=sys.stderr)
                failed = 1
                continue
            outcomes.append(outcome)
            line = json.dumps(outcome.json() | {"run_s": round(time.monotonic() - began, 1)})
            print(line, flush=True)
            append(options.out, [line])
    if outcomes:
        print("\n" + table(outcomes))
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
