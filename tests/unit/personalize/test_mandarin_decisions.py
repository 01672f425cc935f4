"""What becomes of Chinese names that could have been said."""

import pytest

from tests.needs import needs_package

needs_package("pypinyin")

from voice_ime.engine.base import Hypothesis, Word  # noqa: E402
from voice_ime.engine.words import cut  # noqa: E402
from voice_ime.personalize.chinese_words import ChineseLexicon  # noqa: E402
from voice_ime.personalize.decide import Decider  # noqa: E402
from voice_ime.personalize.mandarin_index import MandarinIndex  # noqa: E402
from voice_ime.personalize.profile import Entry, Profile, Strength  # noqa: E402


@pytest.fixture(scope="module")
def lexicon() -> ChineseLexicon:
    return ChineseLexicon()


def decided(lexicon: ChineseLexicon, text: str, *listed: Entry, price: float | None = None) -> list[tuple[str, str]]:
    index = MandarinIndex(Profile(name="p", entries=listed), lexicon)
    candidates = index.candidates(Hypothesis(text, tuple(Word(word) for word in cut(text)), final=True), None)
    verdicts = Decider().judge(candidates, [price] * len(candidates))
    return [(each.kind, each.candidate.entry.written) for each in verdicts]


def entry(written: str, **more: object) -> Entry:
    return Entry(id="-".join(str(ord(each)) for each in written), written=written, **more)


def test_a_name_that_is_surely_meant_is_written(lexicon: ChineseLexicon):
    assert decided(lexicon, "我找王小名", entry("王晓明")) == [("replace", "王晓明")]


def test_of_names_that_sound_the_same_one_is_offered(lexicon: ChineseLexicon):
    assert decided(lexicon, "我找张维林", entry("张伟霖"), entry("章伟琳")) == [("offer", "张伟霖")]


def test_a_less_likely_name_is_not_written_in_the_place_of_those(lexicon: ChineseLexicon):
    listed = entry("刘云"), entry("刘芸"), entry("陆文发")
    assert decided(lexicon, "给刘蕓发短信", *listed)[0][0] == "offer"


def test_the_strength_that_says_never_only_offers(lexicon: ChineseLexicon):
    assert decided(lexicon, "我找王小名", entry("王晓明", strength=Strength.NEVER)) == [("offer", "王晓明")]


def test_two_characters_in_another_tone_are_offered_and_written_where_the_sound_agrees(lexicon: ChineseLexicon):
    listed = entry("刘楠")
    assert decided(lexicon, "今天刘腩说的", listed) == [("offer", "刘楠")]
    assert decided(lexicon, "今天刘腩说的", listed, price=-1.0) == [("replace", "刘楠")]


def test_an_ordinary_word_stays_where_the_sound_speaks_for_it(lexicon: ChineseLexicon):
    assert decided(lexicon, "他的理想是当医生", entry("李想"), price=-9.0) == []
