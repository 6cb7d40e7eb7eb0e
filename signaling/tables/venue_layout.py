"""The table of the board: how each venue fares, and its last pre-check (联调单)."""

from __future__ import annotations

from typing import Final

from conference.model.media_report import Path
from conference.model.precheck import Verdict
from conference.model.precheck_figures import PrecheckItem
from conference.model.venue import VenueKind
from conference.model.venue_health import VenueReason, VenueVerdict
from conference.services.venue_board import Board
from conference.venue_views import VenueHealthView
from signaling.tables.messages import Heading, Kind, Sheet, Value

_KINDS: Final = {
    VenueKind.MAIN: "主会场",
    VenueKind.BRANCH: "分会场",
    VenueKind.POINT: "远程连线点",
    None: "未列入名单",
}
_VERDICTS: Final = {
    VenueVerdict.OK: "正常",
    VenueVerdict.LOOK: "请看一下",
    VenueVerdict.ACT: "需要处理",
    VenueVerdict.ABSENT: "不在会",
}
REASONS: Final = {
    VenueReason.WELL: "",
    VenueReason.NOT_HERE: "还没有进入",
    VenueReason.GONE: "已离开",
    VenueReason.AWAY: "断线，正在等它回来",
    VenueReason.NO_MEDIA: "画面和声音没有接通",
    VenueReason.MEDIA_LOST: "画面和声音中断",
    VenueReason.UPLINK_BROKEN: "网络很差，画面和声音断续",
    VenueReason.SOUND_BREAKS: "听不清会议的声音",
    VenueReason.CAMERAS_DOWN: "摄像机都没有画面",
    VenueReason.NO_OPERATOR: "操作员还没有进入",
    VenueReason.OPERATOR_AWAY: "操作员断线",
    VenueReason.UPLINK_LOSS: "网络较弱",
    VenueReason.SOUND_ONLY: "网络较弱，只保声音",
    VenueReason.NARROW: "网络较弱，画面已降低",
    VenueReason.DOWNLINK_LOSS: "收到的画面有丢失",
    VenueReason.FAR: "声音来回较慢",
    VenueReason.FREEZES: "收到的画面会卡",
    VenueReason.MICROPHONE_SILENT: "话筒没有声音",
    VenueReason.CAMERA_SILENT: "摄像头没有画面",
    VenueReason.CAMERA_DOWN: "有摄像机没有画面",
    VenueReason.SMALL_PICTURE: "画面不够清晰",
    VenueReason.PRECHECK_FAILED: "联调单有未通过的项目",
    VenueReason.NOT_CHECKED: "还没有联调",
}
_PATHS: Final = {
    Path.NONE: "",
    Path.UDP: "直接连接",
    Path.LOOPBACK: "直接连接",
    Path.TCP: "备用线路（TCP）",
    Path.HTTPS_PORT: "备用线路（443 端口）",
    Path.RELAY: "备用线路（中继）",
}
ITEMS: Final = {
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
_CHECKED: Final = {
    Verdict.PASSED: "通过",
    Verdict.WARNING: "提醒",
    Verdict.FAILED: "需处理",
    Verdict.SKIPPED: "跳过",
}


def board(now: Board) -> Sheet:
    """A row for each venue, in the order of the list."""
    headings = (
        Heading("会场", width=24),
        Heading("类别", width=12),
        Heading("地点", width=24),
        Heading("操作员"),
        Heading("状态"),
        Heading("说明", width=26),
        Heading("自", Kind.MOMENT, 20),
        Heading("上行（千比特/秒）", Kind.NUMBER, 18),
        Heading("丢包（%）", width=12),
        Heading("时延（毫秒）", Kind.NUMBER, 14),
        Heading("线路", width=22),
        Heading("联调时间", Kind.MOMENT, 20),
        Heading("联调人"),
        *(Heading(name, width=12) for name in ITEMS.values()),
    )
    return Sheet("会场", headings, [_row(each) for each in now.venues])


def _row(venue: VenueHealthView) -> tuple[Value, ...]:
    checked = venue.checked
    items = {} if checked is None else {each.item: _CHECKED[each.verdict] for each in checked.items}
    return (
        venue.name,
        _KINDS[venue.kind],
        venue.place,
        venue.operator_name,
        _VERDICTS[venue.verdict],
        REASONS[venue.reason],
        venue.since_ms,
        None if venue.uplink_bps is None else round(venue.uplink_bps / 1000),
        "" if venue.uplink_loss is None else f"{venue.uplink_loss * 100:.1f}",
        venue.rtt_ms,
        _PATHS[venue.path],
        None if checked is None else checked.ended_wall_ms,
        "" if checked is None else checked.by,
        *(items.get(each, "") for each in ITEMS),
    )
