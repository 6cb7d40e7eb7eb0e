"""A pre-check on paper: one page whatever stands in it, and words for everything that a verdict may say."""

from __future__ import annotations

import io
from dataclasses import replace

import pypdf
import pytest

from conference.model.consultation import Consultation, Mode, Status
from conference.model.precheck import Precheck, judge, require_whole
from conference.model.precheck_figures import Figures, PrecheckItem, item_of
from conference.services.prechecks import Proof
from signaling.paper.precheck_sheet import precheck_sheet
from signaling.paper.precheck_words import FAULTS, ITEMS, measured
from signaling.paper.worker import typeset
from tests.support.prechecks import HEALTHY, LOUDSPEAKER, healthy_items
from tests.unit.model.test_precheck import FAULTS as CASES

CONSULTATION = Consultation(
    "c", "推进县域养老服务高质量发展", Status.SCHEDULED, Mode.FREE, True, False, False, 1
)


def proof(**changes: object) -> Proof:
    items = require_whole(healthy_items({PrecheckItem.CLOCK: (None, "没有时间")}))
    sheet = Precheck(
        "pc_1", "c", "v_1", 3, "青禾县分会场", "赵六", "Chromium", 118_000, 1_795_662_000_000, items
    )
    return Proof(replace(sheet, **changes), True, "ab" * 32)  # type: ignore[arg-type]


def test_all_nine_stand_on_one_page() -> None:
    data = precheck_sheet(proof(), CONSULTATION, "Asia/Shanghai")
    (page,) = pypdf.PdfReader(io.BytesIO(typeset("precheck", data))).pages
    text = page.extract_text()
    for words in (
        *ITEMS.values(),
        "青禾县分会场",
        "2026 年 11 月 26 日 11:00",
        "第 3 次",
        "1 分 58 秒",
        "签名有效",
    ):
        assert words in text, words


def test_the_longest_reasons_stay_on_one_page() -> None:
    changed: dict[PrecheckItem, tuple[Figures | None, str]] = dict.fromkeys(
        PrecheckItem, (None, "设备还没有到" * 33)
    )
    data = precheck_sheet(proof(items=require_whole(healthy_items(changed))), CONSULTATION, "Asia/Shanghai")
    assert len(pypdf.PdfReader(io.BytesIO(typeset("precheck", data))).pages) <= 2


def test_a_sheet_that_was_changed_says_so() -> None:
    forged = replace(proof(), valid=False)
    assert "签名无效" in precheck_sheet(forged, CONSULTATION, "Asia/Shanghai")["foot"][-1]


def test_a_red_one_has_its_reason_beside_it() -> None:
    red = {PrecheckItem.LOUDSPEAKER: (replace(LOUDSPEAKER, notes_heard=0), "音箱明天到")}
    data = precheck_sheet(proof(items=require_whole(healthy_items(red))), CONSULTATION, "Asia/Shanghai")
    assert data["mark"] == "failed"
    row = data["rows"][3]
    assert (row["verdict"], row["faults"], row["reason"]) == (
        "需处理",
        "没有收到试音",
        "仍要提交的原因：音箱明天到",
    )


@pytest.mark.parametrize("figures", [*HEALTHY, *(figures for figures, _, _ in CASES)])
def test_everything_that_is_found_has_words(figures: Figures) -> None:
    assert measured(figures)
    for fault in judge(figures).faults:
        assert FAULTS[item_of(figures), fault]


def test_every_word_is_of_a_fault_that_is_found() -> None:
    found = {(item_of(figures), fault) for figures, _, _ in CASES for fault in judge(figures).faults}
    assert set(FAULTS) == found
