"""Topics: comments about one thing come together under a name, and what is said once is in none."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.text.topics import MAX_TEXTS, Topic, cluster
from tests.support.flood import Kind, flood

FILE = Path(__file__).resolve().parents[2] / "data" / "comment_topics.txt"
ROWS = [line.split("\t") for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
TEXTS = [text for _, text in ROWS]


def subjects(topic: Topic) -> Counter[str]:
    return Counter(ROWS[member][0] for member in topic.members)


def test_hand_written_paraphrases_come_together() -> None:
    topics = cluster(TEXTS)
    counted = [subjects(topic).most_common(1)[0] for topic in topics]
    together = sum(count for subject, count in counted if subject != "-")
    assert together >= 0.85 * sum(subject != "-" for subject, _ in ROWS)
    assert together >= 0.85 * sum(len(topic.members) for topic in topics)
    assert {"电梯", "公交", "自来水"} <= {subject for subject, count in counted if count >= 4}
    assert sum(subjects(topic)["-"] for topic in topics) <= 3


def test_topics_are_named_by_their_words() -> None:
    names = {subjects(topic).most_common(1)[0][0]: topic.name for topic in cluster(TEXTS)}
    for subject in ("电梯", "公交", "自来水"):
        assert names[subject].split("、")[0] == subject
    assert all(1 <= len(name.split("、")) <= 3 for name in names.values())


def test_the_topics_of_a_flood_are_there_to_be_seen() -> None:
    """Not that all who write of it are in: half of them name nothing that the others name."""
    said = [each for each in flood() if each.kind is not Kind.VIOLATION]
    seen: dict[str, int] = {}
    for topic in cluster([each.text for each in said]):
        assert len(topic.members) < 60  # what everybody says holds nothing together
        about = Counter(said[member].subject for member in topic.members)
        subject, count = about.most_common(1)[0]
        if said[topic.members[0]].kind is Kind.TOPIC and 2 * count > len(topic.members):
            seen[subject] = max(seen.get(subject, 0), count)
    assert sum(count >= 8 for count in seen.values()) >= 24


def test_the_same_list_gives_the_same_topics_and_order_changes_only_places() -> None:
    assert cluster(TEXTS) == cluster(TEXTS)
    order = list(range(len(TEXTS)))
    random.Random(3).shuffle(order)
    shuffled = cluster([TEXTS[place] for place in order])
    placed = {frozenset(order[member] for member in topic.members) for topic in shuffled}
    assert placed == {frozenset(topic.members) for topic in cluster(TEXTS)}


def test_the_largest_comes_first_and_the_most_typical_in_front() -> None:
    topics = cluster(["路灯坏了", "桥塌了半边", "路灯不亮", "桥栏杆断了要修桥", "路灯太暗", "我是老师"])
    assert [len(topic.members) for topic in topics] == sorted(
        (len(topic.members) for topic in topics), reverse=True
    )
    assert set(topics[0].members) == {0, 2, 4}
    assert all(5 not in topic.members for topic in topics)


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["好"], ["👍", "👎", "\ud800"], ["路灯坏了"]])
def test_nothing_to_say_makes_no_topic(texts: list[str]) -> None:
    assert cluster(texts) == []


def test_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        cluster(["路"] * (MAX_TEXTS + 1))


@settings(max_examples=40)
@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=30)), max_size=30))
def test_each_comment_is_in_one_topic_at_most(texts: list[str]) -> None:
    topics = cluster(texts)
    members = [member for topic in topics for member in topic.members]
    assert len(members) == len(set(members))
    assert set(members) <= set(range(len(texts)))
    assert all(len(topic.members) > 1 and topic.name for topic in topics)
