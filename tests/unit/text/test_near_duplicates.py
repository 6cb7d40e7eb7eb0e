"""Groups of near-duplicates: who meets whom, in any order, moved by people, forgotten in time."""

import random
import string
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.text.folding import fold
from conference.text.near_duplicates import Groups, _Sketch, likeness, says_the_same

WORDS = [
    "老小区",
    "电梯",
    "加装",
    "村口",
    "路灯",
    "公交",
    "卫生院",
    "看病",
    "报销",
    "自来水",
    "停水",
    "学校",
    "食堂",
    "护工",
    "补贴",
    "桥",
]


def same(one: str, other: str) -> bool:
    groups = Groups()
    return groups.add("1", fold(one).text) == groups.add("2", fold(other).text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("建议在老小区加装电梯", "建议 在老小區加裝電梯！！"),
        ("村卫生室常年没有降压药，要跑到镇上买", "村卫生室常年没有降压药，要跑到镇上去买啊"),
        ("希望镇上的公交末班车晚一点，下班赶不上", "希望公交末班车晚一点，下班赶不上"),
        ("公交末班车能不能晚一点", "公交末班车可以晚一点吗公交末班车能不能晚一点"),
        ("支持支持", "支持支持"),
    ],
)
def test_the_same_in_nearly_the_same_words_meets(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("我支持在城东新建一座垃圾中转站", "我反对在城东新建一座垃圾中转站"),
        ("12路公交车的班次太少了", "15路公交车的班次太少了"),
        ("村里的路应该今年修完", "村里的路不应该今年修完"),
        ("希望镇卫生院的护工费降一点", "希望镇卫生院的护工费涨一点"),
        ("希望修路", "希望修桥"),
        ("学校食堂的饭菜太贵", "养老院的护工太少"),
        ("支持", "反对"),
        ("", "好"),
    ],
)
def test_what_differs_in_what_it_says_stays_apart(one: str, other: str) -> None:
    assert not same(one, other)


def rebuilt(rows: Sequence[tuple[str, str, str]], capacity: int = 100_000) -> Groups:
    groups = Groups(capacity)
    groups.restore(rows)
    return groups


def paraphrases(seed: int, clusters: int, members: int) -> list[tuple[int, str]]:
    """Clusters of long texts that differ in one character within and in nearly all between."""
    chance = random.Random(seed)
    made: list[tuple[int, str]] = []
    for cluster in range(clusters):
        base = [chr(0x3400 + cluster * 64 + place) for place in range(40)]  # characters without meaning here
        for _ in range(members):
            text = list(base)
            text[chance.randrange(len(text))] = "龘"
            made.append((cluster, "".join(text)))
    return made


