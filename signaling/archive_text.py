"""What `yuanshang archive verify` says, in Chinese and in English."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from conference.archive.manifest import AUDIT_LINES, CONTENTS, Manifest
from conference.archive.verifier import Damage, Finding, Report

_DAMAGES: Final[dict[Damage, tuple[str, str]]] = {
    Damage.PACKAGE: ("归档包的容器损坏", "the container of the package is damaged"),
    Damage.MANIFEST: ("清单缺失或被改动", "the manifest is missing or was changed"),
    Damage.MISSING: ("文件缺失", "the file is missing"),
    Damage.EXTRA: ("清单中没有的文件", "a file that the manifest does not list"),
    Damage.BYTES: ("内容与清单不符", "not what the manifest lists"),
    Damage.CHAIN: ("留痕链断裂", "the chain of the trace is broken"),
    Damage.TEXT: ("个人信息文本与留痕不符", "a personal text is not the one of the trace"),
    Damage.HEAD: ("留痕末尾不符", "the trace does not end where it should"),
}


def report_text(report: Report) -> str:
    """The whole report; the first broken file and line stand last."""
    lines: list[str] = []
    if report.manifest is not None:
        lines += _heading(report.manifest)
    for name, count in report.intact.items():
        lines.append(f"  完好 intact   {name}" + ("" if name.startswith(CONTENTS) else f"  ({count})"))
    lines += [f"  损坏 BROKEN   {_place(each)}" for each in report.findings]
    lines.append("")
    if report.findings:
        first = report.findings[0]
        chinese, english = _DAMAGES[first.damage]
        lines += [f"不完好：{_place(first)}：{chinese}。", f"Not intact: {_place(first)}: {english}."]
    else:
        count = report.intact[AUDIT_LINES]
        lines += [
            f"完好：留痕 {count} 行，个人信息文本 {report.texts} 条（依法删除 {report.deleted_texts} 条）。",
            f"Intact: {count} lines of trace, {report.texts} personal texts ({report.deleted_texts} deleted).",
        ]
    return "\n".join(lines)


def _heading(manifest: Manifest) -> list[str]:
    made = datetime.fromtimestamp(manifest.created_at_ms / 1000, UTC).isoformat(timespec="seconds")
    return [
        f"协商会 consultation   {manifest.consultation_id}",
        f"制作时间 made         {made}  {manifest.software}",
        f"留痕末尾 trace head   {manifest.head.number}  {manifest.head.hash}",
        "",
    ]


def _place(finding: Finding) -> str:
    if finding.line is None:
        return finding.file
    return f"{finding.file} 第 {finding.line} 行 line {finding.line}"
