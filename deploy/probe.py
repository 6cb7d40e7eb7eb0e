"""Asks the server of this machine whether it is ready and whether anybody meets; needs nothing but Python.

python probe.py ready CONFIG SECONDS     0 when it answers in time, else 1 and what was wrong
python probe.py present CONFIG           how many participants are connected; nothing when it does not answer
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import ssl
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

_PAUSE_S: Final = 0.5
_PATIENCE_S: Final = 5.0
_PRESENT: Final = re.compile(r'^yuanshang_participants\{connected="true"\} (\S+)$', re.MULTILINE)


def place(config: Path) -> tuple[str, int]:
    """Where the server of these settings answers on this machine."""
    settings = tomllib.loads(config.read_text())
    host = str(settings.get("host", "0.0.0.0"))  # noqa: S104 read, not bound
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return host, int(settings.get("port", 8080))


def ask(config: Path, path: str) -> tuple[int, str]:
    """Status and text; OSError when nobody answers, by HTTPS or by HTTP."""
    host, port = place(config)
    trust = ssl.create_default_context()
    trust.check_hostname = False  # it is this machine, whatever name its certificate bears
    trust.verify_mode = ssl.CERT_NONE
    secure = http.client.HTTPSConnection(host, port, timeout=_PATIENCE_S, context=trust)
    for connection in (secure, http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except ssl.SSLError:
            continue  # it speaks HTTP
        except http.client.HTTPException as error:
            raise OSError(str(error) or type(error).__name__) from error
        finally:
            connection.close()
    raise OSError("neither HTTPS nor HTTP")


def ready(config: Path, seconds: float) -> int:
    """Wait until /readyz says yes."""
    until_s = time.monotonic() + seconds
    while True:
        try:
            status, words = ask(config, "/readyz")
        except OSError as error:
            status, words = 0, str(error)
        if status == 200:
            return 0
        if time.monotonic() > until_s:
            print(words.strip(), file=sys.stderr)
            return 1
        time.sleep(_PAUSE_S)


def present(config: Path) -> int:
    """Print how many are connected."""
    try:
        _, words = ask(config, "/metrics")
    except OSError:
        return 0
    found = _PRESENT.search(words)
    if found is not None:
        print(int(float(found[1])))
    return 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["ready", config, seconds]:
            return ready(Path(config), float(seconds))
        case ["present", config]:
            return present(Path(config))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