def partition(groups: dict[int, str]) -> set[frozenset[int]]:
    gathered: dict[str, set[int]] = {}
    for number, group in groups.items():
        gathered.setdefault(group, set()).add(number)
    return {frozenset(members) for members in gathered.values()}


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_separate_clusters_are_found_in_any_order(seed: int, chance: random.Random) -> None:
    made = paraphrases(seed, 5, 6)
    expected = partition({number: str(cluster) for number, (cluster, _) in enumerate(made)})
    order = list(range(len(made)))
    chance.shuffle(order)
    groups = Groups(64)
    found = {number: groups.add(str(number), made[number][1]) for number in order}
    assert partition(found) == expected


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join), max_size=40), st.randoms()
)
def test_equal_texts_always_meet(texts: list[str], chance: random.Random) -> None:
    order = [*range(len(texts))] * 2
    chance.shuffle(order)
    groups = Groups(256)
    found: dict[str, set[str]] = {}
    for place, number in enumerate(order):
        found.setdefault(texts[number], set()).add(groups.add(f"{place}", texts[number]))
    assert all(len(ids) == 1 for ids in found.values())


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join), max_size=40))
def test_rebuilt_from_rows_it_has_the_same_groups_and_goes_on_alike(texts: list[str]) -> None:
    first = Groups(256)
    rows = [(str(number), text, first.add(str(number), text)) for number, text in enumerate(texts)]
    again = rebuilt(rows, 256)
    assert all(again.group_of(comment_id) == group for comment_id, _, group in rows)
    assert all(first.size(group) == again.size(group) for _, _, group in rows)
    for text in texts:
        assert first.add(f"new {text}", text) == again.add(f"new {text}", text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_a_measure(one: str, other: str) -> None:
    assert likeness(one, one) == 1
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert says_the_same(one, other) == says_the_same(other, one)


def test_any_text_finds_a_group() -> None:
    groups = Groups(8)
    for number, text in enumerate(["", "\ud800", "\0", "a" * 5000, "龘", "👍"]):
        assert groups.add(str(number), text) == str(number)


def test_a_comment_has_one_group_however_often_it_is_added() -> None:
    groups = Groups()
    assert groups.add("1", "村口的路灯坏了") == groups.add("1", "别的话") == "1"
    assert len(groups) == groups.size("1") == 1


def test_merged_groups_take_what_is_like_either() -> None:
    groups = Groups()
    groups.add("1", "村口的路灯坏了三个月没有人修")
    groups.add("2", "晚上村里一片漆黑老人不敢出门")
    groups.move(["2"], "1")
    assert [groups.group_of(each) for each in ("1", "2")] == ["1", "1"]
    assert (groups.size("1"), groups.size("2")) == (2, 0)
    assert groups.add("3", "晚上村里一片漆黑老人都不敢出门") == "1"
    assert groups.add("4", "村口的路灯坏了三个月没人修") == "1"


def test_what_was_split_off_is_followed() -> None:
    groups = Groups()
    for number, text in enumerate(
        ["村口路灯坏了没有人来修", "村口路灯坏了没有人来修呀", "村口路灯坏了没有人来修呢"]
    ):
        groups.add(str(number), text)
    groups.move(["2"], "2")
    assert [groups.group_of(each) for each in ("0", "1", "2")] == ["0", "0", "2"]
    assert groups.add("3", "村口路灯坏了没有人来修呢") == "2"
    assert groups.add("4", "村口路灯坏了没有人来修") == "0"


def test_a_whole_group_goes_under_another_name() -> None:
    groups = Groups()
    for number in range(4):
        groups.add(str(number), "村口路灯坏了没有人来修")
    groups.move(["0", "1"], "g_1")
    assert [groups.group_of(str(number)) for number in range(4)] == ["g_1", "g_1", "0", "0"]
    groups.move(["2", "3", "never seen"], "g_2")
    assert [groups.size(each) for each in ("g_1", "g_2", "0")] == [2, 2, 0]
    assert groups.group_of("never seen") is None


def test_the_oldest_are_forgotten_and_nothing_grows() -> None:
    groups = Groups(50)
    chance = random.Random(5)
    for number in range(2_000):
        groups.add(str(number), "".join(chance.choices(string.ascii_lowercase, k=30)))
    assert len(groups) == 50
    assert groups.group_of("0") is None
    assert len(groups._exemplars) == len(groups._numbers) == len(groups._newest) == len(groups._sizes) == 50


def test_a_text_that_keeps_coming_is_not_forgotten_with_its_first() -> None:
    groups = Groups(20)
    for number in range(200):
        assert groups.add(f"flood {number}", "转发这条消息领取大米") == "flood 0"
        groups.add(f"other {number}", f"{chr(0x5000 + number) * 3}{chr(0x6000 + number) * 3}")
    assert len(groups) == 20
    assert groups.add("like", "转发这条消息领取大米啊") == "flood 0"


def test_what_a_person_moved_is_followed_after_a_restart_too() -> None:
    groups = Groups()
    texts = ["村口路灯坏了没有人来修", "桥头的栏杆断了一截，老人走过去很怕", "村口路灯坏了没有人来修呢"]
    for number, text in enumerate(texts):
        groups.add(str(number), text)
    groups.move(["2"], "1")
    rows = [(str(number), text, str(groups.group_of(str(number)))) for number, text in enumerate(texts)]
    again = rebuilt(rows)
    for each in (groups, again):
        assert each.add("3", "村口路灯坏了没有人来修呢") == "1"
        assert each.add("4", "村口路灯坏了没有人来修") == "0"
        assert each.add("5", "桥头的栏杆断了一截，老人走过很怕") == "1"


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_many_at_once_are_the_same_as_one_by_one(texts: list[str]) -> None:
    sketch = _Sketch(0xFFFF)
    assert sketch.slots_of_many(texts).tolist() == [sketch.slots(each).tolist() for each in texts]
