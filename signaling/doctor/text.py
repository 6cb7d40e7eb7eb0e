"""What `yuanshang doctor` prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from signaling.doctor.findings import Finding, Grade
from signaling.settings import Settings

WORDS: Final = {Grade.GOOD: "通过", Grade.NOTE: "注意", Grade.BAD: "不行"}


def doctor_text(settings: Settings, findings: Sequence[Finding]) -> str:
    """One line each, with what to do below; what it comes to at the end."""
    lines = [f"远商自检    数据目录 {settings.data_dir.resolve()}", ""]
    for each in findings:
        lines.append(f"{WORDS[each.grade]}  {each.topic}  {each.found}")
        if each.advice:
            lines.append(f"                → {each.advice}")
    return "\n".join([*lines, "", _conclusion(findings)])


def _conclusion(findings: Sequence[Finding]) -> str:
    count = Counter(each.grade for each in findings)
    if count[Grade.BAD]:
        return f"结论：{count[Grade.BAD]} 项不行，{count[Grade.NOTE]} 项注意。请先解决标“不行”的，再开会。"
    if count[Grade.NOTE]:
        return f"结论：可以开会；有 {count[Grade.NOTE]} 项请留意。"
    return "结论：全部通过，可以开会。"


def doctor_json(findings: Sequence[Finding]) -> str:
    """The same for programs."""
    body = {
        "ok": all(each.grade is not Grade.BAD for each in findings),
        "checks": [
            {
                "check": each.check,
                "topic": each.topic.strip(),
                "grade": each.grade.value,
                "found": each.found,
                "advice": each.advice,
            }
            for each in findings
        ],
    }
    return json.dumps(body, ensure_ascii=False)
