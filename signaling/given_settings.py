"""Settings from what was given on a command line; says what is wrong with them and ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from signaling.settings import Settings
from signaling.terminal import fail


def settings_given(given: Mapping[str, Any], config: Path | None) -> Settings:
    """None stands for what was not given."""
    try:
        return Settings.load({name: each for name, each in given.items() if each is not None}, config)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        fail("\n".join(lines), code=2)
    except (ValueError, SettingsError) as error:
        fail(str(error))
