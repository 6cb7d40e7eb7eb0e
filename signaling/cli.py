"""The command line `yuanshang`. What a command needs is imported when it runs, so that each starts at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conference.model.ids import is_id
from conference.model.permissions import Role
from signaling import backup_cli
from signaling.doctor_cli import doctor_like
from signaling.keys_cli import keys_app
from signaling.model_cli import model_app
from signaling.staff_cli import user_app
from signaling.terminal import fail

app = typer.Typer(
    help="Yuanshang 远商: a server for remote consultations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
consultation_app = typer.Typer(help="Consultations in the data directory.", no_args_is_help=True)
app.add_typer(consultation_app, name="consultation")
archive_app = typer.Typer(help="Archive packages.", no_args_is_help=True)
app.add_typer(archive_app, name="archive")
app.add_typer(user_app, name="user")
app.add_typer(model_app, name="model")
app.add_typer(keys_app, name="keys")
app.command("backup")(backup_cli.backup)
app.command("restore")(backup_cli.restore)

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_DATA_DIR = Path("data")
_MAX_NAME_CHARS = 40


@app.callback()
def _root() -> None:
    """Yuanshang 远商: a server for remote consultations."""


@app.command()
def serve(
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Directory of the server's data.")] = None,
    shared_dir: Annotated[
        Path | None, typer.Option(help="Directory of recordings that several servers share. Default: none.")
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="File of the keys, shared by several servers. Default: in the data directory."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default 0.0.0.0.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port of HTTP. Default 8080.")] = None,
    media_port: Annotated[
        int | None, typer.Option(help="UDP and ICE-TCP port of all media. Default 7882.")
    ] = None,
    media_processes: Annotated[
        int | None, typer.Option(help="Processes for media, each with a port of its own. Default 1.")
    ] = None,
    media_address: Annotated[
        list[str] | None, typer.Option(help="Address announced for media; may be repeated.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="How clients reach this server.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
    media_on_https: Annotated[
        bool | None,
        typer.Option(
            "--media-on-https/--no-media-on-https", help="The HTTPS port takes media, too. Default: yes."
        ),
    ] = None,
    relay: Annotated[
        bool | None,
        typer.Option("--relay/--no-relay", help="Relay media in TLS by coturn, if installed. Default: yes."),
    ] = None,
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
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL. Default: SQLite in the data directory.")
    ] = None,
    redis_url: Annotated[str | None, typer.Option(help="Redis that several servers share.")] = None,
    node_name: Annotated[
        str | None, typer.Option(help="Name of this server among several. Default: host name and port.")
    ] = None,
    node_url: Annotated[
        str | None, typer.Option(help="How other servers reach this one, e.g. http://10.0.0.2:8080.")
    ] = None,
    live_ll_limit: Annotated[
        int | None,
        typer.Option(help="Viewers that get the livestream with the shortest delay. Default 100."),
    ] = None,
    max_participants: Annotated[
        int | None, typer.Option(help="Participants in one room. Default 300.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of the times in exported tables and programs.")
    ] = None,
    max_tracks: Annotated[
        int | None, typer.Option(help="Tracks that one participant may publish. Default 8.")
    ] = None,
    recording_reserve_mb: Annotated[
        int | None, typer.Option(help="Recording begins only where this is free, in MB. Default 256.")
    ] = None,
    recording_retention_days: Annotated[
        int | None, typer.Option(help="Recordings are deleted so many days after the end. Default: never.")
    ] = None,
    clip_max_mb: Annotated[
        int | None, typer.Option(help="Largest film that may be brought, in MB. Default 2048.")
    ] = None,
    comment_address_days: Annotated[
        int | None,
        typer.Option(help="Addresses of those who write comments are kept, encrypted, so long. Default 180."),
    ] = None,
    smtp_url: Annotated[
        str | None,
        typer.Option(
            help="Mail server for letters to departments. A password belongs into the environment or the file."
        ),
    ] = None,
    smtp_from: Annotated[str | None, typer.Option(help="Sender of that mail.")] = None,
    webhook_url: Annotated[
        str | None,
        typer.Option(help="Where letters to departments are posted, e.g. a gateway for short messages."),
    ] = None,
    webhook_secret: Annotated[
        str | None, typer.Option(help="Key that signs what is posted; better in the environment or the file.")
    ] = None,
    phone_codes: Annotated[
        bool | None,
        typer.Option(
            "--phone-codes/--no-phone-codes",
            help="Viewers may show their telephone number by a code that the webhook sends.",
        ),
    ] = None,
    wechat_app_id: Annotated[
        str | None, typer.Option(help="WeChat public account by which viewers may show who they are.")
    ] = None,
    wechat_app_secret: Annotated[
        str | None, typer.Option(help="Secret of that account; better in the environment or the file.")
    ] = None,
    wechat_authorize_url: Annotated[str | None, typer.Option(help="Where WeChat asks viewers.")] = None,
    wechat_api_url: Annotated[str | None, typer.Option(help="Where WeChat answers this server.")] = None,
    programs: Annotated[
        bool | None,
        typer.Option(
            "--programs/--no-programs", help="Compose a program of each live consultation. Default: yes."
        ),
    ] = None,
    program_emblem: Annotated[
        Path | None, typer.Option(help="Picture of the body's emblem, shown in programs.")
    ] = None,
    captions: Annotated[
        bool | None,
        typer.Option("--captions/--no-captions", help="Recognise what is said. Default: yes."),
    ] = None,
    speech_model: Annotated[
        Path | None, typer.Option(help="Folder of the speech model. Default: the newest that was installed.")
    ] = None,
    caption_streams: Annotated[
        int | None,
        typer.Option(help="People talking at once who are recognised as they speak. Default 3."),
    ] = None,
    speech_engine: Annotated[
        str | None, typer.Option(help="Engine of others that reads the speech model, as module:factory.")
    ] = None,
    second_pass_model: Annotated[
        Path | None,
        typer.Option(help="Folder of the model that hears recordings again after the end. Default: none."),
    ] = None,
    second_pass_engine: Annotated[
        str | None, typer.Option(help="Engine of others that reads that model, as module:factory.")
    ] = None,
    disk_warn_gb: Annotated[
        float | None,
        typer.Option(help="Desks are warned when fewer GB are free for recordings. Default 10."),
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run a server. Every option is also YUANSHANG_… in the environment and a key of the TOML file."""
    given = {
        "data_dir": data_dir,
        "shared_dir": shared_dir,
        "key_file": key_file,
        "host": host,
        "port": port,
        "media_port": media_port,
        "media_processes": media_processes,
        "media_address": None if not media_address else ",".join(media_address),
        "public_url": public_url,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "media_on_https": media_on_https,
        "relay": relay,
        "trusted_proxies": None if not trusted_proxies else ",".join(trusted_proxies),
        "lan": lan,
        "demo": demo,
        "ready_json": ready_json_line,
        "database_url": database_url,
        "redis_url": redis_url,
        "node_name": node_name,
        "node_url": node_url,
        "live_ll_limit": live_ll_limit,
        "max_participants": max_participants,
        "max_tracks": max_tracks,
        "time_zone": time_zone,
        "recording_reserve_mb": recording_reserve_mb,
        "recording_retention_days": recording_retention_days,
        "clip_max_mb": clip_max_mb,
        "comment_address_days": comment_address_days,
        "smtp_url": smtp_url,
        "smtp_from": smtp_from,
        "webhook_url": webhook_url,
        "webhook_secret": webhook_secret,
        "phone_codes": phone_codes,
        "wechat_app_id": wechat_app_id,
        "wechat_app_secret": wechat_app_secret,
        "wechat_authorize_url": wechat_authorize_url,
        "wechat_api_url": wechat_api_url,
        "programs": programs,
        "program_emblem": program_emblem,
        "captions": captions,
        "speech_model": speech_model,
        "caption_streams": caption_streams,
        "speech_engine": speech_engine,
        "second_pass_model": second_pass_model,
        "second_pass_engine": second_pass_engine,
        "disk_warn_gb": disk_warn_gb,
        "log_level": log_level,
    }
    from signaling.serving import run

    run(given, config)


