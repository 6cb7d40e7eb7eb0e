"""Mail to departments over SMTP, one message at a time."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from conference.model.department import Department
from conference.model.notice import Channel
from conference.services.ports import Letter, NotSentError

_TIMEOUT_S: Final = 20.0
_FOR_EVER: Final = 500  # from this code on trying again does not help


class SmtpNotifier:
    """`url`: smtp://user:password@host:port, which takes TLS where the server offers it; smtp+starttls:// insists on
    it, smtps:// begins with it. `sender`: what stands in From, `Name <a@b.example>`."""

    channel: Final = Channel.EMAIL

    def __init__(self, url: str, sender: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (465 if parts.scheme == "smtps" else 587 if parts.username else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._use_tls = parts.scheme == "smtps"
        self._start_tls = True if parts.scheme == "smtp+starttls" else None
        self._sender = parseaddr(sender)
        self._context = context or ssl.create_default_context()  # takes long: not for each mail

    def reaches(self, department: Department) -> bool:
        return bool(department.email)

    async def send(self, letter: Letter) -> None:
        try:
            message = self._message(letter)
        except ValueError as error:  # a name that does not fit into one line of a header
            raise NotSentError("no such name", is_final=True) from error
        try:
            await aiosmtplib.send(
                message,
                sender=self._sender[1],
                recipients=[letter.to.email],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._use_tls,
                start_tls=None if self._use_tls else self._start_tls,
                tls_context=self._context,
                timeout=_TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [each.code for each in error.recipients]
            is_final = all(code >= _FOR_EVER for code in codes)
            raise NotSentError(f"recipient refused {codes}", is_final=is_final) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise NotSentError(f"login refused {error.code}") from error  # somebody will mend the settings
        except aiosmtplib.SMTPResponseException as error:
            raise NotSentError(f"answered {error.code}", is_final=error.code >= _FOR_EVER) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSentError(type(error).__name__) from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = formataddr(self._sender)
        message["To"] = formataddr((letter.to.contact or letter.to.name, letter.to.email))
        message["Subject"] = letter.subject
        message["Date"] = formatdate(usegmt=True)
        # The same when it is tried again: a mailbox that got it before knows.
        message["Message-ID"] = f"<{letter.key}@{self._sender[1].rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, charset="utf-8")
        return message
