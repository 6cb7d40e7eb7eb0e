"""A tab to share: the coded picture over the whole window, with a title by which the browser chooses it."""

import base64
from io import BytesIO

from PIL import Image
from playwright.async_api import Page

from tests.support.browser import BrowserClient
from tests.support.picture_code import draw

TITLE = "shared screen"


async def open_shared_screen(browser: BrowserClient, index: int, title: str = TITLE) -> Page:
    """Open it as a second tab of a browser that was launched with `share_title=title`; the first stays in front."""
    size = browser.page.viewport_size or {"width": 1280, "height": 800}
    buffer = BytesIO()
    Image.fromarray(draw(index, 0, size["width"], size["height"])).save(buffer, "PNG")
    image = base64.b64encode(buffer.getvalue()).decode()
    page = await browser.context.new_page()
    # The dot that moves makes the browser capture again and again: a still tab gives no frames.
    await page.set_content(
        f"<title>{title}</title>"
        "<style>html,body{margin:0;overflow:hidden}img{width:100vw;height:100vh;display:block}"
        "i{position:fixed;bottom:8px;width:16px;height:16px;background:#fff;animation:m 2s linear infinite}"
        "@keyframes m{from{left:0}to{left:90vw}}</style>"
        f'<img src="data:image/png;base64,{image}"><i></i>'
    )
    await browser.page.bring_to_front()
    return page
