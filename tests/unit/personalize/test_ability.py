"""Each entry tells what the engine in use can do with it; what it tells is what happens."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.engine_contract import MODELS
from tests.fakes import EchoUtterance
from tests.needs import needs_package
from voice_ime.engine.base import Capabilities, Engine, Options, Utterance
from voice_ime.engine.catalog import load
from voice_ime.engine.two_pass import TwoPassEngine
from voice_ime.errors import EngineUnavailable
from voice_ime.personalize.ability import Abilities, Ability, Able
from voice_ime.personalize.profile import Entry, Preferences, Sound, SoundKind
from voice_ime.settings import EngineSettings, SherpaSettings


@dataclass
class Writer(Engine):
    """Cannot write texts with one of the letters of `unknown`."""

    capabilities: Capabilities
    unknown: str = ""

    def begin(self, options: Options) -> Utterance:
        return EchoUtterance()

    def writes(self, text: str) -> bool:
        return not set(text) & set(self.unknown)

    def close(self) -> None:
        """Nothing to free."""


class Pair(Writer):
    """Gives Mandarin to another engine, and everything to one that a profile asks for."""

    def __init__(self, usual: Writer, mandarin: Writer, **others: Writer) -> None:
        heard = dict.fromkeys((*usual.capabilities.languages, *mandarin.capabilities.languages))
        super().__init__(Capabilities("pair", tuple(heard), scores_text=usual.capabilities.scores_text))
        self._usual = usual
        self._mandarin = mandarin
        self._others = others

    def chosen(self, options: Options) -> Engine:
        return self._others.get(options.engine) or (self._mandarin if options.language == "zh" else self._usual)


CHECKS = Writer(Capabilities(engine="a", languages=("en",), scores_text=True), unknown="ĦħQ龘")
LISTENS_AGAIN = Writer(Capabilities(engine="b", languages=("en", "zh"), takes_phrases=True), unknown="龘")
NEITHER = Writer(Capabilities(engine="c", languages=("en", "zh")), unknown="龘")
MANDARIN = Writer(Capabilities(engine="d", languages=("zh",), scores_text=True), unknown="龘Kk偉")
FRENCH = Writer(Capabilities(engine="e", languages=("fr",), scores_text=True))

AS_SPELLED = {"sounds": [Sound(kind=SoundKind.WORDS, text="jang way")]}
AS_PINYIN = {"sounds": [Sound(kind=SoundKind.PINYIN, text="ke2 wa3")]}


def entry(written: str, **fields: object) -> Entry:
    return Entry.model_validate({"id": "e", "written": written, **fields})


def told(loaded: Engine, listed: Entry, **preferences: Any) -> Ability:
    return Abilities(loaded).of(listed, Preferences(**preferences)).ability


@pytest.mark.parametrize(
    ("listed", "engine", "expected"),
    [
        (entry("Kowalski"), CHECKS, Ability.CHECKED),
        (entry("Kowalski"), LISTENS_AGAIN, Ability.TOLD),
        (entry("Kowalski"), NEITHER, Ability.TEXT),
        (entry("Kowalski"), FRENCH, Ability.CHECKED),
        (entry("Kowalski", strength="never"), CHECKS, Ability.OFFERED),
        (entry("Kowalski", language="zh"), LISTENS_AGAIN, Ability.TOLD),
        (entry("Kowalski", language="zh"), CHECKS, Ability.UNHEARD),
        (entry("☺", language="zh"), LISTENS_AGAIN, Ability.SOUNDLESS),
        (entry("Kowalski", language="zh", **AS_PINYIN), LISTENS_AGAIN, Ability.TOLD),
        (entry("张伟", language="en"), LISTENS_AGAIN, Ability.SOUNDLESS),
        (entry("章"), MANDARIN, Ability.SHORT),
        (entry("章", sounds=[Sound(kind=SoundKind.PINYIN, text="zhang1")]), LISTENS_AGAIN, Ability.SHORT),
        (entry("章", sounds=[Sound(kind=SoundKind.WORDS, text="文章")]), MANDARIN, Ability.CHECKED),
        (entry("章", language="en"), LISTENS_AGAIN, Ability.SOUNDLESS),
        (entry("章"), CHECKS, Ability.UNHEARD),
        (entry("Kowalski"), MANDARIN, Ability.UNHEARD),
        (entry("Kowalski", **AS_PINYIN), MANDARIN, Ability.UNWRITTEN),
        (entry("张伟"), CHECKS, Ability.UNHEARD),
        (entry("张伟", **AS_SPELLED), CHECKS, Ability.CHECKED),
        (entry("张伟"), LISTENS_AGAIN, Ability.TOLD),
        (entry("李龘"), MANDARIN, Ability.UNWRITTEN),
        (entry("李龘"), LISTENS_AGAIN, Ability.UNWRITTEN),
        (entry("李龘"), NEITHER, Ability.TEXT),
        (entry("Ħal Għaxaq"), CHECKS, Ability.UNWRITTEN),
        (entry("Ħal", strength="never"), CHECKS, Ability.OFFERED),
        (entry("Kubernetes龘"), CHECKS, Ability.UNWRITTEN),
        (entry("QAnon"), CHECKS, Ability.CHECKED),
    ],
)
def test_nothing_is_ignored_without_a_word(listed: Entry, engine: Engine, expected: Ability) -> None:
    """ "QAnon" can be written in small letters, which is tried, too."""
    assert told(engine, listed) is expected


def test_each_entry_is_told_by_the_engine_that_hears_its_language() -> None:
    both = Pair(CHECKS, MANDARIN)
    abilities, anybody = Abilities(both), Preferences()
    assert abilities.of(entry("Kowalski"), anybody) == Able(Ability.CHECKED, "a")
    assert abilities.of(entry("李龘"), anybody) == Able(Ability.UNWRITTEN, "d")
    assert abilities.of(entry("张伟"), anybody) == Able(Ability.CHECKED, "d")


def test_who_dictates_in_one_language_has_the_engine_of_that_for_all_entries() -> None:
    assert told(Pair(CHECKS, MANDARIN), entry("Kowalski"), language="zh") is Ability.UNHEARD


def test_who_asks_for_an_engine_is_told_what_that_one_can_do() -> None:
    both = Pair(CHECKS, MANDARIN, hers=LISTENS_AGAIN)
    assert told(both, entry("Kowalski"), engine="hers") is Ability.TOLD


def test_with_two_passes_the_one_that_writes_is_asked() -> None:
    quick = Writer(Capabilities(engine="quick", languages=("zh",)), unknown="张")
    assert told(TwoPassEngine(quick, MANDARIN), entry("张伟")) is Ability.CHECKED
    assert told(TwoPassEngine(quick, MANDARIN), entry("李龘")) is Ability.UNWRITTEN


def test_an_entry_in_the_script_that_the_engine_does_not_write_is_asked_for_in_the_other_one() -> None:
    needs_package("opencc")
    assert told(MANDARIN, entry("張偉"), script="traditional") is Ability.CHECKED


# --- with models -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny() -> Iterator[Engine]:
    try:
        engine = load(EngineSettings())
    except EngineUnavailable as missing:
        pytest.skip(f"needs package {missing.values['package']}")
    with closing(engine):
        yield engine


@pytest.fixture(scope="module")
def micro() -> Iterator[Engine]:
    """A transducer for Mandarin with 272 characters."""
    needs_package("sherpa-onnx")
    needs_package("kaldi-native-fbank")
    folder = MODELS / "micro_zh" / "streaming-transducer"
    with closing(load(EngineSettings(name="sherpa", sherpa=SherpaSettings(folder=folder, threads=1)))) as engine:
        yield engine


def test_the_english_model_says_of_a_chinese_name_that_it_cannot_check_it(tiny: Engine) -> None:
    """Though its vocabulary has the character 张, which it never learned to use."""
    assert told(tiny, entry("张")) is Ability.UNHEARD
    assert told(tiny, entry("张", **AS_SPELLED)) is Ability.UNWRITTEN
    assert told(tiny, entry("Phẫn", language="en")) is Ability.UNWRITTEN
    assert told(tiny, entry("Zoë Łukasz")) is Ability.CHECKED


def test_a_small_mandarin_model_says_which_names_are_outside_its_tokens(micro: Engine) -> None:
    assert told(micro, entry("老赵")) is Ability.CHECKED
    assert told(micro, entry("章伟")) is Ability.UNWRITTEN
    assert told(micro, entry("Kowalski")) is Ability.UNHEARD
