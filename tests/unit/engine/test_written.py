"""Whatever engine hears: its Chinese comes in the script that the person reads."""

from dataclasses import dataclass, field

import pytest

from tests.needs import needs_package
from voice_ime.engine.base import Hypothesis, Samples, Substitution, Utterance, Word
from voice_ime.engine.han import Writing
from voice_ime.engine.written import WrittenUtterance

needs_package("opencc")


@dataclass
class Simplified(Utterance):
    """Hears one text in Simplified Chinese, and notes which texts it is asked about."""

    text: str
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._final = Hypothesis(self.text, tuple(map(Word, self.text)), final=True)

    def feed(self, samples: Samples) -> None:
        """The text is there before."""

    def partial(self) -> Hypothesis:
        return Hypothesis(self.text)

    def prepare(self) -> Hypothesis:
        return self._final

    def finish(self) -> Hypothesis:
        return self._final

    def cancel(self) -> None:
        """Nothing to forget."""

    def score(self, texts: list[str]) -> list[float]:
        self.asked += texts
        return [0.0] * len(texts)

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        self.asked += phrases
        return self._final


def test_partials_and_finals_come_in_the_script_of_the_person():
    utterance = WrittenUtterance(Simplified("今天见赵云"), Writing("traditional"))
    partial = utterance.partial()
    assert partial is not None
    assert partial.text == "今天見趙雲"
    assert utterance.finish().text == "今天見趙雲"


def test_what_was_prepared_is_not_written_twice():
    utterance = WrittenUtterance(Simplified("今天见赵云"), Writing("traditional"))
    assert utterance.prepare() is utterance.finish()


def test_the_engine_is_asked_in_its_own_script():
    engine = Simplified("今天见赵云")
    utterance = WrittenUtterance(engine, Writing("traditional"))
    final = utterance.finish()
    utterance.price(final, [Substitution(3, 5, ("張飛",))])
    utterance.score(["今天見張飛"])
    assert utterance.rehear(("張飛",)).text == "今天見趙雲"
    assert engine.asked == ["今天见赵云", "今天见张飞", "今天见张飞", "张飞"]


@pytest.mark.parametrize("text", ["今天见赵云", "open the window"])
def test_where_nothing_is_to_be_changed_nothing_is(text: str):
    engine = Simplified(text)
    utterance = WrittenUtterance(engine, Writing("simplified"))
    assert utterance.finish().text == text
    utterance.score(["张飞"])
    assert engine.asked == ["张飞"]
