"""Each thing that `yuanshang doctor` looks at, when it is well and when it is not; and the command as a whole."""

from __future__ import annotations

import errno
import inspect
import json
import logging
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from structlog.testing import capture_logs
from typer.testing import CliRunner

from conference.storage.database import newest_version
from conference.storage.ephemeral.claims import RedisPresence
from conference.storage.ephemeral.memory import MemoryPresence
from conference.storage.ephemeral.redis import RedisLink
from signaling import doctor_cli
from signaling.cli import app, serve
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from signaling.doctor import (
    certificate,
    clock,
    databases,
    disk,
    examination,
    machine,
    programs,
    reach,
    running,
)
from signaling.doctor import shared as shared_doctor
from signaling.doctor.certificate import look_at_certificate
from signaling.doctor.clock import look_at_clock
from signaling.doctor.databases import look_at_database, look_at_redis
from signaling.doctor.disk import Speed, judge_space, judge_speed, look_at_disk
from signaling.doctor.findings import Finding, Grade
from signaling.doctor.keys import look_at_keys
from signaling.doctor.machine import Machine, look_at_machine
from signaling.doctor.ports import look_at_ports
from signaling.doctor.programs import (
    look_at_encoders,
    look_at_fonts,
    look_at_models,
    look_at_relay,
)
from signaling.doctor.reach import look_at_reach
from signaling.doctor.running import Running, find_running, look_at_server
from signaling.doctor.shared import look_at_shared_directory
from signaling.doctor.text import doctor_json, doctor_text
from signaling.key_file import KeyFile, new_key
from signaling.settings import Settings
from signaling.shared_dir import open_shared
from signaling.shared_watch import SharedWatch
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

NOBODY = Running(holds=False, url="http://127.0.0.1:1")
OURS = Running(holds=True, url="http://127.0.0.1:1", said={"database": "ok", "media": "ok"})
GOOD, NOTE, BAD = Grade.GOOD, Grade.NOTE, Grade.BAD


def grades(findings: list[Finding]) -> list[Grade]:
    for each in findings:
        assert each.grade is GOOD or each.advice, f"what to do about {each}"
        assert len(each.topic) == 4
    return [each.grade for each in findings]


def settings(**given: Any) -> Settings:
    return Settings(**{"host": "127.0.0.1", "port": free_port(), "media_port": free_port(), **given})


# ── the server ──────────────────────────────────────────────────────────────────────────────────


def test_what_a_running_server_says_of_itself() -> None:
    assert grades(look_at_server(NOBODY)) == [GOOD]
    assert grades(look_at_server(OURS)) == [GOOD]
    ailing = replace(OURS, said={"database": "ok", "media": "ok", "relay": "failed"})
    assert grades(look_at_server(ailing)) == [NOTE]
    assert "中继" in look_at_server(ailing)[0].found
    for name in ("database", "media"):
        assert grades(
            look_at_server(replace(OURS, said={"database": "ok", "media": "ok", name: "failed"}))
        ) == [BAD]
    assert grades(look_at_server(replace(OURS, said=None))) == [BAD]  # it does not answer
    assert grades(look_at_server(replace(OURS, holds=False))) == [BAD]  # it is another one


