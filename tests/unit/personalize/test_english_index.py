"""Which entries are found for English words."""

from datetime import UTC, datetime

import numpy as np
import pytest

from voice_ime.engine.base import Hypothesis, Word
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.english_index import EnglishIndex
from voice_ime.personalize.phonetics.costs import distances, hand_made, packed
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Entry, Sound, SoundKind
from voice_ime.personalize.retrieve import Candidate
from voice_ime.personalize.weighing import Weighing


@pytest.fixture(scope="module")
def english() -> English:
    return English()


def heard(text: str, confidence: float | None = None) -> Hypothesis:
    return Hypothesis(text, tuple(Word(word, confidence=confidence) for word in text.split()), final=True)


def entry(written: str, **more: object) -> Entry:
    return Entry(id=str(abs(hash((written, str(more))))), written=written, **more)


def found(english: English, text: str, *entries: Entry, application: str | None = None) -> list[Candidate]:
    return EnglishIndex(entries, english, Weighing.from_file()).candidates(heard(text), application)


def decided(english: English, text: str, *entries: Entry, price: float | None = None) -> list[tuple[str, str]]:
    candidates = found(english, text, *entries)
    return [
        (each.kind, each.candidate.entry.written) for each in Decider().judge(candidates, [price] * len(candidates))
    ]


def best(english: English, text: str, *entries: Entry) -> tuple[str, str]:
    """The written form of the likeliest entry, and what was heard in its place."""
    first = found(english, text, *entries)[0]
    return first.entry.written, " ".join(text.split()[first.first : first.last])


def test_a_name_is_found_where_something_like_it_was_heard(english: English):
    assert best(english, "I met mister kowalsky today", entry("Kowalski")) == ("Kowalski", "kowalsky")


def test_an_entry_may_stand_for_several_words_and_consist_of_several(english: English):
    assert best(english, "swaying home and others", entry("Sweynheim")) == ("Sweynheim", "swaying home")
    assert best(english, "we drove to new rica falls", entry("New Yreka Falls")) == (
        "New Yreka Falls",
        "new rica falls",
    )


def test_what_sounds_like_nothing_in_the_list_costs_nothing(english: English):
    assert found(english, "the weather is fine", entry("Kowalski")) == []
    assert found(english, "the weather is fine") == []
    assert EnglishIndex((entry("Kowalski"),), english, Weighing.from_file()).candidates(Hypothesis(""), None) == []


def test_a_listed_word_that_was_heard_is_never_replaced(english: English):
    assert found(english, "Covalsky called", entry("Kowalski"), entry("Covalsky")) == []
    assert found(english, "in New York today", entry("New York"), entry("Newark")) == []


def test_an_entry_with_an_apostrophe_more_neither_keeps_a_heard_word_nor_takes_its_place(english: English):
    assert best(english, "men the coat", entry("men'"), entry("mend")) == ("mend", "men")
    assert found(english, "the men came", entry("men'")) == []
    assert found(english, "the men came", entry("men'"), entry("men"), entry("mend")) == []


@pytest.mark.parametrize(("text", "written"), [("a github page", "GitHub"), ("dear kowalsky", "Kowalsky")])
def test_an_entry_that_was_heard_without_its_capitals_gets_them(english: English, text: str, written: str):
    assert decided(english, text, entry(written), price=-8.0) == [("replace", written)]


@pytest.mark.parametrize("text", ["I will come", "Will came", "GitHub"])
def test_capitals_stay_where_they_are_right_or_may_be(english: English, text: str):
    assert found(english, text, entry("Will"), entry("GitHub")) == []


def test_a_given_sound_is_as_good_as_the_written_form(english: English):
    saoirse = entry("Saoirse", sounds=(Sound(kind=SoundKind.WORDS, text="sur sha"),))
    assert best(english, "tell sirsha about it", saoirse) == ("Saoirse", "sirsha")


def test_an_entry_for_one_application_is_found_there_only(english: English):
    listed = entry("Kowalski", application="Mail")
    assert found(english, "dear kowalsky", listed) == []
    assert found(english, "dear kowalsky", listed, application="Writer") == []
    assert len(found(english, "dear kowalsky", listed, application="mail")) > 0


def test_a_latin_word_that_is_to_count_in_mandarin_is_found_among_chinese_words_only(english: English):
    phone = entry("iPhone", language="zh")
    assert decided(english, "my iphone rang", phone) == []
    chinese = Hypothesis("我的iphone响了", tuple(map(Word, ("我", "的", "iphone", "响", "了"))), final=True)
    found = EnglishIndex([phone], english, Weighing.from_file()).candidates(chinese, None)
    assert [(one.entry.written, one.first, one.last) for one in found] == [("iPhone", 2, 3)]


