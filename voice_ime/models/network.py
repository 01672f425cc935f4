"""HTTP and HTTPS for large files: proxies, redirects and time limits as given, nothing read from the environment.

Python's own library: huggingface_hub, which faster-whisper brings along, knows one kind of source, keeps a cache of its
own and reads the environment by itself. What is needed here is less: one file, from where it broke off.
"""

import errno
import http.client
import os
import ssl
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from voice_ime import __version__

HUB = "https://huggingface.co"
BLOCK = 256 * 1024


@dataclass(frozen=True)
class Patience:
    """How much a source may fail."""

    tries: int = 6
    """Connections in a row that bring less than `progress_bytes`."""
    first_tries: int = 2
    """Of a place that never gave a byte of the file."""
    progress_bytes: int = 65_536
    connections: int = 200
    """For one file, however much each brings."""
    pause_s: float = 1.0
    """Before the second try; before each further one twice as long."""
    longest_pause_s: float = 30.0
    silence_s: float = 30.0
    """Without a byte, or with less than `slowest_bytes_per_s` on average, for so long: the connection is given up."""
    slowest_bytes_per_s: int = 1000


@dataclass(frozen=True)
class Network:
    """The way out of this machine."""

    hub: str = HUB
    proxies: Mapping[str, str] = field(default_factory=dict)
    """Address of the proxy by scheme, http and https; `no`: hosts that are reached without, with commas between."""
    patience: Patience = Patience()

    @classmethod
    def of(cls, environment: Mapping[str, str], hub: str = HUB) -> "Network":
        """As the usual variables say: HF_ENDPOINT (before `hub`), HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""
        small = {name.lower(): value.strip() for name, value in environment.items() if name.isupper()}
        small |= {name: value.strip() for name, value in environment.items() if name.islower()}
        proxies = {scheme: small.get(f"{scheme}_proxy") or small.get("all_proxy", "") for scheme in ("http", "https")}
        if "request_method" in small:  # a web server's variable: HTTP_PROXY then comes from a stranger
            proxies["http"] = ""
        given = {scheme: _with_scheme(address) for scheme, address in proxies.items() if address}
        if given and (without := small.get("no_proxy")):
            given["no"] = without
        return cls(_with_scheme(small.get("hf_endpoint") or hub, "https").rstrip("/"), given)


def _with_scheme(address: str, scheme: str = "http") -> str:
    return address if "://" in address else f"{scheme}://{address}"


@dataclass(frozen=True)
class Answer:
    """What a server answered, its body still to be read."""

    status: int
    headers: Message
    announced: Mapping[str, str]
    """What a hub told of the file on the way: headers of redirects and of the answer, by small names."""
    body: Any

    @property
    def length(self) -> int | None:
        """Of this body, in bytes; None: not told."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    @property
    def is_page(self) -> bool:
        """Something to be looked at, e.g. what a hotel asks for before it lets one through."""
        return self.headers.get_content_type() == "text/html"

    def blocks(self, patience: Patience) -> Iterator[bytes]:
        """The body. TimeoutError where it stands still or crawls, OSError and HTTPException where it breaks off."""
        since, came = time.monotonic(), 0
        while block := self.body.read1(BLOCK):
            yield block
            came += len(block)
            passed = time.monotonic() - since
            if passed > patience.silence_s:
                if came < patience.slowest_bytes_per_s * passed:
                    raise TimeoutError
                since, came = time.monotonic(), 0


class WrongStatus(Exception):
    """The server answered, but with no file. `after_s`: when to ask again, where it told."""

    def __init__(self, status: int, after_s: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.after_s = after_s


class NoConnection(Exception):
    """There was no answer; the text is the system's reason."""


@contextmanager
def opened(network: Network, url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    """GET. WrongStatus, NoConnection."""
    redirects = _Redirects()
    for address in (each for scheme, each in network.proxies.items() if scheme != "no"):
        if urlsplit(address).scheme not in ("http", "https"):
            raise NoConnection(f"{urlsplit(address).scheme} proxy")
    opener = _opener(network, url, redirects)
    every = {"User-Agent": f"voice-ime/{__version__}", "Accept-Encoding": "identity", **headers}
    try:
        response = opener.open(urllib.request.Request(url, headers=every), timeout=network.patience.silence_s)
    except HTTPError as error:
        with closing(error):
            raise WrongStatus(error.code, _seconds(error.headers.get("Retry-After"))) from None
    except URLError as error:
        raise NoConnection(_reason(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoConnection(_reason(error)) from None
    with closing(response):
        announced = redirects.told | {name.lower(): value for name, value in response.headers.items()}
        yield Answer(response.status, response.headers, announced, response)


def host_of(url: str) -> str:
    """What people are told of an address."""
    return urlsplit(url).netloc.rpartition("@")[2]


def without_password(url: str) -> str:
    """An address as people are told it."""
    return urlsplit(url)._replace(netloc=host_of(url)).geturl()


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None


def _reason(error: object) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return os.strerror(errno.ETIMEDOUT)
    if isinstance(error, OSError):  # of a proxy that refuses there is no number, only a text
        return error.strerror or str(error) or type(error).__name__
    return error if isinstance(error, str) else type(error).__name__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Followed, but never from HTTPS to something else; keeps what a hub tells of the file on the way."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        self.told |= {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-linked-")}
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise URLError("redirect without encryption")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Https(urllib.request.HTTPSHandler):
    """Reads the system's certificates when it is first needed: that takes longer than a small file."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        context = ssl.create_default_context()
        return self.do_open(http.client.HTTPSConnection, req, context=context)


def _opener(network: Network, url: str, redirects: _Redirects) -> urllib.request.OpenerDirector:
    """Only HTTP and HTTPS: the usual opener would follow a redirect to a file or FTP as well."""
    opener = urllib.request.OpenerDirector()
    host = urlsplit(url).hostname or ""
    proxies = {} if _without_proxy(host, network.proxies.get("no", "")) else dict(network.proxies)
    proxies.pop("no", None)
    handlers: tuple[urllib.request.BaseHandler, ...] = (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        _Https(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        redirects,
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _without_proxy(host: str, exceptions: str) -> bool:
    """Whether NO_PROXY names the host: by its name, by an ending of it, or all by an asterisk."""
    names = [name.strip().lstrip(".").lower() for name in exceptions.split(",") if name.strip()]
    return any(name == "*" or host.lower() == name or host.lower().endswith(f".{name}") for name in names)
