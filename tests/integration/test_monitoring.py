"""Alert rules and dashboard of deploy/monitoring stand on what a real server exports, and on nothing else."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer
from tests.support.server import Server

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES, DASHBOARD = MONITORING / "alerts.yaml", MONITORING / "dashboard.json"
SERIES = re.compile(r"\byuanshang_[a-z0-9_]+")


def exported(server: Server) -> set[str]:
    """Every name that can be asked for, of histograms each series."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://127.0.0.1:{server.port}/metrics", context=anybody) as answer:
        text = answer.read().decode()
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


def expressions() -> list[str]:
    """Of all panels."""
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_every_metric_that_is_named_is_exported(start_server: Callable[..., Server], tmp_path: Path) -> None:
    with RedisServer() as redis:
        arguments = ["--lan", "--redis-url", redis.url, "--shared-dir", str(tmp_path)]
        server = start_server(arguments=arguments)
        there = exported(server)
    named = set(SERIES.findall(RULES.read_text())) | set(SERIES.findall(" ".join(expressions())))
    assert len(named) > 30
    assert named <= there, sorted(named - there)


def test_every_alert_says_in_words_what_is_wrong() -> None:
    rules = RULES.read_text().split("- alert: ")[1:]
    assert len(rules) > 10
    for rule in rules:
        summary = re.search(r"^\s+summary: (.+)$", rule, re.MULTILINE)
        assert summary is not None, rule
        assert re.search("[一-鿿]", summary[1]), rule
        assert re.search(r"severity: (critical|warning)", rule), rule


def test_the_panels_have_places_and_numbers_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) == 23


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)")
def test_prometheus_takes_rules_and_expressions(tmp_path: Path) -> None:
    panels = {
        "groups": [
            {
                "name": "panels",
                "rules": [
                    {"record": f"panel_{number}", "expr": each.replace("$instance", ".*")}
                    for number, each in enumerate(expressions())
                ],
            }
        ]
    }
    written = tmp_path / "panels.yaml"
    written.write_text(json.dumps(panels))  # JSON is YAML
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES), str(written)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
