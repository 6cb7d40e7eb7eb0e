"""Lists of terms in a table: two columns, wrong and right, with or without headings; one column is what is right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from conference.model.folding import folded
from conference.model.invitee_columns import HEADER_WITHIN, Cell
from conference.model.terms import MAX_TERM, MAX_TERMS, tidied_term
from signaling.tables import reader
from signaling.tables.messages import Refused, TermRow, TermRows

TOO_MANY: Final = f"一次最多导入 {MAX_TERMS:,} 个词条，请分成几个文件导入。"
EMPTY: Final = "没有找到词条。请把误识别的写法放在第一列，正确的写法放在第二列。"
_DECORATION: Final = re.compile(r"\(.*?\)|[*＊:：]|必填|选填")
_WRONG: Final = frozenset(
    ("错误", "误", "错", "误写", "错误写法", "错词", "误识别", "识别结果", "原词", "wrong")
)
_RIGHT: Final = frozenset(
    ("正确", "正", "正确写法", "规范写法", "写法", "应为", "改为", "词", "词条", "术语", "热词", "right")
)


def read_terms(data: bytes) -> TermRows | Refused:
    """The terms of the first sheet that has any. Cells are text, whatever they look like."""
    try:
        for sheet in reader.sheets(data):
            rows: list[TermRow] = []
            places: tuple[int | None, int] | None = None
            for number, cells in sheet:
                if number <= HEADER_WITHIN and (found := _headings(cells)) is not None:
                    places, rows = found, []
                elif (row := _row(number, cells, places)) is not None:
                    rows.append(row)
                    if len(rows) > MAX_TERMS:
                        return Refused("import_too_many_rows", TOO_MANY, len(rows))
            if rows:
                return TermRows(rows)
    except reader.UnreadableError as error:
        return Refused("import_unreadable", str(error))
    return Refused("import_empty", EMPTY)


def _headings(cells: Sequence[Cell]) -> tuple[int | None, int] | None:
    """Where wrong and right stand, if this row names what is right."""
    names = [_DECORATION.sub("", folded(each.text)) for each in cells]
    right = next((place for place, name in enumerate(names) if name in _RIGHT), None)
    wrong = next((place for place, name in enumerate(names) if name in _WRONG), None)
    return None if right is None else (wrong, right)


def _row(number: int, cells: Sequence[Cell], places: tuple[int | None, int] | None) -> TermRow | None:
    texts = [each.text for each in cells]
    if places is None:
        said = [each for each in texts if each.strip()]
        wrong, right = (texts[0], texts[1]) if len(said) > 1 else ("", said[0] if said else "")
    else:
        wrong, right = ("" if at is None or at >= len(texts) else texts[at] for at in (places[0], places[1]))
    term = tidied_term(wrong, right)
    if not term.right:
        return TermRow(number, term.wrong, "", "no_term") if wrong.strip() else None
    fault = "too_long" if max(len(term.wrong), len(term.right)) > MAX_TERM else ""
    return TermRow(number, term.wrong[:MAX_TERM], term.right[:MAX_TERM], fault)