async def test_who_holds_the_data_directory(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    chosen = settings(data_dir=tmp_path)
    assert not (await find_running(chosen, directory)).holds
    lock = directory.lock()
    found = await find_running(chosen, directory)
    assert (found.holds, found.said, found.is_ours) == (True, None, False)
    lock.release()
    assert not (await find_running(chosen, directory)).holds


# ── ports ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def taken(kind: socket.SocketKind) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen(1)
        yield int(holder.getsockname()[1])


def test_ports() -> None:
    assert grades(look_at_ports(settings(), NOBODY)) == [GOOD, GOOD]
    assert grades(look_at_ports(settings(port=0, media_port=0), NOBODY)) == [NOTE, NOTE]
    with taken(socket.SOCK_STREAM) as port:
        assert grades(look_at_ports(settings(port=port), NOBODY)) == [BAD, GOOD]
        assert grades(look_at_ports(settings(port=port), OURS)) == [GOOD, GOOD]
        assert grades(look_at_ports(settings(media_port=port), NOBODY)) == [GOOD, BAD]
    with taken(socket.SOCK_DGRAM) as port:
        (web, media) = look_at_ports(settings(media_port=port), NOBODY)
        assert (web.grade, media.grade) == (GOOD, BAD)
        assert str(port) in media.found
        assert "--media-port" in media.advice
    assert grades(look_at_ports(settings(host="192.0.2.77"), NOBODY)) == [BAD, BAD]  # of nobody


def test_a_port_that_needs_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.doctor.ports._refused", lambda *_: errno.EACCES)
    (web, _) = look_at_ports(settings(port=443), NOBODY)
    assert web.grade is BAD
    assert "CAP_NET_BIND_SERVICE" in web.advice


# ── reach ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_sent_to_oneself_comes() -> None:
    (found,) = await look_at_reach(settings(), NOBODY)
    assert found.grade is GOOD
    assert "看不出来" in found.advice  # the world outside is not known from here


async def test_an_announced_address_that_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> bool:
        return False

    monkeypatch.setattr(reach, "_arrives", lost)
    (found,) = await look_at_reach(settings(media_address="203.0.113.9"), NOBODY)
    assert found.grade is NOTE
    assert "203.0.113.9" in found.found
    (found,) = await look_at_reach(settings(), NOBODY)  # our own address: something shuts it
    assert found.grade is BAD
    assert "防火墙" in found.advice


async def test_private_addresses_for_a_public_name() -> None:
    chosen = settings(public_url="https://yuan.example", media_address="127.0.0.1")
    (first, second) = await look_at_reach(chosen, NOBODY)
    assert (first.grade, second.grade) == (NOTE, GOOD)
    assert "--media-address" in first.advice
    inside = settings(public_url="https://127.0.0.1")
    assert grades(await look_at_reach(inside, NOBODY)) == [GOOD]


async def test_each_media_process_has_a_port_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = settings(media_port=taken.getsockname()[1] - 1, media_processes=2)
        (_, first, second) = look_at_ports(given, NOBODY)
    assert first.topic == second.topic
    assert second.grade is BAD
    reach = await look_at_reach(given, NOBODY)
    assert reach
    assert {each.grade for each in reach} <= {GOOD, NOTE}, "another program may have taken one meanwhile"


async def test_no_reach_without_a_port() -> None:
    with taken(socket.SOCK_DGRAM) as port:
        assert grades(await look_at_reach(settings(media_port=port), NOBODY)) == [NOTE]
    assert grades(await look_at_reach(settings(), OURS)) == [NOTE]  # it says it runs, and gives no trial


# ── the certificate ─────────────────────────────────────────────────────────────────────────────

CA = trustme.CA()


def given(tmp_path: Path, *names: str, days: float = 90, chain: bool = True, ca: trustme.CA = CA) -> Settings:
    leaf = ca.issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=days))
    pems = [each.bytes() for each in leaf.cert_chain_pems] + ([ca.cert_pem.bytes()] if chain else [])
    (tmp_path / "chain.pem").write_bytes(b"".join(pems))
    (tmp_path / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    return settings(
        tls_cert=tmp_path / "chain.pem", tls_key=tmp_path / "key.pem", public_url=f"https://{names[0]}:8443"
    )


def test_a_good_certificate(tmp_path: Path) -> None:
    (found,) = look_at_certificate(given(tmp_path, "yuan.example"))
    assert found.grade is GOOD
    assert "89 天" in found.found


def test_certificates_that_ail(tmp_path: Path) -> None:
    assert grades(look_at_certificate(given(tmp_path, "yuan.example", days=5))) == [NOTE]
    expired = given(tmp_path, "yuan.example", days=1)
    assert grades(look_at_certificate(expired, datetime.now(UTC) + timedelta(days=2))) == [BAD]
    assert grades(look_at_certificate(expired, datetime(1999, 1, 1, tzinfo=UTC))) == [BAD]
    assert grades(look_at_certificate(given(tmp_path, "yuan.example", chain=False))) == [NOTE]
    other = given(tmp_path, "other.example").model_copy(update={"public_url": "https://yuan.example"})
    (found,) = look_at_certificate(other)
    assert found.grade is BAD
    assert "other.example" in found.found
    chosen = given(tmp_path, "yuan.example")
    (tmp_path / "key.pem").write_bytes(CA.issue_cert("x").private_key_pem.bytes())
    (found,) = look_at_certificate(chosen)
    assert (found.grade, "不是一对" in found.found) == (BAD, True)
    (tmp_path / "key.pem").unlink()
    (found,) = look_at_certificate(chosen)
    assert (found.grade, "不存在" in found.found) == (BAD, True)


def test_names_as_browsers_read_them(tmp_path: Path) -> None:
    def named(*names: str) -> Any:
        from cryptography import x509

        return x509.load_pem_x509_certificate(CA.issue_cert(*names).cert_chain_pems[0].bytes())

    assert certificate.names(named("*.example.cn"), "Yuan.example.cn")
    assert not certificate.names(named("*.example.cn"), "a.yuan.example.cn")
    assert not certificate.names(named("*.example.cn"), "example.cn")
    assert certificate.names(named("10.0.0.2"), "10.0.0.2")
    assert not certificate.names(named("10.0.0.2"), "10.0.0.3")


def test_without_a_certificate() -> None:
    assert grades(look_at_certificate(settings())) == [GOOD]  # for this machine alone
    assert grades(look_at_certificate(settings(host="0.0.0.0"))) == [NOTE]
    assert grades(look_at_certificate(settings(lan=True))) == [NOTE]
    behind = settings(public_url="https://yuan.example")
    assert grades(look_at_certificate(behind)) == [NOTE]
    trusting = settings(public_url="https://yuan.example", trusted_proxies="10.0.0.1")
    assert grades(look_at_certificate(trusting)) == [GOOD]


# ── the clock ───────────────────────────────────────────────────────────────────────────────────


def test_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 5, tzinfo=UTC)
    for said, grade in ((True, GOOD), (False, NOTE), (None, NOTE)):
        monkeypatch.setattr(clock, "is_synchronised", lambda said=said: said)
        assert grades(look_at_clock(now)) == [grade]
    assert grades(look_at_clock(datetime(1970, 1, 2, tzinfo=UTC))) == [BAD]
    assert grades(look_at_clock(datetime(2200, 1, 2, tzinfo=UTC))) == [BAD]


