"""Answers with an entity tag: what is the same for all is written down once."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel

from signaling.http.tagged import Bodies, Body, for_all, for_one


class Said(BaseModel):
    text: str


@dataclass(eq=False)
class Page:
    text: str


class Writer:
    """How often pages were written down."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, page: Page) -> Said:
        self.times += 1
        return Said(text=page.text)


def asked(tag: str = "") -> web.Request:
    return make_mocked_request("GET", "/", headers={"If-None-Match": f'"{tag}"'} if tag else {})


def test_a_page_is_written_down_once() -> None:
    writer, page = Writer(), Page("一")
    bodies: Bodies[Page] = Bodies(writer)
    first = bodies.body("c", page)
    assert bodies.body("c", page) is first
    assert (writer.times, first.text) == (1, '{"text":"一"}')
    assert bodies.body("c", Page("二")).text == '{"text":"二"}'
    assert bodies.body("other", page).tag == first.tag
    assert writer.times == 3


def test_those_asked_for_longest_ago_make_room() -> None:
    writer, page = Writer(), Page("一")
    bodies: Bodies[Page] = Bodies(writer)
    for number in range(256):
        bodies.body(f"c{number}", page)
    bodies.body("c0", page)
    bodies.body("new", page)
    assert writer.times == 257
    bodies.body("c0", page)
    assert writer.times == 257, "was asked for lately"
    bodies.body("c1", page)
    assert writer.times == 258


def test_who_has_it_is_told_so() -> None:
    said = Said(text="一")
    body = Body.of(said)
    for response in (for_all(asked(), body), for_one(asked(), said)):
        assert (response.status, response.text, response.headers["ETag"]) == (200, body.text, f'"{body.tag}"')
    for response in (for_all(asked(body.tag), body), for_one(asked(body.tag), said)):
        assert (response.status, response.headers["ETag"]) == (304, f'"{body.tag}"')
    assert for_all(asked("old"), body).status == for_one(asked("old"), said).status == 200


def test_caches_keep_what_is_for_all_only() -> None:
    said = Said(text="一")
    assert for_all(asked(), Body.of(said)).headers["Cache-Control"] == "public, max-age=1"
    own = for_one(asked(), said)
    assert (own.headers["Cache-Control"], own.headers["Vary"]) == ("private, no-cache", "Authorization")
