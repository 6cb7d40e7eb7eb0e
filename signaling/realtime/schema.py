"""The room protocol as a document: every event and request with its JSON Schema.

`python -m signaling.realtime.schema` prints docs/protocol.md; a test keeps the two equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from conference.events import ParticipantView
from conference.model.errors import ERROR_TEXTS
from conference.model.permissions import PERMISSIONS, Action
from signaling.realtime.requests import DESK_REQUESTS, REQUESTS, Empty, MediaAnswer
from signaling.realtime.wire import ADAPTERS, EVENT_NAMES

_INTRODUCTION: Final = """# The room protocol

Generated from the code by `python -m signaling.realtime.schema`; do not edit.

Socket.IO, namespace `/room`, `auth: {token, resume?: {participant_id, secret}, name?, kind?, take_over?, screen?}`. A
refusal is the event `session.refused`, then a disconnect. Otherwise `room.snapshot` comes first, or `room.waiting`:
then nothing until `room.snapshot` (admitted) or `session.removed` (refused), and every request but `room.leave` is
refused with
`not_admitted`. Every event with a `version` is one change of the room's state: apply those above the version you hold,
one by one; at a hole ask `room.sync`. A state made of
snapshot and events equals a fresh snapshot.

Every request is acked with `{"ok": true, "data": …}` or `{"ok": false, "error": {"code", "message"}}`. Events that
happened before an ack arrive before it. Times are milliseconds, ids match `^[A-Za-z0-9_-]{1,64}$`. Requests may carry
fields that the server does not know.

`second_device`: the participant of a personal link is connected by another device; with `take_over: true` this one
takes its place. Events `waiting.joined` and `waiting.left` have no `version` and go to those only who may admit.

Private statements come as `statement.added` and `statement.updated` without `version`, to those only who may see them.

With `screen: true` in `auth` the session is a big screen: it gets snapshot, events and offers of media, is in no list,
and may ask for `room.sync`, `room.leave`, `media.restart`, `media.wish` and `media.report` alone. The token of a
screen's link (`POST /api/v1/screens/enter`) opens no other session.

`broadcast.updated`, `program.updated`, `disk.updated`, `storage.updated` and `relay.updated` go to desks only; they
have no `version`, say the whole each time, and the newest counts.

`camera.updated` and `camera.removed` have no `version` either; they go to desks, and to the operators of the camera's
venue. They say one of `cameras`, which is in no particular order.

`captions.updated` changes `captions` of the consultation. `caption.partial` stands in the place of the last one of the
same microphone (`participant_id`), an empty text ends it; `caption.final` comes when the words have a row, and
`caption.corrected` when somebody changed them, with an empty text when they are to be shown no more. These three have
no `version`, and who loses one loses nothing: the transcript has it. `speaker` is who speaks: a hall's microphone is
that of whoever of it has the floor, else `is_certain` is false.

`venue.message` goes to desks with `venue.watch` and to the operators of that venue, without `version`: the next of the
`venue_messages` of their snapshots, of which there are the newest 200. `venue.health` goes to desks with `venue.watch`,
without `version`, at most every five seconds and at once when a verdict is another: put its `venues` in the place of
those that you hold, drop what is `gone`; how all of them are is asked for by `GET …/venues/health`.

`clip.updated` changes the clip that is played into the room: the screen and the sound of a screen of its participant.
While it is `playing`, its position is `position_ms` and what has passed since `at_wall_ms` (UTC), or since program time
`at_ms`. One clip at a time; an operator plays those of the own venue, where the floor is needed while the venue has it.
`clips.updated` says all prepared clips, to desks with `clip.add` and, its own, to who runs a venue; it has no
`version`.

`comments.updated` goes to desks with `comment.moderate`, at most twice a second; it has no `version` and says what
changed: put its groups in the place of those that you hold, drop what is `gone`, and ask `comments.list` again where
`complete` is false. A comment before the meeting is the current item of the agenda, of kind `promotion`, with
its `words`, `nickname` and `place`.

`transcript.changed` goes to desks with `transcript.read`, without `version`: put each of its segments in the place of
an older revision, drop what is `removed`. Who may not read what is confidential is told that such a segment is removed.
Captions that are still shown follow by `caption.corrected`. `transcript.editing` says where somebody else is writing.
`transcript.second_pass` says how far a second pass over the recording is, the whole each time; what it proposes comes
by `transcript.changed`, as `proposal` of the segment.

Namespace `/desk`, `auth: {token}`, for roles with `desk.join`: the same events with `desk.snapshot` instead of
`room.snapshot`, no media, and the requests DESK_REQUESTS.

`media.offer` is acked by the client with `{sdp}`, its answer. One that is not answered is made again on a fresh
connection. `tracks` maps every m-line: slots are used again, so go by `mid`.

`media.wish` says which pictures are shown and how large their tiles are in device pixels (CSS pixels ×
devicePixelRatio); each takes the place of the whole one before. What is not in it is not sent, but for sound, which it
does not concern. Until the first one everything is sent as large as it fits. `priority` is for what the viewer has made
large or pinned: greater goes first. Say it again after `media.restart` and with every new session. Ids of tracks that
are not there yet are kept. `media.allocation` says what of each picture is sent now, whole, when that changes and
after each wish: `layer` is null for nothing. `reason` is `size` for all that the tile needs or that there is,
`bandwidth` for less, or nothing, because the way to this client is too narrow, `hidden` for a picture that it did not
wish for. `sound_only`: it wished for pictures, and none fits.

