"""Our server as a target: the media process and the whole tree are both counted."""

from benchmarks.http_sessions import WhipSession
from benchmarks.target import Session, Target
from tests.support.server import Server


class Ours(Target):
    """`yuanshang serve`."""

    name = "ours"

    def __init__(self) -> None:
        self.server: Server | None = None
        self._consultation = self._token = ""

    def start(self) -> None:
        self.server = Server().start()
        self._consultation = self.server.create_consultation("bench")
        self._token = self.server.token(self._consultation, "chair", "bench")

    def stop(self) -> None:
        if self.server is not None:
            server, self.server = self.server, None
            server.close()

    def media_pids(self) -> list[int]:
        assert self.server is not None
        return [self.server.media_pid()]

    def tree_pids(self) -> list[int]:
        assert self.server is not None
        return self.server.tree()

    def session(self) -> Session:
        assert self.server is not None
        base, consultation = self.server.url, self._consultation
        return WhipSession(
            f"{base}/whip/{consultation}?label={{label}}", f"{base}/whep/{consultation}/{{id}}", self._token
        )
