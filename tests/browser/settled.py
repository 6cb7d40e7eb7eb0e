"""Waiting for a page to stand still: for pictures of it, and for checks that look at all of it."""

from __future__ import annotations

from tests.support.browser import BrowserClient

# What moves without end says that something goes on, and is no end to wait for.
RESTLESS_JS = """async () => {
  await document.fonts.ready;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  await frame();
  const restless = [];
  for (const each of document.getAnimations())
    if (each.playState === "running" && each.effect?.getComputedTiming().endTime !== Infinity)
      restless.push(`animation of ${each.effect?.target?.className}`);
  for (const each of document.images) if (!each.complete) restless.push(`image ${each.src.slice(0, 80)}`);
  for (const each of document.querySelectorAll("video"))
    // What is scrolled out of sight is not asked for.
    if (each.srcObject && each.checkVisibility() && each.readyState < HTMLMediaElement.HAVE_CURRENT_DATA
        && each.getBoundingClientRect().top < innerHeight && each.getBoundingClientRect().bottom > 0)
      restless.push(`video of ${each.closest("[data-participant-id]")?.dataset.participantId ?? "one's own"}`);
  for (const each of document.querySelectorAll('[aria-busy="true"]')) restless.push(`busy: ${each.innerText}`);
  return restless;
}"""


async def settled(client: BrowserClient, *test_ids: str, timeout_s: float = 20.0) -> None:
    """Fonts, images and videos are there, nothing is busy, no animation runs, and each of these is shown."""
    for test_id in test_ids:
        await present(client, test_id)

    async def at_rest() -> bool:
        restless = await client.evaluate(RESTLESS_JS)
        assert restless == [], restless
        return True

    await client.wait_until(at_rest, timeout_s=timeout_s, what="stands still")


async def present(client: BrowserClient, test_id: str, count: int = 1) -> None:
    """At least so many of it are shown."""

    async def there() -> bool:
        return await client.count(test_id) >= count

    await client.wait_until(there, what=f"shows {test_id}")


async def reads(client: BrowserClient, text: str) -> None:
    """The words stand somewhere on the page."""

    async def there() -> bool:
        return bool(await client.evaluate("(text) => document.body.innerText.includes(text)", text))

    await client.wait_until(there, what=f"reads {text}")
