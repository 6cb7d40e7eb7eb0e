"""The filter: evasions found, harmless look-alikes left alone, each verdict with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.comment import Level
from conference.text.filter import Field, Verdict, judge
from conference.text.words import Category, Word, WordList, default_words
from tests.support.comment_lines import comment_lines, quality

WORDS = WordList(default_words())
JOINTS = ["", " ", "\u200b", ".", "-", "*", "\u3000", "\u2060", "~", "·"]
ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from("微信傻逼13800加vqq.com，。<>\u200b\u202e@·点栋单元")),
    max_size=80,
)


def judged(text: str, nickname: str = "村民", region: str = "") -> Verdict:
    return judge(text, nickname, region, WORDS)


def codes(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        ("希望把村口的路修好", Level.PASS, None),
        ("你就是个傻逼", Level.BLOCK, "word_insult"),
        ("电话 138-0571-2046", Level.HOLD, "contact_phone"),
        ("手机１３９ ５７１２ ０４６８", Level.HOLD, "contact_phone"),
        ("一三九五七一二〇四六八", Level.HOLD, "contact_phone"),
        ("1，3，9，5，7，1，2，0，4，6，8", Level.HOLD, "contact_phone"),
        ("投资13957120468元修路", Level.PASS, None),
        ("长途0571-86923375", Level.HOLD, "contact_phone"),
        ("拨打12345", Level.PASS, None),
        ("vx：wang_laoshi", Level.HOLD, "contact_wechat"),
        ("+v 详聊", Level.HOLD, "contact_wechat"),
        ("用微信支付不方便", Level.PASS, None),
        ("Q群 639205718", Level.HOLD, "contact_qq"),
        ("a.b-c@163.com", Level.HOLD, "contact_email"),
        ("laoli艾特qq点com", Level.HOLD, "contact_email"),
        ("看 http://t.cn/x", Level.HOLD, "link"),
        ("butie888点com", Level.HOLD, "link"),
        ("水价2.35涨到3.10", Level.PASS, None),
        ("33010619650312781X", Level.HOLD, "identity_number"),
        ("6228480329017365418", Level.HOLD, "bank_card"),
        ("3栋2单元502室", Level.HOLD, "home_address"),
        ("3号楼2单元的电梯", Level.PASS, None),
        ("浙A·7K32M", Level.HOLD, "plate"),
        ("<script>alert(1)</script>", Level.HOLD, "markup"),
        ("'; drop table comments; --", Level.HOLD, "markup"),
        ("水费<5元的家庭能免吗", Level.PASS, None),
        ("看\u202e反", Level.HOLD, "direction_signs"),
        ("正常\u200b的话", Level.MARK, "hidden_signs"),
        ("", Level.BLOCK, "empty"),
        ("\u200b \u3000", Level.BLOCK, "empty"),
        ("👍👍", Level.PASS, None),
        ("！" * 60, Level.HOLD, "signs_only"),
        ("哈" * 20, Level.MARK, "repetition"),
        ("还我血汗钱" * 8, Level.HOLD, "repetition"),
        ("哈哈哈", Level.PASS, None),
    ],
)
def test_verdicts(text: str, level: Level, code: str | None) -> None:
    verdict = judged(text)
    assert verdict.level is level
    assert (code in codes(verdict)) if code else not verdict.reasons


@pytest.mark.parametrize(
    ("nickname", "region", "level", "field"),
    [
        ("管理员", "", Level.HOLD, Field.NICKNAME),
        ("县 長", "", Level.HOLD, Field.NICKNAME),
        ("傻逼", "", Level.BLOCK, Field.NICKNAME),
        ("老王13957120468", "", Level.HOLD, Field.NICKNAME),
        ("老王", "加我微信", Level.HOLD, Field.REGION),
        ("老王", "县政府旁边", Level.PASS, None),
        ("水乡老李", "城关镇", Level.PASS, None),
    ],
)
def test_nickname_and_region_pass_the_same_filter(
    nickname: str, region: str, level: Level, field: Field | None
) -> None:
    verdict = judged("希望多修几盏路灯", nickname, region)
    assert verdict.level is level
    assert {reason.field for reason in verdict.reasons} == ({field} if field else set())


def test_two_hints_hold_unless_somebody_complains() -> None:
    words = WordList(
        [
            Word("精装", Level.PASS, Category.ADVERTISEMENT),
            Word("现房", Level.MARK, Category.ADVERTISEMENT),
            Word("赌球", Level.BLOCK, Category.GAMBLING),
            Word("希望", Level.PASS, Category.ABOUT),
            Word("查处", Level.HOLD, Category.ABOUT),
            Word("加我微信", Level.HOLD, Category.CONTACT),
            Word("联系我们", Level.PASS, Category.CONTACT),
            Word("联系我", Level.PASS, Category.CONTACT),
        ]
    )
    for text, level in (
        ("精装三房", Level.PASS),
        ("现房", Level.MARK),
        ("精装现房", Level.HOLD),
        ("精装又精装", Level.PASS),
        ("没人联系我们", Level.PASS),
        ("希望精装现房不漏水", Level.MARK),
        ("希望赌球", Level.BLOCK),
        ("请查处赌球", Level.MARK),
        ("请查处赌球13957120468", Level.BLOCK),
        ("查处赌球，加我微信追回损失", Level.BLOCK),
    ):
        assert judge(text, "", "", words).level is level, text


def test_a_moderators_word_counts_at_once() -> None:
    words = WordList([*default_words(), Word("某某牌子", Level.BLOCK, Category.OTHER)])
    assert judged("某某牌子").level is Level.PASS
    assert judge("某 某 牌 子", "", "", words).level is Level.BLOCK


@pytest.mark.parametrize("word", ["傻逼", "六合彩", "弄死你", "不看征信", "加我微信", "狗杂种"])
@given(data=st.data())
def test_no_joint_hides_a_word(word: str, data: st.DataObject) -> None:
    joint = data.draw(st.sampled_from(JOINTS))
    before = data.draw(st.sampled_from(["", "你们", "村里 ", "路，"]))
    after = data.draw(st.sampled_from(["", "啊", "！", " 说真的"]))
    assert judged(before + joint.join(word) + after).level.rank >= Level.HOLD.rank


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(
        ["0123456789", "０１２３４５６７８９", "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "⓪①②③④⑤⑥⑦⑧⑨"]
    ),
    st.sampled_from(JOINTS),
)
def test_no_digits_hide_a_telephone_number(number: str, digits: str, joint: str) -> None:
    written = joint.join(digits[int(digit)] for digit in number)
    assert "contact_phone" in codes(judged(f"找我 {written} 老王"))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_is_judged_and_reasons_stand_where_they_say(text: str, nickname: str, region: str) -> None:
    verdict = judged(text, nickname, region)
    written = {Field.TEXT: text, Field.NICKNAME: nickname, Field.REGION: region}
    assert verdict.level is (verdict.reasons[0].level if verdict.reasons else Level.PASS)
    for reason in verdict.reasons:
        assert reason.level.rank <= verdict.level.rank
        assert 0 <= reason.start <= reason.end <= len(written[reason.field])
        if reason.code not in ("empty", "signs_only"):
            assert reason.what == written[reason.field][reason.start : reason.end] != ""


@pytest.mark.parametrize(
    "part", ["1" * 300, "1 " * 150, "a." * 150, "加v" * 100, "w " * 150, "<" * 300, "3栋" * 100, "ab" * 150]
)
def test_hostile_texts_are_judged_quickly(part: str) -> None:
    import time

    began = time.process_time()
    judged(part)
    assert time.process_time() - began < 0.05


def test_the_hand_made_lines_are_many_and_of_all_kinds() -> None:
    lines = comment_lines()
    assert len(lines) >= 300
    assert len({line.text for line in lines}) == len(lines)
    assert 0.25 < sum(line.is_held_out for line in lines) / len(lines) < 0.42
    for held_out in (True, False):
        kinds = {line.evasion for line in lines if line.is_held_out is held_out}
        assert {
            "plain",
            "harmless",
            "spaced",
            "zero_width",
            "traditional",
            "homophone",
            "chinese_digits",
        } <= kinds


@pytest.mark.parametrize("held_out", [False, True])
def test_quality_on_the_hand_made_lines(held_out: bool) -> None:
    result = quality([line for line in comment_lines() if line.is_held_out is held_out], WORDS)
    assert result.precision >= 0.95
    assert result.recall >= 0.85
