"""The settings that an installation begins with are such as the server takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from signaling.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = ("systemd/yuanshang.toml", "container.toml")


@pytest.mark.parametrize("name", FILES)
def test_they_are_loaded(name: str) -> None:
    settings = Settings.load({}, DEPLOY / name)
    assert settings.media_port == 7882


def test_what_is_commented_out_may_be_switched_on() -> None:
    text = (DEPLOY / "systemd" / "yuanshang.toml").read_text()
    offered = tomllib.loads("\n".join(re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE)))
    assert {"tls_cert", "tls_key", "public_url", "media_address"} == set(offered)
    settings = Settings(lan=False, **offered)
    assert settings.public_url == "https://xieshang.example.gov.cn"


def test_every_variable_is_a_setting_or_of_the_backups() -> None:
    text = (DEPLOY / "systemd" / "yuanshang.env").read_text()
    names = re.findall(r"^# YUANSHANG_(\w+)=", text, re.MULTILINE)
    assert len(names) > 3
    assert {name.lower() for name in names} - set(Settings.model_fields) == {"backup_dir", "backup_keep"}


def test_the_unit_serves_what_the_installer_lays_down() -> None:
    unit = (DEPLOY / "systemd" / "yuanshang.service").read_text()
    script = (DEPLOY / "install.sh").read_text()
    (command,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    places = dict(re.findall(r"^(opt|etc|data)=(\S+)", script, re.MULTILINE))
    assert command == (
        f"{places['opt']}/current/bin/yuanshang serve --config {places['etc']}/yuanshang.toml"
        f" --data-dir {places['data']}"
    )
