"""Where nobody said which language will be spoken, the language of what was heard decides who writes it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.contract.engine_contract import MODELS, EngineContract, Subject, sound_of, subject_of
from tests.fakes import loud
from tests.needs import needs_package
from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Substitution, Utterance, Word
from voice_ime.engine.by_language import ByLanguageEngine, language_of
from voice_ime.engine.calibration import Calibration
from voice_ime.engine.catalog import load
from voice_ime.engine.engines import Engines
from voice_ime.errors import RecognitionFailed
from voice_ime.settings import EngineSettings, SherpaSettings, WhisperSettings

TELLS = Capabilities("tells", ("en", "zh"))
SCORES = Capabilities("scores", ("en", "zh"), scores_text=True)


@dataclass
class Teller(Engine):
    """Says the same of any sound, notes what it was asked for, and can be told to fail."""

    text: str
    language: str | None = None
    can: Capabilities = TELLS
    fails: bool = False
    works_ahead: bool = True
    asked: list[str] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return replace(self.can, engine=self.text)

    def begin(self, options: Options) -> "TellerUtterance":
        self.asked.append(f"begin {options.language}")
        return TellerUtterance(self)

    def close(self) -> None:
        self.asked.append("close")


class TellerUtterance(Utterance):
    def __init__(self, engine: Teller) -> None:
        self._engine = engine
        self._length = 0

    def feed(self, samples: Samples) -> None:
        self._length += len(samples)

    def partial(self) -> Hypothesis:
        return Hypothesis(self._engine.text)

    def prepare(self) -> Hypothesis | None:
        return self._final() if self._engine.works_ahead else None

    def finish(self) -> Hypothesis:
        self._engine.asked.append(f"finish {self._length}")
        return self._final()

    def cancel(self) -> None:
        self._engine.asked.append("cancel")

    def score(self, texts: list[str]) -> list[float]:
        return [-float(len(self._engine.text))] * len(texts) if self._engine.can.scores_text else super().score(texts)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        return Hypothesis(f"{self._engine.text} again")

    def _final(self) -> Hypothesis:
        if self._engine.fails:
            raise RecognitionFailed(engine=self._engine.text)
        text = self._engine.text
        return Hypothesis(text, (Word(text),) if text else (), final=True, language=self._engine.language)


def engine(usual: Teller, **writers: Teller) -> ByLanguageEngine:
    return ByLanguageEngine(usual, writers, ("zh", "en"))


def spoken(loaded: Engine) -> Utterance:
    utterance = loaded.begin(Options())
    utterance.feed(loud(1))
    utterance.feed(loud(1))
    return utterance


@pytest.mark.parametrize(
    ("usual", "final"),
    [
        (Teller("你好", "zh"), "mandarin"),
        (Teller("hello", "en"), "hello"),
        (Teller("hello", "fr"), "hello"),
        (Teller("你好 Kubernetes"), "mandarin"),
        (Teller("hello"), "hello"),
        (Teller(""), ""),
        (Teller("", "zh"), ""),
    ],
)
def test_what_was_heard_decides_who_writes(usual: Teller, final: str) -> None:
    assert spoken(engine(usual, zh=Teller("mandarin"))).finish().text == final


def test_the_engine_of_the_language_hears_all_of_the_sound_and_knows_the_language() -> None:
    mandarin = Teller("mandarin")
    spoken(engine(Teller("你好"), zh=mandarin)).finish()
    assert mandarin.asked == ["begin zh", "finish 32000"]


def test_while_one_speaks_the_usual_engine_is_seen_and_nobody_else_works() -> None:
    mandarin = Teller("mandarin")
    partial = spoken(engine(Teller("你好"), zh=mandarin)).partial()
    assert (partial, mandarin.asked) == (Hypothesis("你好"), [])


def test_in_a_pause_the_final_is_worked_out_by_whoever_will_write_it() -> None:
    mandarin = Teller("mandarin")
    utterance = spoken(engine(Teller("你好"), zh=mandarin))
    prepared = utterance.prepare()
    assert prepared is not None
    assert prepared.text == utterance.finish().text == "mandarin"
    assert mandarin.asked == ["begin zh", "finish 32000"]


def test_what_was_prepared_is_forgotten_when_speech_goes_on() -> None:
    mandarin = Teller("mandarin")
    utterance = spoken(engine(Teller("你好"), zh=mandarin))
    utterance.prepare()
    utterance.feed(loud(1))
    utterance.finish()
    assert mandarin.asked == ["begin zh", "cancel", "begin zh", "finish 48000"]


@pytest.mark.parametrize("who", ["usual", "mandarin"])
def test_where_one_of_both_cannot_work_ahead_nothing_is_prepared(who: str) -> None:
    usual, mandarin = Teller("你好"), Teller("mandarin")
    {"usual": usual, "mandarin": mandarin}[who].works_ahead = False
    utterance = spoken(engine(usual, zh=mandarin))
    assert utterance.prepare() is None
    assert utterance.finish().text == "mandarin"


@pytest.mark.parametrize("writer", [Teller("mandarin", fails=True), Teller("")])
def test_where_the_engine_of_the_language_fails_or_hears_nothing_no_sentence_is_lost(writer: Teller) -> None:
    utterance = spoken(engine(Teller("你好", can=SCORES), zh=writer))
    utterance.prepare()
    assert utterance.finish().text == "你好"
    assert utterance.score(["你好"]) == [-2.0]
    assert writer.asked == ["begin zh", "cancel"]


def test_names_are_checked_by_the_engine_that_wrote() -> None:
    utterance = spoken(engine(Teller("你好"), zh=Teller("mandarin", can=SCORES)))
    final = utterance.finish()
    assert utterance.score(["x"]) == [-8.0]
    assert utterance.price(final, [Substitution(0, 1, ("x",))]) == [0.0]


def test_an_engine_that_does_not_check_says_so_after_the_fact() -> None:
    loaded = engine(Teller("你好", can=SCORES), zh=Teller("mandarin"))
    utterance = spoken(loaded)
    final = utterance.finish()
    assert loaded.capabilities.scores_text
    assert utterance.price(final, [Substitution(0, 1, ("x",))]) == [None]
    with pytest.raises(RecognitionFailed):
        utterance.score(["x"])
    with pytest.raises(RecognitionFailed):
        utterance.rehear(("x",))


def test_what_is_cancelled_is_cancelled_everywhere() -> None:
    usual, mandarin = Teller("你好"), Teller("mandarin")
    utterance = spoken(engine(usual, zh=mandarin))
    utterance.prepare()
    utterance.cancel()
    assert (usual.asked[-1], mandarin.asked[-1]) == ("cancel", "cancel")


def test_raw_confidences_are_those_of_all() -> None:
    usual, mandarin = Teller("你好"), Teller("mandarin")
    usual.calibration = mandarin.calibration = calibration = Calibration(0, 1, 0, 0)
    loaded = engine(usual, zh=mandarin)
    assert loaded.calibration is calibration
    loaded.calibration = None
    assert (usual.calibration, mandarin.calibration) == (None, None)


def test_closing_closes_each_once() -> None:
    usual, mandarin = Teller("你好"), Teller("mandarin")
    engine(usual, zh=mandarin, en=mandarin).close()
    assert (usual.asked, mandarin.asked) == (["close"], ["close"])


@pytest.mark.parametrize(
    ("heard", "languages", "language"),
    [
        (Hypothesis("hello", language="fr"), ("en", "zh"), "fr"),
        (Hypothesis("hello"), ("zh", "en"), "en"),
        (Hypothesis("bonjour"), ("zh", "fr"), "fr"),
        (Hypothesis("我用 Kubernetes"), ("zh", "en"), "zh"),
        (Hypothesis("12:30"), ("zh", "en"), None),
        (Hypothesis("hello"), ("en", "fr", "zh"), None),
        (Hypothesis("東京"), ("ja", "zh", "en"), None),
        (Hypothesis("hello"), ("en",), None),
    ],
)
def test_the_text_tells_the_language_where_it_can(
    heard: Hypothesis, languages: tuple[str, ...], language: str | None
) -> None:
    assert language_of(heard, languages) == language


# --- with micro models -----------------------------------------------------------------------------------------------


def both() -> EngineSettings:
    """Whisper, which tells English from Mandarin; Mandarin is written by a transducer."""
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    needs_package("faster-whisper")
    folder = MODELS / "micro_zh" / "streaming-transducer"
    return EngineSettings.model_validate(
        {
            "name": "whisper",
            "whisper": WhisperSettings(folder=MODELS / "whisper_micro", threads=1, compute_type="int8"),
            "sherpa": SherpaSettings(folder=folder, threads=1),
            "by_language": {"zh": {"name": "sherpa"}},
        }
    )


class Unsaid(Engine):
    """Whoever uses it never says the language."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self.capabilities = engines.chosen(Options()).capabilities

    def begin(self, options: Options) -> Utterance:
        self._engines.begin(options).cancel()
        return self._engines.begin(replace(options, language=None))

    def chosen(self, options: Options) -> Engine:
        return self._engines.chosen(replace(options, language=None))

    def close(self) -> None:
        self._engines.close()


class TestWithTheLanguageFoundOutItIsAnEngine(EngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls) -> Iterator[Subject]:
        settings = both()
        yield from subject_of("whisper", lambda: Unsaid(Engines(settings)))


def test_a_mandarin_sentence_is_written_by_the_mandarin_engine_and_an_english_one_by_the_usual() -> None:
    """The transducer hears other Mandarin than the micro Whisper does, which knows eight phrases."""
    settings = both()
    engines = Engines(settings)
    alone = load(settings.model_copy(update={"name": "sherpa"}))
    texts = {}
    for name in ("micro_zh/clips/trained-24.ogg", "en-window.flac"):
        utterance = engines.begin(Options())
        utterance.feed(sound_of(MODELS / name))
        texts[name] = utterance.finish().text
    utterance = alone.begin(Options("zh"))
    utterance.feed(sound_of(MODELS / "micro_zh/clips/trained-24.ogg"))
    assert texts["micro_zh/clips/trained-24.ogg"] == utterance.finish().text == "老赵的声音在成都"
    assert texts["en-window.flac"].lower().startswith("open the window please")
    alone.close()
    engines.close()
