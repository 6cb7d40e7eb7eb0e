"""Headers that every response carries: what a page may load, and what a browser may not guess."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

_HOST = re.compile(r"^[A-Za-z0-9.:\[\]-]{1,255}$")

_FIXED: Final = {
    "Server": "yuanshang",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), "
        "speaker-selection=(self), screen-wake-lock=(self), fullscreen=(self), geolocation=(), payment=()"
    ),
}


def content_security_policy(host: str) -> str:
    """No inline script, no other origin. Older Safari does not count a web socket as 'self': it is named."""
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """An on_response_prepare handler. `strict_transport`: clients may rely on HTTPS from now on."""

    def __init__(self, *, strict_transport: bool) -> None:
        self._strict_transport = strict_transport

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_FIXED)
        response.headers.setdefault("Content-Security-Policy", content_security_policy(request.host))
        if self._strict_transport:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
