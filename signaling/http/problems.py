"""Problems: every error leaves as problem+json (RFC 9457) with a stable `code`."""

from __future__ import annotations

import codecs
import json
import math
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from conference.model.errors import ERROR_TEXTS, ConferenceError
from signaling.http.context import CONTEXT

log = structlog.get_logger(__name__)

STATUS_OF: Final[dict[str, int]] = {
    "bad_request": 400,
    "sdp_invalid": 400,
    "too_many_tracks": 400,
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "token_revoked": 401,
    "login_failed": 401,
    "session_expired": 401,
    "forbidden": 403,
    "refused_entry": 403,
    "not_admitted": 403,
    "token_other_consultation": 403,
    "identity_required": 403,
    "not_found": 404,
    "consultation_not_found": 404,
    "method_not_allowed": 405,
    "link_invalid": 404,
    "code_wrong": 404,
    "consultation_exists": 409,
    "login_taken": 409,
    "organization_exists": 409,
    "second_device": 409,
    "not_ready": 409,
    "edit_conflict": 409,
    "venue_in_use": 409,
    "too_many_invitees": 409,
    "too_many_files": 409,
    "too_many_clips": 409,
    "clip_not_ready": 409,
    "clip_playing": 409,
    "clip_other": 409,
    "clip_not_playing": 409,
    "disk_full": 507,
    "storage_quota": 507,
    "camera_address_wrong": 422,
    "too_many_cameras": 409,
    "camera_busy": 429,
    "precheck_reason": 422,
    "too_many_prechecks": 409,
    "consultation_ended": 409,
    "consultation_not_open": 409,
    "invalid_state": 409,
    "rehearsal_clearing": 409,
    "rehearsal_comment": 409,
    "too_many_test_comments": 409,
    "nothing_recorded": 409,
    "room_full": 409,
    "room_limit": 409,
    "too_many_live": 409,
    "hard_muted": 409,
    "floor_required": 409,
    "conflict": 409,
    "agenda_item_begun": 409,
    "too_many_statements": 409,
    "comments_paused": 409,
    "comments_closed": 409,
    "comment_changed": 409,
    "comment_claimed": 409,
    "too_many_comments": 409,
    "too_many_words": 409,
    "identity_not_offered": 409,
    "identity_lapsed": 409,
    "identity_wrong": 422,
    "response_changed": 409,
    "department_in_use": 409,
    "too_many_departments": 409,
    "too_many_follow_ups": 409,
    "no_channel": 409,
    "text_refused": 422,
    "link_not_found": 404,
    "second_pass_unavailable": 409,
    "gaps_open": 409,
    "minutes_outdated": 409,
    "confidential_text": 409,
    "template_refused": 422,
    "stale": 409,
    "precondition_failed": 412,
    "other_node": 421,
    "too_large": 413,
    "unsupported_media_type": 415,
    "file_type_refused": 415,
    "limit_beyond_server": 422,
    "password_weak": 422,
    "import_no_name_column": 422,
    "import_empty": 422,
    "import_too_many_rows": 422,
    "import_unreadable": 422,
    "login_locked": 429,
    "code_locked": 429,
    "rate_limited": 429,
    "internal": 500,
    "paper_failed": 503,
    "document_failed": 503,
    "storage_unavailable": 503,
    "identity_unavailable": 503,
    "media_unavailable": 503,
    "node_draining": 503,
}
_CODE_OF_STATUS: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


def problem(code: str, *, detail: str = "", status: int | None = None, **members: Any) -> web.Response:
    """The response for an error code; `members` are said beside it."""
    text = ERROR_TEXTS.get(code, ERROR_TEXTS["internal"])
    status = status or STATUS_OF.get(code, 500)
    body = {"type": "about:blank", "title": text, "status": status, "detail": detail or text, "code": code}
    body |= members
    response = web.Response(
        text=json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json"
    )
    if status == 401:
        error = "" if code == "token_missing" else ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="yuanshang"{error}'
    if status in (429, 503):
        response.headers["Retry-After"] = str(math.ceil(members.get("retry_after_s", 2)))
    return response


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into problems, and count every request by its route."""
    response: web.StreamResponse
    try:
        _require_known_charset(request)
        response = await handler(request)
    except ConferenceError as error:
        response = problem(error.code, detail=error.text, **error.members)
    except UnicodeDecodeError:  # a body that is not what it says: in handlers it is another error
        response = problem("bad_request")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = _CODE_OF_STATUS.get(error.status, "bad_request" if error.status < 500 else "internal")
        response = problem(code, status=error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception as error:
        log.error("http.handler_failed", exc_info=error)
        response = problem("internal")
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unmatched"
    metrics = request.app[CONTEXT].metrics
    metrics.http_requests.labels(route, _method(request.method), str(response.status)).inc()
    return response


def _require_known_charset(request: web.Request) -> None:
    try:
        codecs.lookup(request.charset or "utf-8")
    except LookupError as error:
        raise ConferenceError("unsupported_media_type", "charset") from error


def _method(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "OTHER"
