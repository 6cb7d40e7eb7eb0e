"""The account on paper: one page whatever stands in it, words as they were written, a plain error when it fails."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import openpyxl
import pypdf
import pytest

from conference.model.account import (
    Account,
    AccountConsultation,
    AccountPromotions,
    AccountTopic,
    AccountVenues,
    AccountViewers,
    DepartmentAccount,
    OpenCase,
    TraceHead,
    comments_of,
    responses_of,
)
from conference.model.errors import ConferenceError
from signaling.paper.account_sheet import account_sheet, percent, say, say_more
from signaling.paper.client import PaperWorkers
from signaling.paper.worker import PaperError, typeset
from signaling.tables import codes
from signaling.tables.account_layout import account_sheets
from signaling.tables.messages import Format
from signaling.tables.writer import write

ZONE = "Asia/Shanghai"
NOW_MS = 1_795_662_000_000  # 26 November 2026, 11:00 in China
DAY_MS = 86_400_000
RATINGS = {"satisfied": 14, "fairly": 4, "unsatisfied": 1}


def department(name: str, *counts: int, median: float | None = 3.5) -> DepartmentAccount:
    total, answered, in_hand, overdue = counts
    ratings = {"satisfied": 7, "fairly": 2, "unsatisfied": 0}
    return DepartmentAccount(f"d_{name}", name, total, answered, in_hand, overdue, median, ratings)


def opened(number: int, text: str, who: str | None, days: int = 0, due: int | None = 8) -> OpenCase:
    due_ms = None if due is None else NOW_MS + due * DAY_MS
    return OpenCase(f"r{number}", f"第 2026-1120-{number:02} 号", text, 200 - number, who, due_ms, days)


FULL = Account(
    consultation=AccountConsultation(
        "c",
        "推进县域养老服务高质量发展",
        "澄川市政协",
        "ended",
        NOW_MS - 6 * DAY_MS,
        NOW_MS - 6 * DAY_MS + 9_060_000,
    ),
    as_of_wall_ms=NOW_MS,
    venues=AccountVenues(1, 1, 2),
    viewers=AccountViewers(41_208, 13_570),
    comments=replace(
        comments_of({}, 1_348), received=9_216, shown=8_317, rejected=655, held=212, withdrawn=32, waiting=0
    ),
    topics=tuple(
        AccountTopic(name, count)
        for name, count in (
            ("助餐送餐", 2_140),
            ("护理队伍", 1_986),
            ("夜间照护", 1_015),
            ("费用、补贴、报销", 948),
            ("适老改造", 602),
        )
    ),
    other_topics=2_525,
    promoted=AccountPromotions(9, 1_026),
    responses=replace(responses_of([], 0), total=46, answered=33, in_hand=13, overdue=1, unassigned=2),
    median_days=4.2,
    ratings=RATINGS,
    departments=(
        department("市民政局", 19, 15, 4, 0),
        department("市卫健委", 11, 8, 3, 0, median=4.8),
        department("市财政局", 6, 3, 3, 1, median=None),
        department("市医保局", 5, 5, 0, 0),
        department("市自然资源局", 3, 2, 1, 0),
    ),
    open=(
        opened(1, "护理员一个月两千出头，留不住人，待遇怎么解决？", "市财政局", days=2, due=-2),
        opened(2, "农忙时能不能把父母送到镇上住半个月？", "市民政局"),
        opened(3, "老房子没有电梯，能不能给楼道装扶手和坐凳？", "市自然资源局"),
        opened(4, "助餐点补贴能不能按实际用餐人数发？", None, due=None),
        opened(5, "第五件", "市民政局"),
    ),
    trace=TraceHead(9_412, "3f9a51c7" + "0" * 48 + "88d0c21e"),
)
EMPTY = Account(
    consultation=AccountConsultation("c", "会", None, "scheduled", None, None),
    as_of_wall_ms=NOW_MS,
    venues=AccountVenues(0, 0, 0),
    viewers=AccountViewers(None, None),
    comments=comments_of({}, 0),
    topics=(),
    other_topics=0,
    promoted=AccountPromotions(0, 0),
    responses=responses_of([], 0),
    median_days=None,
    ratings=dict.fromkeys(RATINGS, 0),
    departments=(),
    open=(),
    trace=None,
)
CROWDED = replace(
    FULL,
    consultation=replace(
        FULL.consultation,
        title="推进县域养老服务高质量发展和农村互助养老点建设" * 3,
        organization="澄川市" * 12,
    ),
    departments=tuple(
        department(f"第{number}个名字很长很长的部门和办公室" * 2, 9, 5, 4, 3) for number in range(40)
    ),
    topics=tuple(AccountTopic("很长的名字、很长的名字、很长的名字很长", 9) for _ in range(5)),
    open=tuple(
        opened(number, "这一件事情写得很长很长，" * 20, "一个名字很长的部门" * 5, days=120)
        for number in range(30)
    ),
    viewers=AccountViewers(123_456_789, 98_765_432),
)
NASTY = replace(
    FULL,
    consultation=replace(
        FULL.consultation,
        title='#panic("x") $1+1$ *b* _i_ @ref <label> \\ `raw` // x',
        organization="[]#{1+1}",
    ),
    topics=(AccountTopic("#strong[加粗] = 标题", 5), AccountTopic("‮反过来\u200b\x07", 4)),
    open=(opened(1, '"; #read("/etc/passwd")\n\n= 标题\n- 列表', "'{}|%s"),),
)


def words(pdf: bytes) -> list[str]:
    """The text of each page, spaces left out."""
    return [re.sub(r"\s", "", page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def made(account: Account) -> bytes:
    code = codes.draw("https://huiyi.example.cn/answers/c")
    sheet = account_sheet(account, ZONE, code)
    return typeset("account", json.loads(json.dumps(sheet, ensure_ascii=False)))


def test_less_than_a_day_is_said_in_words() -> None:
    (page,) = words(made(replace(FULL, median_days=0.0)))
    assert "一半的事项不到一天就有答复。" in page
    assert "0.0" not in page


def test_the_page_says_what_the_account_says() -> None:
    (page,) = words(made(FULL))
    for said in (
        "澄川市政协远程协商会问效表",
        "推进县域养老服务高质量发展",
        "2026年11月20日11:00至13:31",
        "主会场1个，分会场1个，连线点2个",
        "46件意见交办，33件已答复，1件逾期",
        "一半的事项在4.2天内答复。19位提问人作了评价，18位满意或基本满意。",
        "41,208",
        "人次，最高同时13,570",
        "条，合并为1,348组",
        "条，占90%",
        "条，代表1,026人",
        "件，5个部门",
        "件，占72%",
        "未通过，附理由655",
        "合计9,216",
        "助餐送餐2,140",
        "其他2,525",
        "市财政局63317/2/0",
        "待分派2020",
        "合计46331314.214/4/1",
        "还没有答复的（5件中最急的4件）",
        "逾期2个工作日",
        "12月4日到期",
        "未定期限",
        "统计截至2026年11月26日11:00",
        "留痕第9,412条，校验3f9a51c7…88d0c21e",
        "扫码看全部留言和答复",
    ):
        assert said in page, said
    assert "第五件" not in page


@pytest.mark.parametrize("account", [FULL, EMPTY, CROWDED, NASTY], ids=["full", "empty", "crowded", "nasty"])
def test_it_is_one_page_whatever_stands_in_it(account: Account) -> None:
    pdf = made(account)
    assert len(words(pdf)) == 1
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    assert "/Annots" not in page, "nothing to click"


def test_words_are_never_markup() -> None:
    (page,) = words(made(NASTY))
    assert '#panic("x")$1+1$*b*_i_@ref<label>\\`raw`//x' in page
    assert "#strong[加" in page
    assert '";#read("/etc/passwd")' in page
    assert "root:" not in page


def test_a_consultation_in_which_nothing_happened() -> None:
    (page,) = words(made(EMPTY))
    for said in ("没有收到网友留言", "留言还不够归类。", "还没有交办的事项。", "合计0", "看过"):
        assert said in page


def test_the_sentences() -> None:
    assert say(FULL) == "46 件意见交办，33 件已答复，1 件逾期"
    calm = replace(
        FULL, responses=replace(FULL.responses, overdue=0), median_days=None, ratings=EMPTY.ratings
    )
    assert (say(calm), say_more(calm)) == ("46 件意见交办，33 件已答复", "")
    assert (
        say(replace(EMPTY, comments=replace(EMPTY.comments, received=7)))
        == "收到网友留言 7 条，还没有交办的事项"
    )
    assert [percent(*each) for each in ((0, 0), (0, 9), (9, 9), (9_999, 10_000), (1, 10_000), (1, 3))] == [
        *("", "占 0%", "占 100%", "占 99%", "占 1%", "占 33%")
    ]


def test_the_code_on_the_page_is_the_code() -> None:
    code = codes.draw("https://huiyi.example.cn/answers/c")
    sheet = account_sheet(FULL, ZONE, code)
    cells = {(x + n, y) for x, y, length in sheet["qr"]["runs"] for n in range(length)}
    black = {
        (int(x) + n, int(y))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", code.path)
        for n in range(int(length))
    }
    assert cells == black
    assert account_sheet(FULL, ZONE, None)["qr"] is None


def test_what_cannot_be_typeset_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PaperError, match="no template"):
        typeset("../worker", {})
    with pytest.raises(PaperError):
        typeset("account", {"title": "x"})
    import typst

    real: Any = typst.compile_with_warnings
    without_fonts = partial(real, ignore_system_fonts=True)
    monkeypatch.setattr(typst, "compile_with_warnings", without_fonts)
    with pytest.raises(PaperError, match="unknown font family"):
        made(FULL)


async def code_of(papers: PaperWorkers, data: dict[str, Any]) -> str:
    with pytest.raises(ConferenceError) as caught:
        await papers.typeset("account", data)
    return caught.value.code


async def test_the_worker_answers_in_time_or_with_an_error() -> None:
    sheet = account_sheet(FULL, ZONE, None)
    assert (await PaperWorkers().typeset("account", sheet)).startswith(b"%PDF-")
    assert await code_of(PaperWorkers(), {}) == "paper_failed"
    assert await code_of(PaperWorkers(patience_s=0.01), sheet) == "paper_failed"
    assert await code_of(PaperWorkers("signaling.no_such_worker"), sheet) == "paper_failed"
    assert await code_of(PaperWorkers("this"), sheet) == "paper_failed", "something else than a PDF"


def test_its_memory_is_bounded() -> None:
    program = "from signaling.paper import worker; worker.MEMORY_BYTES = 64 << 20; worker.main()"
    request = json.dumps({"template": "account", "data": account_sheet(FULL, ZONE, None)})
    done = subprocess.run(
        [sys.executable, "-c", program], input=request.encode(), capture_output=True, check=False
    )
    assert not done.stdout.startswith(b"%PDF-")


def test_the_workbook_is_read_back() -> None:
    data = write(Format.XLSX, ZONE, account_sheets(replace(FULL, topics=(AccountTopic("=1+1", 5),))))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["问效表", "各部门办理", "大家在说什么", "还没有答复的"]
    sums: dict[Any, Any] = {row[1]: row[2] for row in book["问效表"].iter_rows(min_row=2, values_only=True)}
    assert (sums["看过（人次）"], sums["收到"], sums["交办（件）"], sums["一半在几天内答复"]) == (
        41_208,
        9_216,
        46,
        4.2,
    )
    assert (
        sum(sums[each] for each in ("公开", "未通过", "暂缓", "还没有审核", "网友自己撤回")) == sums["收到"]
    )
    assert FULL.trace is not None
    assert sums["校验"] == FULL.trace.hash
    rows = list(book["各部门办理"].iter_rows(min_row=2, values_only=True))
    assert rows[0] == ("市民政局", 19, 15, 4, 0, 3.5, 7, 2, 0)
    assert rows[2][5] is None
    topic = book["大家在说什么"]["A2"]
    assert (topic.value, topic.data_type) == ("=1+1", "s"), "text, whatever it begins with"
    opened_rows = list(book["还没有答复的"].iter_rows(min_row=2, values_only=True))
    assert len(opened_rows) == 5, "all of them"
    assert (opened_rows[0][0], opened_rows[0][2], opened_rows[0][5]) == ("第 2026-1120-01 号", 199, 2)
    assert f"{opened_rows[1][4]:%Y-%m-%d %H:%M}" == "2026-12-04 11:00"
    empty = openpyxl.load_workbook(io.BytesIO(write(Format.XLSX, ZONE, account_sheets(EMPTY))))
    assert [empty[name].max_row for name in empty.sheetnames] == [21, 1, 1, 1]
