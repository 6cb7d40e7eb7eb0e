"""Fixtures for all tests: the server, browsers, light clients."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from tests.support.browser import BrowserFactory
from tests.support.link import Link
from tests.support.server import Server

# Machines that run tests are shared: how long an example took, or took to be made, says nothing of the law.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
# What fails in a part of the story says what it compared, as in a test.
pytest.register_assert_rewrite("tests.support.spoken_story")
# Tracebacks in colour, with all variables, hold the event loop up for a quarter of a second each.
_processors = structlog.get_config()["processors"][:-1]
structlog.configure(processors=[*_processors, ConsoleRenderer(exception_formatter=plain_traceback)])


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server for all tests of a module; it makes programs where the module says `PROGRAMS = True`."""
    with Server(programs=getattr(request.module, "PROGRAMS", False)) as running:
        yield running


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers with a test's own options; all are stopped, and checked to stop, at its end."""
    with ExitStack() as stack:

        def start(**options: object) -> Server:
            return stack.enter_context(Server(**options))  # type: ignore[arg-type]

        yield start


@pytest.fixture
def consultation(server: Server) -> str:
    """A fresh consultation on the module's server."""
    return server.create_consultation()


@pytest.fixture
def start_link() -> Iterator[Callable[..., Link]]:
    """Starts links; all are closed at the end."""
    with ExitStack() as stack:

        def start(link: Link) -> Link:
            return stack.enter_context(link)

        yield start


@pytest.fixture
async def browsers() -> AsyncIterator[BrowserFactory]:
    """Launches browsers; all are closed at the end."""
    async with BrowserFactory() as factory:
        yield factory


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests share one worker: two meetings at once are too much for two cores."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
