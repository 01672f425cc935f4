"""A speech service that says nothing and keeps everything: what clients of speech-dispatcher asked to be spoken.

It speaks SSIP on a unix socket, enough for the product and for Orca. A message counts as spoken the moment it comes.
"""

import contextlib
import html
import itertools
import re
import shutil
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SET_CODES = {
    "LANGUAGE": "201 OK LANGUAGE SET",
    "PRIORITY": "202 OK PRIORITY SET",
    "RATE": "203 OK RATE SET",
    "PITCH": "204 OK PITCH SET",
    "PUNCTUATION": "205 OK PUNCTUATION SET",
    "CAP_LET_RECOGN": "206 OK CAP LET RECOGNITION SET",
    "SPELLING": "207 OK SPELLING SET",
    "CLIENT_NAME": "208 OK CLIENT NAME SET",
    "VOICE_TYPE": "209 OK VOICE SET",
    "VOICE": "209 OK VOICE SET",
    "SYNTHESIS_VOICE": "209 OK VOICE SET",
    "OUTPUT_MODULE": "216 OK OUTPUT MODULE SET",
    "PAUSE_CONTEXT": "217 OK PAUSE CONTEXT SET",
    "VOLUME": "218 OK VOLUME SET",
    "SSML_MODE": "219 OK SSML MODE SET",
    "NOTIFICATION": "220 OK NOTIFICATION SET",
    "PITCH_RANGE": "263 OK PITCH RANGE SET",
}
ANSWERS = {
    "STOP": ["210 OK STOPPED"],
    "PAUSE": ["211 OK PAUSED"],
    "RESUME": ["212 OK RESUMED"],
    "CANCEL": ["213 OK CANCELED"],
    "QUIT": ["231 HAPPY HACKING"],
    "LIST VOICES": ["249-MALE1", "249-FEMALE1", "249 OK VOICE LIST SENT"],
    "LIST SYNTHESIS_VOICES": ["249-English\ten\tnone", "249-Chinese\tzh\tnone", "249 OK VOICE LIST SENT"],
    "LIST OUTPUT_MODULES": ["250-recorder", "250 OK MODULE LIST SENT"],
    "GET": ["251-recorder", "251 OK GET RETURNED"],
    "BLOCK BEGIN": ["260 OK INSIDE BLOCK"],
    "BLOCK END": ["261 OK OUTSIDE BLOCK"],
}


@dataclass(frozen=True)
class Spoken:
    """One request. `at` is in seconds of time.monotonic()."""

    client: str
    """Of the three parts of a client's name the second, in small letters, e.g. "voice-ime" or "orca"."""
    kind: str
    """SPEAK, CHAR, KEY, SOUND_ICON, CANCEL or STOP."""
    text: str
    """As it is heard: without the marks of SSML."""
    priority: str
    language: str
    at: float


class SpeechService:
    """Listens at the socket `path` from `start` to `stop`; `start` again is a service that came back."""

    def __init__(self, path: Path) -> None:
        self.socket = path
        self._requests: list[Spoken] = []
        self._news = threading.Condition()
        self._numbers = itertools.count(1)
        self._server: _Server | None = None

    @property
    def requests(self) -> list[Spoken]:
        with self._news:
            return list(self._requests)

    def said(self, client: str) -> list[str]:
        """The sentences of one client, in order."""
        return [one.text for one in self.requests if one.kind == "SPEAK" and one.client == client]

    def wait_for(self, found: Callable[[list[Spoken]], bool], within_s: float = 20) -> list[Spoken]:
        """Waits until `found` is true of all requests so far and gives them; TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: found(self._requests), within_s):
                raise TimeoutError(f"not asked for; so far {self._requests}")
            return list(self._requests)

    def start(self) -> None:
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        self._server = _Server(str(self.socket), self)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.end()
            self._server = None
            shutil.rmtree(self.socket.parent, ignore_errors=True)

    def keep(self, client: "_Client", kind: str, text: str) -> int:
        """The number that the message gets."""
        with self._news:
            one = Spoken(client.name, kind, text, client.priority, client.language, time.monotonic())
            self._requests.append(one)
            self._news.notify_all()
            return next(self._numbers)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, service: SpeechService) -> None:
        self.service = service
        self._open: set[_Client] = set()
        super().__init__(path, _Client)

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for client in list(self._open):
            client.cut()

    def opened(self, client: "_Client") -> None:
        self._open.add(client)

    def closed(self, client: "_Client") -> None:
        self._open.discard(client)


class _Client(socketserver.StreamRequestHandler):
    name = "unknown"
    priority = "text"
    language = ""
    notified = False
    ssml = False
    server: _Server

    def handle(self) -> None:
        self.server.opened(self)
        with contextlib.suppress(OSError, ValueError):  # cut
            while line := self.rfile.readline():
                self._serve(line.decode("utf-8", "replace").rstrip("\r\n"))
        self.server.closed(self)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, line: str) -> None:
        words = line.split()
        command = words[0].upper() if words else ""
        if command == "SET" and len(words) > 2:
            self._set(words[2].upper(), " ".join(words[3:]))
        elif command == "SPEAK":
            self._send("230 OK RECEIVING DATA")
            self._spoken("SPEAK", self._message())
        elif command in ("CHAR", "KEY", "SOUND_ICON"):
            self._spoken(command, line.partition(" ")[2])
        elif command == "HISTORY":
            self._send(f"245-{id(self) % 1000}", "245 OK CLIENT ID SENT")
        else:
            if command in ("CANCEL", "STOP"):
                self.server.service.keep(self, command, line.partition(" ")[2])
            self._send(*ANSWERS.get(" ".join(words[:2]).upper(), ANSWERS.get(command, ["500 ERR INVALID COMMAND"])))

    def _set(self, what: str, value: str) -> None:
        match what:
            case "CLIENT_NAME":
                self.name = (value.split(":")[1] if value.count(":") == 2 else value).lower()
            case "SSML_MODE":
                self.ssml = value.upper() == "ON"
            case "PRIORITY":
                self.priority = value.lower()
            case "LANGUAGE":
                self.language = value.strip("'\"").lower()
            case "NOTIFICATION":
                self.notified = value.upper().endswith("ON")
        self._send(SET_CODES.get(what, "500 ERR INVALID COMMAND"))

    def _message(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n")) != ".":
            lines.append(line.removeprefix(".") if line.startswith("..") else line)
        text = "\n".join(lines)
        return html.unescape(re.sub("<[^>]*>", "", text)) if self.ssml else text

    def _spoken(self, kind: str, text: str) -> None:
        number = self.server.service.keep(self, kind, text)
        self._send(f"225-{number}", "225 OK MESSAGE QUEUED")
        if self.notified:
            for code, event in (("701", "BEGIN"), ("702", "END")):
                self._send(f"{code}-{number}", f"{code}-{id(self) % 1000}", f"{code} {event}")

    def _send(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