`media.layers` goes to who publishes a picture: the RIDs (`q`, `h`, `f`, or `""` for a track of one encoding) that
somebody receives now. The others may pause. Without one, and after a new connection, send all. `media.report` says
every few seconds how the received tracks were played since the last one; it changes nothing of what is sent.
""".replace("DESK_REQUESTS", ", ".join(f"`{name}`" for name in REQUESTS if name in DESK_REQUESTS))

_ANSWERS: Final = {
    "room.sync": "the body of `room.snapshot`",
    "media.publish": "`{sdp}`",
    "participant.update": "`{participant}`",
    "participant.mute": "`{changed}`: how many mutes that closed or lifted",
    "participant.admit": "`{admitted}`: how many came in by it; `not_found` when somebody does not wait any more",
    "floor.request": "`{place}`: 1 = first",
    **dict.fromkeys(("floor.grant", "floor.extend", "floor.end", "floor.order", "floor.mode"), "`{floor}`"),
    **dict.fromkeys(("agenda.set", "agenda.start", "agenda.next", "agenda.end"), "`{agenda}`"),
    **dict.fromkeys(("statement.add", "statement.like", "statement.take"), "`{statement}`"),
    "program.direct": "`{program}`",
    **dict.fromkeys(
        ("broadcast.cut", "broadcast.restore", "broadcast.withdraw", "broadcast.reinstate"), "`{broadcast}`"
    ),
    "comments.list": "`{items, next, total, counts, promotions}`: groups; `next` is the `after` of the next page",
    "comments.group": "`{items, next}`",
    "comments.topics": "`{topics: [{id, name, groups, comments, waiting}], at_wall_ms, last_number}`, where most waits"
    " first",
    **dict.fromkeys(
        (
            *(f"comment.{name}" for name in ("approve", "reject", "hold", "hide", "reopen", "undo")),
            "comment.merge",
            "comment.split",
        ),
        "`{changed, ids, groups, undo}`: `undo` of a decision is for comment.undo",
    ),
    **dict.fromkeys(("comment.claim", "comment.release", "comment.represent"), "`{group}`"),
    **dict.fromkeys(("comment.promote", "promotion.decline", "promotion.end"), "`{state, promotion}`"),
    "promotions.list": "`{items}`, the newest first",
    **dict.fromkeys(
        ("clip.play", "clip.pause", "clip.resume", "clip.seek"), "`{clip}`: as in `clip.updated`"
    ),
    "statements.list": "`{items, next}`: `next` is the `before` of the page above",
}


def protocol_document() -> str:
    """docs/protocol.md"""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Server to client\n"
    for kind, name in EVENT_NAMES.items():
        yield from _section(
            name, ADAPTERS[kind].json_schema(mode="serialization", ref_template="#/$defs/{model}")
        )
    yield from _section("ack of media.offer", MediaAnswer.model_json_schema())
    yield "## Client to server\n"
    for name, model in REQUESTS.items():
        schema = None if model is Empty else model.model_json_schema()
        yield from _section(name, schema, f"Answer: {_ANSWERS.get(name, '`{}`')}.")
    yield "## A participant\n"
    yield from _code(TypeAdapter(ParticipantView).json_schema(mode="serialization"))
    yield "## Error codes\n"
    yield "| code | 中文 |\n| --- | --- |"
    yield from (f"| `{code}` | {text} |" for code, text in ERROR_TEXTS.items())
    yield "\n## Roles and what they may do\n"
    yield f"| | {' | '.join(PERMISSIONS)} |\n|{' --- |' * (len(PERMISSIONS) + 1)}"
    for action in Action:
        marks = ("●" if action in actions else " " for actions in PERMISSIONS.values())
        yield f"| `{action}` | {' | '.join(marks)} |"


def _section(name: str, schema: dict[str, Any] | None, remark: str = "") -> Iterator[str]:
    yield f"### `{name}`\n"
    if remark:
        yield remark + "\n"
    if schema is None:
        yield "No body.\n"
    else:
        yield from _code(_without_shared(schema))


def _without_shared(schema: dict[str, Any]) -> dict[str, Any]:
    """The participant is described once, at the end."""
    definitions = schema.get("$defs", {})
    if "ParticipantView" in definitions:
        schema = {
            **schema,
            "$defs": {name: each for name, each in definitions.items() if name in _local(schema)},
        }
        if not schema["$defs"]:
            del schema["$defs"]
    return schema


def _local(schema: dict[str, Any]) -> set[str]:
    """Definitions that the schema needs when participants are left out."""
    definitions = schema.get("$defs", {})
    found: set[str] = set()
    todo = _references({name: each for name, each in schema.items() if name != "$defs"})
    while todo:
        name = todo.pop()
        if name != "ParticipantView" and name not in found:
            found.add(name)
            todo |= _references(definitions[name])
    return found


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].rsplit("/", 1)[1]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(each) for each in value))
    return set()


def _code(schema: dict[str, Any]) -> Iterator[str]:
    yield "```json"
    yield json.dumps(schema, ensure_ascii=False, indent=1)
    yield "```\n"


if __name__ == "__main__":
    sys.stdout.write(protocol_document())
