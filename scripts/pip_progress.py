"""What pip says, turned into a few lines fit to be heard."""

import queue
import re
import subprocess
import threading
from collections.abc import Callable
from typing import Protocol, TextIO

LARGE_MB = 10
"""A download of this many megabytes is announced by name: it may take a while."""
EVERY = 10
"""After so many packages their number is said."""
SILENCE_S = 20.0
"""After so many seconds without a line, one says that work goes on."""

_DOWNLOAD = re.compile(r"\s*Downloading (?P<name>[A-Za-z0-9_.]+?)-\d\S*\.whl \((?P<size>[\d.]+) (?P<unit>MB|GB)\)")
_PACKAGE = ("Collecting ", "Processing ", "Requirement already satisfied: ")
_REASONS = (
    ("disk_full", ("No space left on device", "Disk quota exceeded")),
    ("no_network", ("Failed to establish a new connection", "Temporary failure in name resolution", "Read timed out",
                    "ConnectTimeout", "NameResolutionError", "Connection refused", "Network is unreachable",
                    "ProxyError", "SSLError", "Connection broken", "IncompleteRead", "Connection aborted")),
)  # fmt: skip


class Text(Protocol):
    def __call__(self, key: str, **values: object) -> str: ...


class Progress:
    """Takes pip's lines one by one; gives the sentence to say, or None."""

    def __init__(self, count: int, text: Text) -> None:
        """`count`: packages that will be gone through; `text` gives the sentences of [setup]."""
        self._count = count
        self._text = text
        self._seen = 0
        self.reason = "pip_failed"
        """Key of the sentence that says why it failed, as far as pip's lines tell."""

    def line(self, line: str) -> str | None:
        self._note_reason(line)
        if line.startswith(_PACKAGE):
            return self._next_package()
        if (download := _DOWNLOAD.match(line)) and (size := _megabytes(download)) >= LARGE_MB:
            return self._text("downloading", name=download["name"].replace("_", "-"), size=size)
        if line.startswith("Installing collected packages: ") and self._count:
            return self._text("unpacking")
        return None

    def still_working(self) -> str:
        return self._text("still_working")

    def _next_package(self) -> str | None:
        self._seen += 1
        if self._seen % EVERY or self._seen >= self._count:
            return None
        return self._text("progress", done=self._seen, count=self._count)

    def _note_reason(self, line: str) -> None:
        for reason, signs in _REASONS:
            if self.reason == "pip_failed" and any(sign in line for sign in signs):
                self.reason = reason


def _megabytes(download: "re.Match[str]") -> int:
    return round(float(download["size"]) * (1000 if download["unit"] == "GB" else 1))


def follow(process: "subprocess.Popen[str]", progress: Progress, say: Callable[[str], None], log: TextIO) -> None:
    """Read the process's lines to their end: all go into `log`, what is worth hearing to `say`. Silence is broken."""
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    while True:
        try:
            line = lines.get(timeout=SILENCE_S)
        except queue.Empty:
            say(progress.still_working())
            continue
        if line is None:
            return
        log.write(line)
        if sentence := progress.line(line):
            say(sentence)


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
