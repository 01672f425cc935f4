"""Several engines are loaded; each utterance goes to those that are to hear it; they can be changed meanwhile."""

import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from tests.contract.engine_contract import MODELS, EngineContract, Subject, subject_of
from tests.fakes import loud
from tests.needs import needs_package
from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Utterance
from voice_ime.engine.catalog import Row
from voice_ime.engine.engines import Engines, only_for_profiles
from voice_ime.errors import ConfigError, LanguageNotSupported, ModelNotFound, UnknownEngine
from voice_ime.settings import EngineSettings, Settings, WhisperSettings


@dataclass
class Works:
    """What the engines of one test went through."""

    loaded: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


class Named(Engine):
    """Hears its own name."""

    name: ClassVar[str]
    languages: ClassVar[tuple[str, ...]]
    works: ClassVar[Works]

    def __init__(self) -> None:
        if self.name == "broken":
            raise ModelNotFound(model="m", where="nowhere", command="none")
        self.capabilities = Capabilities(self.name, self.languages)
        self.works.loaded.append(self.name)
        self._open = True

    def begin(self, options: Options) -> "NamedUtterance":
        known = self.languages
        if options.language not in (None, *known):
            raise LanguageNotSupported(language=options.language, engine=self.name, known=known)
        return NamedUtterance(self)

    def hear(self) -> str:
        assert self._open, "an engine was closed while somebody spoke"
        return self.name

    def close(self) -> None:
        self._open = False
        self.works.closed.append(self.name)


class NamedUtterance(Utterance):
    def __init__(self, engine: Named) -> None:
        self._engine = engine

    def feed(self, samples: Samples) -> None:
        """It hears its name whatever was said."""

    def partial(self) -> Hypothesis:
        return Hypothesis(self._engine.hear())

    def finish(self) -> Hypothesis:
        return Hypothesis(self._engine.hear(), final=True)

    def cancel(self) -> None:
        """Nothing to forget."""


HEARD = {"en": ("en",), "zh": ("zh",), "both": ("en", "zh"), "good": ("zh", "en"), "broken": ("en",)}
ROWS = tuple(Row(name=name, where=f"named_engines:{name.title()}", summary="") for name in HEARD)


@pytest.fixture
def works() -> Iterator[Works]:
    """A catalogue with one engine for each entry of `HEARD`."""
    works = Works()
    module = ModuleType("named_engines")
    for name, languages in HEARD.items():
        body: dict[str, Any] = {"name": name, "languages": languages, "works": works}
        setattr(module, name.title(), type(name.title(), (Named,), body))
    sys.modules["named_engines"] = module
    yield works
    del sys.modules["named_engines"]


def settings(**values: Any) -> EngineSettings:
    return EngineSettings.model_validate(values)


def heard(engines: Engines, options: Options | None = None) -> tuple[str, str]:
    """Who hears the partials, and who the final."""
    utterance = engines.begin(options or Options())
    partial = utterance.partial()
    assert partial is not None
    return partial.text, utterance.finish().text


# --- who hears what --------------------------------------------------------------------------------------------------


def test_one_engine_hears_all(works: Works):
    assert heard(Engines(settings(name="both"), ROWS)) == ("both", "both")


def test_a_second_engine_hears_the_finals(works: Works):
    assert heard(Engines(settings(name="both", final="good"), ROWS)) == ("both", "good")


def test_each_language_can_have_its_own_engines(works: Works):
    engines = Engines(settings(name="en", by_language={"zh": {"name": "zh", "final": "good"}}), ROWS)
    assert heard(engines, Options(language="en")) == ("en", "en")
    assert heard(engines, Options(language="zh")) == ("zh", "good")
    assert heard(engines) == ("en", "en")
    assert set(engines.capabilities.languages) == {"en", "zh"}


def says(text: str) -> dict[str, Any]:
    """An engine for English and Mandarin that says this."""
    return {"name": "script", "script": {"lines": [text]}}


def written(engines: Engines, options: Options | None = None) -> str:
    utterance = engines.begin(options or Options())
    utterance.feed(loud(1))
    return utterance.finish().text


@pytest.mark.parametrize(
    ("usual", "text"), [("你好", "mandarin"), ("hello", "english"), ("123", "123")], ids=["zh", "en", "neither"]
)
def test_where_no_language_was_said_that_of_what_was_heard_counts(usual: str, text: str):
    others = {"m": says("mandarin"), "e": says("english")}
    by_language = {"zh": {"name": "m"}, "en": {"name": "m", "final": "e"}}
    assert written(Engines(settings(**says(usual), others=others, by_language=by_language))) == text


def test_an_engine_for_one_language_cannot_tell_that_it_was_another(works: Works):
    engines = Engines(settings(name="en", final="en", by_language={"zh": {"name": "zh"}}), ROWS)
    assert heard(engines) == ("en", "en")


