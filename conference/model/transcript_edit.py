"""What can be done to a segment: rendering from its words, editing, splitting, joining, naming who spoke. All pure.

Places in a text count characters (code points). Whatever comes back has the next revision; None where nothing changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final, TypeAlias

from conference.model.errors import ConferenceError
from conference.model.second_pass import same_words
from conference.model.transcript import SpeakerLabel, TranscriptSegment, Word, require_text

PAUSE_MS: Final = 400  # a comma stands for it
_MAX_COMPARED: Final = 250_000  # products of lengths; what is longer counts as written anew
_FIRST_CJK: Final = 0x2E80
_HANGUL: Final = (0xAC00, 0xD800)
_POINTS: Final = frozenset("，。、；：？！…,.;:?!")

Substitution: TypeAlias = tuple[int, int, str]  # from, to, what stands there instead
Rewrite: TypeAlias = Callable[[str], Sequence[Substitution]]
"""What is to be written otherwise in a text, in order, without overlaps."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text and the places of the characters in it that nobody said."""

    text: str
    automatic: tuple[int, ...]


def unchanged(_text: str) -> Sequence[Substitution]:
    """The rewrite of those who have no terms."""
    return ()


# ── from words ──────────────────────────────────────────────────────────────────────────────────


def joined_words(words: Iterable[Word]) -> str:
    """The words one after the other: with a blank between those of scripts that have blanks."""
    return _laid_out(words)[0]


def render(words: Sequence[Word], rewrite: Rewrite = unchanged) -> Rendered:
    """The text of words: rewritten; a comma at each pause and a full stop at the end, where the engine put none."""
    said, starts = _laid_out(words)
    if not said:
        return Rendered("", ())
    comma, stop = ("，", "。") if any(_is_han(each) for each in said) else (",", ".")
    pauses = [
        starts[number] - (starts[number] > 0 and said[starts[number] - 1] == " ")
        for number in range(1, len(words))
        if words[number].start_ms - words[number - 1].end_ms >= PAUSE_MS
    ]
    text, automatic, at = "", list[int](), 0
    for first, last, instead in (*rewrite(said), (len(said), len(said), "")):
        for pause in pauses[bisect_left(pauses, max(at, 1)) : bisect_right(pauses, first)]:
            text += said[at:pause]
            at = pause
            if text and text[-1] not in _POINTS:
                automatic.append(len(text))
                text += comma
        text += said[at:first] + instead
        at = last
    if text and text[-1] not in _POINTS:
        automatic.append(len(text))
        text += stop
    return Rendered(text, tuple(automatic))


def _laid_out(words: Iterable[Word]) -> tuple[str, list[int]]:
    """The text, and where in it each word begins."""
    text, starts = "", []
    for word in words:
        if text and word.text and _is_spaced(text[-1]) and _is_spaced(word.text[0]):
            text += " "
        starts.append(len(text))
        text += word.text
    return text, starts


def _is_spaced(character: str) -> bool:
    """Whether its script has blanks between words."""
    return ord(character) < _FIRST_CJK or _HANGUL[0] <= ord(character) < _HANGUL[1]


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def followed(segment: TranscriptSegment, rewrite: Rewrite) -> TranscriptSegment | None:
    """As the words read with other terms. What somebody corrected stays as it is."""
    if segment.is_edited or not segment.words:
        return None
    rendered = render(segment.words, rewrite)
    if rendered.text == segment.text:
        return None
    return segment.revised(text=rendered.text, automatic=rendered.automatic)


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────


def edited(segment: TranscriptSegment, text: str) -> TranscriptSegment | None:
    """With a corrected text; bad_request for one that may not stand in a segment."""
    text = require_text(text)
    if text == segment.text:
        return None
    places = _places(segment.text, text)
    automatic = tuple(places[each] for each in segment.automatic if each in places)
    if text == segment.proposal:
        segment = replace(segment, proposal=None, other_words=())
    return segment.revised(text=text, automatic=automatic, is_edited=True)


def spoken_by(segment: TranscriptSegment, speaker: SpeakerLabel) -> TranscriptSegment | None:
    """Said by somebody else than the microphone tells."""
    return None if speaker == segment.speaker else segment.revised(speaker=speaker)


def marked(
    segment: TranscriptSegment, *, is_unclear: bool | None = None, is_confidential: bool | None = None
) -> TranscriptSegment | None:
    """With these marks; those that are None stay."""
    unclear = segment.is_unclear if is_unclear is None else is_unclear
    confidential = segment.is_confidential if is_confidential is None else is_confidential
    if (unclear, confidential) == (segment.is_unclear, segment.is_confidential):
        return None
    return segment.revised(is_unclear=unclear, is_confidential=confidential)


