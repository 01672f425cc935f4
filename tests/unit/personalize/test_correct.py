"""A final goes through one person's profile."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from voice_ime.engine.base import Capabilities, Engine, Hypothesis, Options, Samples, Substitution, Utterance, Word
from voice_ime.personalize.correct import Corrector, Verdict
from voice_ime.personalize.personal import PersonalEngine
from voice_ime.personalize.profile import Entry, Profile, Rule
from voice_ime.personalize.retrieve import Candidate

SCORES = Capabilities(engine="scorer", languages=("en",), scores_text=True)
LISTENS = Capabilities(engine="listener", languages=("en",), takes_phrases=True)
NEITHER = Capabilities(engine="neither", languages=("en",))


@dataclass
class Heard(Utterance):
    """Heard `text`; every substitution costs `cost` nats; hears `again` where it listens for phrases."""

    text: str
    cost: float = 1.0
    again: str = ""
    priced: list[Substitution] = field(default_factory=list)
    listened_for: tuple[str, ...] = ()
    prepared: Hypothesis | None = None
    finished: int = 0

    def feed(self, samples: Samples) -> None:
        self.prepared = None

    def partial(self) -> Hypothesis | None:
        return Hypothesis(self.text)

    def prepare(self) -> Hypothesis:
        self.prepared = self.prepared or Hypothesis(
            self.text, tuple(Word(word) for word in self.text.split()), final=True
        )
        return self.prepared

    def finish(self) -> Hypothesis:
        self.finished += 1
        return self.prepare()

    def cancel(self) -> None:
        pass

    def price(self, final: Hypothesis, substitutions: Sequence[Substitution]) -> list[float]:
        self.priced += substitutions
        return [-self.cost for _ in substitutions]

    def rehear(self, phrases: tuple[str, ...]) -> Hypothesis:
        self.listened_for = phrases
        return Hypothesis(self.again)


@dataclass
class Hearing(Engine):
    utterance: Heard
    capabilities: Capabilities = SCORES

    def begin(self, options: Options) -> Heard:
        return self.utterance

    def close(self) -> None:
        pass


class SoundsLike:
    """Any word with the same first letter could have been the entry."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def candidates(self, hypothesis: Hypothesis, application: str | None) -> list[Candidate]:
        return [
            Candidate(entry, place, place + 1, 0.1, 0.5, 0.0)
            for entry in self._entries
            for place, word in enumerate(hypothesis.words)
            if word.text[0].casefold() == entry.written[0].casefold()
        ]


class WithinTwoNats:
    def least(self, candidate: Candidate) -> float:
        return -4.0

    def forms(self, candidate: Candidate) -> tuple[str, ...]:
        return (candidate.entry.written,)

    def judge(self, candidates: Sequence[Candidate], prices: Sequence[float | None]) -> list[Verdict]:
        return [
            Verdict(one, "replace" if price >= -2 else "offer", price + 2, -price)
            for one, price in zip(candidates, prices, strict=True)
            if price is not None and price >= -4
        ]


def profile(*written: str, rules: tuple[Rule, ...] = (), revision: int = 1) -> Profile:
    entries = tuple(Entry(id=f"e{number}", written=text) for number, text in enumerate(written))
    return Profile(name="ann", revision=revision, entries=entries, rules=rules)


def ready(one: Profile) -> Corrector:
    return Corrector(one, SoundsLike(one.entries), WithinTwoNats())


def correct(sound: Heard, one: Profile, can: Capabilities = SCORES) -> Hypothesis:
    return ready(one).correct(sound.finish(), sound, can, Options())


def test_what_the_sound_hardly_speaks_against_is_written() -> None:
    assert correct(Heard("ring kowalsky", cost=1.5), profile("Kowalski")).text == "ring Kowalski"


def test_what_is_nearly_cheap_is_offered_and_never_written() -> None:
    found = correct(Heard("ring kowalsky", cost=3), profile("Kowalski"))
    assert found.text == "ring kowalsky"
    assert found.words[1].alternatives == ("Kowalski",)
    (change,) = found.changes
    assert (change.kind, change.heard, change.written, change.source) == ("offer", "kowalsky", "Kowalski", "e0")


