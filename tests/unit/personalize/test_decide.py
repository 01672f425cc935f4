"""Replace, offer or leave."""

import math

import pytest

from voice_ime.personalize.correct import Verdict
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.profile import Entry, Strength
from voice_ime.personalize.retrieve import Candidate
from voice_ime.personalize.weighing import Weighing


def candidate(
    first: int = 0,
    last: int = 1,
    *,
    written: str = "Kowalski",
    score: float = 0.0,
    strength: Strength = Strength.NORMAL,
    homophones: tuple[Entry, ...] = (),
    leeway: float | None = 6.0,
    due: bool = False,
) -> Candidate:
    entry = Entry(id=written, written=written, strength=strength)
    return Candidate(entry, first, last, 0.1, 1.0, score, homophones, leeway, due)


def judged(*asked: tuple[Candidate, float | None]) -> list[Verdict]:
    return Decider().judge([one for one, _ in asked], [price for _, price in asked])


@pytest.mark.parametrize(("price", "kinds"), [(-1.0, ["replace"]), (-7.0, ["offer"]), (-9.0, [])])
def test_what_the_sound_bears_is_written_what_misses_by_little_is_offered(price: float, kinds: list[str]):
    assert [each.kind for each in judged((candidate(), price))] == kinds


@pytest.mark.parametrize(("score", "kinds"), [(0.5, ["replace"]), (-1.0, ["offer"]), (-3.0, [])])
def test_without_the_sound_the_text_decides(score: float, kinds: list[str]):
    assert [each.kind for each in judged((candidate(score=score), None))] == kinds


def test_strong_entries_are_readier_than_weak_ones():
    scores = {
        strength: judged((candidate(strength=strength), -5.0))[0].score
        for strength in (Strength.WEAK, Strength.NORMAL, Strength.STRONG)
    }
    assert scores[Strength.WEAK] < scores[Strength.NORMAL] < scores[Strength.STRONG]


def test_an_entry_that_is_never_to_be_written_is_offered_at_most():
    assert [each.kind for each in judged((candidate(strength=Strength.NEVER), 0.0))] == ["offer"]


@pytest.mark.parametrize("price", [-30.0, -math.inf, None])
def test_what_the_person_said_may_be_meant_is_offered_whatever_the_sound_says(price: float | None):
    (verdict,) = judged((candidate(due=True, score=-9.0), price))
    assert (verdict.kind, math.isfinite(verdict.score)) == ("offer", True)
    assert verdict.cost is None or math.isfinite(verdict.cost)


def test_what_the_person_said_may_be_meant_stands_back_where_something_else_is_written():
    verdicts = judged((candidate(due=True, score=-9.0), -30.0), (candidate(written="Covalsky"), -1.0))
    assert [(each.kind, each.candidate.entry.written) for each in verdicts] == [("replace", "Covalsky")]


def test_what_sounds_the_same_is_offered_at_most():
    other = Entry(id="other", written="Covalsky")
    assert [each.kind for each in judged((candidate(homophones=(other,)), 0.0))] == ["offer"]


def test_each_word_is_changed_once_by_the_surest():
    wide, narrow = candidate(0, 2, written="wide"), candidate(1, 2, written="narrow")
    assert [each.candidate.entry.written for each in judged((wide, -4.0), (narrow, -1.0))] == ["narrow"]


def test_more_than_a_few_words_of_an_utterance_are_offered_only():
    kinds = [each.kind for each in judged(*((candidate(place, place + 1), -1.0) for place in range(5)))]
    assert kinds == ["replace"] * 3 + ["offer"] * 2


def test_below_the_least_price_nothing_is_offered():
    decider, one = Decider(), candidate(leeway=3.0)
    assert judged((one, decider.least(one) + 0.01)) != []
    assert judged((one, decider.least(one))) == []


def test_the_reason_is_told():
    (verdict,) = judged((candidate(), -2.5))
    assert (verdict.cost, verdict.score) == (2.5, 3.5)
    (verdict,) = judged((candidate(score=1.0), None))
    assert verdict.cost is None


def test_an_index_that_leaves_it_open_is_weighed_by_its_text_score():
    balance = Weighing.from_file().balance
    assert balance.least_score(candidate(score=2.0, leeway=None)) == balance.readiness + 2 * balance.text


def test_forms_are_as_written_at_the_start_of_a_sentence_and_small():
    assert Decider().forms(candidate(written="iPhone")) == ("iPhone", "IPhone", "iphone")
    assert Decider().forms(candidate(written="lead")) == ("lead", "Lead")


def test_the_settings_are_known_by_their_hash():
    assert Weighing.from_file().hash == Weighing.from_file().hash
    assert len(Weighing.from_file().hash) == 12