def places_of(text: str, wanted: str) -> list[int]:
    """Where it stands in a text, without overlaps. Plain text, never a pattern."""
    found, at = list[int](), text.find(wanted) if wanted else -1
    while at >= 0:
        found.append(at)
        at = text.find(wanted, at + len(wanted))
    return found


def replaced(segment: TranscriptSegment, find: str, instead: str) -> TranscriptSegment | None:
    """With `instead` wherever `find` stands; bad_request when too much or nothing would be left."""
    found = places_of(segment.text, find)
    text = require_text(segment.text.replace(find, instead)) if found else segment.text
    if text == segment.text:
        return None
    if len(text) != len(segment.text) + len(found) * (len(instead) - len(find)):
        return edited(segment, text)  # blanks went as well
    automatic = tuple(
        each + bisect_left(found, each) * (len(instead) - len(find))
        for each in segment.automatic
        if not any(at <= each < at + len(find) for at in found)
    )
    return segment.revised(text=text, automatic=automatic, is_edited=True)


def proposed(segment: TranscriptSegment, text: str, words: Sequence[Word] = ()) -> TranscriptSegment | None:
    """With what a better engine makes of it, for somebody to take or refuse. Other punctuation alone is no proposal."""
    text = require_text(text)
    if text == segment.proposal or same_words(text, segment.text):
        return None
    return segment.revised(proposal=text, other_words=tuple(words))


def decided(segment: TranscriptSegment, *, accept: bool) -> TranscriptSegment | None:
    """The proposal taken or refused."""
    if segment.proposal is None:
        return None
    taken = edited(segment, segment.proposal) if accept else None
    if taken is None:
        return segment.revised(proposal=None, other_words=())
    if segment.other_words:
        taken = replace(taken, words=segment.other_words, other_words=segment.words)
    return taken


def untaken(segment: TranscriptSegment, text: str, *, is_edited: bool) -> TranscriptSegment | None:
    """As it was before its proposal was taken: with this `text`, and the proposal beside it again."""
    back = edited(segment, text)
    if back is None:
        return None
    back = replace(back, is_edited=is_edited, proposal=segment.text)
    if segment.other_words:
        back = replace(back, words=segment.other_words, other_words=segment.words)
    return back


# ── splitting and joining ───────────────────────────────────────────────────────────────────────


def split(segment: TranscriptSegment, at: int, new_id: str) -> tuple[TranscriptSegment, TranscriptSegment]:
    """Two segments, the second from character `at` on; words are parted by their time.

    A split between words of what nobody corrected is no correction: both still follow the terms. bad_request when one
    of them would be empty.
    """
    texts = segment.text[:at].rstrip(), segment.text[at:].lstrip()
    if not 0 < at < len(segment.text) or not all(any(c.isalnum() for c in each) for each in texts):
        raise ConferenceError("bad_request", f"nothing to split at {at}")
    behind = len(segment.text) - len(texts[1])
    count, is_between = _words_before(segment, at)
    words = segment.words[:count], segment.words[count:]
    end_ms, start_ms = _parted_ms(segment, at, words)
    is_edited = segment.is_edited or not is_between
    first = segment.revised(
        text=texts[0],
        words=words[0],
        raw=joined_words(words[0]) if segment.words else texts[0],
        end_ms=end_ms,
        automatic=tuple(each for each in segment.automatic if each < len(texts[0])),
        is_edited=is_edited,
        proposal=None,
        other_words=(),
    )
    second = replace(
        first,
        id=new_id,
        text=texts[1],
        words=words[1],
        raw=joined_words(words[1]) if segment.words else texts[1],
        start_ms=start_ms,
        end_ms=segment.end_ms,
        automatic=tuple(each - behind for each in segment.automatic if each >= behind),
        revision=1,
    )
    return first, second


def _words_before(segment: TranscriptSegment, at: int) -> tuple[int, bool]:
    """How many words stand before a place in the text, and whether the place is between two of them."""
    said, starts = _laid_out(segment.words)
    if not said:
        return 0, False
    places = _said_places(segment, said)
    behind = next((places[each] for each in range(at, len(segment.text)) if each in places), None)
    before = next((places[each] + 1 for each in range(at - 1, -1, -1) if each in places), None)
    if behind is None and before is None:
        return round(len(segment.words) * at / len(segment.text)), False
    place = behind if behind is not None else before
    assert place is not None
    count = bisect_left(starts, place)
    if count < len(starts) and starts[count] == place:
        is_between = before is None or not said[before:place].strip()
        return count, is_between and bool(count)
    # Within a word: to the side where more of it is.
    begin = starts[count - 1]
    end = starts[count] if count < len(starts) else len(said)
    return (count - 1 if place - begin < (end - begin) / 2 else count), False


