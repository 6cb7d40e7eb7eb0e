"""Ways in which viewers show who they are: by telephone, through WeChat. What a server has, its settings say."""

from __future__ import annotations

from conference.services.ports import IdentityProvider
from signaling.identity.phone import PhoneIdentity
from signaling.identity.wechat import WechatIdentity
from signaling.notifiers.webhook import WebhookNotifier
from signaling.settings import Settings


def providers_of(settings: Settings) -> tuple[IdentityProvider, ...]:
    """In the order in which viewers are offered them."""
    found: list[IdentityProvider] = []
    if settings.phone_codes and settings.webhook_url and settings.webhook_secret:
        found.append(PhoneIdentity(WebhookNotifier(settings.webhook_url, settings.webhook_secret).post))
    if settings.wechat_app_id and settings.wechat_app_secret and settings.public_url:
        found.append(
            WechatIdentity(
                settings.wechat_app_id,
                settings.wechat_app_secret,
                public_url=settings.public_url,
                authorize_url=settings.wechat_authorize_url,
                api_url=settings.wechat_api_url,
            )
        )
    return tuple(found)
