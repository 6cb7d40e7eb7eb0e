"""What a pre-check's items and faults are called on paper, and their figures in words."""

from __future__ import annotations

from typing import Final

from conference.model.precheck import Verdict
from conference.model.precheck_figures import (
    CameraFigures,
    ClockFigures,
    EchoFigures,
    Figures,
    LightFigures,
    LoudspeakerFigures,
    MicrophoneFigures,
    NameplateFigures,
    NetworkFigures,
    PrecheckItem,
    ProjectionFigures,
)

ITEMS: Final[dict[PrecheckItem, str]] = {
    PrecheckItem.CAMERA: "摄像头画面",
    PrecheckItem.LIGHT: "画面亮度",
    PrecheckItem.MICROPHONE: "话筒音量",
    PrecheckItem.LOUDSPEAKER: "会场音箱",
    PrecheckItem.ECHO: "回声",
    PrecheckItem.NETWORK: "网络",
    PrecheckItem.CLOCK: "时钟",
    PrecheckItem.PROJECTION: "投影画面",
    PrecheckItem.NAMEPLATE: "会场名牌",
}
VERDICTS: Final[dict[Verdict, str]] = {
    Verdict.PASSED: "通过",
    Verdict.WARNING: "提醒",
    Verdict.FAILED: "需处理",
    Verdict.SKIPPED: "已跳过",
}
FAULTS: Final[dict[tuple[PrecheckItem, str], str]] = {
    (PrecheckItem.CAMERA, "no_camera"): "摄像头打不开",
    (PrecheckItem.CAMERA, "frozen"): "画面不动",
    (PrecheckItem.CAMERA, "slow"): "画面不流畅",
    (PrecheckItem.CAMERA, "small"): "画面不够清晰",
    (PrecheckItem.LIGHT, "unseen"): "没有画面",
    (PrecheckItem.LIGHT, "black"): "几乎全黑",
    (PrecheckItem.LIGHT, "flat"): "只有一种颜色",
    (PrecheckItem.LIGHT, "dark"): "偏暗",
    (PrecheckItem.LIGHT, "bright"): "过亮",
    (PrecheckItem.MICROPHONE, "no_microphone"): "话筒打不开",
    (PrecheckItem.MICROPHONE, "silent"): "没有声音",
    (PrecheckItem.MICROPHONE, "clipped"): "破音",
    (PrecheckItem.MICROPHONE, "quiet"): "声音偏小",
    (PrecheckItem.MICROPHONE, "noisy"): "杂音偏大",
    (PrecheckItem.MICROPHONE, "one_sided"): "只有一边有声音",
    (PrecheckItem.LOUDSPEAKER, "not_played"): "试音没有放出来",
    (PrecheckItem.LOUDSPEAKER, "not_heard"): "没有收到试音",
    (PrecheckItem.LOUDSPEAKER, "faint"): "试音偏小",
    (PrecheckItem.ECHO, "not_played"): "试音没有放出来",
    (PrecheckItem.ECHO, "echo"): "回声很大",
    (PrecheckItem.ECHO, "some_echo"): "有少量回声",
    (PrecheckItem.ECHO, "no_tone"): "没有收到试音，测不出回声",
    (PrecheckItem.NETWORK, "shut"): "声音和画面都传不出去",
    (PrecheckItem.NETWORK, "udp_blocked"): "直连被网络拦住",
    (PrecheckItem.NETWORK, "untried"): "连接方式没有测出",
    (PrecheckItem.NETWORK, "loss"): "丢包",
    (PrecheckItem.NETWORK, "thin_up"): "上行偏慢",
    (PrecheckItem.NETWORK, "thin_down"): "下行偏慢",
    (PrecheckItem.NETWORK, "thin_up_unknown"): "上行没有测出",
    (PrecheckItem.NETWORK, "thin_down_unknown"): "下行没有测出",
    (PrecheckItem.NETWORK, "delay"): "时延偏长",
    (PrecheckItem.NETWORK, "jitter"): "时快时慢",
    (PrecheckItem.CLOCK, "off"): "电脑时间不准",
    (PrecheckItem.PROJECTION, "unseen"): "大屏上看不到",
    (PrecheckItem.PROJECTION, "cropped"): "大屏缺边",
    (PrecheckItem.PROJECTION, "ratio"): "屏幕不是 16:9",
    (PrecheckItem.PROJECTION, "small"): "屏幕不够清晰",
    (PrecheckItem.NAMEPLATE, "wrong"): "名牌不对",
}
_WAYS: Final = {
    "udp": "直连（UDP）",
    "tcp": "TCP 端口",
    "https": "网页端口",
    "relay": "加密转接",
    "none": "都不通",
    "unknown": "没有测出",
}
_ANSWERS: Final = {"whole": "看得全", "cropped": "缺边", "unseen": "看不到"}


def measured(figures: Figures) -> str:
    """The figures of an item in one line."""
    match figures:
        case CameraFigures(problem=problem) | MicrophoneFigures(problem=problem) if problem:
            return "—"
        case CameraFigures():
            still = f"，静止最长 {figures.still_ms / 1000:.1f} 秒" if figures.still_ms >= 1000 else ""
            return f"{figures.width}×{figures.height}，每秒 {figures.frames_per_s:.0f} 帧{still}"
        case LightFigures():
            return f"平均亮度 {figures.mean:.0f}（0 至 255）"
        case MicrophoneFigures():
            clipped = f"，破音 {100 * figures.clipped_share:.1f}%" if figures.clipped_share else ""
            return f"说话 {figures.speech_dbfs:.0f} 分贝，底噪 {figures.noise_dbfs:.0f} 分贝{clipped}"
        case LoudspeakerFigures():
            return f"听到 {figures.notes_heard} / {figures.notes_played} 个音"
        case EchoFigures():
            return _echo(figures)
        case NetworkFigures():
            return "，".join(_network(figures))
        case ClockFigures():
            return f"相差 {abs(figures.offset_ms) / 1000:.1f} 秒"
        case ProjectionFigures():
            return f"屏幕 {figures.width}×{figures.height}，操作员确认：{_ANSWERS[figures.answer]}"
        case NameplateFigures():
            right = "对" if figures.answer == "right" else "不对"
            wanted = f"，应为“{figures.wanted}”" if figures.wanted else ""
            return f"“{figures.shown}”，操作员确认：{right}{wanted}"


def _echo(it: EchoFigures) -> str:
    if it.direct_dbfs is None:
        return "—"
    if it.return_dbfs is None:
        return "消除后听不到试音"
    return f"消除了 {max(0.0, it.direct_dbfs - it.return_dbfs):.0f} 分贝"


def _network(it: NetworkFigures) -> list[str]:
    said = [_WAYS[it.way]]
    for name, bps in (("上行", it.up_bps), ("下行", it.down_bps)):
        if bps is not None:
            said.append(f"{name} {bps / 1e6:.1f} 兆")
    if it.rtt_ms is not None:
        said.append(f"时延 {it.rtt_ms:.0f} 毫秒")
    if it.jitter_ms is not None:
        said.append(f"抖动 {it.jitter_ms:.0f} 毫秒")
    losses = [each for each in (it.up_loss, it.down_loss) if each is not None]
    if losses:
        said.append(f"丢包 {100 * max(losses):.1f}%")
    return said
