"""Session descriptions: offers of real browsers and encoders, our answers to them, and hostile text."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import sdp

FIXTURES = {path.stem: path.read_bytes().decode() for path in Path(__file__).parent.glob("fixtures/*.sdp")}
OFFERS = sorted(name for name in FIXTURES if not name.endswith("_answer"))

TRANSPORT = sdp.LocalTransport(
    credentials=sdp.Credentials("abcd", "a" * 24),
    fingerprint=sdp.Fingerprint("sha-256", ":".join(["AB"] * 32)),
    setup="passive",
    candidates=(
        sdp.host_candidate("192.0.2.1", 7882, "udp"),
        sdp.host_candidate("2001:db8::1", 7882, "udp", 65534),
        sdp.host_candidate("192.0.2.1", 7882, "tcp"),
    ),
)
MINIMAL = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\n"
    f"a=ice-pwd:{'p' * 22}\r\na=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\na=setup:actpass\r\n"
)


def offer_of(*media: str) -> sdp.SessionDescription:
    """A description with these m-lines' texts after usual session lines."""
    return sdp.parse(MINIMAL + "".join(media))


def video(*lines: str, formats: str, mid: str = "0", port: int = 9) -> str:
    head = (f"m=video {port} UDP/TLS/RTP/SAVPF {formats}", f"a=mid:{mid}", "a=rtcp-mux", "a=sendonly")
    return "\r\n".join([*head, *lines, ""])


def h264(number: int, profile: str, mode: int = 1) -> tuple[str, str]:
    fmtp = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
    return f"a=rtpmap:{number} H264/90000", f"a=fmtp:{number} {fmtp}"


