"""What the web client and the server must agree on without a request between them."""

import gzip
import re
from pathlib import Path

from conference.model.statement import MAX_TEXT_CHARS

WEB_CLIENT = Path(__file__).parents[3] / "web_client"
STORES = WEB_CLIENT / "src" / "stores"
PUBLIC_PAGE_LIMIT = 150_000  # bytes on the wire, before the player


def test_the_client_lets_one_write_as_much_as_the_server_takes() -> None:
    written = re.search(
        r"^export const LONGEST = (\d+)$", (STORES / "statements.ts").read_text(), re.MULTILINE
    )
    assert written is not None
    assert int(written[1]) == MAX_TEXT_CHARS == 1000


def test_the_public_page_is_small_and_brings_no_player() -> None:
    dist = WEB_CLIENT / "dist"
    page = (dist / "live.html").read_text()
    found: dict[str, bytes] = {}
    wanted = [*re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page)]
    assert any(name.startswith("/assets/live-") for name in wanted)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = (dist / name.lstrip("/")).read_bytes()
        static = re.findall(
            r"""(?:^|[;}\s])(?:import|from)\s*["']\./([\w.-]+\.js)["']""", found[name].decode()
        )
        wanted += [f"/assets/{each}" for each in static]
    assert sum(len(gzip.compress(each)) for each in [page.encode(), *found.values()]) < PUBLIC_PAGE_LIMIT
    assert len(found) > 4
    assert not any("hls" in name for name in found)
    assert any("MANIFEST_PARSED" in each.read_text() for each in (dist / "assets").glob("hls-playback-*.js"))