@pytest.mark.parametrize(
    ("timedatectl", "chronyc", "known"),
    [
        ("echo yes", None, True),
        ("echo no", None, False),
        ("echo no", "echo 'Leap status     : Normal'", True),  # chrony beside a systemd that is not asked
        ("exit 1", "echo 'Leap status     : Not synchronised'", False),
        ("exit 1", None, None),
        (None, None, None),
    ],
)
def test_who_knows_about_the_clock(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    timedatectl: str | None,
    chronyc: str | None,
    known: object,
) -> None:
    for name, script in (("timedatectl", timedatectl), ("chronyc", chronyc)):
        if script is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clock.is_synchronised() is known


# ── disk, machine ───────────────────────────────────────────────────────────────────────────────


def test_space() -> None:
    chosen = settings(recording_reserve_mb=256, disk_warn_gb=10)
    assert judge_space(chosen, 500 * 10**9).grade is GOOD
    assert "小时" in judge_space(chosen, 500 * 10**9).found
    assert judge_space(chosen, 20 * 10**9).grade is NOTE  # some hours
    assert judge_space(chosen, 100 << 20).grade is BAD


def test_speed() -> None:
    assert judge_speed(Speed(300, 2)).grade is GOOD
    assert judge_speed(Speed(10, 2)).grade is NOTE
    assert judge_speed(Speed(300, 100)).grade is NOTE
    assert judge_speed(Speed(2, 2)).grade is BAD
    assert judge_speed(Speed(300, 900)).grade is BAD


def test_a_disk_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    (_, speed) = look_at_disk(settings(data_dir=tmp_path / "not/yet"))
    assert "MB/s" in speed.found
    assert list(tmp_path.iterdir()) == []


