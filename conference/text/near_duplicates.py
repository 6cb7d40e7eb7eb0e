"""Groups of comments that say the same in nearly the same words, found as they arrive, in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from operator import add
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

_BANDS: Final = 16
_ROWS: Final = 2
_ENOUGH: Final = 0.5  # shared pairs of characters among all of both
_ENOUGH_SHORT: Final = 0.6
_SHORT: Final = 12  # characters
_PLAINLY: Final = 0.8  # hardly anything is liker
_COMPARED: Final = 6  # exemplars that share the most bands
_SLOTS_A_COMMENT: Final = 2
_NEVER: Final = 0  # no exemplar stands in this slot

# What turns a sentence into its opposite, or into one about something else: 支持 and 反对, 3路 and 5路.
_NEUTRAL: Final = re.compile(
    r"(.)[不没]\1|不[仅但断错光过管同然论知只]|非常|非机动|未来|未必不|无[论障人数锡]"
)
_DENIAL: Final = re.compile("[不没未勿莫无非]|别(?=再|让|说|光|只|总|把|建|修|拆)")
_AGAINST: Final = re.compile("反对|拒绝|抵制|取消|停止|废除|撤")
_FOR: Final = re.compile("支持|赞成|同意|拥护")
_RISING: Final = re.compile("增|加|多|涨|提高|扩|延长|早")
_FALLING: Final = re.compile("减|降|少|缩|削|低|晚")
_NUMBER: Final = re.compile(r"(?<![0-9a-z])(?!1(?![0-9]))[0-9]{1,3}(?=[^0-9a-z])")

_Hashes = npt.NDArray[np.uint64]
_Slots = npt.NDArray[np.intp]


@lru_cache(maxsize=512)
def stance(folded: str) -> tuple[int | str, ...]:
    """What must be equal for two comments to say the same however alike they look."""
    return (
        len(_DENIAL.findall(_NEUTRAL.sub("", folded))) % 2,
        bool(_AGAINST.search(folded)),
        bool(_FOR.search(folded)),
        *sorted(_NUMBER.findall(folded)),
    )


def _opposite(one: str, other: str) -> bool:
    """Whether one wants more and the other less."""
    ways = [(bool(_RISING.search(text)), bool(_FALLING.search(text))) for text in (one, other)]
    return set(ways) == {(True, False), (False, True)}


@lru_cache(maxsize=512)
def _pairs(folded: str) -> frozenset[str]:
    framed = f"^{folded}$"
    return frozenset(map(add, framed, framed[1:]))


def likeness(one: str, other: str) -> float:
    """0 to 1: shared pairs of neighbouring characters among all of both."""
    if one == other:
        return 1.0
    ours, theirs = _pairs(one), _pairs(other)
    shared = len(ours & theirs)
    return shared / (len(ours) + len(theirs) - shared)


def _enough(one: str, other: str) -> float:
    return _ENOUGH_SHORT if min(len(one), len(other)) < _SHORT else _ENOUGH


def says_the_same(one: str, other: str) -> bool:
    """Whether two folded comments belong into one group when nobody says otherwise."""
    if one == other:
        return True
    return (
        likeness(one, other) >= _enough(one, other)
        and stance(one) == stance(other)
        and not _opposite(one, other)
    )


class _Sketch:
    """MinHash of pairs of characters: for each band a number that like texts are likely to share."""

    def __init__(self, mask: int) -> None:
        generator = np.random.Generator(np.random.PCG64(20_261_122))
        shape = (_BANDS * _ROWS, 1)
        self._factors = generator.integers(1, 1 << 63, shape, dtype=np.uint64) | np.uint64(1)
        self._mixers = generator.integers(1, 1 << 63, _BANDS, dtype=np.uint64) | np.uint64(1)
        self._mask = np.uint64(mask)

    def slots(self, folded: str) -> _Slots:
        """A slot in each band."""
        pairs = self._hashed(f"^{folded}$")
        least = ((pairs * self._factors) >> np.uint64(17)).min(axis=1).reshape(_BANDS, _ROWS)
        mixed = least[:, 0] * self._mixers + least[:, 1] + np.uint64(crc32(repr(stance(folded)).encode()))
        return self._placed(mixed)

    def slots_of_many(self, texts: Sequence[str]) -> _Slots:
        """A row for each text: the same at a quarter of the price."""
        framed = [f"^{folded}$" for folded in texts]
        begins = np.cumsum([0, *map(len, framed)])
        pairs = self._hashed("".join(framed))
        pairs[begins[1:-1] - 1] = pairs[begins[1:-1] - 2]  # from one text to the next is no pair
        hashes = (pairs * self._factors) >> np.uint64(17)
        least = np.minimum.reduceat(hashes, begins[:-1], axis=1).reshape(_BANDS, _ROWS, len(texts))
        stances = np.array([crc32(repr(stance(folded)).encode()) for folded in texts], np.uint64)
        return self._placed(least[:, 0] * self._mixers[:, None] + least[:, 1] + stances).T

    @staticmethod
    def _hashed(framed: str) -> _Hashes:
        """A number for each pair of neighbours."""
        codes = np.frombuffer(framed.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        pairs: _Hashes = (codes[:-1] << np.uint64(32)) | codes[1:]
        pairs *= np.uint64(0x9E3779B97F4A7C15)
        pairs ^= pairs >> np.uint64(29)
        return pairs

    def _placed(self, mixed: _Hashes) -> _Slots:
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(31)
        slots: _Slots = (mixed & self._mask).astype(np.intp)
        return slots


class Groups:
    """Puts each comment into the group of the likest one before it, or into a group of its own.

    A group is named after the comment that began it. Of more than `capacity` comments the oldest are forgotten: their
    groups get no new members by likeness to them. Not for several threads.

    Equal texts meet in one group in whatever order they come, as long as nobody moves them. So do comments each of
    which is like any other of them and none beside them: surely where they share four pairs of five, in 99 of 100 cases
    where they just share enough (the price of not comparing each with all).
    """

    def __init__(self, capacity: int = 100_000) -> None:
        slots = 1 << (max(capacity, 16) * _SLOTS_A_COMMENT - 1).bit_length()
        self._capacity = capacity
        self._sketch = _Sketch(slots - 1)
        self._bands = np.arange(_BANDS)
        self._table = np.zeros((_BANDS, slots), np.uint32)
        self._exemplars: dict[int, tuple[str, str]] = {}  # number → folded text, comment
        self._numbers: dict[str, int] = {}  # folded text → number of its exemplar
        self._newest: dict[str, str] = {}  # folded text → comment that came or was moved last
        self._last = _NEVER
        self._members: dict[str, tuple[str, str]] = {}  # comment → group, folded text; oldest first
        self._sizes: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._members)

    def group_of(self, comment_id: str) -> str | None:
        """None: never seen, or forgotten."""
        member = self._members.get(comment_id)
        return member[0] if member else None

    def size(self, group_id: str) -> int:
        """Comments in it that are remembered."""
        return self._sizes[group_id]

    def add(self, comment_id: str, folded: str) -> str:
        """The group of a comment; a comment that is known already stays where it is."""
        known = self._members.get(comment_id)
        if known is not None:
            return known[0]
        same = self._newest.get(folded)
        if same is not None:
            group_id = self._members[same][0]
            self._remember(comment_id, folded, group_id)
            return group_id
        slots = self._sketch.slots(folded)
        found = self._group_like(folded, slots)
        self._remember(comment_id, folded, found or comment_id)
        if found is None:
            self._exemplify(comment_id, folded, slots)
        return found or comment_id

    def restore(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Comments from the rows: id, folded text, and the group it has; in the order in which they came.

        Some hundred at once are cheapest.
        """
        unseen = list(dict.fromkeys(folded for _, folded, _ in rows if folded not in self._newest))
        slots = dict(zip(unseen, self._sketch.slots_of_many(unseen), strict=True)) if unseen else {}
        for comment_id, folded, group_id in rows:
            if comment_id in self._members:
                self.move([comment_id], group_id)
                continue
            same = self._newest.get(folded)
            if same is not None:
                is_expected = self._members[same][0] == group_id
                own = None if is_expected else self._sketch.slots(folded)
            else:
                own = slots[folded]
                is_expected = self._sizes[group_id] > 0 and self._is_expected(folded, own, group_id)
            self._remember(comment_id, folded, group_id)
            if not is_expected and own is not None:
                self._exemplify(comment_id, folded, own)

    def move(self, comment_ids: Sequence[str], group_id: str) -> None:
        """A person put them there: what is like them follows from now on. Forgotten ones are passed over."""
        for comment_id in comment_ids:
            member = self._members.get(comment_id)
            if member is None or member[0] == group_id:
                continue
            former, folded = member
            self._leave(former)
            self._members[comment_id] = (group_id, folded)
            self._sizes[group_id] += 1
            self._exemplify(comment_id, folded, self._sketch.slots(folded))

    def _group_like(self, folded: str, slots: _Slots) -> str | None:
        """The group of the likest exemplar, the older one of equally like ones."""
        best: tuple[float, int] | None = None
        for number, _ in self._candidates(slots):
            exemplar = self._exemplars[number]
            alike = likeness(folded, exemplar[0])
            if alike < _enough(folded, exemplar[0]) or (best and (alike, -number) < best):
                continue
            if stance(folded) == stance(exemplar[0]) and not _opposite(folded, exemplar[0]):
                best = alike, -number
        return self._members[self._exemplars[-best[1]][1]][0] if best else None

    def _is_expected(self, folded: str, slots: _Slots, group_id: str) -> bool:
        """Whether likeness alone leads there. Others are compared only where they share more bands."""
        first = self._members.get(group_id)  # groups are named after it
        if first is not None and first[0] == group_id and likeness(folded, first[1]) >= _PLAINLY:
            return True
        found = self._candidates(slots)
        for number, shared in found:
            text, comment_id = self._exemplars[number]
            if self._members[comment_id][0] != group_id:
                continue
            alike = likeness(folded, text)
            if alike >= _enough(folded, text):
                others = (self._exemplars[each][0] for each, bands in found if bands > shared)
                return not any(
                    likeness(folded, each) > alike and says_the_same(folded, each) for each in others
                )
        return False

    def _candidates(self, slots: _Slots) -> list[tuple[int, int]]:
        """Numbers of the exemplars that share the most bands, and how many."""
        bands = Counter(self._table[self._bands, slots].tolist())
        found = sorted(bands.items(), key=lambda item: (-item[1], item[0]))[:_COMPARED]
        return [each for each in found if each[0] in self._exemplars]

    def _exemplify(self, comment_id: str, folded: str, slots: _Slots) -> None:
        """From now on others are compared with this one."""
        former = self._numbers.get(folded)
        if former is not None:
            del self._exemplars[former]
        self._last += 1
        self._exemplars[self._last] = folded, comment_id
        self._numbers[folded] = self._last
        self._newest[folded] = comment_id
        self._table[self._bands, slots] = self._last

    def _remember(self, comment_id: str, folded: str, group_id: str) -> None:
        self._members[comment_id] = group_id, folded
        self._newest[folded] = comment_id
        self._sizes[group_id] += 1
        while len(self._members) > self._capacity:
            self._forget(next(iter(self._members)))

    def _forget(self, comment_id: str) -> None:
        group_id, folded = self._members.pop(comment_id)
        self._leave(group_id)
        if self._newest.get(folded) == comment_id:
            del self._newest[folded]
        number = self._numbers.get(folded)
        if number is None or self._exemplars[number][1] != comment_id:
            return
        heir = self._newest.get(folded)
        if heir is None:
            del self._exemplars[number], self._numbers[folded]
        else:
            self._exemplify(heir, folded, self._sketch.slots(folded))

    def _leave(self, group_id: str) -> None:
        self._sizes[group_id] -= 1
        if not self._sizes[group_id]:
            del self._sizes[group_id]
