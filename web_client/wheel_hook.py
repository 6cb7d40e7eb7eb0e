"""Puts the built web client into the wheel; an editable install serves web_client/dist from the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebClientHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling while a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        dist = Path(self.root, "web_client", "dist")
        if not dist.joinpath(".stamp").exists():
            raise RuntimeError("web client is not built: run `make setup` first")
        build_data["force_include"][str(dist)] = "web_client/dist"
