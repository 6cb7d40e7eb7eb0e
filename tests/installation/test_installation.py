"""The bundle on a bare Debian 12 without a network: installing, upgrading, going back, and the unit under systemd.

One machine for all, in the order of a server's life.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.browser.meeting import BRANCH, MEMBER, enter
from tests.installation import bundles
from tests.support.browser import EXECUTABLE, LAPTOP, PHONE, BrowserFactory
from tests.support.eventually import eventually_sync
from tests.support.machine import STICK, Machine, debian, why_not
from tests.support.media import participant_video, speech_wav

pytestmark = pytest.mark.installation
ROOTS = Path(__file__).parents[2] / "build" / "installation"
SHARE = "/opt/yuanshang/current/share"


class Office:
    """The machine with what lies on its stick."""

    def __init__(self, machine: Machine, stick: Path) -> None:
        self.machine = machine
        self.stick = stick

    def install(self, name: str, *options: str, may_fail: bool = False) -> str:
        """What the script says, of the bundle of that name."""
        command = [f"{STICK}/{name}/install.sh", *options]
        done = self.machine.tries(*command, YUANSHANG_READY_S="300")
        assert may_fail or done.returncode == 0, done.stdout + done.stderr
        assert not may_fail or done.returncode == 1, done.stdout
        return done.stdout + done.stderr

    def script(self, *arguments: str) -> str:
        return self.machine.run(f"{SHARE}/install.sh", *arguments)

    def release(self) -> str:
        """That is in use."""
        return Path(self.machine.run("readlink", "/opt/yuanshang/current").strip()).name

    def get(self, path: str) -> tuple[int, str]:
        """From the server's own port, as a browser beside it would."""
        code = (
            "import http.client, ssl, sys; c = http.client.HTTPSConnection('127.0.0.1', 443, timeout=20,"
            " context=ssl._create_unverified_context()); c.request('GET', sys.argv[1]); r = c.getresponse();"
            " sys.stdout.buffer.write(b'%d\\n' % r.status + r.read())"
        )
        head, _, body = self.machine.run("python3", "-c", code, path).partition("\n")
        return int(head), body

    def checks(self) -> dict[str, str]:
        status, body = self.get("/readyz")
        assert status == 200, body
        return dict(json.loads(body)["checks"])

    def logins(self) -> list[str]:
        return [line.split("\t")[0] for line in self.machine.run("yuanshang", "user", "list").splitlines()]

    def unit(self, *names: str) -> dict[str, str]:
        said = self.machine.run("systemctl", "show", "yuanshang", *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in said.splitlines())

    def processes(self) -> list[str]:
        """Of the server's account."""
        found = self.machine.tries(
            "sh", "-c", "ls -ld /proc/[0-9]*"
        ).stdout  # some are gone before they are listed
        return [line for line in found.splitlines() if " yuanshang " in line]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    if reason := why_not():
        pytest.skip(reason)
    stick = tmp_path_factory.mktemp("stick")
    first = bundles.unpacked(bundles.newest(), tmp_path_factory.mktemp("unpacked"))
    for name, options in (("later", {"schema": True}), ("broken", {"broken": True})):
        bundles.later(first, tmp_path_factory.mktemp(name), **options).rename(stick / name)
    first.rename(stick / "first")
    with Machine(debian(ROOTS), stick) as machine:
        yield Office(machine, stick)


def test_a_damaged_stick_is_refused_before_anything_is_changed(office: Office) -> None:
    damaged = office.stick / "damaged"
    shutil.copytree(office.stick / "first", damaged)
    (damaged / "docs" / "README.md").write_text("something else")
    assert "安装包不完整" in office.install("damaged", may_fail=True)
    shutil.rmtree(damaged)
    assert office.machine.tries("test", "-e", "/opt/yuanshang").returncode == 1


def test_installed_without_a_network_it_serves_everything_on_443(office: Office) -> None:
    said = office.install("first")
    assert "yuanshang user add" in said
    assert office.release() == bundles.release_of(office.stick / "first")
    assert office.machine.run("cat", "/proc/net/dev").count(":") == 1  # loopback alone
    assert office.checks() == {"database": "ok", "media": "ok", "relay": "ok", "certificate": "ok"}
    status, page = office.get("/room/any")
    assert status == 200
    assets = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css|svg|ico|png))"', page)
    assert any(each.startswith("/assets/") for each in assets)
    for asset in assets:
        assert office.get(asset)[0] == 200, asset
    fonts = office.machine.run("sh", "-c", "ls /usr/share/fonts/opentype/noto")
    assert "NotoSansCJK" in fonts
    password = office.machine.run(
        *("yuanshang", "user", "add", "--login", "admin", "--name", "管理员", "--role", "administrator"),
        *("--organization", "某某县政协", "--generate"),
    )
    assert len(password.strip()) > 8
    assert "服务器正常" in office.script("status")


async def test_browsers_meet_on_it(office: Office, tmp_path: Path) -> None:
    cid = office.machine.run("yuanshang", "consultation", "create", "--title", "农村饮水安全").split()[-1]
    chromium = office.machine.beside(tmp_path / "chromium", str(EXECUTABLE))
    speech = speech_wav()
    async with BrowserFactory() as browsers:
        ids, clients = {}, {}
        for number, name, screen in ((BRANCH, "刘委员", LAPTOP), (MEMBER, "陈委员", PHONE)):
            token = office.machine.run(
                *("yuanshang", "token", "--consultation", cid, "--role", "member", "--name", name)
            ).strip()
            client = await browsers.launch(
                name=name,
                video=participant_video(number, (640, 360), 15, 4.0),
                audio=speech,
                screen=screen,
                executable=chromium,
                flags=["--allow-loopback-in-peer-connection"],  # it has no other network
                ignore_https_errors=True,
            )
            await client.open(f"https://127.0.0.1/room/{cid}#token={token}")
            clients[number], ids[number] = client, await enter(client)
        for number, other in ((BRANCH, MEMBER), (MEMBER, BRANCH)):
            await clients[number].sees({ids[other]: other})
            await clients[number].hears(ids[other])