@pytest.mark.parametrize("wish", [{"engine": "mine"}, {"final_engine": "mine"}])
def test_the_engine_of_a_profile_goes_before_the_language_that_was_heard(wish: dict[str, str]):
    others = {"m": says("mandarin"), "mine": says("也是")}
    engines = Engines(settings(**says("你好"), others=others, by_language={"zh": {"name": "m"}}))
    assert written(engines, Options(**wish)) == "也是"


def test_who_is_chosen_for_a_language_stays_loaded_while_it_may_be_needed():
    here = settings(**says("你好"), others={"m": says("mandarin")}, by_language={"zh": {"name": "m"}})
    engines = Engines(here)
    utterance = engines.begin(Options())
    engines.switch(settings(**says("new")))
    gc.collect()
    utterance.feed(loud(1))
    assert utterance.finish().text == "mandarin"


def test_a_language_goes_to_an_engine_that_hears_it(works: Works):
    engines = Engines(settings(name="zh", final="good", others={"mine": {"name": "en"}}), ROWS)
    assert heard(engines, Options(language="en")) == ("good", "good")
    assert heard(engines, Options(language="zh")) == ("zh", "good")


def test_a_profile_can_ask_for_an_engine_by_the_name_it_has_in_the_settings(works: Works):
    engines = Engines(settings(name="both", others={"mine": {"name": "good"}}), ROWS)
    assert heard(engines, Options(engine="mine")) == ("good", "good")
    assert heard(engines, Options(final_engine="mine")) == ("both", "good")
    assert heard(engines, Options(language="en", engine="mine", final_engine="both")) == ("good", "both")


def test_where_the_engine_of_a_profile_is_not_loaded_the_usual_one_hears(
    works: Works, caplog: pytest.LogCaptureFixture
):
    engines = Engines(settings(name="both"), ROWS)
    for _ in range(3):
        assert heard(engines, Options(engine="good", final_engine="zh")) == ("both", "both")
    assert len(caplog.records) == 2


def test_an_engine_that_only_profiles_ask_for_may_be_missing(works: Works):
    wanted = settings(name="both", others={"mine": {"name": "broken"}})
    engines = Engines(wanted, ROWS, spare=only_for_profiles(wanted))
    assert engines.missing["mine"].code == "model_not_found"
    assert heard(engines, Options(engine="mine")) == ("both", "both")
    assert engines.unloaded(Options(engine="mine")) == ("mine",)


@pytest.mark.parametrize(
    "where", [{"name": "both", "final": "mine"}, {"name": "zh", "by_language": {"en": {"name": "mine"}}}]
)
def test_an_engine_that_everybody_needs_must_not_be_missing(works: Works, where: dict[str, Any]):
    wanted = settings(**where, others={"mine": {"name": "broken"}})
    with pytest.raises(ModelNotFound):
        Engines(wanted, ROWS, spare=only_for_profiles(wanted))


def test_the_language_goes_before_the_engine_of_a_profile(works: Works):
    engines = Engines(settings(name="both", others={"mine": {"name": "en"}}), ROWS)
    assert heard(engines, Options(language="zh", engine="mine")) == ("both", "both")


def test_a_language_that_nobody_hears_is_refused(works: Works):
    with pytest.raises(LanguageNotSupported):
        Engines(settings(name="both"), ROWS).begin(Options(language="fr"))


def test_an_engine_is_loaded_once_however_often_it_is_named(works: Works):
    Engines(settings(name="both", final="good", by_language={"zh": {"name": "both", "final": "good"}}), ROWS)
    assert works.loaded == ["both", "good"]


def test_engines_that_do_not_hear_the_same_cannot_work_together(works: Works):
    with pytest.raises(ConfigError):
        Engines(settings(name="en", final="zh"), ROWS)


def test_an_engine_is_not_set_for_a_language_that_it_does_not_hear(works: Works):
    with pytest.raises(LanguageNotSupported):
        Engines(settings(name="both", by_language={"zh": {"name": "en"}}), ROWS)


@pytest.mark.parametrize("where", [{"name": "parrot"}, {"name": "en", "final": "parrot"}])
def test_a_name_that_is_none_is_refused(works: Works, where: dict[str, str]):
    with pytest.raises(UnknownEngine):
        Engines(settings(**where), ROWS)


def test_two_engines_do_not_have_one_name():
    with pytest.raises(ValidationError):
        settings(name="both", others={"both": {"name": "good"}})


@pytest.mark.parametrize("name", ["", "usual"])
def test_a_word_that_stands_for_no_engine_is_the_name_of_none(name: str):
    with pytest.raises(ValidationError):
        settings(name="both", others={name: {"name": "good"}})


# --- changing them ---------------------------------------------------------------------------------------------------


def test_what_was_begun_ends_on_the_old_engine_and_what_begins_is_for_the_new_one(works: Works):
    engines = Engines(settings(name="en"), ROWS)
    under_way = engines.begin(Options())
    engines.switch(settings(name="zh"))
    assert heard(engines) == ("zh", "zh")
    assert under_way.finish().text == "en"
    assert engines.capabilities.languages == ("zh",)


