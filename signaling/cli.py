"""The command line `yuanshang`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from aiohttp import web
from pydantic import ValidationError
from pydantic_settings import SettingsError

from conference.clock import SystemClock
from conference.model.errors import ConferenceError
from conference.model.ids import is_id
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from conference.storage.database import Database
from signaling import log
from signaling.app import StartError, open_database
from signaling.app import serve as run_server
from signaling.auth.tokens import TokenKey
from signaling.console import Ready, ready_json, ready_text
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.http.api import openapi as openapi_document
from signaling.http.application import add_routes
from signaling.settings import Settings

app = typer.Typer(
    help="Yuanshang 远商: a server for remote consultations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
consultation_app = typer.Typer(help="Consultations in the data directory.", no_args_is_help=True)
app.add_typer(consultation_app, name="consultation")

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_DATA_DIR = Path("data")
_MAX_NAME_CHARS = 40

Result = TypeVar("Result")


@app.callback()
def _root() -> None:
    """Yuanshang 远商: a server for remote consultations."""


@app.command()
def serve(
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Directory of the server's data.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default 0.0.0.0.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port of HTTP. Default 8080.")] = None,
    media_port: Annotated[
        int | None, typer.Option(help="UDP and ICE-TCP port of all media. Default 7882.")
    ] = None,
    media_address: Annotated[
        list[str] | None, typer.Option(help="Address announced for media; may be repeated.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="How clients reach this server.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
    trusted_proxies: Annotated[
        list[str] | None, typer.Option(help="Address or network of a reverse proxy; may be repeated.")
    ] = None,
    lan: Annotated[
        bool | None, typer.Option("--lan", help="HTTPS with an own local CA, for phones nearby.")
    ] = None,
    demo: Annotated[
        bool | None, typer.Option("--demo", help="One consultation with a link for every role.")
    ] = None,
    ready_json_line: Annotated[
        bool | None, typer.Option("--ready-json", help="Print one JSON line when ready.")
    ] = None,
    max_participants: Annotated[
        int | None, typer.Option(help="Participants in one room. Default 300.")
    ] = None,
    max_tracks: Annotated[
        int | None, typer.Option(help="Tracks that one participant may publish. Default 8.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run a server. Every option is also YUANSHANG_… in the environment and a key of the TOML file."""
    given = {
        "data_dir": data_dir,
        "host": host,
        "port": port,
        "media_port": media_port,
        "media_address": None if not media_address else ",".join(media_address),
        "public_url": public_url,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "trusted_proxies": None if not trusted_proxies else ",".join(trusted_proxies),
        "lan": lan,
        "demo": demo,
        "ready_json": ready_json_line,
        "max_participants": max_participants,
        "max_tracks": max_tracks,
        "log_level": log_level,
    }
    try:
        settings = Settings.load({name: each for name, each in given.items() if each is not None}, config)
    except ValidationError as error:
        for each in error.errors():
            typer.echo(f"{'.'.join(map(str, each['loc']))}: {each['msg']}", err=True)
        raise typer.Exit(2) from error
    except (ValueError, SettingsError) as error:
        _fail(str(error))
    log.configure(settings.log_level)

    def announce(ready: Ready) -> None:
        text = ready_json(ready) + "\n" if settings.ready_json else ready_text(ready)
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        asyncio.run(run_server(settings, announce))
    except (StartError, DataDirectoryError) as error:
        _fail(str(error))
    except ConferenceError as error:
        _fail(error.detail or error.text)


@consultation_app.command("create")
def create_consultation(
    title: Annotated[str, typer.Option(help="Title (topic) of the consultation.")],
    consultation_id: Annotated[
        str | None, typer.Option("--id", help="Id in links; made up when not given.")
    ] = None,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Make a consultation that is scheduled, public and open to free discussion; prints its id."""
    title = title.strip()
    if not 1 <= len(title) <= 200:
        _fail("the title must have 1 to 200 characters")
    if consultation_id is not None and not is_id(consultation_id):
        _fail("the id may have 1 to 64 letters, digits, - and _")

    async def create(consultations: Consultations) -> str:
        return (await consultations.create(ConsultationDraft(title=title, id=consultation_id))).id

    typer.echo(_with_consultations(data_dir, create))


@app.command()
def token(
    consultation: Annotated[str, typer.Option(help="Id of the consultation.")],
    role: Annotated[Role, typer.Option(help="Role in the consultation.")],
    name: Annotated[str, typer.Option(help="Name shown to the others.")],
    venue: Annotated[str | None, typer.Option(help="Venue shown beside the name.")] = None,
    ttl: Annotated[int, typer.Option(min=1, help="Seconds until the token expires.")] = 24 * 3600,
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Make a token that opens one consultation; prints the token alone."""
    name = name.strip()
    if not 1 <= len(name) <= _MAX_NAME_CHARS:
        _fail(f"the name must have 1 to {_MAX_NAME_CHARS} characters")

    async def check(consultations: Consultations) -> str:
        return (await consultations.get(consultation)).id

    consultation_id = _with_consultations(data_dir, check)
    key = TokenKey(DataDirectory(data_dir.resolve()).load_key())
    typer.echo(key.issue(consultation_id, role, name, venue=(venue or "").strip() or None, ttl_s=ttl))


@app.command()
def migrate(data_dir: DataDir = _DATA_DIR) -> None:
    """Bring the database to the newest schema; prints its version. `serve` does so by itself."""

    async def upgrade(database: Database) -> str:
        return await database.migrate() or ""

    typer.echo(_with_database(data_dir, upgrade))


@app.command()
def openapi(data_dir: DataDir = _DATA_DIR) -> None:
    """Print the OpenAPI document of the HTTP API."""
    application = web.Application()
    add_routes(application)
    typer.echo(json.dumps(openapi_document(application), ensure_ascii=False, indent=2))


def _with_database(data_dir: Path, use: Callable[[Database], Awaitable[Result]]) -> Result:
    """Open the data directory, beside a running server too, and close it afterwards."""
    log.configure("warning")
    directory = DataDirectory(data_dir.resolve())

    async def run() -> Result:
        database = open_database(directory)
        try:
            return await use(database)
        finally:
            await database.close()

    try:
        directory.create()
        return asyncio.run(run())
    except DataDirectoryError as error:
        _fail(str(error))
    except ConferenceError as error:
        _fail(f"{error.text} ({error.detail or error.code})")


def _with_consultations(data_dir: Path, use: Callable[[Consultations], Awaitable[Result]]) -> Result:
    async def run(database: Database) -> Result:
        await database.migrate()
        return await use(Consultations(database, SystemClock()))

    return _with_database(data_dir, run)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry point of the console script."""
    app()
