"""The channels that a server has, as its settings say."""

from __future__ import annotations

from conference.services.ports import Notifier
from signaling.notifiers.smtp import SmtpNotifier
from signaling.notifiers.webhook import WebhookNotifier
from signaling.settings import Settings


def notifiers_of(settings: Settings) -> tuple[Notifier, ...]:
    """Mail and webhook, each where it is set."""
    found: list[Notifier] = []
    if settings.smtp_url is not None and settings.smtp_from is not None:
        found.append(SmtpNotifier(settings.smtp_url, settings.smtp_from))
    if settings.webhook_url is not None and settings.webhook_secret is not None:
        found.append(WebhookNotifier(settings.webhook_url, settings.webhook_secret))
    return tuple(found)
