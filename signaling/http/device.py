"""What stands for a viewer's device: a cookie with a secret, of which only the hash is kept."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from conference.model.errors import ConferenceError
from conference.model.ids import hash_secret, new_secret
from conference.model.limit import Limit
from signaling.http.context import CONTEXT
from signaling.http.rest import PREFIX

COOKIE: Final = "yuanshang_device"
_COOKIE_S: Final = 180 * 86_400
_COOKIE_PATH: Final = f"{PREFIX}/public"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SECRET_OF: Final = web.RequestKey("device secret", str)


def device_of(request: web.Request) -> str:
    """The hash of what stands for the device; of something new for one that shows nothing."""
    return hash_secret(_secret(request))


def is_known(request: web.Request) -> bool:
    """Whether the device shows anything."""
    return COOKIE in request.cookies


def with_device(request: web.Request, response: web.Response) -> web.Response:
    """The response with the cookie, which lasts from now on."""
    response.set_cookie(
        COOKIE,
        _secret(request),
        max_age=_COOKIE_S,
        path=_COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=_is_https(request),
    )
    return response


def _is_https(request: web.Request) -> bool:
    """Whether the browser came by HTTPS: to us, to a proxy that says so, or to the public address."""
    if request.secure:
        return True
    context = request.app[CONTEXT]
    said = context.proxies.scheme(request)
    if said is not None:
        return said == "https"
    public = urlsplit(context.public_url or "")
    return public.scheme == "https" and public.hostname == urlsplit(f"//{request.host}").hostname


async def limit_device(request: web.Request, by_address: Limit, by_device: Limit, device_hash: str) -> None:
    """Count this request of its address and its device; rate_limited when there were too many."""
    context = request.app[CONTEXT]
    await context.limit(by_address, request)
    if _is_loopback(context.client_address(request)):
        return
    wait_s = await context.rate_limits.hit(by_device, device_hash)
    if wait_s > 0:
        raise ConferenceError("rate_limited", by_device.name, retry_after_s=math.ceil(wait_s))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _secret(request: web.Request) -> str:
    secret = request.get(_SECRET_OF) or request.cookies.get(COOKIE, "")
    if not _SECRET.fullmatch(secret):
        secret = new_secret()
    request[_SECRET_OF] = secret
    return secret