app.command("doctor")(doctor_like(serve))


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
        fail("the title must have 1 to 200 characters")
    if consultation_id is not None and not is_id(consultation_id):
        fail("the id may have 1 to 64 letters, digits, - and _")

    from conference.services.consultations import ConsultationDraft, Consultations
    from signaling.offline import with_consultations

    async def create(consultations: Consultations) -> str:
        return (await consultations.create(ConsultationDraft(title=title, id=consultation_id))).id

    typer.echo(with_consultations(data_dir, create))


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
        fail(f"the name must have 1 to {_MAX_NAME_CHARS} characters")

    from conference.services.consultations import Consultations
    from signaling.auth.tokens import TokenKey
    from signaling.data_dir import DataDirectory
    from signaling.key_ring import key_ring
    from signaling.offline import with_consultations

    async def issue(consultations: Consultations) -> str:
        consultation_id = (await consultations.get(consultation)).id
        key = TokenKey(key_ring(DataDirectory(data_dir.resolve())))
        made = key.issue(consultation_id, role, name, venue=(venue or "").strip() or None, ttl_s=ttl)
        await consultations.note_tokens(consultation_id, {key.read(made).token_id: role})
        return made

    typer.echo(with_consultations(data_dir, issue))


@app.command("token-revoke")
def revoke(
    consultation: Annotated[str, typer.Option(help="Id of the consultation.")],
    token_id: Annotated[str, typer.Option(help="Id of the token, as in the trace.")],
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Revoke a token: it opens nothing any more, and a running server closes what it opened."""
    if not is_id(token_id):
        fail("the id of a token has 1 to 64 letters, digits, - and _")

    from conference.clock import SystemClock
    from conference.services.revocations import revoke_token
    from conference.storage.database import Database
    from signaling.offline import with_database

    async def revoked(database: Database) -> None:
        await revoke_token(database, SystemClock(), consultation, token_id, None)

    with_database(data_dir, revoked)


@archive_app.command("verify")
def verify_archive_file(
    file: Annotated[Path, typer.Argument(help="Archive package (ZIP).")],
    head: Annotated[
        str | None, typer.Option(help="Hash of the line of the trace that is printed on the minutes.")
    ] = None,
    data_dir: DataDir = _DATA_DIR,  # every command takes one; this needs none
) -> None:
    """Check an archive package, without any server; names the first broken file and line."""
    from conference.archive.verifier import verify_archive
    from signaling.archive_text import report_text

    report = verify_archive(file, head)
    typer.echo(report_text(report))
    if report.findings:
        raise typer.Exit(1)


@archive_app.command("export")
def export_archive(
    out: Annotated[Path, typer.Argument(help="File to write.")],
    consultation: Annotated[str, typer.Option(help="Id of the consultation.")],
    data_dir: DataDir = _DATA_DIR,
) -> None:
    """Write the archive package of a consultation, also while the server runs."""
    from conference.storage.database import Database
    from signaling.archive_worker import write
    from signaling.data_dir import DataDirectory
    from signaling.offline import with_database

    draft = out.with_name(f".{out.name}.part")

    async def export(database: Database) -> None:
        with draft.open("wb") as file:
            await write(database.url, consultation, file, DataDirectory.remembered(data_dir).files)
        draft.replace(out)

    try:
        with_database(data_dir, export)
    except OSError as error:
        fail(f"{out}: {error.strerror}")
    finally:
        draft.unlink(missing_ok=True)


@app.command()
def migrate(data_dir: DataDir = _DATA_DIR) -> None:
    """Bring the database to the newest schema; prints its version. `serve` does so by itself."""
    from conference.storage.database import Database
    from signaling.offline import with_database

    async def upgrade(database: Database) -> str:
        return await database.migrate()

    typer.echo(with_database(data_dir, upgrade))


@app.command()
def openapi(data_dir: DataDir = _DATA_DIR) -> None:
    """Print the OpenAPI document of the HTTP API."""
    import json

    from aiohttp import web

    from signaling.http.api import openapi as openapi_document
    from signaling.http.application import add_routes

    application = web.Application()
    add_routes(application)
    typer.echo(json.dumps(openapi_document(application), ensure_ascii=False, indent=2))


def main() -> None:
    """Entry point of the console script."""
    app()
