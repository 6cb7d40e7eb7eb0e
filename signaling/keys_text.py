"""What the commands `keys …` print."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from conference.model.keyset import OLD_MS, Key, KeySet, KeyState
from conference.services.key_changes import DAY_MS, Standing

_LATER = "正在运行的服务器几秒内自己换上，不用重启；已经进会的人不受影响。"


def keys_text(keys: KeySet, now_ms: int) -> str:
    """A line each, the newest first."""
    lines = ["编号      启用         已用      状态"]
    for each in reversed(keys.keys):
        days = (now_ms - each.made_ms) // DAY_MS
        lines.append(f"{each.id}  {day(each.made_ms)}  {f'{days} 天':<7}  {_state(each, now_ms)}")
    if now_ms - keys.signing.made_ms > OLD_MS:
        lines += ["", "签名用的密钥已超过一年，建议轮换：yuanshang keys rotate"]
    return "\n".join(lines)


def keys_json(keys: KeySet, now_ms: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "fingerprint": keys.fingerprint,
        "keys": [
            {
                "id": each.id,
                "state": each.state(now_ms).value,
                "made_ms": each.made_ms,
                "until_ms": each.until_ms,
                "retired_ms": each.retired_ms,
                "forgotten": each.secret is None,
            }
            for each in reversed(keys.keys)
        ],
    }


def rotated_text(keys: KeySet, days: int, wanted_days: int, *, is_shared: bool) -> str:
    """After a rotation."""
    *_, before, signing = keys.keys
    assert before.until_ms is not None, "the key before has an end"
    lines = [
        f"已轮换：从现在起用密钥 {signing.id} 签名。",
        f"原密钥 {before.id} 签过的链接到 {day(before.until_ms)} 前照常可用（{days} 天）。",
        _LATER,
    ]
    if days < wanted_days:
        lines.append(
            f"注意：已排定的会议或办理部门的链接要用到 {wanted_days} 天以后，届时要重新发送链接；"
            "不指定 --overlap 就会自动留够。"
        )
    if not is_shared:
        lines.append(
            "注意：有几台服务器时，请马上把 keys.json 复制到其他服务器的数据目录，否则它们不认新链接；"
            "用 --key-file 共用一个文件就不必复制。"
        )
    return "\n".join(lines)


def warning_text(key_id: str, standing: Standing) -> str:
    """Before a key is retired."""
    lines = [
        f"停用密钥 {key_id} 以后，它签过的一切立即失效，收不回来：",
        f"  · {standing.consultations} 场协商会的 {standing.links} 个链接作废，换成新的，要重新发送；",
        "  · 凭它进会的人都会被请出，要用新链接再进；工作人员重新登录会场即可；",
        "  · 联调单的签名仍可核对，但单凭签名不再能证明是停用以前签的，以留痕为准。",
    ]
    if standing.running:
        lines.append(f"  · 正在开的会：{'、'.join(standing.running)}")
    return "\n".join(lines)


def retired_text(keys: KeySet, key_id: str) -> str:
    """After it was."""
    return "\n".join(
        [
            f"密钥 {key_id} 已停用，现在用密钥 {keys.signing.id} 签名。",
            "服务器会在几秒内拒绝它签过的一切，并换发链接；服务器没有运行时，下次启动时换发。",
            "请到各协商会“受邀人”“会场”“办理部门”里取新链接重新发送。",
        ]
    )


def day(wall_ms: int) -> str:
    """In the zone of the terminal."""
    return datetime.fromtimestamp(wall_ms / 1000).astimezone().date().isoformat()


def _state(key: Key, now_ms: int) -> str:
    state = key.state(now_ms)
    if state is KeyState.SIGNS:
        return "签名"
    if state is KeyState.ACCEPTED and key.until_ms is not None:
        return f"认可到 {day(key.until_ms)}"
    if state is KeyState.RETIRED and key.retired_ms is not None:
        words = f"{day(key.retired_ms)} 停用"
    else:
        words = f"{day(key.until_ms or now_ms)} 到期"
    return f"{words}，{'密钥已清除' if key.secret is None else '只用来读旧数据'}"
