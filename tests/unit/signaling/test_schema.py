"""docs/protocol.md says what the code does."""

from pathlib import Path

from signaling.realtime.requests import REQUESTS
from signaling.realtime.schema import protocol_document
from signaling.realtime.wire import EVENT_NAMES

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocol.md"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == protocol_document(), (
        "run: python -m signaling.realtime.schema > docs/protocol.md"
    )


def test_everything_is_in_it() -> None:
    text = protocol_document()
    for name in (*EVENT_NAMES.values(), *REQUESTS):
        assert f"### `{name}`" in text
