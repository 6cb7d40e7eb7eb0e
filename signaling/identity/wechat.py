"""A WeChat user, shown through a public account's OAuth2 web flow (网页授权).

The viewer is sent to WeChat and comes back to the public page of the consultation, nowhere else, with a code and with
the id of the proof as `state`. WeChat tells this server, by its secret, whose code that is.
"""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
import structlog

from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind
from conference.services.ports import Question

log = structlog.get_logger(__name__)

_PATIENCE: Final = aiohttp.ClientTimeout(total=4)  # proxies in front have five
_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_WRONG: Final = frozenset(
    {40029, 40163, 42003, 41008}
)  # a code that is none, was used, is too old, is missing


class WechatIdentity:
    """Implements services.ports.IdentityProvider. Addresses are without a slash at their end."""

    kind = IdentityKind.WECHAT

    def __init__(
        self, app_id: str, app_secret: str, *, public_url: str, authorize_url: str, api_url: str
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._public_url = public_url
        self._authorize_url = authorize_url
        self._api_url = api_url

    def begin(self, proof_id: str, consultation_id: str, title: str, claim: str) -> Question:
        query = urlencode(
            {  # WeChat wants them in this order
                "appid": self._app_id,
                "redirect_uri": f"{self._public_url}/live/{quote(consultation_id, safe='')}",
                "response_type": "code",
                "scope": "snsapi_base",  # who it is, and nothing else: nobody has to agree to anything
                "state": proof_id,
            }
        )
        url = f"{self._authorize_url}/connect/oauth2/authorize?{query}#wechat_redirect"
        return Question(proof_id, title, url=url)

    async def ask(self, question: Question) -> None:
        """The viewer's browser goes there by itself."""

    async def named(self, answer: str) -> str | None:
        parameters = {
            "appid": self._app_id,
            "secret": self._app_secret,
            "code": answer,
            "grant_type": "authorization_code",
        }
        url = f"{self._api_url}/sns/oauth2/access_token"
        try:
            async with (
                aiohttp.ClientSession(timeout=_PATIENCE) as session,
                session.get(url, params=parameters, allow_redirects=False) as response,
            ):
                said = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # What it says of itself may hold the address, and that the secret.
            log.warning("identity.wechat_failed", error=type(error).__name__)
            raise ConferenceError("identity_unavailable", "WeChat does not answer") from None
        return _openid(said)


def _openid(said: object) -> str | None:
    code = said.get("errcode", 0) if isinstance(said, dict) else -1
    if code in _WRONG:
        return None
    openid = said.get("openid") if isinstance(said, dict) else None
    if code or not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        log.warning("identity.wechat_refused", errcode=code if isinstance(code, int) else None)
        raise ConferenceError("identity_unavailable", "WeChat refused")
    return openid
