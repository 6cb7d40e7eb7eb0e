"""Minutes and transcripts as files, and the template that a body's minutes are put into."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r204, r400, r401, r403, r404, r413, r422, r429, r503

from conference.model.errors import NotFoundError
from conference.model.minutes import MinutesKind, MinutesTemplate
from conference.model.permissions import Action, require
from conference.services.minutes import MAX_TEMPLATE_BYTES
from conference.services.trace import Bearer
from signaling.documents.messages import Document
from signaling.documents.minutes_sheet import document_name, minutes_document, template_words
from signaling.documents.sample import sample_template
from signaling.documents.transcript_sheet import transcript_document
from signaling.http.bodies import attachment, download, read_body
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.minutes import MINUTES_PATH
from signaling.http.minutes_resources import TemplateResource
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, nothing
from signaling.tables.messages import Format
from signaling.tables.transcript_layouts import transcript_sheets

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF: Final = "application/pdf"

# ── minutes ─────────────────────────────────────────────────────────────────────────────────────


@documented
async def get_minutes_docx(
    request: web.Request, cid: str, /, kind: MinutesKind = MinutesKind.SUMMARY, version: int | None = None
) -> r401[Problem] | r403[Problem] | r404[Problem] | r422[Problem] | r429[Problem] | r503[Problem]:
    """
    Minutes as DOCX, the newest version unless another is named: by the body's own template where it has one, else in the layout of GB/T 9704-2012.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        422: template_refused: the body's template does not take them
        503: document_failed
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    found = await context.minutes.printed(cid, kind, version, grant.bearer, "docx")
    zone = ZoneInfo(context.time_zone)
    if found.template is None:
        document = await asyncio.to_thread(minutes_document, found.minutes, found.consultation, zone)
        data = await context.documents.write(document)
    else:
        words = await asyncio.to_thread(template_words, found.minutes, found.consultation, zone)
        data = await context.documents.fill(found.template, words)
    return attachment(data, DOCX, "minutes.docx", f"{document_name(found.minutes, found.consultation)}.docx")


@documented
async def get_minutes_pdf(
    request: web.Request, cid: str, /, kind: MinutesKind = MinutesKind.SUMMARY, version: int | None = None
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem] | r503[Problem]:
    """
    Minutes as PDF, in the layout of GB/T 9704-2012. 503 paper_failed when the server cannot typeset.

    Security: BearerToken: []
    Tags: minutes
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    found = await context.minutes.printed(cid, kind, version, grant.bearer, "pdf")
    zone = ZoneInfo(context.time_zone)
    document = await asyncio.to_thread(minutes_document, found.minutes, found.consultation, zone)
    data = await _typeset(context, document)
    return attachment(data, PDF, "minutes.pdf", f"{document_name(found.minutes, found.consultation)}.pdf")


# ── the transcript ──────────────────────────────────────────────────────────────────────────────


@documented
async def get_transcript_docx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem] | r503[Problem]:
    """
    The transcript as DOCX. What is confidential is left out for those who may not read it.

    Security: BearerToken: []
    Tags: transcript
    """
    document, name = await _transcript(request, cid, "docx")
    data = await request.app[CONTEXT].documents.write(document)
    return attachment(data, DOCX, "transcript.docx", f"{name}.docx")


@documented
async def get_transcript_pdf(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem] | r503[Problem]:
    """
    The transcript as PDF, the same way.

    Security: BearerToken: []
    Tags: transcript
    """
    document, name = await _transcript(request, cid, "pdf")
    data = await _typeset(request.app[CONTEXT], document)
    return attachment(data, PDF, "transcript.pdf", f"{name}.pdf")


@documented
async def get_transcript_xlsx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    Speaking times by person and by agenda item, and the transcript, as an Excel workbook.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    given = await context.transcripts.for_file(cid, grant.bearer, "xlsx")
    consultation, segments = given.consultation, given.segments
    titles = await _titles(context, cid)
    async with context.storage.reading() as unit:
        turns = await unit.floor.turns(cid)
    floor_ms: dict[str, int] = {}
    for turn in turns:
        floor_ms[turn.participant_id] = floor_ms.get(turn.participant_id, 0) + turn.spoken_ms
    began = consultation.started_at_ms or 0
    sheets = await asyncio.to_thread(transcript_sheets, segments, titles, floor_ms, began)
    return download(
        await context.tables.write(Format.XLSX, sheets), f"{consultation.title} 转写稿", Format.XLSX
    )


async def _transcript(request: web.Request, cid: str, kind: str) -> tuple[Document, str]:
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    given = await context.transcripts.for_file(cid, grant.bearer, kind)
    titles, zone = await _titles(context, cid), ZoneInfo(context.time_zone)
    document = await asyncio.to_thread(
        transcript_document, given.consultation, given.segments, titles, zone, given.left_out
    )
    return document, f"{given.consultation.title} 转写稿"


async def _titles(context: HttpContext, cid: str) -> dict[str, str]:
    async with context.storage.reading() as unit:
        return {each.id: each.title for each in (await unit.agenda.get(cid)).items}


async def _typeset(context: HttpContext, document: Document) -> bytes:
    data: dict[str, Any] = await asyncio.to_thread(msgspec.to_builtins, document)
    return await context.papers.typeset("document", data)


# ── templates of bodies ─────────────────────────────────────────────────────────────────────────


@documented
async def get_template(
    request: web.Request, oid: str, /
) -> r200[TemplateResource] | r204 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The template of a body: who put it there and when.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        204: it uses the built-in layout
    """
    context = request.app[CONTEXT]
    await _staff(context, request, oid, Action.MINUTES_READ)
    try:
        template, _ = await context.minutes.template(oid)
    except NotFoundError:
        return nothing()
    return json_of(_resource(template))