def test_the_unit_is_ready_watched_and_has_one_privilege(office: Office) -> None:
    said = office.unit("Type", "StatusText", "WatchdogUSec", "User", "MainPID", "ActiveState")
    assert said.pop("MainPID") != "0"
    assert said == {
        "Type": "notify",
        "StatusText": "ready",
        "WatchdogUSec": "1min",
        "User": "yuanshang",
        "ActiveState": "active",
    }
    pid = office.unit("MainPID")["MainPID"]
    status = office.machine.run("cat", f"/proc/{pid}/status")
    assert re.findall(r"^CapEff:\s*(\w+)$", status, re.MULTILINE) == [
        f"{1 << 10:016x}"
    ]  # CAP_NET_BIND_SERVICE
    assert re.findall(r"^(?:Seccomp|NoNewPrivs):\s*(\d)$", status, re.MULTILINE) == ["1", "2"]
    assert office.machine.run("systemctl", "is-enabled", "yuanshang").strip() == "enabled"


def test_killed_it_comes_back_and_stopped_it_leaves_nothing(office: Office) -> None:
    before = office.unit("MainPID")["MainPID"]
    office.machine.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "yuanshang")
    eventually_sync(
        lambda: office.unit("MainPID")["MainPID"] not in (before, "0") and _is_ready(office), timeout_s=60
    )
    assert office.checks()["relay"] == "ok"
    office.machine.run("systemctl", "stop", "yuanshang")
    assert office.processes() == []
    assert office.unit("Result")["Result"] == "success"
    office.machine.run("systemctl", "start", "yuanshang")
    assert office.checks()["media"] == "ok"


def test_run_again_it_changes_nothing(office: Office) -> None:
    office.machine.run("sh", "-c", "echo '# of the office' >> /etc/yuanshang/yuanshang.toml")
    before = office.machine.run("cat", "/etc/yuanshang/yuanshang.toml")
    office.install("first")
    assert office.machine.run("cat", "/etc/yuanshang/yuanshang.toml") == before
    assert office.release() == bundles.release_of(office.stick / "first")
    assert office.logins() == ["admin"]


def test_a_certificate_is_taken_and_renewed_without_a_restart(office: Office) -> None:
    shown = []
    for again in (False, True):
        leaf = trustme.CA().issue_cert("xieshang.example.gov.cn")
        (office.stick / "key.pem").write_bytes(leaf.private_key_pem.bytes())
        (office.stick / "cert.pem").write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
        pid = office.unit("MainPID")["MainPID"]
        options = ("--tls-cert", f"{STICK}/cert.pem", "--tls-key", f"{STICK}/key.pem")
        office.script("certificate", *options)
        assert (office.unit("MainPID")["MainPID"] == pid) is again
        want = leaf.cert_chain_pems[0].bytes().decode().strip()
        eventually_sync(partial(_shows, office, want), timeout_s=20)
        shown.append(want)
    assert shown[0] != shown[1]
    other = trustme.CA().issue_cert("other.example")
    (office.stick / "key.pem").write_bytes(other.private_key_pem.bytes())
    done = office.machine.tries(f"{SHARE}/install.sh", "certificate", *options)
    assert done.returncode == 1
    assert "不是一对" in done.stderr
    assert office.checks()["certificate"] == "ok"


def test_a_release_that_does_not_start_is_left_again_with_all_data(office: Office) -> None:
    said = office.install("broken", may_fail=True)
    assert "已经退回原来的版本" in said
    assert office.release() == bundles.release_of(office.stick / "first")
    assert office.checks()["database"] == "ok"
    assert office.logins() == ["admin"]


def test_an_upgrade_keeps_data_and_settings_and_can_be_rolled_back(office: Office) -> None:
    settings = office.machine.run("cat", "/etc/yuanshang/yuanshang.toml")
    office.install("later")
    assert office.release() == bundles.release_of(office.stick / "later")
    assert office.machine.run("cat", "/etc/yuanshang/yuanshang.toml") == settings
    assert office.logins() == ["admin"]
    assert office.checks()["database"] == "ok"
    office.machine.run(
        *(
            "yuanshang",
            "user",
            "add",
            "--login",
            "new",
            "--name",
            "新来的",
            "--role",
            "organizer",
            "--generate",
        )
    )
    done = office.machine.tries(f"{SHARE}/install.sh", "rollback")  # the older one cannot read what is there
    assert done.returncode == 1
    assert "--with-data" in done.stderr
    assert office.checks()["database"] == "ok"
    office.script("rollback", "--with-data")
    assert office.release() == bundles.release_of(office.stick / "first")
    assert office.checks()["database"] == "ok"
    assert office.logins() == ["admin"]  # as before the upgrade; the later state is kept beside
    kept = office.machine.run("sh", "-c", "ls /var/backups/yuanshang")
    assert "rolled-back-" in kept


def _is_ready(office: Office) -> bool:
    return office.machine.tries(f"{SHARE}/install.sh", "status").returncode == 0


def _shows(office: Office, certificate: str) -> bool:
    code = "import ssl; print(ssl.get_server_certificate(('127.0.0.1', 443)))"
    return office.machine.run("python3", "-c", code).strip() == certificate
