"""Numbers that are written in figures beyond doubt: whole percentages, and years. Nothing else is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_DIGITS: Final = {each: number for number, each in enumerate("零一二三四五六七八九")} | {"〇": 0}
_1_9: Final = "一二三四五六七八九"
_0_9: Final = f"零〇{_1_9}"
# What stands beside a number and makes another one of it: 百分之三十多.
_MORE: Final = f"{_0_9}十百千万亿两点几多余来数半"
_BELOW_THOUSAND: Final = f"[{_1_9}]?百(?:零[{_1_9}]|[{_1_9}]十[{_1_9}]?)?|[{_1_9}]?十[{_1_9}]?|[零{_1_9}]"
# A range or a list stays as it was said, or half of it would stand in figures.
_PERCENT: Final = re.compile(
    f"百分之(?P<whole>{_BELOW_THOUSAND})(?:点(?P<part>[{_0_9}]+))?(?![{_MORE}])(?![到至、][{_0_9}十])"
)
_YEAR: Final = re.compile(
    f"(?<![{_MORE}])(?<![{_0_9}][到至、])(?P<year>(?:一[八九]|二[零〇])[{_0_9}]{{2}})(?=年)"
)


def figures(text: str) -> Iterator[tuple[int, int, str]]:
    """From, to, and the same in figures; in order."""
    found = [(*each.span(), _percent(each)) for each in _PERCENT.finditer(text)]
    found += [(*each.span("year"), _year(each["year"])) for each in _YEAR.finditer(text)]
    yield from sorted(found)


def _percent(found: re.Match[str]) -> str:
    part = found["part"]
    return f"{_whole(found['whole'])}{'.' + _year(part) if part else ''}%"


def _year(digits: str) -> str:
    return "".join(str(_DIGITS[each]) for each in digits)


def _whole(said: str) -> int:
    """0 to 999."""
    total, digit = 0, None
    for each in said:
        if each in "百十":
            total += (1 if digit is None else digit) * (100 if each == "百" else 10)
            digit = None
        else:
            digit = _DIGITS[each]
    return total + (digit or 0)
