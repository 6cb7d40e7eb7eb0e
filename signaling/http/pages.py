"""Pages: the built web client, or a plain word about how to build it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aiohttp import web

CLIENT_DIR: Final = Path(__file__).resolve().parents[2] / "web_client" / "dist"

_LONG = "public, max-age=31536000, immutable"  # names under /assets carry a hash of the content
_SHORT = "public, max-age=3600"
_REVALIDATE = "no-cache"
_TOP_FILE = re.compile(r"[A-Za-z0-9_-]+\.(ico|js|png|svg|webmanifest|txt)")
_ASSET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")

_NOT_BUILT: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>远商</title></head>
<body><h1>网页尚未构建</h1>
<p>服务器正在运行，但找不到网页客户端。请在源码目录运行 <code>make setup</code>，然后刷新本页。</p>
<p lang="en">The server runs, but the web client is not built: run <code>make setup</code>, then reload.</p>
</body></html>
"""


class Pages:
    """Routes of the pages and their assets."""

    def __init__(self, directory: Path = CLIENT_DIR, *, lan_ca: bytes | None = None) -> None:
        self._directory = directory
        self._lan_ca = lan_ca

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._index)
        app.router.add_get("/room/{cid}", self._room)
        app.router.add_get("/j/{code}", self._room)
        app.router.add_get("/precheck/{cid}", self._precheck)
        app.router.add_get("/screen/{cid}", self._screen)
        app.router.add_get("/live/{cid}", self._live)
        app.router.add_get("/answers/{cid}", self._answers)
        app.router.add_get("/desk/{cid}", self._desk)
        app.router.add_get(
            "/desk/{cid}/{place:prepare|venues|comments|responses|minutes|record|attendance|inspector|trace}",
            self._desk,
        )
        app.router.add_get("/d/{code}", self._department)
        app.router.add_get("/account/{cid}", self._account)
        app.router.add_get("/admin", self._admin)
        app.router.add_get("/admin/{place:organizations|users|rules|words|trace}", self._admin)
        app.router.add_get("/assets/{path:.+}", self._asset)
        if self._lan_ca is not None:
            app.router.add_get("/lan-ca.crt", self._ca)
        app.router.add_get(r"/{name:[^/]+\.[a-z]+}", self._top_file)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return self._page("index.html")

    async def _room(self, request: web.Request) -> web.StreamResponse:
        return self._page("room.html")

    async def _precheck(self, request: web.Request) -> web.StreamResponse:
        return self._page("precheck.html")

    async def _desk(self, request: web.Request) -> web.StreamResponse:
        return self._page("desk.html")

    async def _account(self, request: web.Request) -> web.StreamResponse:
        return self._page("account.html")

    async def _admin(self, request: web.Request) -> web.StreamResponse:
        return self._page("admin.html")

    async def _department(self, request: web.Request) -> web.StreamResponse:
        return self._page("department.html")

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        return self._page("screen.html")

    async def _live(self, request: web.Request) -> web.StreamResponse:
        return self._page("live.html")

    async def _answers(self, request: web.Request) -> web.StreamResponse:
        return self._page("answers.html")

    def _page(self, name: str) -> web.StreamResponse:
        path = self._directory / name
        if not path.is_file():
            return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
        return web.FileResponse(path, headers={"Cache-Control": _REVALIDATE})

    async def _ca(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._lan_ca, content_type="application/x-x509-ca-cert")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if not _ASSET.fullmatch(path):
            raise web.HTTPNotFound
        return self._file(self._directory / "assets" / path, _LONG)

    async def _top_file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not _TOP_FILE.fullmatch(name):
            raise web.HTTPNotFound
        return self._file(self._directory / name, _SHORT)

    @staticmethod
    def _file(path: Path, cache: str) -> web.StreamResponse:
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": cache})
