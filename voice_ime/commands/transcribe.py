"""`voice-ime transcribe`: write down what is said in recordings."""

import argparse
import contextlib
import errno
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import ConfigError, DiskFull, StoreError, VoiceImeError
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings
    from voice_ime.transcribe import Heard, Outcome, Transcriber, Transcript


def add_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.add_argument("files", nargs="+", type=Path, metavar=file, help=messages("transcribe.files"))
    parser.add_argument("--language", metavar=messages("help.code_word"), help=messages("transcribe.language"))
    parser.add_argument("--json", action="store_true", help=messages("transcribe.json"))
    parser.add_argument("--stream", action="store_true", help=messages("transcribe.stream"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("transcribe.output"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(_writer(arguments, messages))
        progress = stack.enter_context(_progress(sys.stderr))
        transcriber = stack.enter_context(_transcriber(arguments, settings))
        report: _Report = (_JsonReport if arguments.json else _TextReport)(writer, progress, messages)
        files = _Files(transcriber, progress, report, messages)
        for path in arguments.files:
            files.transcribe(path, alone=len(arguments.files) == 1)
    return files.end()


# --- the files, one after the other ----------------------------------------------------------------------------------


@dataclass
class _Files:
    transcriber: "Transcriber"
    progress: "_Progress"
    report: "_Report"
    messages: Messages
    failed: list[Path] = field(default_factory=list)
    total: int = 0

    def transcribe(self, path: Path, *, alone: bool) -> None:
        """A file that cannot be used is told at once and again at the end; the next ones have their turn too."""
        from voice_ime.transcribe import Transcript

        transcript = Transcript()

        def heard(utterance: "Heard") -> None:
            transcript.heard.append(utterance)
            self.report.heard(utterance)

        self.total += 1
        self.report.begin(path, alone=alone)
        with self.progress.of(path) as advance:
            outcome = self.transcriber.transcribe(path, heard, advance)
        self.report.end(path, transcript, outcome)
        if outcome.problem is not None:
            self.failed.append(path)
            self._tell(*self.messages.error(outcome.problem))

    def end(self) -> ExitCode:
        if not self.failed:
            return ExitCode.OK
        if self.total > 1:
            names = ", ".join(str(path) for path in self.failed)
            self._tell(self.messages("transcribe.failed", count=len(self.failed), total=self.total, names=names))
        return ExitCode.SOME_FAILED

    def _tell(self, *sentences: str) -> None:
        with self.progress.aside():
            print(*sentences, sep="\n", file=sys.stderr)


# --- what is written -------------------------------------------------------------------------------------------------


class _Report(Protocol):
    def begin(self, path: Path, *, alone: bool) -> None: ...

    def heard(self, utterance: "Heard") -> None: ...

    def end(self, path: Path, transcript: "Transcript", outcome: "Outcome") -> None: ...


class _TextReport:
    """One line for each utterance, as soon as it was heard; before each of several files its name."""

    def __init__(self, writer: "_Writer", progress: "_Progress", messages: Messages) -> None:
        self._writer = writer
        self._progress = progress
        self._messages = messages

    def begin(self, path: Path, *, alone: bool) -> None:
        if not alone:
            self._line(self._messages("transcribe.heading", path=path))

    def heard(self, utterance: "Heard") -> None:
        self._line(utterance.text.strip())

    def end(self, path: Path, transcript: "Transcript", outcome: "Outcome") -> None:
        pass

    def _line(self, text: str) -> None:
        with self._progress.aside():
            self._writer.line(text)


class _JsonReport:
    """One line for each file, once it is done."""

    def __init__(self, writer: "_Writer", progress: "_Progress", messages: Messages) -> None:
        self._writer = writer
        self._progress = progress
        self._messages = messages

    def begin(self, path: Path, *, alone: bool) -> None:
        pass

    def heard(self, utterance: "Heard") -> None:
        pass

    def end(self, path: Path, transcript: "Transcript", outcome: "Outcome") -> None:
        with self._progress.aside():
            self._writer.line(json.dumps(self._row(path, transcript, outcome), ensure_ascii=False))

    def _row(self, path: Path, transcript: "Transcript", outcome: "Outcome") -> dict[str, Any]:
        return {
            "path": str(path),
            "text": transcript.text if outcome.duration_s else None,
            "language": transcript.language,
            "duration_s": round(outcome.duration_s, 3),
            "words": [
                {
                    "text": word.text,
                    "start_s": _rounded(word.start_s),
                    "end_s": _rounded(word.end_s),
                    "confidence": _rounded(word.confidence),
                }
                for word in transcript.words
            ],
            "engine": outcome.engine,
            "timings": transcript.timings,
            "error": None if outcome.problem is None else self._error(outcome.problem),
        }

    def _error(self, problem: VoiceImeError) -> dict[str, str]:
        message, remedy = self._messages.error(problem)
        return {"code": problem.code, "message": message, "remedy": remedy}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


class _Writer:
    """Lines into a file or to standard output, each out of our hands before the next."""

    def __init__(self, stream: TextIO, path: Path | None) -> None:
        self._stream = stream
        self._path = path

    def line(self, text: str) -> None:
        with _translated(self._path):
            print(text, file=self._stream, flush=True)


@contextlib.contextmanager
def _writer(arguments: argparse.Namespace, messages: Messages) -> Iterator[_Writer]:
    path: Path | None = arguments.output
    if path is None:
        yield _Writer(sys.stdout, None)
        return
    if any(_same(path, file) for file in arguments.files):
        raise ConfigError(where="--output", detail=messages("transcribe.own_recording", path=path))
    with _translated(path):
        stream = path.open("w", encoding="utf-8")
    try:
        yield _Writer(stream, path)
    finally:
        with _translated(path):
            stream.close()


@contextlib.contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    """Troubles with a file that was asked for. Those with standard output are the command line's own."""
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=str(path)) from error
        raise StoreError(path=str(path), detail=error.strerror or type(error).__name__) from error


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


# --- how it is done --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _transcriber(arguments: argparse.Namespace, settings: "Settings") -> "Iterator[Transcriber]":
    if arguments.stream:
        with _streaming(arguments, settings) as transcriber:
            yield transcriber
        return
    from voice_ime.engine.catalog import load
    from voice_ime.engine.speech import SpeechDetector
    from voice_ime.transcribe import EngineTranscriber

    engine = load(settings.engine)
    try:
        partials = arguments.json and engine.capabilities.word_times == "estimated"
        detector = SpeechDetector(settings.speech.detector)
        yield EngineTranscriber(engine, detector, settings.speech, arguments.language, partials=partials)
    finally:
        engine.close()


def _streaming(arguments: argparse.Namespace, settings: "Settings") -> "contextlib.AbstractContextManager[Transcriber]":
    from voice_ime.client import ClientOptions
    from voice_ime.local_server import same_settings, serve_command
    from voice_ime.transcribe_stream import StreamTranscriber

    sentences: Any = settings.language
    options = ClientOptions(language=arguments.language, messages=sentences)
    return StreamTranscriber(serve_command(same_settings(arguments)), options)


class _Progress(Protocol):
    """How far the work is, for somebody who looks at a terminal."""

    def of(self, path: Path) -> contextlib.AbstractContextManager[Callable[[float], None]]:
        """Gives what is to be told the seconds of sound that were worked on."""

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """While something else is written."""


@contextlib.contextmanager
def _progress(terminal: TextIO) -> Iterator[_Progress]:
    yield _Bar(terminal) if terminal.isatty() else _NoBar()


class _NoBar:
    @contextlib.contextmanager
    def of(self, path: Path) -> Iterator[Callable[[float], None]]:
        yield lambda seconds: None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        yield


class _Bar:
    _FORM = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s"
    _FORM_WITHOUT_END = "{desc}: {n:.0f} s"

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    @contextlib.contextmanager
    def of(self, path: Path) -> Iterator[Callable[[float], None]]:
        from tqdm import tqdm

        from voice_ime.audio import duration_s

        total = None
        with contextlib.suppress(VoiceImeError):  # the work itself will tell
            total = duration_s(path)
        form = self._FORM if total else self._FORM_WITHOUT_END
        with tqdm(desc=path.name, total=total, bar_format=form, file=self._terminal, leave=False) as bar:
            yield lambda seconds: _advance(bar, seconds)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        from tqdm import tqdm

        with tqdm.external_write_mode(file=self._terminal):
            yield


def _advance(bar: Any, seconds: float) -> None:
    bar.update(seconds)
