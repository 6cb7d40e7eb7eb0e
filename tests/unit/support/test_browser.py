"""Chromium with fake devices: pictures are read from pixels, sound is heard, reading is no gesture."""

import pytest

from tests.support.browser import PHONE, BrowserClient, BrowserError, BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.mini_client import MiniClient
from tests.support.shared_screen import TITLE, open_shared_screen

pytestmark = pytest.mark.browser

ORIGIN = "http://127.0.0.1:9"  # nobody listens there: the page is made up by the browser's own routing

# A room in one page: a call to oneself, shown like the client shows others.
LOOP = """
async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = (e) => b.addIceCandidate(e.candidate);
  b.onicecandidate = (e) => a.addIceCandidate(e.candidate);
  const tile = document.createElement("div");
  tile.dataset.testid = "participant-tile";
  tile.dataset.participantId = "p-1";
  tile.dataset.speaking = "true";
  const video = Object.assign(document.createElement("video"), { autoplay: true, width: 320 });
  tile.append(video, "张三");
  document.body.append(tile);
  const received = new MediaStream();
  b.ontrack = (e) => { received.addTrack(e.track); video.srcObject = received; };
  for (const track of stream.getTracks()) a.addTrack(track, stream);
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  window.yuanshangDebug = { publishConnection: a, subscribeConnection: b };
  return stream.id;
}
"""


@pytest.fixture
async def client(browsers: BrowserFactory) -> BrowserClient:
    """A browser that shows participant 5 and speaks."""
    return await browsers.launch(
        name="five", video=participant_video(5, seconds=2), audio=speech_wav(), screen=PHONE
    )


async def test_sees_and_hears_itself(client: BrowserClient) -> None:
    await client.open_blank(ORIGIN)
    assert await client.evaluate("() => navigator.userActivation.hasBeenActive") is False
    stream_id = await client.evaluate(LOOP)
    await client.sees({"p-1": 5})
    tile = (await client.tiles())[0]
    assert (tile.participant_id, tile.speaking, tile.text, tile.visible) == ("p-1", True, "张三", True)
    first = tile.pictures[0].code
    await client.wait_until(
        client.tiles, lambda tiles: tiles[0].pictures[0].code not in (None, first), what="moves"
    )
    await client.hears(stream_id)
    inbound = {stream.kind: stream for stream in await client.inbound()}
    assert inbound["video"].frames > 0
    assert inbound["video"].participant_id == stream_id
    assert len(await client.outbound()) == 2
    assert await client.evaluate("() => navigator.userActivation.hasBeenActive") is False, (
        "reading is no gesture"
    )
    client.assert_quiet()


async def test_tapping_is_a_gesture(client: BrowserClient) -> None:
    await client.open_blank(ORIGIN)
    await client.evaluate(
        """() => { document.body.innerHTML =
             '<input data-testid="name-input" value="old"><button data-testid="join-button">加入</button>';
           document.querySelector("button").onclick = (event) => { window.trusted = event.isTrusted; }; }"""
    )
    await client.fill("name-input", "李四")
    await client.tap("join-button")
    assert await client.evaluate("() => [document.querySelector('input').value, trusted]") == ["李四", True]
    assert await client.evaluate("() => navigator.userActivation.hasBeenActive") is True
    assert await client.count("join-button") == 1


async def test_errors_of_the_page_are_told(client: BrowserClient) -> None:
    await client.open_blank(ORIGIN)
    with pytest.raises(BrowserError, match="no such thing"):
        await client.evaluate("() => { throw new Error('no such thing'); }")
    await client.evaluate("() => { setTimeout(() => { console.error('bad'); throw new Error('late'); }); }")
    await client.wait_until(lambda: len(client.page_errors) == 1)
    with pytest.raises(AssertionError, match="bad"):
        client.assert_quiet()


async def test_a_shared_screen_is_captured(browsers: BrowserFactory) -> None:
    client = await browsers.launch(name="sharer", share_title=TITLE)
    await client.open_blank(ORIGIN)
    await open_shared_screen(client, 20)
    await client.evaluate(
        """() => { document.body.innerHTML = '<button data-testid="share-screen">x</button><video autoplay muted>';
           document.querySelector("button").onclick = async () => {
             document.querySelector("video").srcObject = await navigator.mediaDevices.getDisplayMedia({ video: true });
           }; }"""
    )
    await client.tap("share-screen")
    read = "() => __probe.readCode(document.querySelector('video'))"
    await client.wait_until(lambda: client.evaluate(read), lambda code: code and code["participant"] == 20)


async def test_mini_client_reports_refusals(client: BrowserClient) -> None:
    mini = MiniClient(client)
    await client.page.route(f"{ORIGIN}/whip/**", lambda route: route.fulfill(status=403, body="no"))
    await mini.open(ORIGIN)
    with pytest.raises(BrowserError, match="403 no"):
        await mini.publish("camera", f"{ORIGIN}/whip/x", "token")
