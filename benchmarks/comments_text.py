"""`python -m benchmarks.comments_text`: what filter and grouping cost a comment, and how well the filter judges.

50,000 different comments of 30 characters at the median against 20,000 words beside the default list; then the
hand-made lines of tests/data/comment_filter.jsonl, the held-out third apart. Exits with 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from conference.model.comment import Level
from conference.text.filter import judge
from conference.text.folding import fold
from conference.text.near_duplicates import Groups
from conference.text.topics import cluster
from conference.text.words import Category, Word, WordList, default_words
from tests.support.comment_lines import comment_lines, quality

COMMENTS = 50_000
WORDS = 20_000
MOST_US = 200.0
MOST_MEMORY_MB = 256.0
LEAST_PRECISION, LEAST_RECALL = 0.95, 0.85

_WHO = (
    "我们村", "我母亲", "老小区的住户", "西街的居民", "山里的孩子", "独居的老人", "进城打工的人",
    "开小店的", "退休教师", "种果树的",
)  # fmt: skip
_WHEN = (
    "去年冬天", "上个月", "从三月份起", "一到下雨天", "每天早上六点", "这两年", "周末", "过完年以后",
    "刚入秋", "赶集的日子",
)  # fmt: skip
_WHAT = (
    "在镇卫生院排队排不上", "走那段没有路灯的路", "用水总是发黄", "等公交等一个多钟头", "买不到降压药",
    "上下六楼靠人背", "交的水费比城里贵", "去县城办事要跑三趟", "听不懂窗口说的话", "没地方晒谷子",
    "收不到手机信号", "接孩子被堵在桥头",
)  # fmt: skip
_WISH = (
    "希望早点有个说法", "请把时间表贴出来", "能不能先修最急的", "盼望有人下来看看", "建议先做一个点试试",
    "请派医生每周来一次", "最好有人上门教一教", "希望多听听我们的话", "愿意一起出工出力",
    "请答复给个准日子",
)  # fmt: skip
_HAN = [chr(code) for code in range(0x4E00, 0x9FA5)]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU of one step a comment."""

    name: str
    mean_us: float
    median_us: float
    p99_us: float


def comments(count: int, seed: int = 7) -> list[str]:
    """Different comments; every fifth says nearly what another said."""
    chance = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        if made and chance.random() < 0.2:
            text = chance.choice(made) + chance.choice("啊呀吧呢！。")
        else:
            text = "，".join(
                (
                    chance.choice(_WHO) + chance.choice(_WHEN) + chance.choice(_WHAT),
                    "".join(chance.choices(_HAN, k=chance.randrange(2, 9))) + chance.choice(_WISH),
                )[chance.random() < 0.1 :]
            )
        made.append(text)
    return made


def words(count: int, seed: int = 11) -> list[Word]:
    """A long list of a moderator's words beside the default ones."""
    chance = random.Random(seed)
    texts: set[str] = set()
    while len(texts) < count:
        texts.add("".join(chance.choices(_HAN, k=chance.randrange(2, 6))))
    own = [Word(text, Level.HOLD, Category.OTHER) for text in sorted(texts)]
    return [*own[: count - len(default_words())], *default_words()]


def _timed(name: str, step: Callable[[str], object], texts: Sequence[str]) -> Cost:
    taken: list[int] = []
    for text in texts:
        began = time.thread_time_ns()
        step(text)
        taken.append(time.thread_time_ns() - began)
    taken.sort()
    return Cost(
        name, sum(taken) / len(taken) / 1000, median(taken) / 1000, taken[int(len(taken) * 0.99)] / 1000
    )


def measure(count: int) -> tuple[list[Cost], int]:
    """The costs of folding and filter, of grouping and of both, and how many groups were found."""
    texts = comments(count)
    listed = WordList(words(WORDS))
    groups, both = Groups(100_000), Groups(100_000)
    folded = iter([(str(number), fold(text).text) for number, text in enumerate(texts)])
    numbers = iter(range(count))

    def all_of_it(text: str) -> None:
        judge(text, "山里人", "城关镇", listed)
        both.add(str(next(numbers)), fold(text).text)

    costs = [
        _timed("filter", lambda text: judge(text, "山里人", "城关镇", listed), texts),
        _timed("grouping", lambda _: groups.add(*next(folded)), texts),
        _timed("both", all_of_it, texts),
    ]
    return costs, len({groups.group_of(str(number)) for number in range(count)})


def memory_mb(count: int) -> float:
    """What groups hold after so many comments into room for 100,000."""
    texts = comments(count, seed=23)
    tracemalloc.start()
    groups = Groups(100_000)
    for number, text in enumerate(texts):
        groups.add(f"comment-{number}", fold(text).text)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1e6


def print_quality() -> bool:
    """The filter on the hand-made lines; whether the held-out third is good enough."""
    listed = WordList(default_words())
    good = True
    for name, is_held_out in (("tuned on", False), ("held out", True)):
        result = quality([line for line in comment_lines() if line.is_held_out is is_held_out], listed)
        print(
            f"filter, {name}: {result.lines} lines, precision {result.precision:.3f}, recall {result.recall:.3f}, "
            f"level exact {result.exact:.3f}"
        )
        good = good and result.precision >= LEAST_PRECISION and result.recall >= LEAST_RECALL
    return good


def main(arguments: Sequence[str] | None = None) -> int:
    """Print costs, memory and quality."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comments_text", description=__doc__)
    parser.add_argument("--comments", type=int, default=COMMENTS)
    parser.add_argument("--quality", action="store_true", help="only how well the filter judges")
    options = parser.parse_args(arguments)
    good = print_quality()
    if options.quality:
        return 0 if good else 1
    costs, groups = measure(options.comments)
    for cost in costs:
        print(f"{cost.name}: {cost.mean_us:.0f} µs mean, {cost.median_us:.0f} median, {cost.p99_us:.0f} p99")
    began = time.perf_counter()
    topics = cluster(comments(2_000, seed=5))
    topics_s = time.perf_counter() - began
    held_mb = memory_mb(2 * options.comments)
    print(f"{groups} groups; {2 * options.comments} comments hold {held_mb:.0f} MB")
    print(f"topics of 2,000 comments: {len(topics)} in {topics_s:.2f} s")
    print(
        json.dumps(
            {"costs": {cost.name: round(cost.mean_us, 1) for cost in costs}, "memory_mb": round(held_mb, 1)}
        )
    )
    return 0 if good and costs[-1].mean_us < MOST_US and held_mb < MOST_MEMORY_MB else 1


if __name__ == "__main__":
    sys.exit(main())
