"""The desktop client, running in a private session as a person has it, and the person who talks to it."""

import itertools
import json
import math
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.desktop.session import Session, descendants
from tests.desktop.ssip_server import Spoken
from tests.desktop.x11 import until
from voice_ime.errors import VoiceImeError
from voice_ime.messages import Messages

ROOT = Path(__file__).resolve().parents[2]
TALK_KEY = "Pause"
CLIENT = "voice-ime"
"""The name under which the product speaks."""
WITHIN_S = 30.0
HAND_S = 0.1
"""No hand lets a key go and presses it again more quickly; what is quicker is a keyboard that repeats the key."""


@dataclass(frozen=True)
class Entry:
    """A line of `voice-ime journal list --json`."""

    number: int
    text: str
    state: str
    reason: str | None


class Dictation:
    """A client that may be started, killed and started again. Waits for things are bounded by `WITHIN_S`."""

    def __init__(self, session: Session, settings: Mapping[str, Any] | None = None, *, language: str = "en") -> None:
        self._session = session
        self._messages = Messages(language)
        self._language = language
        self._log = session.home / "client.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.configure(settings or {})

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Settings for the next start of the client, and of its server."""
        folder = self._session.home / ".config" / "voice-ime"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "settings.toml").write_text(_toml({"language": self._language, **settings}), encoding="utf-8")

    # --- the program

    def start(self, command: str = "-m voice_ime desktop") -> None:
        """Returns when it has said that it is ready."""
        mark = self.mark()
        with self._log.open("ab") as log:
            self.process = self._session.start([sys.executable, *command.split()], more=self._paths(), errors=log)
        self.wait_for(self.sentence("ready", key=TALK_KEY), since=mark)

    def kill(self) -> None:
        """As a crash would end it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """As the session's end would end it; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(WITHIN_S)

    def kill_server(self) -> None:
        """SIGKILL to the recognition server that the client started."""
        for number in self.servers():
            subprocess.run(["kill", "-9", str(number)], check=True)

    def servers(self) -> list[int]:
        assert self.process is not None
        below = descendants(self.process.pid)
        return [number for number in below if b"\0serve\0" in _read(f"/proc/{number}/cmdline")]

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def journal(self) -> list[Entry]:
        """Oldest first."""
        lines = self.run("journal", "list", "--json").splitlines()
        rows = [json.loads(line) for line in lines]
        return [Entry(row["number"], row["text"], row["state"], row["reason"]) for row in reversed(rows)]

    def run(self, *words: str) -> str:
        """Another command of the product, as the person would type it; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "voice_ime", *words], env=self._session.environment | self._paths(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout

    def _paths(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'clients'}"}

    # --- the person

    def say(self, words: bytes, meanwhile: Callable[[], None] | None = None, first: int | None = None) -> None:
        """Hold the talk key, speak, let it go. `meanwhile` is called after `first` bytes, or half of the words."""
        half = (first or len(words) // 4 * 2) if meanwhile else len(words)
        threading.Event().wait(HAND_S)
        self._session.screen.press(TALK_KEY)
        try:
            self._session.sound.play(words[:half])
            if meanwhile:
                meanwhile()
                self._session.sound.play(words[half:])
        finally:
            self._session.screen.release(TALK_KEY)

    # --- what is heard

    def sentence(self, key: str, /, **values: str | int) -> str:
        """A sentence of the catalogue, under [desktop]."""
        return self._messages(f"desktop.{key}", **values)

    def trouble(self, error: VoiceImeError) -> str:
        """What is said of it, without what can be done."""
        return self._messages.error(error)[0]

    def mark(self) -> int:
        """This moment, for `since`."""
        return len(self._session.speech.requests)

    def spoken(self, since: int = 0) -> list[str]:
        """All that the product said since then."""
        return [one.text for one in self._session.speech.requests[since:] if _ours(one)]

    def wait_for(self, sentence: str, since: int = 0, within_s: float = WITHIN_S) -> None:
        """Until this was said."""

        def found(requests: list[Spoken]) -> bool:
            assert self.process is None or self.process.poll() is None, f"the client has ended: {self.log}"
            return any(one.text.strip() == sentence.strip() for one in requests[since:] if _ours(one))

        end = time.monotonic() + within_s
        while True:
            try:
                self._session.speech.wait_for(found, 1)
                return
            except TimeoutError:
                if time.monotonic() > end:
                    raise TimeoutError(f"not said: {sentence!r}; but {self.spoken(since)}; {self.log}") from None

    def settled(self, count: int = 1, within_s: float = WITHIN_S) -> list[Entry]:
        """The journal, once it has at least `count` utterances and something became of each."""

        def found() -> list[Entry]:
            entries = self.journal()
            done = len(entries) >= count and all(entry.state != "intended" for entry in entries)
            return entries if done else []

        return until(found, f"{count} utterances in the journal", within_s)


def _ours(one: Spoken) -> bool:
    return one.client == CLIENT and one.kind == "SPEAK"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


@contextmanager
def dictation(
    session: Session, settings: Mapping[str, Any] | None = None, *, language: str = "en"
) -> Iterator[Dictation]:
    """A client that is ready; ended at the end."""
    one = Dictation(session, settings, language=language)
    one.start()
    try:
        yield one
    finally:
        one.end()


def script(*lines: str) -> dict[str, Any]:
    """Settings with which the first utterance is heard as the first line, whatever was said."""
    return {"engine": {"name": "script", "script": {"lines": list(lines)}}}


def _toml(tree: Mapping[str, Any]) -> str:
    """Settings as a file; strings of JSON are strings of TOML, but for characters beyond the basic plane."""
    values = [f"{name} = {_value(value)}" for name, value in tree.items() if not isinstance(value, Mapping)]
    tables = [f"{name} = {_table(value)}" for name, value in tree.items() if isinstance(value, Mapping)]
    text = "\n".join([*values, *tables, ""])
    tomllib.loads(text)
    return text


def _table(tree: Mapping[str, Any]) -> str:
    inner = (f"{name} = {_table(value) if isinstance(value, Mapping) else _value(value)}"
             for name, value in tree.items())  # fmt: skip
    return f"{{ {', '.join(inner)} }}"


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- recordings

BOOK = (
    "It was the best of times, it was the worst of times, "
    "it was the age of wisdom, it was the age of foolishness,"
)  # fmt: skip
"""What is read in `two_cities()`: the beginning of A Tale of Two Cities."""
READ_S = 9
SHORT_S = 3
"""As long as the first clause takes."""


@cache
def two_cities(seconds: int = READ_S) -> bytes:
    """The beginning of the recording that comes with the embedded model: 16 kHz, mono, 16 bit."""
    from voice_ime.audio import read_blocks, to_pcm16
    from voice_ime.engine.store import sample_recording

    path = sample_recording()
    assert path is not None
    return b"".join(to_pcm16(block) for block in itertools.islice(read_blocks(path), seconds))


def loud(seconds: float) -> bytes:
    """Speech for the detector, for engines that do not listen: words of the recording as long as they are wanted."""
    return two_cities(math.ceil(seconds))[: round(seconds * 16_000) * 2]
