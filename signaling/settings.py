"""Settings of a server: every option of `yuanshang serve`, an environment variable and a TOML key each.

The command line stands above the environment (`YUANSHANG_…`), that above the TOML file, that above the defaults.
The key in the file is the option's name with underscores: `--media-port` is `media_port`.
"""

from __future__ import annotations

import ipaddress
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from conference.media.settings import MAX_PROCESSES

Names = Annotated[tuple[str, ...], NoDecode]  # in the environment: separated by commas


class Settings(BaseSettings):
    """What one server runs with. Frozen; made once, in the command line."""

    model_config = SettingsConfigDict(env_prefix="YUANSHANG_", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("data"), description="Directory of the database, keys and recordings.")
    shared_dir: Path | None = Field(
        None,
        description="Directory that all servers of one database see (NFS 4, CephFS): recordings, programs, films and "
        "background files lie there instead of in the data directory. Default: none.",
    )
    key_file: Path | None = Field(
        None,
        description="File of the keys that sign links and tokens, on a place that several servers share. Default: in "
        "the data directory.",
    )
    host: str = Field("0.0.0.0", description="Address to listen on for HTTP and media.")  # noqa: S104
    port: int = Field(8080, ge=0, le=65535, description="TCP port of HTTP; 0 takes a free one.")
    media_port: int = Field(7882, ge=0, le=65535, description="UDP and ICE-TCP port of all media.")
    media_processes: int = Field(
        1,
        ge=1,
        le=MAX_PROCESSES,
        description="Processes for media, each on a core of its own and each room in one of them. Each takes the "
        "next port after `media_port`: the firewall must let all of them through.",
    )
    media_address: Names = Field(
        (), description="Addresses announced to clients for media. Default: those of the host."
    )
    public_url: str | None = Field(None, description="How clients reach this server, e.g. https://x.example.")
    tls_cert: Path | None = Field(None, description="Certificate chain (PEM); serves HTTPS.")
    tls_key: Path | None = Field(None, description="Private key of the certificate (PEM).")
    media_on_https: bool = Field(
        True,
        description="Where this server serves HTTPS, its port takes media over TCP, too: for networks in which no "
        "other port is open.",
    )
    relay: bool = Field(
        True,
        description="Where this server serves HTTPS and coturn is installed, its port takes media in TLS (TURN), too: "
        "for networks that let nothing but TLS pass.",
    )
    trusted_proxies: Names = Field(
        (),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        "believed.",
    )
    lan: bool = Field(False, description="HTTPS with a certificate of an own local CA, for phones nearby.")
    demo: bool = Field(False, description="One consultation with a link for every role.")
    ready_json: bool = Field(False, description="Print one JSON line when the server accepts work.")
    database_url: str | None = Field(
        None, description="PostgreSQL, e.g. postgresql://user:password@host/name. Default: SQLite."
    )
    redis_url: str | None = Field(
        None, description="Redis that several servers share, e.g. redis://host:6379/0. Default: none."
    )
    node_name: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Name of this server among those that share a database. Default: host name and port.",
    )
    node_url: str | None = Field(
        None,
        description="How the other servers reach this one, e.g. http://10.0.0.2:8080: who comes to another server is "
        "passed on to the one that has the room. Default: they are told to try again.",
    )
    recording_reserve_mb: int = Field(
        256,
        ge=1,
        description="Recording begins only where this is free, in MB, and ends when half is left.",
    )
    recording_retention_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Recordings are deleted so many days after the end, unless archived; 0 keeps them.",
    )
    clip_max_mb: int = Field(
        2048,
        ge=1,
        le=1 << 20,
        description="Largest film that may be brought to be played in a meeting, in MB.",
    )
    comment_address_days: int = Field(
        180,
        ge=0,
        le=3650,
        description="Addresses of those who write comments are kept, encrypted, for so many days; 0 keeps none.",
    )
    smtp_url: str | None = Field(
        None,
        description="Mail server for letters to departments, e.g. smtp+starttls://user:password@mail.example:587 "
        "(smtps:// begins with TLS, smtp:// takes it where it is offered). Default: no mail.",
    )
    smtp_from: str | None = Field(
        None, description="Sender of that mail, e.g. 会务组 <huiwu@example.cn>. Needed with the mail server."
    )
    webhook_url: str | None = Field(
        None,
        description="Where letters to departments are posted as JSON, e.g. to a gateway for short messages. "
        "Default: nowhere.",
    )
    webhook_secret: str | None = Field(
        None, min_length=16, description="Key that signs what is posted. Needed with the webhook."
    )
    phone_codes: bool = Field(
        False,
        description="Viewers may show their telephone number by a code that the webhook sends as a short message. "
        "Needs the webhook.",
    )
    wechat_app_id: str | None = Field(
        None,
        pattern="^[A-Za-z0-9]{1,64}$",
        description="WeChat public account (服务号) by which viewers may show who they are; needs public_url. "
        "Default: none.",
    )
    wechat_app_secret: str | None = Field(
        None, min_length=1, description="Secret of that account. Needed with it."
    )
    wechat_authorize_url: str = Field(
        "https://open.weixin.qq.com", description="Where WeChat asks viewers; another one is for trials."
    )
    wechat_api_url: str = Field(
        "https://api.weixin.qq.com",
        description="Where WeChat answers this server; another one is for trials.",
    )
    programs: bool = Field(
        True,
        description="Compose a program of each live consultation, for livestream, screens and replay; off where "
        "the machine has no core to spare.",
    )
    program_emblem: Path | None = Field(
        None,
        description="Picture (PNG, JPEG, WebP) of the body's emblem, which stands in the program in place of the mark.",
    )
    captions: bool = Field(
        True,
        description="Recognise what is said in live consultations, for captions and transcript; off where the machine "
        "has no core to spare.",
    )
    speech_model: Path | None = Field(
        None,
        description="Folder of the speech model. Default: the newest that `yuanshang model install` put into the data "
        "directory.",
    )
    caption_streams: int = Field(
        3,
        ge=1,
        le=16,
        description="People talking at once whose words are recognised as they speak; those of more come from the "
        "recording.",
    )
    speech_engine: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="Engine of others that reads the speech model, as `module:factory`. Default: what its files are "
        "made for.",
    )
    second_pass_model: Path | None = Field(
        None,
        description="Folder of the model (faster-whisper) that hears recordings again after the end and proposes "
        "better text. Default: none, and nothing is heard again.",
    )
    second_pass_engine: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="Engine of others that reads that model, as `module:factory`. Default: what its files are made "
        "for.",
    )
    disk_warn_gb: float = Field(
        10.0,
        ge=0,
        description="Desks are warned when fewer GB are free for recordings; 0 never warns.",
    )
    max_participants: int = Field(300, ge=1, le=5000, description="Participants in one room.")
    live_ll_limit: int = Field(
        100,
        ge=0,
        description="Viewers that may wait for the next piece of a livestream at once; more get it with a longer "
        "delay (plain HLS). A proxy in front waits once for all of its viewers.",
    )
    max_tracks: int = Field(8, ge=1, le=64, description="Tracks that one participant may publish.")
    time_zone: str = Field(
        "Asia/Shanghai",
        description="Zone of the times in exported tables and in the program, by its IANA name.",
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="What is logged.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line, then the environment; `load` puts the file below them."""
        return init_settings, env_settings

    @classmethod
    def load(cls, options: dict[str, Any], config: Path | None = None) -> Settings:
        """Settings from options given on the command line, the environment and a TOML file."""
        if config is None:
            return cls(**options)
        if not config.is_file():
            raise ValueError(f"no such file: {config}")

        class WithFile(cls):  # type: ignore[misc, valid-type]
            """The same settings with this file as the lowest source."""

            @classmethod
            def settings_customise_sources(
                cls, settings_cls: type[BaseSettings], **sources: PydanticBaseSettingsSource
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                file = TomlConfigSettingsSource(settings_cls, toml_file=config)
                return sources["init_settings"], sources["env_settings"], file

        return cls.model_construct(**dict(WithFile(**options)))

    @field_validator("media_address", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("media_address")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_address(each)) for each in value)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(each, strict=False)) for each in value)

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if scheme not in ("postgresql", "postgres", "postgresql+asyncpg") or not separator:
            raise ValueError("database_url must begin with postgresql://")
        return f"postgresql+asyncpg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("redis_url must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("smtp", "smtp+starttls", "smtps") or not parts.hostname:
                raise ValueError(
                    "smtp_url must begin with smtp://, smtp+starttls:// or smtps:// and name a host"
                )
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and "@" not in parseaddr(value)[1]:
            raise ValueError("smtp_from must be an address such as 会务组 <huiwu@example.cn>")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _webhook(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("webhook_url must begin with http:// or https://")
        return value

    @field_validator("wechat_authorize_url", "wechat_api_url")
    @classmethod
    def _wechat(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("addresses of WeChat must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            raise ValueError("time_zone must be an IANA name such as Asia/Shanghai") from None
        return value

    @field_validator("public_url", "node_url")
    @classmethod
    def _url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError(f"{info.field_name} must begin with http:// or https://")
        return value.rstrip("/")

    @property
    def media_ports(self) -> tuple[int, ...]:
        """Of each media process; zeros where free ones are taken."""
        first = self.media_port
        return tuple(first and first + number for number in range(self.media_processes))

    @model_validator(mode="after")
    def _last_port(self) -> Settings:
        if self.media_ports[-1] > 65_535:
            raise ValueError("media_port leaves no ports for so many media_processes")
        return self

    @model_validator(mode="after")
    def _pairs(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if (self.smtp_url is None) != (self.smtp_from is None):
            raise ValueError("smtp_url and smtp_from belong together")
        if (self.webhook_url is None) != (self.webhook_secret is None):
            raise ValueError("webhook_url and webhook_secret belong together")
        if self.phone_codes and self.webhook_url is None:
            raise ValueError("phone_codes needs webhook_url: it sends the short messages")
        if (self.wechat_app_id is None) != (self.wechat_app_secret is None):
            raise ValueError("wechat_app_id and wechat_app_secret belong together")
        if self.wechat_app_id is not None and self.public_url is None:
            raise ValueError("wechat_app_id needs public_url: WeChat sends viewers back there")
        if self.node_url is not None and self.redis_url is None:
            raise ValueError("node_url needs redis_url: there the servers find each other")
        if self.lan and self.tls_cert is not None:
            raise ValueError("lan makes a certificate of its own: leave tls_cert and tls_key out")
        return self
