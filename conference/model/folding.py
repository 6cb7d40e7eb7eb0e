"""Text as people type it: tidied for keeping, folded for comparing, and telephone numbers as digits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOBILE_DIGITS: Final = 11
_BLANKS: Final = re.compile(r"[\s\u00a0\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]+")
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_DOTS: Final = re.compile(r"[·•‧∙⋅・･．.]")  # between the parts of a name: 阿不都·热合曼
_HAN_ONLY: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f· ]+")
_PHONE_MARKS: Final = re.compile(r"[\s\-‐-―－()（）.+·]+")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_COUNTRY: Final = re.compile(r"(?:00)?86(?=1\d{10}$)")


def tidied(text: str) -> str:
    """What is kept of a cell: no control characters, one blank for many, none at the ends."""
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text
    return _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def tidied_name(text: str) -> str:
    """A name without the blanks that tables put into names of two characters (王 伟)."""
    name = tidied(text)
    return name.replace(" ", "") if _HAN_ONLY.fullmatch(name) else name


def folded(text: str) -> str:
    """Equal for texts that a person takes for the same: full-width, blanks and case do not count."""
    text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFKC", _BLANKS.sub("", text).casefold())


def folded_name(text: str) -> str:
    """The same for names, whatever dot stands in them."""
    return _DOTS.sub("·", folded(text))


class PhoneFault(StrEnum):
    """Why no message reaches this number."""

    SHORT = "short"
    LONG = "long"
    LETTERS = "letters"  # something that is no digit
    NOT_MOBILE = "not_mobile"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Phone:
    """A mobile number as digits, or what is wrong with it. `off_by`: digits too few or too many."""

    digits: str
    fault: PhoneFault | None = None
    off_by: int = 0


def phone_of(text: str) -> Phone:
    """Read a number: full-width digits, blanks, dashes and +86 do not matter. Empty is no fault."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).strip()
    parts = [part for part in re.split(r"[/、,，;；]|\s{2,}|\n", plain) if part.strip()]
    if len(parts) > 1:
        return Phone(_digits(parts[0]), PhoneFault.SEVERAL)
    digits = _digits(plain)
    if not digits or _MOBILE.fullmatch(digits):
        return Phone(digits)
    if not digits.isascii() or not digits.isdigit():
        return Phone(digits, PhoneFault.LETTERS)
    if digits.startswith("1") and len(digits) != MOBILE_DIGITS:
        off_by = len(digits) - MOBILE_DIGITS
        return Phone(digits, PhoneFault.SHORT if off_by < 0 else PhoneFault.LONG, abs(off_by))
    return Phone(digits, PhoneFault.NOT_MOBILE)


def _digits(text: str) -> str:
    return _COUNTRY.sub("", _PHONE_MARKS.sub("", text))


def masked(phone: str) -> str:
    """A number that is recognised by who knows it: 139****2217."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else "*" * len(phone)
