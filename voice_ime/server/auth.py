"""Who may connect: programs of this machine that know the token, and no foreign web page."""

import hmac
import secrets
from collections.abc import Mapping

from voice_ime.errors import ForeignOrigin, WrongToken

TOKEN_BYTES = 32


class Gate:
    """Checks the headers of each request. Headers: lower-case names."""

    def __init__(self, token: str, allowed_origins: tuple[str, ...]) -> None:
        self._token = token
        self._allowed_origins = allowed_origins

    def check(self, headers: Mapping[str, str]) -> None:
        """ForeignOrigin or WrongToken. Browsers always send an origin; other programs none."""
        origin = headers.get("origin")
        if origin is not None and origin not in self._allowed_origins:
            raise ForeignOrigin()
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self._token.encode()):
            raise WrongToken()


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)
