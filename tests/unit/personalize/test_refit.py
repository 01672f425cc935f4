"""What confirmed corrections tell about sounds that are taken for each other."""

import numpy as np
import pytest

from tests.unit.personalize.lexicons import LEXICONS
from voice_ime.engine.base import Hypothesis, Word
from voice_ime.personalize.indexes import index_of
from voice_ime.personalize.phonetics.costs import PhoneCosts, hand_made
from voice_ime.personalize.phonetics.phones import PHONES
from voice_ime.personalize.phonetics.refit import LEAST, refitted
from voice_ime.personalize.profile import Entry, Lesson, Profile, State

ENGLISH = LEXICONS.english
COSTS = hand_made()


def lesson(heard: str, written: str, state: State = State.ACTIVE, number: int = 0) -> Lesson:
    return Lesson(id=f"l{number}", heard=heard, written=written, language="en", state=state)


def between(costs: PhoneCosts, one: str, other: str) -> float:
    return float(costs.substitution[PHONES.index(one), PHONES.index(other)])


def test_sounds_that_were_taken_for_each_other_come_nearer() -> None:
    found = refitted(COSTS, [lesson("rip", "lip")], ENGLISH)
    assert between(found, "R", "L") < between(COSTS, "R", "L")
    assert between(found, "R", "L") == between(found, "L", "R")
    assert between(found, "S", "Z") == between(COSTS, "S", "Z")


def test_more_corrections_bring_them_nearer_but_never_together() -> None:
    words = ["rip lip", "rock lock", "read lead", "right light", "rate late", "row low", "rack lack", "rot lot"]
    lessons = [lesson(*pair.split(), number=number) for number, pair in enumerate(words * 3)]
    one, many = refitted(COSTS, lessons[:1], ENGLISH), refitted(COSTS, lessons, ENGLISH)
    assert between(many, "R", "L") < between(one, "R", "L")
    assert between(many, "R", "L") == pytest.approx(LEAST * between(COSTS, "R", "L"))


@pytest.mark.parametrize("state", [State.OBSERVED, State.SUGGESTED, State.DEMOTED, State.QUARANTINED])
def test_only_what_is_confirmed_counts(state: State) -> None:
    assert refitted(COSTS, [lesson("rip", "lip", state)], ENGLISH) is COSTS


def test_words_that_have_nothing_in_common_teach_nothing() -> None:
    assert refitted(COSTS, [lesson("garden", "house")], ENGLISH) is COSTS


def test_the_hand_made_table_stays_as_it_was() -> None:
    before = COSTS.substitution.copy()
    refitted(COSTS, [lesson("rip", "lip")], ENGLISH)
    assert np.array_equal(COSTS.substitution, before)


def test_entries_sound_nearer_to_a_person_whose_corrections_say_so() -> None:
    entries = (Entry(id="e1", written="Lorna"),)
    heard = Hypothesis("call rorna", (Word("call"), Word("rorna")), final=True)
    lessons = tuple(lesson(*pair.split(), number=n) for n, pair in enumerate(["rip lip", "rock lock", "read lead"]))
    plain, taught = (
        index_of(Profile(name="ann", entries=entries, lessons=known), LEXICONS).candidates(heard, None)[0].distance
        for known in ((), lessons)
    )
    assert taught < plain
