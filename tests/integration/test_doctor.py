"""`yuanshang doctor` beside the running server that it is about."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.server import COMMAND, Server


def checks(server: Server, *options: str, data_dir: Path | None = None) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [
            *(COMMAND, "doctor", "--json", "--data-dir", data_dir or server.data_dir, "--host", server.host),
            *("--port", str(server.port), "--media-port", str(server.media_port), *options),
        ],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.stderr == ""
    return {each["check"]: each for each in json.loads(done.stdout)["checks"]}


def test_our_own_server_is_no_trouble(server: Server, tmp_path: Path) -> None:
    found = checks(server)
    for name in ("server", "web_port", "media_port", "media_reach", "database"):
        assert found[name]["grade"] == "good", found[name]
    assert "正由本服务器使用" in found["media_port"]["found"]
    # Its media answered a connectivity check at the address that it announces.
    assert "能到达" in found["media_reach"]["found"]
    assert server.get("/readyz")[0] == 200

    elsewhere = checks(server, data_dir=tmp_path / "other")
    assert elsewhere["server"]["grade"] == elsewhere["web_port"]["grade"] == "bad"
    assert "别的数据目录" in elsewhere["server"]["found"]

    silent = checks(server, "--port", str(free_port()))
    assert silent["server"]["grade"] == "bad"
    assert "没有应答" in silent["server"]["found"]


def test_with_https_of_its_own() -> None:
    with Server(arguments=["--lan"]) as server:
        found = checks(server, "--lan")
        assert found["server"]["grade"] in ("good", "note"), found["server"]  # coturn may still be starting
        assert found["media_reach"]["grade"] == "good", found["media_reach"]
        assert found["certificate"]["grade"] == "note"