def test_of_two_that_sound_the_same_one_stands_for_both(english: English):
    catherine, katherine = entry("Catherine"), entry("Katherine")
    (one,) = [each for each in found(english, "dear kathrin", catherine, katherine) if each.last - each.first == 1]
    assert {one.entry, *one.homophones} == {catherine, katherine}


def test_of_two_that_sound_the_same_the_other_is_offered_where_one_was_heard(english: English):
    steven, stephen = entry("Steven"), entry("Stephen")
    assert decided(english, "please call Steven now", steven, stephen, price=-9.0) == [("offer", "Stephen")]
    assert decided(english, "please call Steven now", steven, stephen) == [("offer", "Stephen")]


def test_of_two_that_sound_the_same_what_is_around_it_tells_which_was_meant(english: English):
    steven, stephen = entry("Steven"), entry("Stephen", note="plays tennis")
    assert decided(english, "ask Steven about tennis", steven, stephen, price=-9.0) == [("replace", "Stephen")]
    assert decided(english, "ask Stephen about tennis", steven, stephen, price=-9.0) == []


def test_an_ordinary_word_for_which_something_else_was_taught_keeps_its_place_and_the_other_is_offered(
    english: English,
):
    myke = entry("Myke", sounds=(Sound(kind=SoundKind.WORDS, text="Mike"),))
    assert decided(english, "Mike was here", myke, price=-20.0) == [("offer", "Myke")]
    assert decided(english, "Mike was here", entry("Myke"), price=-20.0) == []


def test_of_two_that_sound_the_same_the_one_in_use_is_meant(english: English):
    old = entry("Catherine", used=datetime(2026, 1, 1, tzinfo=UTC))
    new = entry("Katherine", used=datetime(2026, 11, 1, tzinfo=UTC))
    one = found(english, "dear kathrin", old, new)[0]
    assert (one.entry, one.homophones) == (new, ())


def test_a_rival_that_sounds_nearly_the_same_speaks_against_an_entry(english: English):
    alone = found(english, "dear kowalsky", entry("Kowalski"))[0]
    crowded = found(english, "dear kowalsky", entry("Kowalski"), entry("Kovalski"))[0]
    assert crowded.margin < alone.margin
    assert crowded.text_score < alone.text_score


def test_where_many_words_sound_like_entries_it_is_by_chance(english: English):
    text = "please call kowalsky about the weather in the evening"
    others = [entry(word) for word in ("Pleeze", "Kall", "Wether", "Eavening")]
    alone, among = (found(english, text, *entries) for entries in ([entry("Kowalski")], [entry("Kowalski"), *others]))
    score = {each.entry.written: each.text_score for each in reversed(among)}
    assert score["Kowalski"] < alone[0].text_score


def test_the_sound_may_speak_more_against_what_was_heard_surely(english: English):
    index = EnglishIndex((entry("Kowalski"),), english, Weighing.from_file())
    sure, unsure = (index.candidates(heard("dear kowalsky", each), None)[0] for each in (0.99, 0.1))
    assert sure.leeway is not None
    assert unsure.leeway is not None
    assert sure.leeway < unsure.leeway


def test_what_was_heard_with_doubt_is_asked_about_first(english: English):
    index = EnglishIndex((entry("Missal"), entry("lighter")), english, Weighing.from_file())
    words = (Word("missile", confidence=0.99), Word("letter", confidence=0.1))
    near = index.candidates(Hypothesis("missile letter", words, final=True), None)
    assert near[0].entry.written == "lighter"
    assert near[0].text_score < max(each.text_score for each in near)


def test_the_nearest_are_found_among_thousands(english: English):
    names = [f"{first}{middle}{last}" for first in SYLLABLES for middle in SYLLABLES for last in SYLLABLES]
    index = EnglishIndex([entry(name) for name in (*names, "Schoeffer")], english, Weighing.from_file())
    assert len(names) > 4000
    near = index.candidates(heard("printed by shaffer in the city"), None)
    assert "Schoeffer" in [each.entry.written for each in near[:3]]


SYLLABLES = ["ba", "ke", "li", "mo", "nu", "ra", "si", "to", "va", "we", "zi", "dar", "fel", "gon", "hus", "jim"]


def test_distances_of_many_pairs_are_those_of_each():
    pairs = [("KAT", "KAT"), ("KAT", "GAT"), ("", "KA"), ("KATEL", "T"), ("ABCDE", "EDCBA")]
    together = distances(packed([one for one, _ in pairs]), packed([other for _, other in pairs]), hand_made())
    alone = [float(distances(packed([one]), packed([other]), hand_made())[0]) for one, other in pairs]
    assert together.tolist() == pytest.approx(alone)
    assert together[0] == 0
    assert np.all(together[1:] > 0)