def test_what_the_sound_speaks_against_is_left() -> None:
    assert correct(Heard("ring kowalsky", cost=9), profile("Kowalski")).changes == ()


def test_every_change_says_what_from_to_whose_and_why() -> None:
    (change,) = correct(Heard("ring kowalsky", cost=1), profile("Kowalski")).changes
    assert (change.heard, change.written, change.source) == ("kowalsky", "Kowalski", "e0")
    assert (change.distance, change.cost, change.score) == (0.1, 1, 1)


def test_a_place_that_a_rule_has_changed_is_locked() -> None:
    rules = (Rule(id="r", heard="kowalsky", write="K."),)
    sound = Heard("ring kowalsky")
    assert correct(sound, profile("Kowalski", rules=rules)).text == "ring K."
    assert sound.priced == []


def test_nothing_near_costs_no_verification() -> None:
    sound = Heard("ring them up")
    assert correct(sound, profile("Kowalski")).text == "ring them up"
    assert sound.priced == []


def test_an_engine_that_takes_phrases_listens_again_for_the_few_that_are_near() -> None:
    sound = Heard("ring kowalsky", again="ring Kowalski")
    assert correct(sound, profile("Kowalski", "Zhang"), LISTENS).text == "ring Kowalski"
    assert sound.listened_for == ("Kowalski",)


def test_what_was_not_heard_the_second_time_either_is_judged_by_the_text_alone() -> None:
    sound = Heard("ring kowalsky", again="ring kowalsky")
    assert correct(sound, profile("Kowalski"), LISTENS).text == "ring kowalsky"


def test_an_engine_that_can_do_neither_leaves_it_to_the_text() -> None:
    sound = Heard("ring kowalsky")
    assert correct(sound, profile("Kowalski"), NEITHER).text == "ring kowalsky"
    assert sound.priced == []
    assert sound.listened_for == ()


class Shelf:
    def __init__(self, one: Profile) -> None:
        self.profile = one

    def current(self, name: str) -> Profile:
        return self.profile


def test_a_changed_profile_counts_from_the_next_utterance_on() -> None:
    shelf = Shelf(profile())
    engine = PersonalEngine(Hearing(Heard("ring kowalsky")), shelf, ready)
    before = engine.begin(Options(profile="ann"))
    shelf.profile = profile("Kowalski", revision=2)
    after = engine.begin(Options(profile="ann"))
    assert before.finish().text == "ring kowalsky"
    assert after.finish().text == "ring Kowalski"


def test_without_a_profile_nothing_is_changed() -> None:
    engine = PersonalEngine(Hearing(Heard("ring kowalsky")), Shelf(profile("Kowalski")), ready)
    assert engine.begin(Options()).finish().text == "ring kowalsky"


def test_the_correction_is_prepared_in_advance_and_made_once() -> None:
    sound = Heard("ring kowalsky")
    utterance = PersonalEngine(Hearing(sound), Shelf(profile("Kowalski")), ready).begin(Options(profile="ann"))
    prepared = utterance.prepare()
    assert prepared is not None
    assert prepared.text == "ring Kowalski"
    assert utterance.finish() is prepared
    assert len(sound.priced) == 1


def test_further_sound_makes_what_was_prepared_void() -> None:
    sound = Heard("ring kowalsky")
    utterance = PersonalEngine(Hearing(sound), Shelf(profile("Kowalski")), ready).begin(Options(profile="ann"))
    utterance.prepare()
    utterance.feed(np.ones(100, np.float32))
    sound.text = "ring kowalsky up"
    assert utterance.finish().text == "ring Kowalski up"


@pytest.mark.parametrize("text", ["", "   "])
def test_silence_stays_silence(text: str) -> None:
    assert correct(Heard(text), profile("Kowalski")).text == text


def test_partials_are_left_as_they_are() -> None:
    engine = PersonalEngine(Hearing(Heard("ring kowalsky")), Shelf(profile("Kowalski")), ready)
    partial = engine.begin(Options(profile="ann")).partial()
    assert partial is not None
    assert partial.text == "ring kowalsky"