def lines_of_media(text: str) -> list[list[str]]:
    """The lines of each m-line of a description that we wrote."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    sections: list[list[str]] = []
    for line in text.split("\r\n"):
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line)
    return sections


def names(codecs: tuple[sdp.Codec, ...]) -> list[tuple[int, str]]:
    return [(codec.payload_type, codec.name) for codec in codecs]


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_every_known_offer_is_read_and_answered(name: str, ending: str) -> None:
    text = FIXTURES[name].replace("\r\n", "\n").replace("\n", ending)
    offer = sdp.parse(text)
    answer, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    again = sdp.parse(answer)
    assert accepted
    assert [media.mid for media in again.media] == [media.mid for media in offer.media]
    assert again.ice_lite
    assert again.credentials == TRANSPORT.credentials
    assert again.fingerprints == (TRANSPORT.fingerprint,)
    assert set(again.bundle) == ({one.mid for one in accepted} if offer.bundle else set())
    live = {media.mid: media for media in again.media if not media.rejected}
    assert set(live) == {one.mid for one in accepted}
    for one in accepted:
        assert live[one.mid].codecs == one.codecs
        assert {extension.uri: extension.id for extension in live[one.mid].extensions} == one.extensions
        assert live[one.mid].direction == ("recvonly" if one.active else "inactive")


def test_chromium() -> None:
    offer = sdp.parse(FIXTURES["chromium_publish"])
    audio, picture = offer.media
    assert offer.bundle == ("0", "1")
    assert offer.setup == "actpass"
    assert len(offer.credentials.ufrag) == 4
    assert offer.fingerprints[0].algorithm == "sha-256"
    assert audio.codecs[0] == sdp.Codec(
        111, "opus", 48000, 2, "minptime=10;useinbandfec=1", ("transport-cc",)
    )
    assert picture.codecs[1].rtx_for == 96
    assert audio.stream_id == picture.stream_id != ""
    assert picture.track_id != audio.track_id
    primary = picture.ssrcs[0][0]
    assert picture.rtx_ssrcs == {primary: picture.ssrcs[1][0]}
    assert picture.rtcp_mux
    assert picture.rtcp_rsize
    _, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert names(accepted[0].codecs) == [(111, "opus")]
    assert names(accepted[1].codecs) == [(96, "VP8"), (97, "rtx"), (108, "H264"), (109, "rtx")]
    assert accepted[1].codecs[0].feedback == ("nack", "nack pli", "ccm fir", "transport-cc")
    assert sdp.h264_profile(accepted[1].codecs[2]) == "constrained-baseline"
    assert accepted[1].extensions[sdp.VIDEO_ORIENTATION_URI] == 13
    assert accepted[0].extensions[sdp.AUDIO_LEVEL_URI] == 1
    assert sdp.TRANSPORT_CC_URI in accepted[0].extensions
    assert all(one.active for one in accepted)


def test_firefox_bundle_only_is_not_a_rejection() -> None:
    offer = sdp.parse(FIXTURES["firefox_maxbundle"])
    picture = offer.media[1]
    assert picture.port == 0
    assert picture.bundle_only
    assert not picture.rejected
    _, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert names(accepted[1].codecs)[:2] == [(120, "VP8"), (124, "rtx")]
    assert accepted[1].active


def test_simulcast_is_answered_only_when_asked_for() -> None:
    for name in ("chromium_simulcast", "firefox_simulcast"):
        offer = sdp.parse(FIXTURES[name])
        assert offer.media[1].rids == ("q", "h", "f")
        plain, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
        assert "a=rid" not in plain
        assert accepted[1].rids == ()
        layered, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1, simulcast=True)
        assert "a=rid:q recv\r\n" in layered
        assert "a=simulcast:recv q;h;f\r\n" in layered
        assert accepted[1].rids == ("q", "h", "f")


def test_extension_directions_are_turned_round() -> None:
    offer = sdp.parse(FIXTURES["firefox_simulcast"])
    answer, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert f"a=extmap:9/recvonly {sdp.RID_URI}\r\n" in answer
    assert accepted[1].extensions[sdp.RID_URI] == 9


def test_data_channels_are_refused_and_left_out_of_the_bundle() -> None:
    for name in ("chromium_data", "firefox_data"):
        offer = sdp.parse(FIXTURES[name])
        answer, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
        assert len(accepted) == 2
        assert "a=group:BUNDLE 0 1\r\n" in answer
        assert lines_of_media(answer)[2][0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"


def test_a_refused_first_line_moves_the_candidates() -> None:
    offer = sdp.parse(
        MINIMAL.replace("BUNDLE 0", "BUNDLE d v")
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n"
        + video("a=rtpmap:96 VP8/90000", formats="96", mid="v")
    )
    answer, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert "a=group:BUNDLE v\r\n" in answer
    first, second = lines_of_media(answer)
    assert not any(line.startswith("a=candidate") for line in first)
    assert sum(line.startswith("a=candidate") for line in second) == 3
    assert [one.mid for one in accepted] == ["v"]


def test_gstreamer() -> None:
    offer = sdp.parse(FIXTURES["gstreamer_webrtcbin"])
    assert offer.media[0].track_id == "webrtctransceiver0"
    _, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert names(accepted[0].codecs) == [(96, "H264")]
    assert accepted[0].codecs[0].fmtp == "packetization-mode=1;profile-level-id=42c01f"
    assert names(accepted[1].codecs) == [(97, "opus")]
    assert accepted[1].ssrcs == ((3027364501, "user3184927430@host-1d3f8a2b"),)


def test_obs() -> None:
    answer, accepted = sdp.answer_publisher(sdp.parse(FIXTURES["obs_whip"]), TRANSPORT, 7, 1)
    assert [one.stream_id for one in accepted] == ["pz4G1Xk0aJb3", "pz4G1Xk0aJb3"]
    assert accepted[0].codecs[0].fmtp == "minptime=10;useinbandfec=1"
    assert accepted[1].codecs[0].feedback == ("nack", "nack pli", "goog-remb")
    assert "rtcp-rsize" not in answer


def test_an_encoder_without_bundle_gets_one_line() -> None:
    offer = sdp.parse(FIXTURES["encoder_minimal"])
    assert offer.setup == "active"
    assert offer.media[0].codecs[0].name == "PCMA"
    assert offer.fingerprints[0].value.startswith("8F:0E")
    answer, accepted = sdp.answer_publisher(offer, TRANSPORT, 7, 1)
    assert [one.mid for one in accepted] == ["a"]
    assert accepted[0].stream_id == ""
    assert "BUNDLE" not in answer
    assert "m=video 0 " in answer


# ── Codec rules ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("42e01f", "constrained-baseline"),
        ("42c01f", "constrained-baseline"),
        ("42401f", "constrained-baseline"),
        ("42E034", "constrained-baseline"),
        ("4d801f", "constrained-baseline"),
        ("42001f", "baseline"),
        ("4d001f", "main"),
        ("64001f", "high"),
        ("640c1f", "high"),
        ("f4001f", "high-444"),
        ("", "constrained-baseline"),
        ("zz001f", "constrained-baseline"),
    ],
)
def test_h264_profiles(profile: str, expected: str) -> None:
    assert sdp.h264_profile(sdp.Codec(1, "H264", 90000, 1, f"profile-level-id={profile}")) == expected


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        # (payload type, profile, packetization mode)
        ([(1, "42e01f", 1), (2, "4d001f", 1)], [1]),
        ([(1, "42e01f", 0), (2, "4d001f", 1), (3, "64001f", 1)], [2, 3]),
        ([(1, "42e01f", 0), (2, "42e01f", 1)], [2]),
        ([(1, "64001f", 1)], [1]),
        ([(1, "42001f", 1)], [1]),
        ([(1, "42e01f", 0)], [1]),
        ([(1, "42e01f", 2)], []),
    ],
)
def test_h264_of_a_publisher_without_vp8(offered: list[tuple[int, str, int]], kept: list[int]) -> None:
    lines = [line for number, profile, mode in offered for line in h264(number, profile, mode)]
    text = video(*lines, formats=" ".join(str(one[0]) for one in offered))
    _, accepted = sdp.answer_publisher(offer_of(text), TRANSPORT, 7, 1)
    assert [codec.payload_type for one in accepted for codec in one.codecs] == kept


def test_vp8_comes_first_and_excludes_main() -> None:
    text = video(*h264(1, "4d001f"), *h264(2, "42e01f"), "a=rtpmap:3 vp8/90000", formats="1 2 3")
    _, accepted = sdp.answer_publisher(offer_of(text), TRANSPORT, 7, 1)
    assert names(accepted[0].codecs) == [(3, "VP8"), (2, "H264")]


def test_transport_cc_extension_needs_its_feedback() -> None:
    line = f"a=extmap:3 {sdp.TRANSPORT_CC_URI}"
    _, without = sdp.answer_publisher(
        offer_of(video("a=rtpmap:3 VP8/90000", line, formats="3")), TRANSPORT, 7, 1
    )
    assert without[0].extensions == {}
    _, given_ = sdp.answer_publisher(
        offer_of(video("a=rtpmap:3 VP8/90000", "a=rtcp-fb:* transport-cc", line, formats="3")),
        TRANSPORT,
        7,
        1,
    )
    assert given_[0].extensions == {sdp.TRANSPORT_CC_URI: 3}
    assert given_[0].codecs[0].feedback == ("transport-cc",)


def test_without_rtcp_mux_there_is_no_line() -> None:
    text = video("a=rtpmap:3 VP8/90000", formats="3").replace("a=rtcp-mux\r\n", "")
    answer, accepted = sdp.answer_publisher(offer_of(text), TRANSPORT, 7, 1)
    assert accepted == ()
    assert "BUNDLE" not in answer
    assert sdp.parse(answer).media[0].rejected


@pytest.mark.parametrize(
    ("offered", "wish", "role"),
    [
        ("actpass", "active", "active"),
        ("actpass", "passive", "passive"),
        ("active", "active", "passive"),
        ("passive", "passive", "active"),
        ("", "active", "passive"),
    ],
)
def test_dtls_roles(offered: str, wish: str, role: str) -> None:
    assert sdp.answer_setup(offered, wish == "active") == role


def test_fmtp_values() -> None:
    codec = sdp.Codec(1, "rtx", 90000, 1, " apt = 96 ; rtx-time=3000;flag")
    assert codec.rtx_for == 96
    assert codec.fmtp_value("RTX-Time") == "3000"
    assert codec.fmtp_value("flag") == ""
    assert codec.fmtp_value("none") is None
    for odd in ("apt=x", "apt=", "apt=999", "apt=-1", "apt=٣"):
        assert sdp.Codec(1, "rtx", 90000, 1, odd).rtx_for is None


# ── Our offers, players and fragments ───────────────────────────────────────────────────────────


def slot(mid: str, kind: str, active: bool = True, ssrc: int = 1) -> sdp.OfferSlot:
    rtx = ssrc + 1 if kind == "video" else None
    return sdp.OfferSlot(mid, kind, active, f"s-{mid}", f"t_{mid}", ssrc, rtx, "cname1")


def test_our_offer() -> None:
    slots = [slot("0", "audio", ssrc=10), slot("1", "video", ssrc=20), slot("2", "video", active=False)]
    text = sdp.build_offer(9, 4, replace(TRANSPORT, setup="actpass"), slots)
    offer = sdp.parse(text)
    assert offer.session_id == "9"
    assert offer.session_version == 4
    assert offer.bundle == ("0", "1", "2")
    assert offer.setup == "actpass"
    assert [media.direction for media in offer.media] == ["sendonly", "sendonly", "inactive"]
    assert [codec.payload_type for codec in offer.media[0].codecs] == [sdp.OPUS]
    assert [codec.payload_type for codec in offer.media[2].codecs] == list(range(96, 106))
    assert [sdp.h264_profile(c) for c in offer.media[1].codecs if c.is_called("H264")] == [
        "constrained-baseline",
        "main",
        "high",
        "high-444",
    ]
    assert offer.media[1].rtx_ssrcs == {20: 21}
    assert offer.media[1].ssrcs == ((20, "cname1"), (21, "cname1"))
    assert (offer.media[1].stream_id, offer.media[1].track_id) == ("s-1", "t_1")
    assert offer.media[2].ssrcs == ()
    numbers = sdp.Extension(sdp.TRANSPORT_CC, sdp.TRANSPORT_CC_URI)
    assert offer.media[0].extensions == (sdp.Extension(sdp.AUDIO_LEVEL, sdp.AUDIO_LEVEL_URI), numbers)
    assert offer.media[1].extensions == (
        sdp.Extension(sdp.VIDEO_ORIENTATION, sdp.VIDEO_ORIENTATION_URI),
        numbers,
    )
    for media in offer.media:
        assert "transport-cc" in media.codecs[0].feedback
    assert text.count("a=candidate:") == 3
    assert "a=candidate:udpfffe 1 udp 2130706175 2001:db8::1 7882 typ host\r\n" in text
    assert "192.0.2.1 7882 typ host tcptype passive\r\n" in text
    assert text.count("a=end-of-candidates") == 1


@pytest.mark.parametrize(
    ("name", "profiles"),
    [("chromium_answer", ["constrained-baseline", "main"]), ("firefox_answer", [])],
)
def test_browsers_answers_to_our_offer(name: str, profiles: list[str]) -> None:
    answer = sdp.parse(FIXTURES[name])
    assert answer.setup == "active"
    slots = sdp.read_answer(answer)
    assert all(one.accepted and one.receiving for one in slots)
    assert list(slots[0].codecs) == [sdp.OPUS]
    assert {96, 97} <= set(slots[1].codecs)
    assert [sdp.h264_profile(c) for c in slots[1].codecs.values() if c.is_called("H264")] == profiles
    assert slots[0].extensions == {sdp.AUDIO_LEVEL_URI: sdp.AUDIO_LEVEL}
    assert slots[0].transport_cc_id == 0


def test_transport_wide_numbers_need_extension_and_feedback() -> None:
    def answered(*lines: str) -> int:
        text = FIXTURES["chromium_answer"].replace(
            "a=mid:0v\r\n", "a=mid:0v\r\n" + "\r\n".join(lines) + "\r\n"
        )
        return sdp.read_answer(sdp.parse(text))[1].transport_cc_id

    extension, feedback = f"a=extmap:{sdp.TRANSPORT_CC} {sdp.TRANSPORT_CC_URI}", "a=rtcp-fb:96 transport-cc"
    assert answered(extension, feedback) == sdp.TRANSPORT_CC
    assert answered(extension) == 0
    assert answered(feedback) == 0
    assert answered(f"a=extmap:15 {sdp.TRANSPORT_CC_URI}", feedback) == 0


def test_a_rejected_or_stopped_slot() -> None:
    text = FIXTURES["chromium_answer"]
    stopped = sdp.read_answer(sdp.parse(text.replace("a=recvonly", "a=inactive", 1)))
    assert (stopped[0].accepted, stopped[0].receiving) == (True, False)
    rejected = sdp.read_answer(sdp.parse(text.replace("m=audio 9", "m=audio 0", 1)))
    assert (rejected[0].accepted, rejected[0].receiving, rejected[0].codecs) == (False, False, {})


def test_a_player_keeps_its_own_numbers() -> None:
    offer = sdp.parse(FIXTURES["chromium_play"])
    text, slots = sdp.answer_player(
        offer, TRANSPORT, {"0": slot("0", "audio", ssrc=5), "1": slot("1", "video", ssrc=6)}, 1, 1
    )
    answer = sdp.parse(text)
    assert [media.direction for media in answer.media] == ["sendonly", "sendonly"]
    assert answer.media[1].rtx_ssrcs == {6: 7}
    assert all(one.receiving for one in slots)
    modes = {sdp.packetization_mode(c) for c in slots[1].codecs.values() if c.is_called("H264")}
    assert modes == {"1"}
    profiles = [sdp.h264_profile(c) for c in slots[1].codecs.values() if c.is_called("H264")]
    assert {"baseline", "constrained-baseline", "main"} <= set(profiles)
    assert slots[1].extensions == {sdp.VIDEO_ORIENTATION_URI: 13, sdp.TRANSPORT_CC_URI: 3}
    assert slots[1].transport_cc_id == 3
    text, slots = sdp.answer_player(offer, TRANSPORT, {"0": slot("0", "audio")}, 1, 1)
    assert [media.direction for media in sdp.parse(text).media] == ["sendonly", "inactive"]
    assert [one.receiving for one in slots] == [True, False]


def test_a_player_that_offers_to_send_is_sent_nothing() -> None:
    offer = sdp.parse(FIXTURES["chromium_publish"])
    text, slots = sdp.answer_player(offer, TRANSPORT, {"1": slot("1", "video")}, 1, 1)
    assert not any(one.receiving for one in slots)
    assert "a=ssrc" not in text


def test_fragments() -> None:
    text = sdp.build_fragment(TRANSPORT, ["0", "1"])
    assert sdp.parse_fragment(text) == TRANSPORT.credentials
    assert text.count("a=candidate:") == 3
    candidate = "a=mid:0\na=candidate:1 1 udp 1 192.0.2.9 9 typ host\n"
    assert sdp.parse_fragment("m=audio 9 RTP/AVP 0\n" + candidate) is None
    assert sdp.parse_fragment("") is None
    for bad in ("hello", "a=ice-ufrag:abcd\n", "a=ice-ufrag:a\na=ice-pwd:b\n", "a=x\n" * 9000):
        with pytest.raises(sdp.SdpError):
            sdp.parse_fragment(bad)
    with pytest.raises(sdp.SdpError):
        sdp.build_fragment(TRANSPORT, [])


INJECTION = "x\r\na=candidate:1 1 udp 1 192.0.2.66 9 typ host"


@pytest.mark.parametrize("field", ["mid", "stream_id", "track_id", "cname"])
def test_nothing_can_add_a_line(field: str) -> None:
    values = {"mid": "0", "stream_id": "s", "track_id": "t", "cname": "c"}
    for bad in (INJECTION, "", "a b", "a\n", "ü"):
        values[field] = bad
        with pytest.raises(sdp.SdpError):
            sdp.build_offer(
                1, 1, TRANSPORT, [sdp.OfferSlot(kind="audio", active=True, ssrc=1, rtx_ssrc=None, **values)]
            )


@pytest.mark.parametrize(
    "transport",
    [
        replace(TRANSPORT, credentials=sdp.Credentials("a b c d", "p" * 22)),
        replace(TRANSPORT, fingerprint=sdp.Fingerprint("sha-256", INJECTION)),
        replace(TRANSPORT, candidates=(sdp.Candidate("evil", 1, "udp", "1", 1),)),
        replace(TRANSPORT, candidates=(sdp.Candidate("192.0.2.1", 0, "udp", "1", 1),)),
        replace(TRANSPORT, candidates=(sdp.Candidate("fe80::1%x", 1, "udp", "1", 1),)),
        replace(TRANSPORT, candidates=(sdp.Candidate("192.0.2.1", 1, "udp", "a b", 1),)),
    ],
)
def test_transport_values_are_checked(transport: sdp.LocalTransport) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.build_offer(1, 1, transport, [slot("0", "audio")])


# ── Bad input ───────────────────────────────────────────────────────────────────────────────────

VP8_LINE = video("a=rtpmap:96 VP8/90000", formats="96")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        "hello",
        "v=0\r\n",
        "v=0\r\no=- 1 x IN IP4 0.0.0.0\r\n",
        MINIMAL + "m=video\r\n",
        MINIMAL + "m=video 99999 UDP/TLS/RTP/SAVPF 96\r\n",
        MINIMAL + "m=video -1 UDP/TLS/RTP/SAVPF 96\r\n",
        MINIMAL + "m=video 9 UDP/TLS/RTP/SAVPF 300\r\n",
        MINIMAL + "m=video 9 UDP/TLS/RTP/SAVPF " + " ".join(["96"] * 200) + "\r\n",
        MINIMAL + VP8_LINE + VP8_LINE,  # one mid twice
        MINIMAL + VP8_LINE * 201,
        MINIMAL + VP8_LINE.replace("a=mid:0", "a=mid:a b"),
        MINIMAL + VP8_LINE.replace("a=mid:0", "a=mid:" + "a" * 65),
        MINIMAL + VP8_LINE + "a=rtpmap:96 VP8\r\n",
        MINIMAL + VP8_LINE + "a=rtpmap:96 VP8/" + "9" * 5000 + "\r\n",
        MINIMAL + VP8_LINE + "a=rtpmap:٣ VP8/90000\r\n",
        MINIMAL + VP8_LINE + "a=ssrc:99999999999 cname:x\r\n",
        MINIMAL + VP8_LINE + "a=extmap:x urn:y\r\n",
        MINIMAL + VP8_LINE + "a=extmap:1\r\n",
        MINIMAL + VP8_LINE + "a=extmap:1/both urn:y\r\n",
        MINIMAL + VP8_LINE + "a=rid:? send\r\n",
        MINIMAL + VP8_LINE + "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(65)),
        MINIMAL + VP8_LINE + "".join(f"a=extmap:{n} urn:x\r\n" for n in range(1, 70)),
        MINIMAL + VP8_LINE + "".join(f"a=rid:r{n} send\r\n" for n in range(9)),
        MINIMAL + VP8_LINE + "a=fmtp:96 x\x00y\r\n",
        MINIMAL + VP8_LINE + "a=fmtp:96 x\ry\r\n",
        MINIMAL + VP8_LINE + "a=x:\ud800\r\n",
        MINIMAL.replace("ice-ufrag:abcd", "ice-ufrag:a") + VP8_LINE,
        MINIMAL.replace("p" * 22, "p" * 21) + VP8_LINE,
        MINIMAL.replace("a=ice-pwd", "a=x") + VP8_LINE,
        MINIMAL.replace("a=ice-ufrag", "a=y").replace("a=ice-pwd", "a=x") + VP8_LINE,
        MINIMAL.replace("AB:AB", "ZZ:AB") + VP8_LINE,
        MINIMAL.replace("a=fingerprint", "a=x") + VP8_LINE,
        MINIMAL + VP8_LINE + "a=x:" + "y" * 262144 + "\r\n",
        "v=0\n" + "a=x\n" * 30000,
    ],
)
def test_bad_descriptions_are_one_error(text: str) -> None:
    with pytest.raises(sdp.SdpError):
        sdp.parse(text)


def test_two_lite_agents_cannot_meet() -> None:
    offer = sdp.parse(MINIMAL + "a=ice-lite\r\n" + VP8_LINE)
    with pytest.raises(sdp.SdpError):
        sdp.answer_publisher(offer, TRANSPORT, 1, 1)


def test_mids_are_invented_where_missing() -> None:
    offer = sdp.parse(MINIMAL + VP8_LINE.replace("a=mid:0\r\n", "") + VP8_LINE.replace("mid:0", "mid:_0"))
    assert [media.mid for media in offer.media] == ["_0_", "_0"]


def use(text: str) -> None:
    """Everything that the server does with a peer's text."""
    with contextlib.suppress(sdp.SdpError):
        sdp.parse_fragment(text)
    with contextlib.suppress(sdp.SdpError):
        offer = sdp.parse(text)
        sdp.read_answer(offer)
        for simulcast in (False, True):
            answer, _ = sdp.answer_publisher(offer, TRANSPORT, 1, 1, simulcast=simulcast)
            sdp.parse(answer)
        slots = {media.mid: slot(media.mid, media.kind) for media in offer.media}
        answer, _ = sdp.answer_player(offer, TRANSPORT, slots, 1, 1)
        sdp.parse(answer)


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    use(text)
    use("v=0\n" + text)
    use(MINIMAL + VP8_LINE + text)


@given(
    st.sampled_from(sorted(FIXTURES)),
    st.lists(
        st.tuples(st.integers(0, 6000), st.integers(0, 12), st.text(max_size=8)), min_size=1, max_size=6
    ),
)
def test_mutated_offers_are_survived(name: str, changes: list[tuple[int, int, str]]) -> None:
    text = FIXTURES[name]
    for at, cut, insert in changes:
        at %= len(text)
        text = text[:at] + insert + text[at + cut :]
    use(text)


@given(st.sampled_from(sorted(FIXTURES)), st.randoms(use_true_random=False), st.integers(1, 5))
def test_shuffled_lines_are_survived(name: str, random: object, times: int) -> None:
    lines = FIXTURES[name].replace("\r\n", "\n").split("\n")
    chooser = random.randrange  # type: ignore[attr-defined]
    for _ in range(times):
        first, second = chooser(len(lines)), chooser(len(lines))
        lines[first], lines[second] = lines[second], lines[first]
        lines.insert(first, lines[second])
    use("\n".join(lines))
