"""The words of a pre-check (联调单) as they stand on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from conference.model.consultation import Consultation
from conference.model.folding import tidied
from conference.model.precheck import CheckedItem, Verdict
from conference.services.prechecks import Proof
from signaling.paper.precheck_words import FAULTS, ITEMS, VERDICTS, measured

_SAID: Final = {
    Verdict.PASSED: "九项都已通过",
    Verdict.WARNING: "可以开会，有需要留意的项目",
    Verdict.FAILED: "有需要处理的项目",
}


def precheck_sheet(proof: Proof, consultation: Consultation, time_zone: str) -> dict[str, Any]:
    """The data of precheck.typ."""
    sheet = proof.precheck
    at = datetime.fromtimestamp(sheet.ended_wall_ms / 1000, UTC).astimezone(ZoneInfo(time_zone))
    body = tidied(consultation.organization or "")
    signed = "签名有效" if proof.valid else "签名无效，内容可能被改动"
    minutes, seconds = divmod(round(sheet.took_ms / 1000), 60)
    return {
        "document_title": f"会场联调单 {sheet.venue}",
        "author": body,
        "kicker": f"{body}　会场联调单" if body else "会场联调单",
        "title": sheet.venue,
        "topic": tidied(consultation.title),
        "when": [
            f"{at.year} 年 {at.month} 月 {at.day} 日 {at:%H:%M}，第 {sheet.number} 次",
            f"操作员：{sheet.by}，用时 {minutes} 分 {seconds:02} 秒",
        ],
        "say": _SAID[sheet.verdict],
        "mark": sheet.verdict.value,
        "rows": [_row(number, each) for number, each in enumerate(sheet.items, 1)],
        "foot": [
            f"测量设备：{sheet.device}",
            "每一项的结论由服务器根据测得的数字得出。投影画面和会场名牌由操作员看过后确认。",
            f"联调单编号 {sheet.id}，{signed}，校验 {_grouped(proof.sha256)}",
        ],
        "sign": ["操作员", "会务组"],
    }


def _row(number: int, checked: CheckedItem) -> dict[str, str]:
    faults = "；".join(FAULTS[checked.item, fault] for fault in checked.judgement.faults)
    reason = ""
    if checked.reason:
        why = "跳过原因" if checked.figures is None else "仍要提交的原因"
        reason = f"{why}：{checked.reason}"
    return {
        "number": str(number),
        "name": ITEMS[checked.item],
        "figures": "" if checked.figures is None else measured(checked.figures),
        "faults": faults,
        "reason": reason,
        "verdict": VERDICTS[checked.judgement.verdict],
        "mark": checked.judgement.verdict.value,
    }


def _grouped(digest: str) -> str:
    return f"{digest[:4]} {digest[4:8]} … {digest[-8:-4]} {digest[-4:]}"
