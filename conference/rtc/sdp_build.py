"""Session descriptions as we write them: answers to publishers and players, offers to subscribers (RFC 9429).

Transport values stand in every live m-line, candidates only in the one that carries the bundle (RFC 9143).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from conference.rtc.sdp_codecs import (
    AUDIO_LEVEL,
    AUDIO_LEVEL_URI,
    OFFERED_AUDIO,
    OFFERED_VIDEO,
    PLAYER_EXTENSIONS,
    PUBLISHER_EXTENSIONS,
    TRANSPORT_CC,
    TRANSPORT_CC_URI,
    VIDEO_ORIENTATION,
    VIDEO_ORIENTATION_URI,
    choose_extensions,
    choose_for_player,
    choose_for_publisher,
)
from conference.rtc.sdp_lines import (
    MID,
    PROTOCOL,
    LocalTransport,
    OfferSlot,
    candidate_lines,
    checked,
    codec_lines,
    extension_lines,
    group_line,
    ice_lines,
    media_lines,
    session_lines,
    source_lines,
    text_of,
    transport_lines,
)
from conference.rtc.sdp_parse import (
    Codec,
    MediaDescription,
    SdpError,
    SessionDescription,
)

MAX_LAYERS = 3  # of a simulcast; a sender stops those that the answer leaves out (RFC 8853, section 5.3.2)

_Section = tuple[MediaDescription, tuple[Codec, ...], list[str]]  # without codecs: rejected


@dataclass(frozen=True, slots=True)
class AcceptedMedia:
    """An m-line of a publisher that we take. `active`: something will be sent on it."""

    mid: str
    kind: str
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]
    ssrcs: tuple[tuple[int, str], ...]
    rtx_ssrcs: Mapping[int, int]
    rids: tuple[str, ...]
    active: bool
    stream_id: str
    track_id: str


@dataclass(frozen=True, slots=True)
class AnsweredSlot:
    """What a receiver takes on one m-line. `receiving`: accepted, and it wants packets now."""

    mid: str
    accepted: bool
    codecs: Mapping[int, Codec]
    extensions: Mapping[str, int]
    receiving: bool = True

    @property
    def transport_cc_id(self) -> int:
        """Number of the extension that carries transport-wide numbers; 0 unless their feedback is agreed on, too.

        Above 14 it would need the two-byte form (RFC 8285, section 4.2), which we do not write.
        """
        number = self.extensions.get(TRANSPORT_CC_URI, 0)
        agreed = any("transport-cc" in codec.feedback for codec in self.codecs.values())
        return number if agreed and 0 < number < 15 else 0


def answer_setup(offer_setup: str, prefer_active: bool) -> Literal["active", "passive"]:
    """Our DTLS role for an offer's `a=setup` (RFC 8842, section 5.3). Without one the offerer is active."""
    if offer_setup == "passive" or (offer_setup == "actpass" and prefer_active):
        return "active"
    return "passive"


def answer_publisher(
    offer: SessionDescription,
    transport: LocalTransport,
    session_id: int,
    session_version: int,
    simulcast: bool = False,
) -> tuple[str, tuple[AcceptedMedia, ...]]:
    """Answer a client that sends. Returns the text and the accepted m-lines in order."""
    accepted: list[AcceptedMedia] = []
    sections: list[_Section] = []
    for media, codecs in _usable(offer, choose_for_publisher):
        if not codecs:
            sections.append((media, (), []))
            continue
        extensions = choose_extensions(media, PUBLISHER_EXTENSIONS, "recvonly", codecs)
        rids = media.rids[:MAX_LAYERS] if simulcast and media.kind == "video" else ()
        one = AcceptedMedia(
            mid=media.mid,
            kind=media.kind,
            codecs=codecs,
            extensions=extensions,
            ssrcs=media.ssrcs,
            rtx_ssrcs=media.rtx_ssrcs,
            rids=rids,
            active=media.sends,
            stream_id=media.stream_id,
            track_id=media.track_id,
        )
        accepted.append(one)
        direction = "recvonly" if media.sends else "inactive"
        lines = [*extension_lines(media, extensions), f"a={direction}", *codec_lines(codecs)]
        if rids:
            lines += [f"a=rid:{rid} recv" for rid in rids] + [f"a=simulcast:recv {';'.join(rids)}"]
        sections.append((media, codecs, lines))
    return _answer(offer, transport, session_id, session_version, sections), tuple(accepted)


