"""The word lists of bodies over HTTP, for administrators."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409, r413
from pydantic import Field

from conference.model.comment import Word
from conference.services.body_words import BodyWordList
from signaling.http.bodies import parsed, read_body
from signaling.http.comments import MAX_WORD_LIST_BYTES, WordBody, WordList
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of


class BodyWordListBody(WordList):
    """The words of one body. `revision`: of the list that this one replaces; null for whatever is there."""

    revision: Annotated[int, Field(ge=0)] | None = None


class BodyWordListResource(WordList):
    """The words of one body, by text; `revision` is one more after each change."""

    revision: int

    @classmethod
    def of(cls, found: BodyWordList) -> BodyWordListResource:
        return cls(items=[WordBody.model_validate(each) for each in found.words], revision=found.revision)


@documented
async def get_body_words(
    request: web.Request, oid: str, /
) -> r200[BodyWordListResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The word list of a body; it counts in all its consultations, beside the built-in one. For administrators.

    Security: BearerToken: []
    Tags: administration
    """
    context = request.app[CONTEXT]
    return json_of(
        BodyWordListResource.of(await context.body_words.get(await context.staff_of(request), oid))
    )


@documented
async def put_body_words(
    request: web.Request, oid: str, /
) -> (
    r200[BodyWordListResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
):
    """
    The word list anew, `{revision, items: [{text, level, category}]}`. Where a consultation has the same word, its own counts.

    Security: BearerToken: []
    Tags: administration
    Status Codes:
        200: it counts for what comes from now on, within some seconds
        409: edit_conflict: somebody changed the list since that revision
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    by = await context.staff_of(request)
    said = parsed(BodyWordListBody, await read_body(request, MAX_WORD_LIST_BYTES))
    words = [Word(each.text, each.level, each.category) for each in said.items]
    return json_of(BodyWordListResource.of(await context.body_words.put(by, oid, words, said.revision)))


def add_to(app: web.Application) -> None:
    """The routes of word lists of bodies."""
    path = f"{PREFIX}/organizations/{{oid}}/words"
    app.router.add_get(path, get_body_words, allow_head=False)
    app.router.add_put(path, put_body_words)
