"""Under which names the server may be asked for."""

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<other>[^:\[\]]*))(?::\d+)?")
"""A host as it stands in addresses, with its port."""


class KnownHosts:
    """Refuses requests whose `Host` is not `host`, where the server listens, nor this machine itself.

    This keeps out web pages that make a name of their own point to this machine. A server that listens on all addresses
    takes any address there, but no name: an address cannot be made to point elsewhere.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._named = TrustedHostMiddleware(app, allowed_hosts=[in_url(host), *LOOPBACK])
        self._everywhere = _is_everywhere(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope).get("host", "") if scope["type"] in ("http", "websocket") else ""
        app = self._app if self._everywhere and _is_address(asked) else self._named
        await app(scope, receive, send)


def in_url(host: str) -> str:
    """`host` as it stands in addresses: those of IPv6 have brackets."""
    return f"[{host}]" if ":" in host else host


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_address(asked: str) -> bool:
    """Whether it is no name."""
    found = _HOST.fullmatch(asked)
    try:
        return found is not None and bool(ipaddress.ip_address(found["v6"] or found["other"] or ""))
    except ValueError:
        return False
