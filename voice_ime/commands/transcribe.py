"""`voice-ime transcribe`: write down what is said in recordings."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.errors import ConfigError, VoiceImeError
from voice_ime.messages import Messages
from voice_ime.output import Output, output_file
from voice_ime.progress import Progress, progress_on

if TYPE_CHECKING:
    from voice_ime.engine.base import Engine
    from voice_ime.settings import Settings
    from voice_ime.transcribe import Heard, Outcome, Transcriber, Transcript


def add_arguments(parser: Parser, messages: Messages) -> None:
    file = messages("help.file_word")
    parser.add_argument("files", nargs="+", type=Path, metavar=file, help=messages("transcribe.files"))
    parser.add_argument("--language", metavar=messages("help.code_word"), help=messages("transcribe.language"))
    parser.add_argument("--profile", metavar=messages("help.name_word"), help=messages("transcribe.profile"))
    parser.add_argument("--json", action="store_true", help=messages("transcribe.json"))
    parser.add_argument("--stream", action="store_true", help=messages("transcribe.stream"))
    parser.add_argument("--output", type=Path, metavar=file, help=messages("transcribe.output"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    with contextlib.ExitStack() as stack:
        transcriber = stack.enter_context(_transcriber(arguments, settings))
        output = stack.enter_context(_output(arguments, messages))  # not before it is sure that there will be some
        progress = progress_on(sys.stderr)
        report: _Report = (_JsonReport if arguments.json else _TextReport)(output, progress, messages)
        files = _Files(transcriber, progress, report, messages)
        for path in arguments.files:
            files.transcribe(path, alone=len(arguments.files) == 1)
    return files.end()


# --- the files, one after the other ----------------------------------------------------------------------------------


@dataclass
class _Files:
    transcriber: "Transcriber"
    progress: "Progress"
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

    def __init__(self, output: "Output", progress: "Progress", messages: Messages) -> None:
        self._output = output
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
            self._output.line(text)


class _JsonReport:
    """One line for each file, once it is done."""

    def __init__(self, output: "Output", progress: "Progress", messages: Messages) -> None:
        self._output = output
        self._progress = progress
        self._messages = messages

    def begin(self, path: Path, *, alone: bool) -> None:
        pass

    def heard(self, utterance: "Heard") -> None:
        pass

    def end(self, path: Path, transcript: "Transcript", outcome: "Outcome") -> None:
        with self._progress.aside():
            self._output.line(json.dumps(self._row(path, transcript, outcome), ensure_ascii=False))

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


@contextlib.contextmanager
def _output(arguments: argparse.Namespace, messages: Messages) -> Iterator[Output]:
    path: Path | None = arguments.output
    if path is None:
        yield Output(sys.stdout)
        return
    if any(_same(path, file) for file in arguments.files):
        raise ConfigError(where="--output", detail=messages("transcribe.own_recording", path=path))
    with output_file(path) as output:
        yield output


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
    from voice_ime.engine.engines import Engines
    from voice_ime.engine.speech import SpeechDetector
    from voice_ime.transcribe import EngineTranscriber

    with contextlib.ExitStack() as opened:
        engine: Engine = opened.enter_context(contextlib.closing(Engines(settings.engines)))
        partials = arguments.json and engine.capabilities.word_times == "estimated"
        detector = SpeechDetector(settings.speech.detector)
        profile = arguments.profile
        if profile is not None:
            engine = _personal(engine, profile, opened, arguments, settings)
        yield EngineTranscriber(
            engine, detector, settings.speech, arguments.language, profile=profile, partials=partials
        )


def _personal(
    engine: "Engine", profile: str, opened: contextlib.ExitStack, arguments: argparse.Namespace, settings: "Settings"
) -> "Engine":
    """`engine`, writing in the words of `profile`. ProfileNotFound."""
    from voice_ime.commands.profile import profiles_file
    from voice_ime.personalize.personal import PersonalEngine
    from voice_ime.personalize.ready import Preparation
    from voice_ime.personalize.retrieve import Lexicons
    from voice_ime.store.current import Profiles
    from voice_ime.store.sql import SqlStore

    profiles = Profiles(opened.enter_context(contextlib.closing(SqlStore(profiles_file(arguments, settings)))))
    profiles.current(profile)
    return PersonalEngine(engine, profiles, Preparation(Lexicons()))


def _streaming(arguments: argparse.Namespace, settings: "Settings") -> "contextlib.AbstractContextManager[Transcriber]":
    from voice_ime.client import ClientOptions
    from voice_ime.local_server import same_settings, serve_command
    from voice_ime.transcribe_stream import StreamTranscriber

    sentences: Any = settings.language
    options = ClientOptions(language=arguments.language, profile=arguments.profile, messages=sentences)
    return StreamTranscriber(serve_command(same_settings(arguments)), options)
