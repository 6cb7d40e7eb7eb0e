"""Telephone numbers, accounts, addresses and links in a comment, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conference.text.folding import Folded

_BETWEEN: Final = r"[^\w\n，。！？；,!?;]{0,3}"  # what people put between digits, unless it ends a thought
_MOBILE: Final = rf"(?:(?:00|\+)?86{_BETWEEN})?1{_BETWEEN}[3-9](?:{_BETWEEN}\d){{9}}"
_AMOUNT: Final = r"(?!\d|\s*(?:多?元|多?万|亿|吨|斤|块钱|平方|立方|公里|千米|米|人次|人|度电|字))"
_DAY: Final = r"(?:19|20)\d{2}[01]\d[0-3]\d"
_SEALED: Final = r"1[，,、。;；]\d(?:[，,、。;；]\d){9}"  # 1，3，8，…
_GROUPED: Final = r"1[3-9]\d[，,、]\s?\d{4}[，,、]\s?\d{4}"
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PATTERNS: Final = (
    ("contact_phone", re.compile(rf"(?<!\d)(?<!\d\.)(?:{_MOBILE}|{_SEALED}|{_GROUPED}){_AMOUNT}")),
    ("contact_phone", re.compile(rf"(?<!\d)0[1-9]\d{{1,2}}{_BETWEEN}[2-8](?:{_BETWEEN}\d){{6,7}}{_AMOUNT}")),
    ("contact_phone", re.compile(rf"(?<!\d)[48]00{_BETWEEN}\d(?:{_BETWEEN}\d){{6}}{_AMOUNT}")),
    (
        "contact_phone",
        re.compile(r"(?:电话|手机|座机|致电|tel|拨打?|热线)号?码?[是为:：\s]{0,3}\d(?:[-\s]?\d){6,11}(?!\d)"),
    ),
    # no date, no amount: nobody needs eight digits to speak about a road
    ("contact_number", re.compile(rf"(?<![\d.,a-z])(?!{_DAY}(?!\d))\d{{8,12}}{_AMOUNT}(?![.,]\d)")),
    ("contact_account", re.compile(r"(?<![a-z0-9])(?!covid|iphone|gdp|win)[a-z]{3,}[_-]?\d{2,}[a-z0-9_]*")),
    (
        "identity_number",
        re.compile(
            rf"(?<!\d)[1-8]\d{{5}}{_BETWEEN}(?:19|20)\d\d{_BETWEEN}"
            rf"(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]){_BETWEEN}\d{{3}}[\dx](?!\d)"
        ),
    ),
    ("bank_card", re.compile(r"(?<!\d)[3-6]\d{3}(?:[-\s]?\d{4}){3}(?:[-\s]?\d{1,3})?(?!\d)")),
    (
        "contact_email",
        re.compile(
            r"[a-z0-9][a-z0-9_.+-]{0,63}\s{0,2}(?:@|\(at\)|\[at\]|艾特|圈a|#(?=\s?(?:qq|1[0-9]3|126|gmail)))\s{0,2}"
            r"[a-z0-9-]+\s?(?:\.|点|。|dot)\s?(?:com|cn|net|org)"
        ),
    ),
    (
        "link",
        re.compile(
            r"(?:https?|hxxps?|ftp)\s?:?\s?[/／]\s?/|(?<![a-z])w\s?w\s?w\s?[.。点·]\s?[a-z0-9]|"
            r"[.。，,、点丶·]\s?(?:c\s?o\s?m|n\s?e\s?t)(?![a-z])|[a-z0-9]\s?[.。点丶·]\s?c\s?n(?![a-z])|"
            r"(?<![a-z0-9.])[a-z0-9][a-z0-9-]{0,40}\s?(?:\.|点|dot)\s?"
            r"(?:org|top|xyz|vip|cc|info|site|club|shop|online|icu|tk|me|io|app|link|live|work|ltd|pw|tv)(?![a-z0-9])|"
            r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}|/\w)"
        ),
    ),
    (
        "home_address",
        re.compile(r"\d+\s?(?:栋|幢|号楼|座)\s?(?:\d+\s?单元)?\s?\d{3,4}\s?(?:室|号|房|户)?(?![\d年平米户个万元])"),
    ),
    ("plate", re.compile(rf"[{_PROVINCES}][a-z]\s?[·.]?\s?[a-z0-9]{{5,6}}(?![a-z0-9])")),
    ("contact_wechat", re.compile(r"[+＋]\s?我?\s?(?:v|微|薇|伟|威|卫|vx|wx|q|扣|群|裙)(?![a-z])")),
)  # fmt: skip
_LINKING: Final = r"(?:号码?|账号|id|[是为我的加搜同群找])"
_TIGHT: Final = (
    (
        "contact_wechat",
        re.compile(
            r"(?:微信|微芯|薇信|薇芯|威信|葳信|徽信|溦信|微心|微号|薇号|威号|微星|(?<![a-z])(?:v|vx|wx|v信|v号|wei|weixin|wechat|vvx))"
            rf"{_LINKING}{{0,3}}(?:(?!weixin|wechat|xcx|app|wifi|pay|qq)[a-z][a-z0-9]{{4,19}}|\d{{6,12}})"
        ),
    ),
    (
        "contact_wechat",
        re.compile(r"[加佳嘉伽茄](?:我|个|下|一下)?(?:v|vx|wx|薇|微(?!信)|威|q|qq|扣扣|企鹅|抠抠)[a-z]{0,12}\d{5,12}"),
    ),
    (
        "contact_qq",
        re.compile(rf"(?:(?<![a-z])qq?|扣扣|抠抠|蔻蔻|叩叩|企鹅|球球|秋秋|扣群|扣裙|企鹅群|裙号?|群号){_LINKING}{{0,3}}\d{{5,11}}"),
    ),
    (
        "contact_account",
        re.compile(r"(?:抖音|快手|小红书|支付宝|钉钉|飞机|电报)(?:号|账号|id)+[是为搜]?(?:[a-z][a-z0-9]{4,19}|\d{5,12})"),
    ),
)  # fmt: skip
_WORTH: Final = re.compile(r"[a-z0-9@+]|点\s?[cn]")  # most comments hold none of these


@dataclass(frozen=True, slots=True)
class Contact:
    """Something by which a person is reached or identified, at `[start:end]` of the source."""

    code: str
    start: int
    end: int


def contacts(folded: Folded) -> Iterator[Contact]:
    """What is found, in no promised order; several codes may stand for the same place."""
    if _WORTH.search(folded.marked) is None:
        return
    for code, pattern in _PATTERNS:
        for match in pattern.finditer(folded.marked):
            yield Contact(code, *folded.marked_span(*match.span()))
    for code, pattern in _TIGHT:
        for match in pattern.finditer(folded.text):
            yield Contact(code, *folded.span(*match.span()))
