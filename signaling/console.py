"""What a person at the terminal, or a program that started us, reads on standard output."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from conference.model.permissions import Role
from signaling.demo import DEMO_ID, ROLE_NAMES, DemoStaff


@dataclass(frozen=True, slots=True)
class Ready:
    """The server accepts work. `media_ports` of each media process; `pid` is the parent's; `links` by role with
    --demo."""

    url: str
    media_ports: tuple[int, ...]
    pid: int
    links: dict[str, str] = field(default_factory=dict)
    lan_ca_fingerprint: str | None = None
    staff: DemoStaff | None = None


def ready_json(ready: Ready) -> str:
    """The one line of --ready-json."""
    body: dict[str, Any] = {
        "url": ready.url,
        "media_port": ready.media_ports[0],
        "pid": ready.pid,
        "links": ready.links,
    }
    if len(ready.media_ports) > 1:
        body["media_ports"] = ready.media_ports
    if ready.staff is not None:
        body["staff"] = asdict(ready.staff)
    return json.dumps(body, ensure_ascii=False)


def ready_text(ready: Ready) -> str:
    """The same for a person, with a QR code and a word about trust on a LAN."""
    ports = "、".join(map(str, ready.media_ports))
    lines = ["", f"  远商已就绪  {ready.url}    媒体端口 UDP/TCP {ports}", ""]
    if ready.links:
        lines.append("  演示协商会的入会链接（每个角色一个，可在两个浏览器窗口中各打开一个）：")
        lines.append("")
        width = max(_columns(ROLE_NAMES[Role(role)]) for role in ready.links)
        for role, link in ready.links.items():
            name = ROLE_NAMES[Role(role)]
            lines += [f"  {name}{' ' * (width - _columns(name))}  {link}"]
        lines += ["", f"  公众看直播（主持人开始协商会以后）  {ready.url}/live/{DEMO_ID}", ""]
    if ready.staff is not None:
        staff = ready.staff
        lines.append(
            f"  工作人员登录（筹备协商会）  {staff.url}    账号 {staff.login}  密码 {staff.password}"
        )
        lines.append("")
    if ready.lan_ca_fingerprint is not None:
        lines += _trust(ready)
    lines.append("  按 Ctrl+C 停止。")
    return "\n".join(lines) + "\n"


def _trust(ready: Ready) -> list[str]:
    lines = []
    member = ready.links.get(Role.MEMBER.value)
    if member is not None:
        import segno  # for --lan alone

        drawing = io.StringIO()
        segno.make(member, error="l").terminal(out=drawing, compact=True)
        lines += ["  用手机扫码以委员身份入会：", "", drawing.getvalue(), ""]
    return [
        *lines,
        "  首次使用时浏览器会提示证书不受信任。可以临时选择继续访问；要消除提示，请在手机上打开",
        f"  {ready.url}/lan-ca.crt 安装并信任本机证书，安装前请核对 SHA-256 指纹：",
        f"  {ready.lan_ca_fingerprint}",
        "",
    ]


def _columns(text: str) -> int:
    """Width on a terminal: Chinese characters take two columns."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
