"""Recordings to text: nothing that was heard is lost, whatever happens to the recording or the engine."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import LevelDetector, loud, silent
from tests.needs import needs_package
from tests.recordings import write_wav
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.errors import (
    AudioNotFound,
    EmptyAudio,
    LanguageNotSupported,
    RecognitionFailed,
    TruncatedAudio,
    UnsupportedAudio,
)
from voice_ime.settings import SpeechSettings
from voice_ime.transcribe import EngineTranscriber, Heard, Transcript

needs_package("av")

PAUSE = silent(1.0)


@dataclass
class LineEngine(Engine):
    """Hears one line after the other; the line "!" is one that it fails on. A word is one second long."""

    lines: Iterable[str]
    language: str = "en"
    partials: int = 0
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(engine="lines", languages=("en", "zh")))

    def __post_init__(self) -> None:
        self._lines = iter(self.lines)

    def begin(self, options: Options) -> Utterance:
        if options.language not in (None, "en", "zh"):
            raise LanguageNotSupported(language=options.language, engine="lines", known=("en", "zh"))
        return LineUtterance(self, next(self._lines))

    def close(self) -> None:
        pass


@dataclass
class LineUtterance(Utterance):
    engine: LineEngine
    line: str

    def feed(self, samples: Samples) -> None:
        pass

    def partial(self) -> Hypothesis | None:
        self.engine.partials += 1
        return None

    def finish(self) -> Hypothesis:
        if self.line == "!":
            raise RecognitionFailed(engine="lines")
        words = tuple(Word(word, float(at), at + 1.0, 0.5) for at, word in enumerate(self.line.split()))
        timings = {"encode_s": 0.25, "decode_s": 0.5}
        return Hypothesis(self.line, words, final=True, language=self.engine.language, timings=timings)

    def cancel(self) -> None:
        pass


def recording(folder: Path, *parts: Samples, declared: int | None = None) -> Path:
    return write_wav(folder / "a.wav", to_pcm16(np.concatenate(parts)), declared=declared)


def spoken(times: int) -> list[Samples]:
    return [part for _ in range(times) for part in (PAUSE, loud(1.0), PAUSE)]


def transcriber(engine: Engine, language: str | None = None, *, partials: bool = False) -> EngineTranscriber:
    return EngineTranscriber(engine, LevelDetector(), SpeechSettings(), language, partials=partials)


def ignore(_: object) -> None:
    pass


def test_each_utterance_is_told_while_the_rest_is_still_to_come(tmp_path: Path):
    told: list[str | float] = []
    path = recording(tmp_path, *spoken(2))
    transcriber(LineEngine(["One.", "Two."])).transcribe(path, lambda heard: told.append(heard.text), told.append)
    assert told == [1.0, 1.0, "One.", 1.0, 1.0, 1.0, " Two.", 1.0]


def test_the_texts_of_the_utterances_are_one_text(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, *spoken(3))
    transcriber(LineEngine(["It was late.", "The lights", "The end"])).transcribe(path, transcript.heard.append, ignore)
    assert transcript.text == "It was late. The lights the end"


def test_chinese_utterances_are_joined_without_blanks(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, *spoken(2))
    transcriber(LineEngine(["今天开会。", "请准时到。"], "zh")).transcribe(path, transcript.heard.append, ignore)
    assert transcript.text == "今天开会。请准时到。"
    assert transcript.language == "zh"


def test_words_have_their_times_in_the_recording(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, *spoken(2))
    transcriber(LineEngine(["one two", "three"])).transcribe(path, transcript.heard.append, ignore)
    starts = [word.start_s for word in transcript.words]
    kept_before = SpeechSettings().before_s
    assert starts == pytest.approx([1 - kept_before, 2 - kept_before, 4 - kept_before], abs=0.05)


def test_words_without_times_stay_without(tmp_path: Path):
    heard = Heard("a", (Word("a"),), None, {})
    assert [word.start_s for word in Transcript([heard]).words] == [None]


def test_a_recording_that_ends_in_mid_word_is_heard_to_its_end(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, PAUSE, loud(1.0))
    outcome = transcriber(LineEngine(["Wait"])).transcribe(path, transcript.heard.append, ignore)
    assert transcript.text == "Wait"
    assert outcome.duration_s == 2.0
    assert outcome.problem is None


def test_of_a_recording_that_breaks_off_the_text_before_the_break_is_told(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, *spoken(1), loud(0.5), declared=1_000_000)
    outcome = transcriber(LineEngine(["Before.", "Just then"])).transcribe(path, transcript.heard.append, ignore)
    assert transcript.text == "Before. Just then"
    assert isinstance(outcome.problem, TruncatedAudio)
    assert outcome.duration_s == 3.5


def test_an_utterance_that_cannot_be_recognised_does_not_take_the_others_with_it(tmp_path: Path):
    transcript = Transcript()
    path = recording(tmp_path, *spoken(3))
    outcome = transcriber(LineEngine(["One.", "!", "Three."])).transcribe(path, transcript.heard.append, ignore)
    assert transcript.text == "One. Three."
    assert isinstance(outcome.problem, RecognitionFailed)


def test_silence_has_no_text(tmp_path: Path):
    transcript = Transcript()
    outcome = transcriber(LineEngine([])).transcribe(recording(tmp_path, PAUSE), transcript.heard.append, ignore)
    assert transcript.text == ""
    assert outcome.problem is None
    assert outcome.engine == "lines"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("gone.wav", None, AudioNotFound), ("empty.wav", b"", EmptyAudio), ("notes.wav", b"Milk, eggs", UnsupportedAudio)],
)
def test_what_is_no_recording_is_a_problem_and_nothing_else(
    tmp_path: Path, name: str, content: bytes | None, problem: type[Exception]
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    outcome = transcriber(LineEngine([])).transcribe(path, ignore, ignore)
    assert isinstance(outcome.problem, problem)
    assert outcome.duration_s == 0


def test_a_language_that_the_engine_does_not_hear_is_refused(tmp_path: Path):
    with pytest.raises(LanguageNotSupported):
        transcriber(LineEngine(["a"]), "xx").transcribe(recording(tmp_path, *spoken(1)), ignore, ignore)


@pytest.mark.parametrize("wanted", [True, False])
def test_partials_are_worked_on_only_where_they_are_wanted(tmp_path: Path, wanted: bool):
    engine = LineEngine(["a"])
    transcriber(engine, partials=wanted).transcribe(recording(tmp_path, *spoken(1)), ignore, ignore)
    assert bool(engine.partials) is wanted


def test_a_transcript_sums_up_the_work_and_names_the_language_that_was_heard_most():
    heard = [Heard("", (), language, {"decode_s": 0.1, "detect_s": 1.0}) for language in ("zh", "en", "zh", None)]
    assert Transcript(heard).timings == {"decode_s": 0.4, "detect_s": 4.0}
    assert Transcript(heard).language == "zh"
    assert Transcript([]).language is None