def _parted_ms(
    segment: TranscriptSegment, at: int, words: tuple[Sequence[Word], Sequence[Word]]
) -> tuple[int, int]:
    """When the first part ends and the second begins."""
    if words[0] and words[1]:
        end_ms, start_ms = words[0][-1].end_ms, words[1][0].start_ms
    else:
        end_ms = segment.start_ms + (segment.end_ms - segment.start_ms) * at // len(segment.text)
        start_ms = end_ms
    end_ms = min(max(end_ms, segment.start_ms), segment.end_ms)
    return end_ms, min(max(start_ms, end_ms), segment.end_ms)


def times_of(segment: TranscriptSegment, places: Sequence[int]) -> list[int]:
    """When what stands from each of these places on was said, ms; never before the one before it."""
    said, starts = _laid_out(segment.words)
    of = _said_places(segment, said) if said and any(places) else {}
    found: list[int] = []
    for place in places:
        behind = next((of[each] for each in range(place, len(segment.text)) if each in of), None)
        if place == 0:
            at_ms = segment.start_ms
        elif behind is not None:
            at_ms = segment.words[max(bisect_right(starts, behind) - 1, 0)].start_ms
        else:
            at_ms = segment.start_ms + (segment.end_ms - segment.start_ms) * place // len(segment.text)
        found.append(min(max(at_ms, found[-1] if found else segment.start_ms), segment.end_ms))
    return found


def _said_places(segment: TranscriptSegment, said: str) -> dict[int, int]:
    """Where characters of the text stand in what was said."""
    automatic = set(segment.automatic)
    kept = [at for at in range(len(segment.text)) if at not in automatic]
    if len(kept) == len(said) and all(segment.text[at] == said[to] for to, at in enumerate(kept)):
        return {at: to for to, at in enumerate(kept)}
    return _places(segment.text, said)


def joined(first: TranscriptSegment, second: TranscriptSegment) -> TranscriptSegment:
    """The first with the second behind it, which is gone then.

    bad_request when the text gets too long, invalid_state when another one speaks.
    """
    if (first.participant_id, first.speaker.name) != (second.participant_id, second.speaker.name):
        raise ConferenceError("invalid_state", "another speaker")
    text, automatic = first.text, list(first.automatic)
    if automatic and automatic[-1] == len(text) - 1:
        automatic.pop()
        text = text[:-1]
        if second.start_ms - first.end_ms >= PAUSE_MS:
            automatic.append(len(text))
            text += "，" if any(_is_han(each) for each in text) else ","
    if text and second.text and _is_spaced(text[-1]) and _is_spaced(second.text[0]):
        text += " "
    behind = len(text)
    words = tuple(sorted((*first.words, *second.words), key=lambda each: each.start_ms))
    proposal = None
    if first.proposal is not None or second.proposal is not None:
        proposal = (first.proposal or first.text) + (second.proposal or second.text)
    return first.revised(
        text=require_text(text + second.text),
        automatic=(*automatic, *(each + behind for each in second.automatic)),
        words=words,
        raw=joined_words(words) if words else first.raw + second.raw,
        start_ms=min(first.start_ms, second.start_ms),
        end_ms=max(first.end_ms, second.end_ms),
        is_edited=first.is_edited or second.is_edited,
        is_unclear=first.is_unclear or second.is_unclear,
        is_confidential=first.is_confidential or second.is_confidential,
        proposal=proposal,
        other_words=(),
    )


def _places(before: str, after: str) -> dict[int, int]:
    """Where characters of one text stand in another: those that were kept, by place."""
    begin = 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    end = 0
    while end < min(len(before), len(after)) - begin and before[-1 - end] == after[-1 - end]:
        end += 1
    found = {each: each for each in range(begin)}
    inner = before[begin : len(before) - end], after[begin : len(after) - end]
    if len(inner[0]) * len(inner[1]) <= _MAX_COMPARED:
        for block in SequenceMatcher(None, *inner, autojunk=False).get_matching_blocks():
            found |= {begin + block.a + each: begin + block.b + each for each in range(block.size)}
    shift = len(after) - len(before)
    found |= {each: each + shift for each in range(len(before) - end, len(before))}
    return found
