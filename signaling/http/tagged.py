"""Answers with an entity tag: for one reader, or the same for all, and then written down once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

_FOR_ALL: Final = {"Cache-Control": "public, max-age=1"}
_FOR_ONE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
_KEPT: Final = 256

_Page = TypeVar("_Page")


@dataclass(frozen=True, slots=True)
class Body:
    """JSON, and the tag that stands for it."""

    text: str
    tag: str

    @classmethod
    def of(cls, resource: BaseModel) -> Body:
        text = resource.model_dump_json()
        return cls(text, hashlib.sha256(text.encode()).hexdigest()[:24])


class Bodies(Generic[_Page]):
    """The newest page of each consultation, as it was last written down: thousands ask for the same. Those asked for
    longest ago make room."""

    def __init__(self, write: Callable[[_Page], BaseModel]) -> None:
        self._write = write
        self._kept: OrderedDict[str, tuple[_Page, Body]] = OrderedDict()

    def body(self, consultation_id: str, page: _Page) -> Body:
        """Of this very page: another object is another page, whatever it says."""
        kept = self._kept.get(consultation_id)
        if kept is None or kept[0] is not page:
            kept = page, Body.of(self._write(page))
        self._kept[consultation_id] = kept
        self._kept.move_to_end(consultation_id)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return kept[1]


def for_all(request: web.Request, body: Body) -> web.Response:
    """The same for everybody, so that a cache in front carries the crowd: one second of life."""
    return _tagged(request, body, _FOR_ALL)


def for_one(request: web.Request, resource: BaseModel) -> web.Response:
    """For one reader alone: who asks again is told whether anything changed."""
    return body_for_one(request, Body.of(resource))


def body_for_one(request: web.Request, body: Body) -> web.Response:
    """The same of what was written down elsewhere, because that takes its time."""
    return _tagged(request, body, _FOR_ONE)


def _tagged(request: web.Request, body: Body, headers: dict[str, str]) -> web.Response:
    headers = {**headers, "ETag": f'"{body.tag}"'}
    if any(each.value in (body.tag, "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.json_response(text=body.text, headers=headers)