async def test_a_shared_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked(**given: Any) -> list[Finding]:
        made = settings(data_dir=tmp_path / "data", **given)
        return await look_at_shared_directory(made, DataDirectory.given(made.data_dir, made.shared_dir))

    async def said(**given: Any) -> tuple[Grade, str]:
        (finding,) = await looked(**given)
        return finding.grade, finding.found

    place, data = tmp_path / "shared", DataDirectory(tmp_path / "data")
    data.create()
    assert await looked() == []
    assert await said(shared_dir=place) == (BAD, f"{place} 不存在")
    place.mkdir()
    grade, found = await said(shared_dir=place)
    assert (grade, "第一次启动" in found) == (GOOD, True)
    assert list(place.iterdir()) == [], "it is left as it was"
    database = open_database(data, None)
    await database.migrate()
    shared = await open_shared(DataDirectory(data.path, place), database)
    await database.close()
    assert shared is not None
    watch = SharedWatch(shared, MemoryPresence("a"))
    await watch.tick()
    grade, found = await said(shared_dir=place)
    assert (grade, "1 台服务器" in found) == (GOOD, True)
    watch.close()
    assert (await said())[0] is NOTE, "this server would record to its own disk"
    (data.path / "recordings" / "c").mkdir(parents=True)
    (data.path / "recordings" / "c" / "x").touch()
    assert (await said(shared_dir=place))[0] is BAD
    (data.path / "recordings").rename(tmp_path / "moved")
    mark = place / "shared-directory.json"
    mark.write_text('{"id": "d_other"}')
    assert "另一套" in (await said(shared_dir=place))[1]
    mark.unlink()
    assert "没有挂载" in (await said(shared_dir=place))[1]

    def refuses(_path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(shared_doctor, "read_mark", refuses)
    assert (await said(shared_dir=place))[0] is BAD


def test_the_disk_is_that_of_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Path] = []

    def slow(place: Path) -> Speed:
        measured.append(place)
        return Speed(1, 1)

    monkeypatch.setattr(disk, "measure", slow)
    (tmp_path / "shared").mkdir()
    (_, speed) = look_at_disk(settings(data_dir=tmp_path, shared_dir=tmp_path / "shared"))
    assert measured == [tmp_path / "shared"]
    assert "文件服务器" in speed.advice


def test_a_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_place: Path) -> Speed:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(disk, "measure", refuses)
    (_, speed) = look_at_disk(settings(data_dir=tmp_path))
    assert speed.grade is BAD


def test_the_machine() -> None:
    well = Machine(free_mb=8000, cores=4, load=0.5, descriptors=65_536)

    def judged(found: Machine, *, model_mb: int = 0, is_running: bool = False, **given: Any) -> list[Grade]:
        return grades(look_at_machine(settings(**given), found, is_running=is_running, model_mb=model_mb))

    assert judged(well) == [GOOD, GOOD, GOOD]
    assert judged(replace(well, free_mb=1000)) == [NOTE, GOOD, GOOD]
    assert judged(replace(well, free_mb=300)) == [BAD, GOOD, GOOD]
    assert judged(replace(well, free_mb=400), is_running=True) == [GOOD, GOOD, GOOD]
    assert judged(replace(well, free_mb=2500), model_mb=1300) == [NOTE, GOOD, GOOD]
    assert judged(replace(well, cores=1)) == [GOOD, BAD, GOOD]
    assert judged(replace(well, cores=1), programs=False) == [GOOD, GOOD, GOOD]
    assert judged(replace(well, cores=2), media_processes=2) == [GOOD, BAD, GOOD]
    assert judged(replace(well, cores=2), model_mb=40) == [GOOD, NOTE, GOOD]
    assert judged(replace(well, load=9)) == [GOOD, NOTE, GOOD]
    assert judged(replace(well, load=9), is_running=True) == [GOOD, GOOD, GOOD]
    assert judged(replace(well, descriptors=1024)) == [GOOD, GOOD, BAD]
    assert judged(replace(well, descriptors=1024), max_participants=20) == [GOOD, GOOD, GOOD]
    assert judged(replace(well, descriptors=resource.RLIM_INFINITY)) == [GOOD, GOOD, GOOD]


