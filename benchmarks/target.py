"""What is measured: a server under load, and how clients reach it."""

import abc
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.light_client import Peer, SimulcastSource, VideoSource
from tests.support.light_client.dtls import ALL_PROFILES, SrtpProfile

SAMPLE = 20  # one packet in so many is decrypted, to read its sending time


class TargetMissingError(Exception):
    """The server cannot run here; the message says what is missing."""


@dataclass
class Publication:
    """One publisher of a run. `handle` is the target's own."""

    source: VideoSource | SimulcastSource
    peer: Peer
    identity: str = ""
    handle: object = None


@dataclass
class Subscriber:
    """One peer connection that receives."""

    peer: Peer
    handle: object = field(default=None, repr=False)


class Session(abc.ABC):
    """One room on a running target."""

    profiles: tuple[SrtpProfile, ...] = ALL_PROFILES  # what the clients offer for SRTP
    feedback_s: float = 0.0  # how often receivers tell when packets came; 0: never

    def peer(self, *, controlling: bool = True) -> Peer:
        """A client's peer connection that counts cheaply."""
        return Peer(
            sample=SAMPLE, profiles=self.profiles, controlling=controlling, feedback_s=self.feedback_s
        )

    @abc.abstractmethod
    async def publish(self, source: VideoSource | SimulcastSource) -> Publication:
        """Connect a publisher; the caller starts the source."""

    @abc.abstractmethod
    async def subscribe(self, publications: Sequence[Publication]) -> list[Subscriber]:
        """Connect a receiver of these, one peer connection each."""

    @abc.abstractmethod
    async def close(self) -> None:
        """Tell the server that all leave."""


class Target(abc.ABC):
    """A server. `start` and `stop` run it anew for each run, so that no run inherits anything."""

    name: str

    @abc.abstractmethod
    def start(self) -> None:
        """Start and wait until it answers."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Stop it."""

    @abc.abstractmethod
    def media_pids(self) -> list[int]:
        """Processes that forward packets: what is compared."""

    def tree_pids(self) -> list[int]:
        """All processes."""
        return self.media_pids()

    @abc.abstractmethod
    def session(self) -> Session:
        """A fresh room."""


def wait_for_http(url: str, timeout_s: float = 15.0) -> None:
    """Until something answers there, even with an error."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
