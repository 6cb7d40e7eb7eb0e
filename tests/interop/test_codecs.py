"""A publisher that sends H264 only, before receivers that decode it and receivers that take VP8 only."""

from __future__ import annotations

import pytest

from tests.browser.meeting import enter
from tests.interop.sending import whip_sender
from tests.interop.watching import codec_of, told_of_subscriptions
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.server import Server

pytestmark = [pytest.mark.interop, pytest.mark.browser, pytest.mark.timeout(300)]
H264_SENDER, VP8_SENDER = 1, 2  # the numbers coded in their pictures

# A browser without an H264 decoder, as Firefox is without its plugin: its answers name VP8 alone.
VP8_ONLY_JS = """
(() => {
  const answer = RTCPeerConnection.prototype.createAnswer;
  RTCPeerConnection.prototype.createAnswer = function (...options) {
    const known = RTCRtpReceiver.getCapabilities("video").codecs;
    const taken = known.filter((codec) => ["video/VP8", "video/rtx"].includes(codec.mimeType));
    for (const transceiver of this.getTransceivers())
      if (transceiver.receiver.track.kind === "video") transceiver.setCodecPreferences(taken);
    return answer.apply(this, options);
  };
})()
"""


class Receiver:
    """A room in Chromium, and what its socket said about subscriptions."""

    def __init__(self, client: BrowserClient) -> None:
        self.client = client
        self.subscriptions = told_of_subscriptions(client)

    @classmethod
    async def join(
        cls, browsers: BrowserFactory, server: Server, consultation: str, name: str, *, vp8_only: bool
    ) -> Receiver:
        receiver = cls(await browsers.launch(name=name))
        if vp8_only:
            await receiver.client.context.add_init_script(VP8_ONLY_JS)
        token = server.token(consultation, "member", name)
        await receiver.client.open(server.room_url(consultation, token))
        await enter(receiver.client)
        return receiver

    async def video_lines(self) -> int:
        """Video m-lines of its receiving connection."""
        count = """() => yuanshangDebug.subscribeConnection.getTransceivers()
                         .filter((each) => each.receiver.track.kind === "video").length"""
        return int(await self.client.evaluate(count))

    async def is_told(self, state: str) -> None:
        """Wait until the socket's last word about a subscription is this."""
        await self.client.wait_until(
            lambda: self.subscriptions[-1]["state"] if self.subscriptions else "",
            lambda now: now == state,
            timeout_s=20,
            what=f"is told {state}",
        )


async def test_h264_reaches_whom_it_can_and_the_others_are_told(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    page, sender = await whip_sender(browsers, server, H264_SENDER, consultation, "H264")
    able = await Receiver.join(browsers, server, consultation, "H264 receiver", vp8_only=False)
    unable = await Receiver.join(browsers, server, consultation, "VP8 receiver", vp8_only=True)

    await able.client.sees({sender: H264_SENDER}, timeout_s=30)
    assert (await codec_of(able.client, sender)).startswith("video/H264")
    assert able.subscriptions == []

    # The other one hears, sees nothing, and is told why.
    await unable.is_told("unsupported_codec")
    await unable.client.hears(sender)
    streams = [one for one in await unable.client.inbound() if one.participant_id == sender]
    assert not any(one.packets for one in streams if one.kind == "video")

    # The next sender has another codec and takes the same slot at both.
    lines = await able.video_lines(), await unable.video_lines()
    await page.remove("sender")
    _, other = await whip_sender(browsers, server, VP8_SENDER, consultation, "VP8")
    for receiver in (able, unable):
        await receiver.client.sees({other: VP8_SENDER}, timeout_s=30)
        assert await codec_of(receiver.client, other) == "video/VP8"
        receiver.client.assert_quiet()
    assert (await able.video_lines(), await unable.video_lines()) == lines


async def test_players_of_one_codec(server: Server, consultation: str, browsers: BrowserFactory) -> None:
    page, sender = await whip_sender(browsers, server, H264_SENDER, consultation, "H264")
    token = server.token(consultation, "member", "播放器")
    address = f"{server.url}/whep/{consultation}/{sender}"
    await page.play("both", address, token)
    await page.shows("both", H264_SENDER)

    before = server.metrics().value("yuanshang_media_unsupported_codec_total")
    await page.play("vp8", address, token, codec="VP8")
    await eventually(
        lambda: server.metrics().value("yuanshang_media_unsupported_codec_total"),
        lambda now: now == before + 1,
        timeout_s=20,
        what="the player without H264 is counted",
    )
    reports = await page.browser.stats("vp8")
    assert all(one["packetsReceived"] == 0 for one in reports if one.get("kind") == "video")
    assert await page.remove("vp8") == 200
