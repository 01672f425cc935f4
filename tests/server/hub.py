"""A server on loopback that plays model hub, mirror and release archive, well or with faults."""

import contextlib
import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Literal

Kind = Literal[
    "cut",
    "stand_still",
    "crawl",
    "wrong_bytes",
    "too_short",
    "too_long",
    "wrong_length",
    "no_length",
    "page",
    "missing",
    "busy",
    "garbage",
    "ignore_range",
    "wrong_range",
    "loop",
    "kill",
]
"""What can go wrong with one answer."""


@dataclass(frozen=True)
class Fault:
    kind: Kind
    after: float = 0.5
    """Where in the file it happens: 0 at its beginning, 1 at its end."""


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    path: str
    range: str


@dataclass
class Hub:
    """What the server has, and what it will do wrong."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By path, beginning with a slash."""
    faults: list[Fault] = field(default_factory=list)
    """Of the next answers, in this order; then all goes well."""
    tags: bool = True
    """Whether answers carry entity tags."""
    linked: bool = False
    """Whether the hub sends large files from another address, with their checksums on the way, as real ones do."""
    kill: Callable[[], None] = lambda: None
    """What the fault "kill" does."""
    still_s: float = 5.0
    """How long "stand_still" and "crawl" last at most."""
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.pop(0) if self.faults else None

    def add_hub(self, repository: str, files: Mapping[str, bytes], revision: str = "main") -> None:
        for name, content in files.items():
            self.files[f"/{repository}/resolve/{revision}/{name}"] = content

    def add_mirror(self, place: str, files: Mapping[str, bytes]) -> str:
        """Its address."""
        for name, content in files.items():
            self.files[f"/{place}/{name}"] = content
        return f"{self.address}/{place}"

    def add_archive(self, name: str, files: Mapping[str, bytes], folder: str = "inside") -> str:
        """Its address."""
        self.files[f"/{name}"] = archive_of({f"{folder}/{path}": content for path, content in files.items()})
        return f"{self.address}/{name}"


def archive_of(files: Mapping[str, bytes], odd: Sequence[tarfile.TarInfo] = (), compression: str = "bz2") -> bytes:
    """A tar archive. `odd`: further parts without content, e.g. links."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            part = tarfile.TarInfo(name)
            part.size = len(content)
            tar.addfile(part, io.BytesIO(content))
        for part in odd:
            tar.addfile(part)
    return stream.getvalue()


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Sets `hub.address`."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    with _Server(("127.0.0.1", 0), Handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.ended.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        asked = self.headers.get("Range", "")
        self.hub.requests.append(Request(self.path, asked))
        path = self.path.removeprefix("/cdn")
        content = self.hub.files.get(path)
        if content is None:
            return self._status(404)
        if self.hub.linked and "/resolve/" in path and not self.path.startswith("/cdn"):
            return self._redirect(content)
        fault = self.hub.next_fault()
        tag = f'"{hashlib.md5(content).hexdigest()}"' if self.hub.tags else ""
        if fault is None:
            return self._send(content, asked, tag)
        return self._wrong(fault, content, asked, tag)

    # --- well ---

    def _redirect(self, content: bytes) -> None:
        self.send_response(302)
        self.send_header("Location", f"/cdn{self.path}")
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _begin(self, content: bytes, asked: str, tag: str) -> int:
        """Where the answer begins."""
        condition = self.headers.get("If-Range", "")
        if not asked or (condition and condition != tag):
            return 0
        return min(int(asked.removeprefix("bytes=").rstrip("-")), len(content))

    def _head(self, content: bytes, begin: int, tag: str, length: int | None, kind: str = "") -> None:
        self.send_response(206 if begin else 200)
        if kind:
            self.send_header("Content-Type", kind)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        if tag:
            self.send_header("ETag", tag)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, content: bytes, asked: str, tag: str) -> None:
        begin = self._begin(content, asked, tag)
        if begin and begin >= len(content):
            return self._status(416)
        self._head(content, begin, tag, len(content) - begin)
        self.wfile.write(content[begin:])
        return None

    def _status(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    # --- not well ---

    def _wrong(self, fault: Fault, content: bytes, asked: str, tag: str) -> None:
        begin = self._begin(content, asked, tag)
        if begin and begin >= len(content):
            return self._status(416)
        till = begin + int((len(content) - begin) * fault.after)
        match fault.kind:
            case "cut" | "kill" | "stand_still" | "crawl":
                self._head(content, begin, tag, len(content) - begin)
                self.wfile.write(content[begin:till])
                self.wfile.flush()
                self._end(fault.kind, content[till:])
            case "wrong_bytes":
                changed = bytearray(content)
                changed[max(begin, min(till, len(content) - 1))] ^= 0xFF
                self._send(bytes(changed), asked, tag)
            case "too_short":
                self._send(content[:till], asked, tag)
            case "too_long":
                self._send(content + b"more", asked, tag)
            case "wrong_length":
                self._head(content, begin, tag, len(content) - begin + 7)
                self.wfile.write(content[begin:])
            case "no_length":
                self._head(content, begin, tag, None)
                self.wfile.write(content[begin:till])
            case "page":
                page = b"<html>Please log in to this network.</html>"
                self._head(page, 0, '"page"', len(page), "text/html; charset=utf-8")
                self.wfile.write(page)
            case "missing":
                self._status(404)
            case "busy":
                self._status(503, Retry_After="0")
            case "garbage":
                self.wfile.write(b"\x00\xffnothing of HTTP\r\n\r\n" * 20)
            case "ignore_range":
                self._send(content, "", tag)
            case "wrong_range":
                self._head(content, max(1, begin // 2), tag, len(content) - max(1, begin // 2))
                self.wfile.write(content[max(1, begin // 2) :])
            case "loop":
                self._status(302, Location=self.path)
        return None

    def _end(self, kind: Kind, rest: bytes) -> None:
        if kind == "kill":
            self.hub.kill()
        elif kind == "stand_still":
            self.hub.ended.wait(self.hub.still_s)
        elif kind == "crawl":
            until = time.monotonic() + self.hub.still_s
            with contextlib.suppress(OSError):
                for byte in rest:
                    if time.monotonic() > until or self.hub.ended.wait(0.05):
                        break
                    self.wfile.write(bytes((byte,)))
        with contextlib.suppress(OSError):
            self.connection.shutdown(SHUT_RDWR)