def test_limits_of_a_container_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(str(300 << 20))
    (tmp_path / "memory.current").write_text(str(100 << 20))
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    found = machine.this_machine()
    assert (found.cores, found.free_mb) == (0.5, 200)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.this_machine().cores == len(os.sched_getaffinity(0))


# ── what it is put together with ────────────────────────────────────────────────────────────────


def test_fonts(tmp_path: Path) -> None:
    assert grades(look_at_fonts(settings(), [tmp_path])) == [BAD]
    assert grades(look_at_fonts(settings(programs=False), [tmp_path])) == [NOTE]
    other, noto = tmp_path / "other", tmp_path / "noto"
    other.mkdir()
    noto.mkdir()
    (other / "wqy-zenhei.ttc").touch()
    (found,) = look_at_fonts(settings(), [other])
    assert (found.grade, "wqy-zenhei" in found.found) == (NOTE, True)
    (noto / "NotoSansCJK-Regular.ttc").touch()
    assert grades(look_at_fonts(settings(), [noto])) == [GOOD]


def test_encoders() -> None:
    assert grades(look_at_encoders(settings())) == [GOOD]
    (found,) = look_at_encoders(settings(), ("libx264", "h263_of_nobody"))
    assert (found.grade, "h263_of_nobody" in found.found) == (BAD, True)
    assert grades(look_at_encoders(settings(programs=False), ("h263_of_nobody",))) == [NOTE]


def test_the_relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_at_relay(settings()) == []  # no HTTPS, no relay
    assert look_at_relay(settings(lan=True, relay=False)) == []
    monkeypatch.setattr(programs, "relay_program", lambda: "/usr/bin/turnserver")
    assert grades(look_at_relay(settings(lan=True))) == [GOOD]
    monkeypatch.setattr(programs, "relay_program", lambda: None)
    assert grades(look_at_relay(settings(lan=True))) == [NOTE]


def vosk(folder: Path) -> Path:
    for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("--sample-frequency=16000\n")
    return folder


