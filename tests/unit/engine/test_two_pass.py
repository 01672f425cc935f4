"""Two engines hear one utterance: a quick one for what is shown, a better one for what is written."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.contract.engine_contract import MODELS, EngineContract, Subject, pieces_of, sound_of, subject_of
from tests.fakes import loud, silent
from tests.needs import needs_package
from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Substitution, Utterance, Word
from voice_ime.engine.catalog import load
from voice_ime.engine.two_pass import TwoPassEngine
from voice_ime.errors import NoCommonLanguage, RecognitionFailed
from voice_ime.messages import Messages
from voice_ime.settings import EngineSettings, SherpaSettings, WhisperSettings


@dataclass
class Teller(Engine):
    """Says its own name for sound, notes what it was asked for, and can be told to fail at finals."""

    capabilities: Capabilities
    fails: bool = False
    asked: list[str] = field(default_factory=list)

    def begin(self, options: Options) -> "TellerUtterance":
        return TellerUtterance(self)

    def close(self) -> None:
        self.asked.append("close")

    def final(self) -> Hypothesis:
        if self.fails:
            raise RecognitionFailed(engine=self.capabilities.engine)
        name = self.capabilities.engine
        return Hypothesis(name, (Word(name),), final=True)


class TellerUtterance(Utterance):
    def __init__(self, engine: Teller) -> None:
        self._engine = engine

    def feed(self, samples: Samples) -> None:
        self._engine.asked.append(f"feed {len(samples)}")

    def partial(self) -> Hypothesis:
        return Hypothesis(self._engine.capabilities.engine)

    def prepare(self) -> Hypothesis:
        self._engine.asked.append("prepare")
        return self._engine.final()

    def completeness(self) -> float:
        self._engine.asked.append("completeness")
        return 0.5

    def finish(self) -> Hypothesis:
        self._engine.asked.append("finish")
        return self._engine.final()

    def cancel(self) -> None:
        self._engine.asked.append("cancel")

    def score(self, texts: list[str]) -> list[float]:
        if not self._engine.capabilities.scores_text:
            return super().score(texts)
        return [-1.0] * len(texts)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        if not self._engine.capabilities.takes_phrases:
            return super().rehear(phrases)
        return Hypothesis("heard again", final=True)


def pair(*, fails: bool = False, live_fails: bool = False) -> tuple[Teller, Teller]:
    quick = Capabilities("quick", ("en", "zh", "fr"), streaming=True)
    good = Capabilities("good", ("zh", "en"), "aligned", confidence=True, scores_text=True, takes_phrases=True)
    return Teller(quick, fails=live_fails), Teller(good, fails=fails)


def spoken(live: Teller, final: Teller) -> Utterance:
    utterance = TwoPassEngine(live, final).begin(Options())
    utterance.feed(loud(1))
    return utterance


def test_what_is_shown_comes_from_the_quick_engine_and_what_is_written_from_the_good_one():
    utterance = spoken(*pair())
    partial = utterance.partial()
    assert partial is not None
    assert partial.text == "quick"
    assert utterance.finish().text == "good"


def test_the_quick_engine_works_out_no_final_unless_it_is_needed():
    live, final = pair()
    utterance = spoken(live, final)
    utterance.prepare()
    utterance.completeness()
    utterance.finish()
    assert live.asked == ["feed 16000", "cancel"]
    assert final.asked == ["feed 16000", "prepare", "completeness", "finish"]


def test_it_can_do_with_finals_what_the_good_engine_can_in_the_languages_of_both():
    can = TwoPassEngine(*pair()).capabilities
    assert can == Capabilities(
        "quick+good", ("zh", "en"), "aligned", confidence=True, scores_text=True, takes_phrases=True, streaming=True
    )


def test_two_engines_without_a_common_language_are_refused():
    english, mandarin = Teller(Capabilities("a", ("en",))), Teller(Capabilities("b", ("zh",)))
    with pytest.raises(NoCommonLanguage) as refused:
        TwoPassEngine(english, mandarin)
    assert Messages("en").error(refused.value)[0] == (
        "b cannot write what a hears, because they have no language in common. a hears: English. b hears: Chinese."
    )


def test_where_the_good_engine_fails_the_quick_one_writes(caplog: pytest.LogCaptureFixture):
    utterance = spoken(*pair(fails=True))
    assert utterance.finish().text == "quick"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_failure_in_the_pause_is_not_waited_for_again_at_the_end():
    live, final = pair(fails=True)
    utterance = spoken(live, final)
    prepared = utterance.prepare()
    assert prepared is not None
    assert prepared.text == "quick"
    assert utterance.completeness() is None
    assert utterance.finish().text == "quick"
    assert final.asked.count("prepare") + final.asked.count("finish") == 1


def test_further_sound_is_a_new_chance_for_the_good_engine():
    live, final = pair(fails=True)
    utterance = spoken(live, final)
    utterance.prepare()
    final.fails = False
    utterance.feed(silent(1))
    assert utterance.finish().text == "good"


def test_where_both_fail_it_is_said():
    with pytest.raises(RecognitionFailed):
        spoken(*pair(fails=True, live_fails=True)).finish()


def test_names_are_verified_by_the_engine_that_wrote():
    good = spoken(*pair())
    final = good.finish()
    assert good.score(["x", "y"]) == [-1.0, -1.0]
    assert good.price(final, [Substitution(0, 1, ("well",))]) == [0.0]
    assert good.rehear(("well",)).text == "heard again"


def test_after_a_failure_nothing_is_verified_by_an_engine_that_cannot():
    quick = spoken(*pair(fails=True))
    final = quick.finish()
    assert quick.price(final, [Substitution(0, 1, ("quack",))]) == [-math.inf]
    with pytest.raises(RecognitionFailed):
        quick.score(["quack"])
    with pytest.raises(RecognitionFailed):
        quick.rehear(("quack",))


def test_after_a_failure_the_quick_engine_verifies_where_it_can():
    live, final = pair(fails=True)
    live.capabilities = Capabilities("quick", ("zh",), scores_text=True, takes_phrases=True)
    utterance = spoken(live, final)
    heard = utterance.finish()
    assert utterance.price(heard, [Substitution(0, 1, ("quack",))]) == [0.0]
    assert utterance.score(["quack"]) == [-1.0]
    assert utterance.rehear(("quack",)).text == "heard again"


def test_what_is_cancelled_is_forgotten_by_both():
    live, final = pair()
    spoken(live, final).cancel()
    assert live.asked[-1] == final.asked[-1] == "cancel"


def test_closing_closes_both():
    live, final = pair()
    TwoPassEngine(live, final).close()
    assert (live.asked, final.asked) == (["close"], ["close"])


def micro(kind: str = "streaming-transducer") -> Engine:
    """Hears synthetic Mandarin quickly."""
    needs_package("sherpa-onnx")
    folder = MODELS / "micro_zh" / kind
    return load(EngineSettings(name="sherpa", sherpa=SherpaSettings(folder=folder, threads=1)))


def micro_whisper() -> Engine:
    """Hears eight Mandarin phrases and six English ones."""
    needs_package("faster-whisper")
    whisper = WhisperSettings(folder=MODELS / "whisper_micro", threads=1, compute_type="int8")
    return load(EngineSettings(name="whisper", whisper=whisper))


class TestTwoPassesWithMicroModels(EngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls) -> Iterator[Subject]:
        yield from subject_of("sherpa+whisper", lambda: TwoPassEngine(micro(), micro_whisper()))


@pytest.fixture(scope="module")
def mixed() -> Iterator[Engine]:
    engine = TwoPassEngine(micro(), micro_whisper())
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("clip", "text"),
    [
        ("zh-weather.flac", "天气很好"),
        ("en-window.flac", "open the window please"),
        ("zh-meeting.flac", "今天下午三点开会"),
        ("en-delete.flac", "delete the last sentence"),
    ],
)
def test_mandarin_and_english_in_turn_are_written_by_the_engine_that_hears_both(mixed: Engine, clip: str, text: str):
    """The quick engine here knows Mandarin only."""
    utterance = mixed.begin(Options())
    for piece in pieces_of(sound_of(MODELS / clip), 8000):
        utterance.feed(piece)
        utterance.partial()
    final = utterance.finish()
    assert final.text.lower().strip("。.") == text
    assert final.language == ("zh" if clip.startswith("zh") else "en")


def test_mandarin_is_shown_while_it_is_spoken(mixed: Engine):
    utterance = mixed.begin(Options(language="zh"))
    utterance.feed(sound_of(MODELS / "micro_zh" / "clips" / "trained-24.ogg"))
    partial = utterance.partial()
    assert partial is not None
    assert partial.text.startswith("老赵")
    utterance.cancel()
