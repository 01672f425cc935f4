"""A profile says how its person is heard and written."""

from dataclasses import dataclass, field

import pytest

from tests.needs import needs_package
from tests.unit.personalize.lexicons import LEXICONS
from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Utterance, Word
from voice_ime.engine.words import cut
from voice_ime.errors import RecognitionFailed
from voice_ime.personalize.personal import PersonalEngine
from voice_ime.personalize.profile import Entry, Preferences, Profile
from voice_ime.personalize.ready import Preparation

needs_package("opencc")
PREPARATION = Preparation(LEXICONS)


@dataclass
class Repeating(Engine):
    """Hears one text, but cannot say what others would cost; keeps what it was asked for."""

    text: str
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("repeating", ("en", "zh")))
    asked: list[Options] = field(default_factory=list)

    def begin(self, options: Options) -> "RepeatingUtterance":
        self.asked.append(options)
        return RepeatingUtterance(self.text)

    def close(self) -> None:
        """Nothing to free."""


@dataclass
class RepeatingUtterance(Utterance):
    text: str

    def feed(self, samples: Samples) -> None:
        """The text is there before."""

    def partial(self) -> Hypothesis:
        return Hypothesis(self.text)

    def finish(self) -> Hypothesis:
        return Hypothesis(self.text, tuple(map(Word, cut(self.text))), final=True)

    def cancel(self) -> None:
        """Nothing to forget."""

    def price(self, final: Hypothesis, substitutions: object) -> list[float]:
        raise RecognitionFailed(engine="repeating")


@dataclass
class Shelf:
    profile: Profile

    def current(self, name: str) -> Profile:
        return self.profile


def heard(engine: Engine, /, *entries: Entry, options: Options | None = None, **preferences: object) -> str:
    """The final of an utterance of somebody with these preferences."""
    profile = Profile(name="ann", entries=entries, preferences=Preferences.model_validate(preferences))
    personal = PersonalEngine(engine, Shelf(profile), PREPARATION)
    return personal.begin(options or Options(profile="ann")).finish().text


def test_chinese_is_written_in_the_script_of_the_profile_whatever_the_engine_writes() -> None:
    assert heard(Repeating("今天见赵云"), script="traditional") == "今天見趙雲"
    assert heard(Repeating("今天見趙雲"), script="simplified") == "今天见赵云"


def test_blanks_beside_latin_words_are_as_the_profile_wishes() -> None:
    assert heard(Repeating("我用Python写")) == "我用 Python 写"
    assert heard(Repeating("我用 Python 写"), latin_spaces=False) == "我用Python写"


def test_the_language_of_the_profile_counts_where_the_client_asks_for_none() -> None:
    engine = Repeating("你好")
    heard(engine, language="zh")
    heard(engine, language="zh", options=Options(language="en", profile="ann"))
    assert [options.language for options in engine.asked] == ["zh", "en"]


def test_a_preferred_language_that_no_engine_hears_is_left() -> None:
    engine = Repeating("hello", Capabilities("repeating", ("en",)))
    heard(engine, language="zh")
    assert engine.asked[0].language is None
    assert engine.asked[0].script is None


def test_the_engines_of_the_profile_are_asked_for_by_name() -> None:
    engine = Repeating("hello")
    heard(engine, engine="mine", final_engine="best")
    assert (engine.asked[0].engine, engine.asked[0].final_engine) == ("mine", "best")


def test_where_names_cannot_be_verified_the_text_comes_as_it_was_heard(caplog: pytest.LogCaptureFixture) -> None:
    engine = Repeating("ring kowalsky", Capabilities("repeating", ("en",), scores_text=True))
    assert heard(engine, Entry(id="e1", written="Kowalski")) == "ring kowalsky"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "kowalsk" not in caplog.text.lower()
