"""Settings: command line > environment > file > default, for every one of them."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from signaling.cli import app
from signaling.data_dir import DataDirectory
from signaling.database import database_url
from signaling.settings import Settings
from signaling.settings_document import settings_document


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yuanshang.toml"
    path.write_text('port = 1\nmedia_port = 2\nhost = "10.0.0.1"\nmedia_address = ["10.0.0.1"]\nlan = true\n')
    return path


def test_precedence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUANSHANG_PORT", "3")
    monkeypatch.setenv("YUANSHANG_MEDIA_PORT", "4")
    settings = Settings.load({"port": 5}, config)
    assert (settings.port, settings.media_port, settings.host, settings.log_level) == (
        5,  # command line
        4,  # environment
        "10.0.0.1",  # file
        "info",  # default
    )
    assert settings.lan
    assert settings.media_address == ("10.0.0.1",)


def test_defaults() -> None:
    settings = Settings.load({})
    assert (settings.port, settings.media_port, settings.data_dir) == (8080, 7882, Path("data"))
    assert settings.host == "0.0.0.0"
    assert not settings.demo


def test_lists_are_separated_by_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUANSHANG_MEDIA_ADDRESS", "10.0.0.1, ::1")
    monkeypatch.setenv("YUANSHANG_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")
    settings = Settings.load({})
    assert settings.media_address == ("10.0.0.1", "::1")
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8")


@pytest.mark.parametrize(
    "options",
    [
        {"port": 70000},
        {"media_address": "example.org"},
        {"public_url": "ftp://x"},
        {"tls_cert": "a.pem"},
        {"database_url": "mysql://x/y"},
        {"database_url": "postgresql"},
        {"redis_url": "http://x"},
        {"node_name": ""},
        {"lan": True, "tls_cert": "a.pem", "tls_key": "b.pem"},
        {"unknown": 1},
    ],
)
def test_nonsense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.load(options)


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("prot = 1\n")
    with pytest.raises(ValidationError):
        Settings.load({}, path)


def test_every_setting_is_an_option_and_documented() -> None:
    text = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in text
        assert field.description


def test_the_page_of_settings_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text() == settings_document(), (
        "run: python -m signaling.settings_document > docs/settings.md"
    )


def test_any_spelling_of_postgresql_is_taken() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        settings = Settings.load({"database_url": f"{scheme}://u:p@h:5432/d"})
        assert settings.database_url == "postgresql+asyncpg://u:p@h:5432/d"


def test_commands_find_the_database_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YUANSHANG_DATABASE_URL", raising=False)
    directory = DataDirectory(tmp_path)
    assert database_url(directory) is None
    directory.remember_database("postgresql+asyncpg://u:p@h/d")
    assert database_url(directory) == "postgresql+asyncpg://u:p@h/d"
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == [0], (
        "the password is nobody else's"
    )
    monkeypatch.setenv("YUANSHANG_DATABASE_URL", "postgres://other/d")
    assert database_url(directory) == "postgresql+asyncpg://other/d"
    monkeypatch.delenv("YUANSHANG_DATABASE_URL")
    directory.remember_database(None)
    assert database_url(directory) is None
