"""Mail and webhook against real servers: TLS, logins, refusals, and nothing that slips into a header."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from conference.model.department import Department
from conference.model.notice import NoticeKind
from conference.services.ports import Letter, NotSentError
from signaling.notifiers import notifiers_of
from signaling.notifiers.smtp import SmtpNotifier
from signaling.notifiers.webhook import WebhookNotifier, signature
from signaling.settings import Settings

DEPARTMENT = Department("dp", "c", "市民政局", "王科", "wang@example.org", "13800000000", 1, "h", 1, 1)
LETTER = Letter(
    "n_1", NoticeKind.DUE, DEPARTMENT, "第 2026-1120-07 号", "养老", "今天到期", "请答复。\n", None
)
SENDER = "会务组 <huiwu@example.cn>"


class Mailbox:
    """Takes what it gets, unless it is told otherwise."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.at_rcpt: str | None = None

    async def handle_RCPT(  # noqa: N802
        self, _server: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        if self.at_rcpt is not None:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@asynccontextmanager
async def mail_server(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    def protocol() -> SMTP:
        return SMTP(mailbox, hostname="localhost", **options)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()


def certificates() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server on this machine, and of those who trust it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def fault_of(notifier: SmtpNotifier | WebhookNotifier, letter: Letter = LETTER) -> NotSentError:
    with pytest.raises(NotSentError) as failed:
        await notifier.send(letter)
    return failed.value


async def test_a_letter_with_login_over_tls() -> None:
    server_tls, client_tls = certificates()
    mailbox, seen = Mailbox(), list[LoginPassword]()

    def check(_server: object, _session: object, _envelope: object, _how: str, said: Any) -> AuthResult:
        seen.append(said)
        return AuthResult(success=said == LoginPassword(b"hui wu", b"p@ss:/"), handled=False)

    options = {"tls_context": server_tls, "require_starttls": True, "auth_required": True}
    async with mail_server(mailbox, authenticator=check, **options) as port:
        good = f"smtp+starttls://hui%20wu:p%40ss%3A%2F@127.0.0.1:{port}"
        await SmtpNotifier(good, SENDER, client_tls).send(LETTER)
        bad = await fault_of(SmtpNotifier(good.replace("p%40ss", "wrong"), SENDER, client_tls))
        stranger = await fault_of(SmtpNotifier(good, SENDER))
    (message,) = mailbox.messages
    assert message["Message-ID"] == "<n_1@example.cn>"
    assert message.get_content().replace("\r\n", "\n") == LETTER.text
    assert message["Subject"] == LETTER.subject
    assert bad.reason.startswith("login refused")
    assert not bad.is_final, "somebody will mend the settings"
    assert "p@ss" not in bad.reason
    assert not stranger.is_final, "a certificate that nobody vouches for"
    assert len(mailbox.messages) == 1


async def test_where_tls_is_insisted_on_nothing_goes_out_without_it() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        fault = await fault_of(SmtpNotifier(f"smtp+starttls://127.0.0.1:{port}", SENDER))
        await fault_of(SmtpNotifier(f"smtps://127.0.0.1:{port}", SENDER))
    assert not fault.is_final
    assert mailbox.messages == []


@pytest.mark.parametrize(("answer", "is_final"), [("550 no such box", True), ("450 busy", False)])
async def test_a_refused_recipient(answer: str, is_final: bool) -> None:
    mailbox = Mailbox()
    mailbox.at_rcpt = answer
    async with mail_server(mailbox) as port:
        fault = await fault_of(SmtpNotifier(f"smtp://127.0.0.1:{port}", SENDER))
    assert fault.is_final is is_final
    assert "wang" not in fault.reason, "the log names nobody"


async def test_nobody_there_is_tried_again() -> None:
    async with mail_server(Mailbox()) as port:
        pass
    assert not (await fault_of(SmtpNotifier(f"smtp://127.0.0.1:{port}", SENDER))).is_final
    hook = WebhookNotifier(f"http://127.0.0.1:{port}/", "k" * 16)
    assert not (await fault_of(hook)).is_final


async def test_names_stay_in_their_header() -> None:
    tricky = replace(DEPARTMENT, contact='王", <x@evil.example>, "科\r\nBcc: y@evil.example')
    mailbox = Mailbox()
    async with mail_server(mailbox, enable_SMTPUTF8=True) as port:
        notifier = SmtpNotifier(f"smtp://127.0.0.1:{port}", SENDER)
        assert (await fault_of(notifier, replace(LETTER, to=tricky))).is_final
        quoted = replace(tricky, contact='王", <x@evil.example>, "科')
        await notifier.send(replace(LETTER, to=quoted))
    assert mailbox.recipients == [["wang@example.org"]]
    assert [each.addr_spec for each in mailbox.messages[0]["To"].addresses] == ["wang@example.org"]


async def test_a_webhook_is_signed_and_goes_nowhere_else() -> None:
    posts: list[tuple[str, bytes]] = []
    answers = [307, 500, 429, 410, 204]

    async def take(request: web.Request) -> web.Response:
        posts.append((request.headers["X-Yuanshang-Signature"], await request.read()))
        at = request.headers["X-Yuanshang-Timestamp"]
        assert posts[-1][0] == f"sha256={signature(b'k' * 16, at, posts[-1][1])}"
        return web.Response(status=answers.pop(0), headers={"Location": "/elsewhere"})

    async def elsewhere(_request: web.Request) -> web.Response:
        raise AssertionError("followed")

    app = web.Application()
    app.router.add_post("/hook", take)
    app.router.add_post("/elsewhere", elsewhere)
    async with TestServer(app) as server:
        hook = WebhookNotifier(str(server.make_url("/hook")), "k" * 16)
        finals = [(await fault_of(hook)).is_final for _ in range(4)]
        await hook.send(replace(LETTER, to=replace(DEPARTMENT, phone="")))
    assert finals == [True, False, False, True]
    assert [json.loads(body)["kind"] for _, body in posts] == ["sms"] * 4 + ["notice"]
    assert {json.loads(body)["id"] for _, body in posts} == {"n_1"}


def test_settings_choose_the_channels() -> None:
    assert notifiers_of(Settings()) == ()
    mail = {"smtp_url": "smtp://mail.example", "smtp_from": SENDER}
    hook = {"webhook_url": "https://sms.example/x", "webhook_secret": "k" * 16}
    both = notifiers_of(Settings(**mail, **hook))  # type: ignore[arg-type]
    assert [each.channel.value for each in both] == ["email", "webhook"]
    for wrong in (
        {"smtp_url": "smtp://mail.example"},
        {"smtp_url": "http://mail.example", "smtp_from": SENDER},
        {**mail, "smtp_from": "nobody"},
        {"webhook_url": "https://sms.example/x"},
        {**hook, "webhook_secret": "short"},
        {**hook, "webhook_url": "ftp://sms.example"},
    ):
        with pytest.raises(ValueError, match=r"smtp|webhook"):
            Settings(**wrong)  # type: ignore[arg-type]