def answer_player(
    offer: SessionDescription,
    transport: LocalTransport,
    slots: Mapping[str, OfferSlot],
    session_id: int,
    session_version: int,
    *,
    echo: bool = False,
) -> tuple[str, tuple[AnsweredSlot, ...]]:
    """Answer a client that offers to receive (WHEP). Codecs and extensions keep the client's numbers.

    `echo`: what the client sends on the same m-line is taken as well."""
    answered: list[AnsweredSlot] = []
    sections: list[_Section] = []
    for media, codecs in _usable(offer, choose_for_player):
        if not codecs:
            sections.append((media, (), []))
            continue
        extensions = choose_extensions(media, PLAYER_EXTENSIONS, "sendonly", codecs)
        slot = slots.get(media.mid)
        sending = slot is not None and slot.active and slot.kind == media.kind and media.receives
        by_number = {codec.payload_type: codec for codec in codecs}
        answered.append(AnsweredSlot(media.mid, True, by_number, extensions, sending))
        direction = "sendrecv" if echo and media.sends else "sendonly"
        lines = [*extension_lines(media, extensions), f"a={direction if sending else 'inactive'}"]
        lines += codec_lines(codecs)
        if sending and slot is not None:
            lines += source_lines(slot, any(codec.rtx_for is not None for codec in codecs))
        sections.append((media, codecs, lines))
    return _answer(offer, transport, session_id, session_version, sections), tuple(answered)


def build_offer(
    session_id: int, session_version: int, transport: LocalTransport, slots: Sequence[OfferSlot]
) -> str:
    """The server's offer to a subscriber: every slot under the same fixed numbers, whatever comes."""
    lines = session_lines(session_id, session_version, [slot.mid for slot in slots])
    for index, slot in enumerate(slots):
        audio = slot.kind == "audio"
        if not audio and slot.kind != "video":
            raise SdpError("a slot is neither audio nor video")
        codecs = OFFERED_AUDIO if audio else OFFERED_VIDEO
        extension = (AUDIO_LEVEL, AUDIO_LEVEL_URI) if audio else (VIDEO_ORIENTATION, VIDEO_ORIENTATION_URI)
        lines += media_lines(slot.kind, PROTOCOL, codecs)
        lines += transport_lines(transport, transport.setup, with_candidates=index == 0)
        lines += [f"a=mid:{checked(MID, slot.mid)}", f"a=extmap:{extension[0]} {extension[1]}"]
        lines += [f"a=extmap:{TRANSPORT_CC} {TRANSPORT_CC_URI}"]
        lines += ["a=sendonly" if slot.active else "a=inactive", "a=rtcp-mux", "a=rtcp-rsize"]
        lines += codec_lines(codecs)
        if slot.active:
            lines += source_lines(slot, with_rtx=not audio)
    return text_of(lines)


def read_answer(answer: SessionDescription) -> tuple[AnsweredSlot, ...]:
    """What a subscriber made of our offer, in the order of its m-lines."""
    return tuple(
        AnsweredSlot(
            mid=media.mid,
            accepted=media.port != 0 and bool(media.codecs),
            codecs={codec.payload_type: codec for codec in media.codecs} if media.port else {},
            extensions={one.uri: one.id for one in media.extensions if one.direction != "inactive"},
            receiving=media.port != 0 and bool(media.codecs) and media.receives,
        )
        for media in answer.media
    )


def build_fragment(transport: LocalTransport, mids: Sequence[str]) -> str:
    """The trickle-ice-sdpfrag that answers an ICE restart (RFC 8840, section 9; RFC 9725, section 4.3.3)."""
    if not mids:
        raise SdpError("a fragment needs a mid")
    lines = ["a=ice-lite", "a=ice-options:trickle", group_line(mids), "m=audio 9 RTP/AVP 0"]
    lines += [f"a=mid:{mids[0]}", *ice_lines(transport), *candidate_lines(transport)]
    return text_of(lines)


def _usable(
    offer: SessionDescription, choose: Callable[[MediaDescription], tuple[Codec, ...]]
) -> Sequence[tuple[MediaDescription, tuple[Codec, ...]]]:
    """Every m-line with the codecs we take; none for those refused.

    We have one transport: it serves the bundle, or the first usable m-line where nothing is bundled.
    """
    if offer.ice_lite:
        raise SdpError("both sides are ICE-lite")
    bundle = frozenset(offer.bundle)
    found: list[tuple[MediaDescription, tuple[Codec, ...]]] = []
    taken = False
    for media in offer.media:
        may = not media.rejected and media.rtcp_mux and (media.mid in bundle if bundle else not taken)
        codecs = choose(media) if may else ()
        taken = taken or bool(codecs)
        found.append((media, codecs))
    return found


def _answer(
    offer: SessionDescription,
    transport: LocalTransport,
    session_id: int,
    session_version: int,
    sections: Sequence[_Section],
) -> str:
    taken = [media.mid for media, codecs, _ in sections if codecs]
    lines = session_lines(session_id, session_version, taken if offer.bundle else [])
    setup = answer_setup(offer.setup, transport.setup == "active")
    tagged = taken[0] if taken else None
    for media, codecs, own in sections:
        if not codecs:
            lines += [f"m={media.kind} 0 {media.protocol} {media.formats}", "c=IN IP4 0.0.0.0"]
            lines += ["a=inactive", f"a=mid:{media.mid}"]
            continue
        lines += media_lines(media.kind, media.protocol, codecs)
        lines += transport_lines(transport, setup, with_candidates=media.mid == tagged)
        lines += [f"a=mid:{media.mid}", "a=rtcp-mux", *(["a=rtcp-rsize"] if media.rtcp_rsize else []), *own]
    return text_of(lines)