def test_models(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    (found,) = look_at_models(settings(), directory)
    assert (found.grade, "yuanshang model install" in found.advice) == (NOTE, True)
    assert look_at_models(settings(captions=False), directory) == []
    chosen = settings(speech_model=vosk(tmp_path / "zh"))
    assert grades(look_at_models(chosen, directory)) == [GOOD]
    (tmp_path / "zh/graph/Gr.fst").unlink()
    assert grades(look_at_models(chosen, directory)) == [BAD]
    vosk(tmp_path / "zh")
    (tmp_path / "zh/am/final.mdl").write_bytes(b"")
    assert grades(look_at_models(chosen, directory)) == [BAD]
    shutil.rmtree(tmp_path / "zh/am")
    assert grades(look_at_models(chosen, directory)) == [BAD]


def test_an_installed_model_is_found(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    (vosk(directory.models / "zh") / "model.json").write_text("{}")
    assert grades(look_at_models(settings(), directory)) == [GOOD]


def test_a_model_whose_engine_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    chosen = settings(speech_model=vosk(tmp_path / "zh"))
    (found,) = look_at_models(chosen, DataDirectory(tmp_path))
    assert (found.grade, "引擎" in found.found) == (BAD, True)


def test_the_model_of_the_second_pass(tmp_path: Path) -> None:
    directory, folder = DataDirectory(tmp_path), tmp_path / "whisper"
    chosen = settings(captions=False, second_pass_model=folder)
    assert grades(look_at_models(chosen, directory)) == [BAD]
    folder.mkdir()
    (folder / "model.bin").touch()
    assert grades(look_at_models(chosen, directory)) == [GOOD]
    engine = settings(captions=False, second_pass_engine="a:b")
    assert grades(look_at_models(engine, directory)) == [GOOD]


# ── database, Redis ─────────────────────────────────────────────────────────────────────────────


async def test_a_database(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    chosen = settings(data_dir=directory.path)
    assert grades(await look_at_database(chosen, directory)) == [GOOD]
    assert not directory.path.exists()  # none is made
    directory.create()
    made = open_database(directory, None)
    await made.migrate()
    await made.close()
    (found,) = await look_at_database(chosen, directory)
    assert (found.grade, newest_version() in found.found) == (GOOD, True)
    for version, grade in (("0001", NOTE), ("9999", BAD)):
        with closing(sqlite3.connect(directory.database)) as connection, connection:
            connection.execute(f"UPDATE alembic_version SET version_num = '{version}'")
        assert grades(await look_at_database(chosen, directory)) == [grade]
        with closing(sqlite3.connect(directory.database)) as connection:  # it was only looked at
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)
    (tmp_path / "data/.restore").mkdir()
    assert grades(await look_at_database(chosen, directory)) == [BAD]


async def test_a_database_that_is_broken_or_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = DataDirectory(tmp_path)
    chosen = settings(data_dir=tmp_path)
    made = open_database(directory, None)
    await made.migrate()
    await made.close()
    monkeypatch.setattr(databases, "_BUSY_MS", 10)
    with closing(sqlite3.connect(directory.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else may write
        assert grades(await look_at_database(chosen, directory)) == [BAD]
    directory.database.write_bytes(b"no database" * 1000)
    assert grades(await look_at_database(chosen, directory)) == [BAD]


async def test_a_postgresql_that_does_not_answer(tmp_path: Path) -> None:
    chosen = settings(database_url=f"postgresql://u@/x?host={tmp_path}")
    (found,) = await look_at_database(chosen, DataDirectory(tmp_path))
    assert (found.grade, "PostgreSQL" in found.found) == (BAD, True)


async def test_redis() -> None:
    assert await look_at_redis(settings()) == []
    with RedisServer() as server:
        chosen = settings(redis_url=server.url)
        assert grades(await look_at_redis(chosen)) == [GOOD]
    assert grades(await look_at_redis(chosen)) == [BAD]


async def test_keys(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    chosen = settings(data_dir=tmp_path)
    assert grades(await look_at_keys(chosen, directory)) == [GOOD]
    assert not directory.token_key.exists(), "looking makes none"
    directory.load_key()
    assert grades(await look_at_keys(chosen, directory)) == [GOOD]
    os.utime(directory.token_key, (1.6e9, 1.6e9))
    (old,) = await look_at_keys(chosen, directory)
    assert (old.grade, "超过一年" in old.found) == (NOTE, True)
    KeyFile(directory).change(lambda found: found.rotated(new_key(int(time.time() * 1000)), 10**15))
    assert grades(await look_at_keys(chosen, directory)) == [GOOD]
    directory.key_set.chmod(0o640)
    (readable,) = await look_at_keys(chosen, directory)
    assert (readable.grade, "chmod 600" in readable.advice) == (BAD, True)
    directory.key_set.chmod(0o600)
    directory.token_key.write_bytes(b"z" * 32)
    (foreign,) = await look_at_keys(chosen, directory)
    assert (foreign.grade, "没有用上" in foreign.found) == (NOTE, True)
    directory.key_set.write_bytes(b"{")
    assert grades(await look_at_keys(chosen, directory)) == [BAD]


async def test_a_shared_key_file_that_is_missing_is_not_made_by_looking(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.load_key()
    shared = tmp_path / "share.json"
    assert grades(await look_at_keys(settings(data_dir=tmp_path, key_file=shared), directory)) == [NOTE]
    assert not shared.exists()


async def test_keys_of_other_servers(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.load_key()
    fingerprint = KeyFile(directory).read().fingerprint
    with RedisServer() as server:
        chosen = settings(data_dir=tmp_path, redis_url=server.url)
        assert grades(await look_at_keys(chosen, directory)) == [GOOD], "nobody is there"
        link = RedisLink(server.url)
        await RedisPresence(link, "same", keys=lambda: fingerprint).renew({})
        await RedisPresence(link, "older version").renew({})
        assert grades(await look_at_keys(chosen, directory)) == [GOOD]
        await RedisPresence(link, "b", keys=lambda: "other").renew({})
        (found,) = await look_at_keys(chosen, directory)
        await link.close()
    assert (found.grade, "服务器 b 的密钥不同" in found.found) == (BAD, True)
    assert grades(await look_at_keys(chosen, directory)) == [GOOD], "that Redis is gone is told by itself"


# ── the command ─────────────────────────────────────────────────────────────────────────────────


def test_the_words() -> None:
    findings = [
        Finding("a", "系统时钟", GOOD, "对"),
        Finding("b", "中文字体", NOTE, "缺", "装"),
        Finding("c", "磁盘空间", BAD, "满", "清理"),
    ]
    text = doctor_text(settings(), findings)
    assert "通过  系统时钟  对\n" in text
    assert "注意  中文字体  缺\n                → 装\n" in text
    assert "不行  磁盘空间  满\n" in text
    assert "1 项不行，1 项注意" in text
    assert "可以开会" in doctor_text(settings(), findings[:2])
    assert "全部通过" in doctor_text(settings(), findings[:1])
    assert json.loads(doctor_json(findings))["ok"] is False
    assert json.loads(doctor_json(findings[:2]))["ok"] is True


def test_it_takes_the_options_of_serve() -> None:
    taken = set(inspect.signature(doctor_cli.doctor_like(serve)).parameters)
    assert taken == set(inspect.signature(serve).parameters) - {"demo", "ready_json_line"} | {"as_json"}
    refused = CliRunner().invoke(app, ["doctor", "--database-url", "mysql://x"])
    assert refused.exit_code == 2
    assert "database_url" in refused.stderr


@pytest.mark.parametrize(("grade", "code"), [(GOOD, 0), (NOTE, 0), (BAD, 1)])
def test_the_exit_code(monkeypatch: pytest.MonkeyPatch, grade: Grade, code: int) -> None:
    async def examined(given: Settings) -> list[Finding]:
        assert given.media_address == ("10.0.0.1", "10.0.0.2")
        return [Finding("x", "系统时钟", grade, "x", "y")]

    monkeypatch.setattr(examination, "examine", examined)
    done = CliRunner().invoke(
        app, ["doctor", "--media-address", "10.0.0.1", "--media-address", "10.0.0.2", "--json"]
    )
    assert done.exit_code == code
    assert json.loads(done.stdout)["checks"][0]["grade"] == grade.value


def test_it_logs_nothing_and_leaves_the_log_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    async def examined(_: Settings) -> list[Finding]:
        structlog.get_logger("doctor").error("told_by_the_finding")
        logging.getLogger("doctor").error("told by the finding")
        return [Finding("x", "系统时钟", GOOD, "x", "y")]

    monkeypatch.setattr(examination, "examine", examined)
    module_logger = structlog.get_logger("doctor")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0
    assert done.stderr == ""
    with capture_logs() as lines:
        module_logger.error("afterwards")
        structlog.get_logger("doctor").error("afterwards")
    assert [line["event"] for line in lines] == ["afterwards"] * 2
    assert logging.getLogger("doctor").isEnabledFor(logging.ERROR)


def test_the_real_command(tmp_path: Path) -> None:
    with taken(socket.SOCK_STREAM) as port:
        program = str(Path(sys.executable).with_name("yuanshang"))
        command = [
            *(program, "doctor", "--data-dir", str(tmp_path / "data")),
            *("--host", "127.0.0.1", "--port", str(port), "--media-port", str(free_port())),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert done.stderr == ""
        assert "不行  网页端口" in done.stdout
        assert not (tmp_path / "data").exists()
    command[command.index(str(port))] = str(free_port())
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    checks = {each["check"]: each["grade"] for each in json.loads(done.stdout)["checks"]}
    assert set(checks) == {
        *(
            "server",
            "web_port",
            "media_port",
            "media_reach",
            "certificate",
            "clock",
            "database",
            "keys",
            "disk_space",
        ),
        *("disk_speed", "memory", "cores", "descriptors", "fonts", "encoders", "speech_model"),
    }
    assert checks["web_port"] == checks["media_port"] == checks["media_reach"] == "good"
    assert done.returncode == int("bad" in checks.values())


def test_patience_is_bounded() -> None:
    assert running.PATIENCE_S < 10