def test_the_old_engine_is_closed_once_the_last_of_its_utterances_has_gone(works: Works):
    engines = Engines(settings(name="en"), ROWS)
    first, second = engines.begin(Options()), engines.begin(Options())
    engines.switch(settings(name="zh"))
    first.finish()
    del first
    gc.collect()
    assert works.closed == []
    second.cancel()
    del second
    gc.collect()
    assert works.closed == ["en"]


def test_nobody_speaking_the_old_engine_is_closed_at_once(works: Works):
    engines = Engines(settings(name="en", final="both"), ROWS)
    engines.switch(settings(name="zh"))
    gc.collect()
    assert sorted(works.closed) == ["both", "en"]


def test_what_stays_is_not_loaded_again(works: Works):
    engines = Engines(settings(name="both"), ROWS)
    engines.switch(settings(name="both", final="good"))
    assert heard(engines) == ("both", "good")
    assert works.loaded == ["both", "good"]
    assert works.closed == []


@pytest.mark.parametrize(
    "wanted", [{"name": "broken"}, {"name": "parrot"}, {"name": "en", "final": "zh"}, {"name": "zh", "final": "broken"}]
)
def test_where_the_new_engine_cannot_be_loaded_the_old_one_stays(works: Works, wanted: dict[str, str]):
    engines = Engines(settings(name="both"), ROWS)
    under_way = engines.begin(Options())
    with pytest.raises((ModelNotFound, UnknownEngine, ConfigError)):
        engines.switch(settings(**wanted))
    assert under_way.finish().text == "both"
    assert heard(engines) == ("both", "both")
    assert engines.settings.name == "both"
    assert "both" not in works.closed


def test_what_was_missing_at_the_start_keeps_nobody_from_changing_another_engine(works: Works):
    others = {"mine": {"name": "broken"}}
    engines = Engines(settings(name="both", others=others), ROWS, spare={"mine"})
    engines.switch(settings(name="zh", others=others))
    assert heard(engines) == ("zh", "zh")
    assert list(engines.missing) == ["mine"]
    engines.switch(settings(name="zh", others={"mine": {"name": "good"}}))
    assert heard(engines, Options(engine="mine")) == ("good", "good")
    assert not engines.missing


def test_what_was_missing_at_the_start_is_told_once_it_is_asked_for(works: Works):
    others = {"mine": {"name": "broken"}}
    engines = Engines(settings(name="both", others=others), ROWS, spare={"mine"})
    with pytest.raises(ModelNotFound):
        engines.switch(settings(name="both", final="mine", others=others))


def test_what_was_loaded_for_nothing_is_closed(works: Works):
    engines = Engines(settings(name="both"), ROWS)
    with pytest.raises(ModelNotFound):
        engines.switch(settings(name="zh", final="broken"))
    gc.collect()
    assert works.closed == ["zh"]


def test_a_language_in_which_somebody_is_dictating_is_not_taken_away(works: Works):
    engines = Engines(settings(name="both"), ROWS)
    with pytest.raises(LanguageNotSupported):
        engines.switch(settings(name="zh"), languages=["en"])
    assert heard(engines, Options(language="en")) == ("both", "both")


def test_closing_closes_all_once(works: Works):
    engines = Engines(settings(name="en", others={"mine": {"name": "zh"}}), ROWS)
    engines.close()
    del engines
    gc.collect()
    assert sorted(works.closed) == ["en", "zh"]


# --- as an engine ----------------------------------------------------------------------------------------------------


class TestEnginesAreAnEngine(EngineContract):
    """Three that are loaded: two together for what is usual, another one for English."""

    @pytest.fixture(scope="class")
    @classmethod
    def subject(cls) -> Iterator[Subject]:
        needs_package("sherpa-onnx")
        needs_package("faster-whisper")
        whisper = {"folder": MODELS / "whisper_micro", "threads": 1, "compute_type": "int8"}
        usual = settings(
            name="sherpa",
            final="whisper",
            sherpa={"folder": MODELS / "micro_zh" / "streaming-ctc", "threads": 1},
            whisper=whisper,
            by_language={"en": {"name": "other"}},
            others={"other": {"name": "whisper", "whisper": whisper | {"beam_size": 4}}},
        )
        yield from subject_of("sherpa+whisper", lambda: Engines(usual))


# --- settings --------------------------------------------------------------------------------------------------------


def test_whisper_looks_for_the_languages_of_the_person():
    other = {"name": "whisper", "whisper": WhisperSettings(threads=1)}
    engines = Settings(languages=("zh", "en"), engine=settings(others={"other": other})).engines
    assert engines.whisper.languages == ("zh", "en")
    assert engines.others["other"].whisper == WhisperSettings(threads=1, languages=("zh", "en"))


def test_languages_that_were_set_for_whisper_stay():
    own = settings(whisper=WhisperSettings(languages=("en",)))
    assert Settings(languages=("zh", "en"), engine=own).engines == own
