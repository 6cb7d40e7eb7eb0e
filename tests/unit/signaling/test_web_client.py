"""What the web client and the server must agree on without a request between them."""

import re
from pathlib import Path

from conference.model.statement import MAX_TEXT_CHARS

STORES = Path(__file__).parents[3] / "web_client" / "src" / "stores"


def test_the_client_lets_one_write_as_much_as_the_server_takes() -> None:
    written = re.search(
        r"^export const LONGEST = (\d+)$", (STORES / "statements.ts").read_text(), re.MULTILINE
    )
    assert written is not None
    assert int(written[1]) == MAX_TEXT_CHARS == 1000
