"""What the services get to read comments with."""

from conference.model.comment import Level, Word
from conference.services.ports.comments import CommentReader
from conference.text.reader import TextReader

READER: CommentReader = TextReader(100)


def test_the_words_of_a_consultation_count_beside_the_default_ones() -> None:
    judge = READER.judge([Word("某某药酒", Level.BLOCK), Word("围堰", Level.MARK, "engineering")])
    assert judge.judge("某 某 藥 酒", "村民", None).level is Level.BLOCK
    assert judge.judge("你就是个傻逼", "村民", None).level is Level.BLOCK
    marked = judge.judge("围堰几时拆", "村民", "城关")
    assert marked.level is Level.MARK
    assert [
        (reason.code, reason.what, reason.start, reason.end, reason.field) for reason in marked.reasons
    ] == [("word_other", "围堰", 0, 2, "text")]
    assert judge.judge("希望修路", "加我微信", None).reasons[0].field == "nickname"


def test_a_harmless_word_of_a_consultation_covers_a_listed_one() -> None:
    words = [Word("傻子河", Level.PASS, "harmless")]
    assert READER.judge([]).judge("傻子河又发水了", "村民", None).level is Level.HOLD
    assert READER.judge(words).judge("傻子河又发水了", "村民", None).level is Level.PASS


def test_a_consultation_overrules_a_default_word() -> None:
    assert READER.judge([]).judge("他是笨蛋", "村民", None).level is Level.HOLD
    assert READER.judge([Word("笨 蛋", Level.MARK)]).judge("他是笨蛋", "村民", None).level is Level.MARK
    assert READER.judge([Word("笨蛋", Level.PASS)]).judge("他是笨蛋", "村民", None).level is Level.PASS


def test_of_two_lists_the_later_overrules_the_earlier() -> None:
    body, own = [Word("围堰", Level.BLOCK), Word("药酒", Level.HOLD)], [Word("围 堰", Level.PASS)]
    judge = READER.judge(body, own)
    assert judge.judge("围堰几时拆", "村民", None).level is Level.PASS
    assert judge.judge("卖药酒", "村民", None).level is Level.HOLD
    assert READER.judge(own, body).judge("围堰几时拆", "村民", None).level is Level.BLOCK


def test_groupings_read_through_spelling_and_keep_pictures_apart() -> None:
    grouping = READER.grouping()
    assert grouping.add("1", "村口的路灯坏了") == "1"
    assert grouping.add("2", "村 口 的 路 燈 壞 了！") == "1"
    assert grouping.add("3", "👍") == "3"
    assert grouping.add("4", "👎") == "4"
    assert grouping.add("5", "👍") == "3"
    grouping.move(["2"], "other")
    assert grouping.add("6", "村口的路灯坏了") == "other"
    grouping.restore([("7", "桥栏杆断了", "bridges")])
    assert grouping.add("8", "桥 栏杆断了。") == "bridges"
    assert READER.fold("ＡＢ 縣") == READER.fold("ab县") == "ab县"
