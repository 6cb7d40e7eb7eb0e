"""What the secretariat's office prepares before a meeting: staff session, halls, invitees, links; over REST."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.support.server import Server

Json = dict[str, Any]
TITLE = "推进县域养老服务高质量发展"
HALL = "青禾县分会场"


class Office:
    """A staff session on a server. All methods block."""

    def __init__(
        self,
        server: Server,
        login: str = "liuxin",
        role: str = "secretariat",
        organization: str = "澄川市政协",
    ) -> None:
        self.server, self.login = server, login
        options = ("--login", login, "--name", "刘欣", "--role", role, "--organization", organization)
        self.password = server.run("user", "add", *options, "--level", "city", "--generate").splitlines()[-1]
        self.token = ""
        self.token = str(self.call("POST", "/sessions", {"login": login, "password": self.password})["token"])

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """The JSON of the answer; fails with what the server said."""
        request = urllib.request.Request(
            f"{self.server.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"{method} {path} → {error.code} {error.read().decode(errors='replace')}"
            ) from None

    def address(self, link: str) -> str:
        """A link is a path, unless the server knows its public address."""
        return link if "://" in link else self.server.url + link

    def published(self, title: str = TITLE) -> str:
        """The id of a consultation of its own body, with a chair, an agenda and a time."""
        made = self.call("POST", "/consultations", {"title": title, "scheduled_at_ms": 1_900_000_000_000})
        path = f"/consultations/{made['id']}"
        self.call("POST", f"{path}/invitees", {"name": "刘主持", "role": "chair"})
        self.call("PUT", f"{path}/agenda", {"items": [{"title": "汇报", "kind": "report"}]})
        self.call("POST", f"{path}/publish")
        return str(made["id"])


@dataclass(frozen=True)
class Prepared:
    """A consultation with one hall, a chair and two members; the first sits in the hall."""

    office: Office
    consultation: str
    hall: Json
    chair: Json
    member: Json
    remote: Json

    def link(self, of: Json) -> str:
        return self.office.address(str(of["link"]))

    @property
    def code(self) -> str:
        return str(self.hall["entry_code"])


def prepare(server: Server, *, waiting_room: bool = False, large_text: bool = False) -> Prepared:
    """Done with a new staff account, so that several may stand on one server."""
    consultation = server.create_consultation(TITLE)
    office = Office(server, login=f"liuxin-{consultation[-8:].lower()}")
    path = f"/consultations/{consultation}"
    if waiting_room:
        revision = office.call("GET", path)["revision"]
        office.call("PATCH", path, {"revision": revision, "waiting_room": True})
    hall = office.call("POST", f"{path}/venues", {"name": HALL, "kind": "branch"})
    hall = office.call("POST", f"{path}/venues/{hall['id']}/code")

    def invite(name: str, role: str, **more: Any) -> Json:
        return dict(office.call("POST", f"{path}/invitees", {"name": name, "role": role, **more}))

    return Prepared(
        office,
        consultation,
        hall,
        chair=invite("刘主持", "chair"),
        member=invite("何委员", "member", sector="农业界", venue_id=hall["id"]),
        remote=invite("陈委员", "member", sector="社会福利和社会保障界", large_text=large_text),
    )