@documented
async def get_template_file(
    request: web.Request, oid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The template itself.

    Security: BearerToken: []
    Tags: minutes
    """
    context = request.app[CONTEXT]
    await _staff(context, request, oid, Action.MINUTES_READ)
    template, content = await context.minutes.template(oid)
    return attachment(content, DOCX, "template.docx", template.name)


@documented
async def get_sample_template(
    request: web.Request, oid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem] | r503[Problem]:
    """
    A template to begin with: the built-in layout, with a place for every word.

    Security: BearerToken: []
    Tags: minutes
    """
    context = request.app[CONTEXT]
    await _staff(context, request, oid, Action.MINUTES_READ)
    data = await context.documents.write(sample_template())
    return attachment(data, DOCX, "template.docx", "会议纪要模板.docx")


@documented
async def put_template(
    request: web.Request, oid: str, /, name: str = ""
) -> (
    r200[TemplateResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r413[Problem]
    | r422[Problem]
    | r429[Problem]
):
    """
    Put a DOCX there: its content is the body, up to 2 MB. It is tried with a sample first.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        422: template_refused, with `reason` (not_docx, too_large, unsafe, wrong_words, too_slow) and what is wrong in `said`
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    by = await _staff(context, request, oid, Action.MINUTES_TEMPLATE)
    content = await read_body(request, MAX_TEMPLATE_BYTES)
    return json_of(_resource(await context.minutes.set_template(oid, name, content, by)))


@documented
async def remove_template(
    request: web.Request, oid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Use the built-in layout from now on.

    Security: BearerToken: []
    Tags: minutes
    """
    context = request.app[CONTEXT]
    by = await _staff(context, request, oid, Action.MINUTES_TEMPLATE)
    await context.minutes.remove_template(oid, by)
    return nothing()


async def _staff(context: HttpContext, request: web.Request, organization_id: str, action: Action) -> Bearer:
    """Somebody who is logged in and sees this body."""
    member = await context.staff_of(request)
    require(member.user.role, action)
    if organization_id not in await context.staff.visible(member):
        raise NotFoundError(f"organization {organization_id}")
    return member.bearer


def _resource(template: MinutesTemplate) -> TemplateResource:
    return TemplateResource(
        name=template.name,
        size_bytes=template.size_bytes,
        sha256=template.sha256,
        added_by=template.added_by,
        added_at_ms=template.added_wall_ms,
    )


def add_to(app: web.Application) -> None:
    """The routes of files made of minutes and transcripts, and of templates."""
    transcript = f"{PREFIX}/consultations/{{cid}}/transcript"
    template = f"{PREFIX}/organizations/{{oid}}/minutes-template"
    for path, handler in (
        (f"{MINUTES_PATH}.docx", get_minutes_docx),
        (f"{MINUTES_PATH}.pdf", get_minutes_pdf),
        (f"{transcript}.docx", get_transcript_docx),
        (f"{transcript}.pdf", get_transcript_pdf),
        (f"{transcript}.xlsx", get_transcript_xlsx),
        (template, get_template),
        (f"{template}/file", get_template_file),
        (f"{template}/sample", get_sample_template),
    ):
        app.router.add_get(path, handler, allow_head=False)
    app.router.add_put(template, put_template)
    app.router.add_delete(template, remove_template)
