"""`python -m benchmarks`: load our server and others, interleaved, and print JSON lines and a table."""

import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.idle import idle_memory
from benchmarks.janus import Janus
from benchmarks.join import join_times
from benchmarks.ours import Ours
from benchmarks.pion import Pion
from benchmarks.scenario import PROFILES, SCENARIOS, Load, Result, run
from benchmarks.target import Target, TargetMissingError

TARGETS: dict[str, Callable[[], Target]] = {
    "ours": Ours,
    "janus": Janus,
    "janus-default": lambda: Janus(event_loops=0),
    "pion": Pion,
}
EXTRAS = ("join", "idle")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--targets", default="ours,janus,pion", help=f"of {', '.join(TARGETS)}")
    parser.add_argument(
        "--scenarios", default=",".join(SCENARIOS), help=f"of {', '.join(SCENARIOS)}; or none"
    )
    parser.add_argument("--extras", default=",".join(EXTRAS), help=f"of {', '.join(EXTRAS)}; or none")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument(
        "--quiet", type=float, default=0.0, help="wait up to so many seconds for an idle machine"
    )
    parser.add_argument(
        "--srtp", choices=list(PROFILES), default="auto", help="protection that the clients offer"
    )
    parser.add_argument(
        "--all-on",
        action="store_true",
        help="three layers, transport-wide numbers, and receivers that tell when packets came",
    )
    parser.add_argument("--quick", action="store_true", help="one short run of each, to see that all works")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks.jsonl"))
    return parser.parse_args(arguments)


def _chosen(names: str, known: Sequence[str]) -> list[str]:
    chosen = [name for name in names.split(",") if name and name != "none"]
    unknown = set(chosen) - set(known)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


def _targets(names: Sequence[str]) -> list[Target]:
    targets: list[Target] = []
    for name in names:
        try:
            targets.append(TARGETS[name]())
        except TargetMissingError as missing:
            print(f"{name} is left out, it needs {missing}", file=sys.stderr)
    return targets


def _run_once(target: Target, scenario: str, load: Load) -> Result:
    target.start()
    try:
        return asyncio.run(run(target, SCENARIOS[scenario], load))
    finally:
        target.stop()


def main() -> None:
    """Run what was asked for."""
    options = parse()
    load = Load(seconds=options.seconds, quiet_s=options.quiet, srtp=options.srtp, is_all_on=options.all_on)
    if options.quick:
        load = dataclasses.replace(load, seconds=3.0, warmup_s=1.0)
    repeat = 1 if options.quick else options.repeat
    targets = _targets(_chosen(options.targets, list(TARGETS)))
    results: list[Result] = []
    for scenario in _chosen(options.scenarios, list(SCENARIOS)):
        for _ in range(repeat):  # interleaved: all targets meet the same machine
            for target in targets:
                result = _run_once(target, scenario, load)
                results.append(result)
                line = report.json_line(result)
                print(line, flush=True)
                report.append(options.out, [line])
    if results:
        print("\n" + report.table(results))
    extras = _chosen(options.extras, EXTRAS)
    if "idle" in extras:
        print(asyncio.run(idle_memory(10 if options.quick else 50)))
    if "join" in extras:
        print(asyncio.run(join_times(2 if options.quick else 7)))


if __name__ == "__main__":
    main()
