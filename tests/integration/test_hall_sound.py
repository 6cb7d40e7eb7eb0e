"""A hall is given no sound of its own, by any way, through the real media process and over real packets."""

from __future__ import annotations

from conference.media.client import MediaClient
from conference.model.media import PROGRAM_TARGET
from tests.support.light_client import Peer, SessionDescription
from tests.support.light_client.sdp import MediaSection, OfferedTrack
from tests.support.media_meeting import ROOM, Meeting

HALL = ("id:v_1", "name:主会场")
ELSEWHERE = ("id:v_2", "name:石桥村连线点")


def heard(meeting: Meeting, receiver: str) -> set[str]:
    """Whose sound it is offered, by all offers up to now."""
    return {
        track.participant_id
        for offer in meeting.offers[receiver]
        for track in offer.tracks
        if track.source == "microphone"
    }


def sends(section: MediaSection) -> bool:
    """Whether the answer's m-line carries something."""
    return section.port != 0 and section.direction == "sendonly"


async def test_console_and_screen_get_every_picture_and_no_sound_of_their_hall(meeting: Meeting) -> None:
    await meeting.publish("console", hall=HALL, deaf_to=HALL)
    await meeting.publish("encoder", hall=HALL)
    await meeting.publish("remote", hall=ELSEWHERE, deaf_to=ELSEWHERE)
    await meeting.receive("console", hall=HALL, deaf_to=HALL)
    await meeting.receive("screen", hall=HALL, deaf_to=HALL[1:])
    await meeting.receive("home")
    await meeting.flows("screen", "console", "camera")
    await meeting.flows("screen", "remote", "microphone")
    await meeting.flows("console", "encoder", "camera")
    # One that comes later, under one of the hall's names.
    await meeting.publish("phone", hall=HALL[1:])
    await meeting.flows("screen", "phone", "camera")
    await meeting.flows("console", "phone", "camera")
    await meeting.flows("home", "phone", "microphone")
    assert heard(meeting, "screen") == heard(meeting, "console") == {"remote"}
    assert heard(meeting, "home") == {"console", "encoder", "remote", "phone"}


async def test_a_way_by_whep_is_deaf_as_well(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("encoder", hall=HALL)
    await meeting.publish("remote", hall=ELSEWHERE)
    for number, (target, is_heard) in enumerate(
        (("encoder", False), ("remote", True), (PROGRAM_TARGET, False))
    ):
        player = Peer()
        await media.join(ROOM, f"w{number}", sound_open=False, deaf_to=HALL)
        offer = player.offer([OfferedTrack("audio"), OfferedTrack("video", codecs=("VP8", "H264"), rtx=True)])
        sound, picture = SessionDescription(await media.pull(ROOM, f"w{number}", target, offer)).media
        assert sends(picture)
        assert sends(sound) == is_heard, target
        await player.close()


async def test_who_is_no_hall_is_offered_everything(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("one")
    await meeting.publish("two")
    await meeting.receive("one")
    await meeting.flows("one", "two", "microphone")
    player = Peer()
    await media.join(ROOM, "w", sound_open=False)
    offer = player.offer([OfferedTrack("audio"), OfferedTrack("video", codecs=("H264",))])
    assert sends(SessionDescription(await media.pull(ROOM, "w", PROGRAM_TARGET, offer)).media[0])
    await player.close()
