"""Whether what is learned from a person's corrections is right.

    .venv/bin/python -m benchmarks.learning HYPOTHESES REFERENCES [--seed S] [--output FILE]

A scripted person meets each misheard term again and again, corrects 70 of 100, mistypes 5, rewrites 10 and leaves the
rest. Counted: true lessons that are active by the third corrected occurrence, and junk that is ever active.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from benchmarks.personalization_data import Spoken, spoken
from benchmarks.start import facts, tell
from voice_ime.personalize.chinese_words import ChineseLexicon
from voice_ime.personalize.learn import Correction, Learner, applied
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Profile, State
from voice_ime.personalize.sounds_alike import Ears

CORRECTS, MISTYPES, REWRITES = 0.70, 0.05, 0.10
MOST_MEETINGS = 30
BY = 3
"""Corrected occurrences by which a lesson should be active."""


@dataclass(frozen=True)
class Misheard:
    """A term, what was heard in its place, and the sentence around."""

    before: str
    heard: str
    term: str
    after: str

    def saying(self, word: str) -> str:
        return " ".join(part for part in (self.before, word, self.after) if part)


def misheard(utterances: Sequence[Spoken]) -> list[Misheard]:
    """Terms in whose place other words were heard, each pair once."""
    found: dict[tuple[str, str], Misheard] = {}
    for one in utterances:
        heard = one.heard.split()
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, heard, one.said, autojunk=False).get_opcodes():
            if tag == "replace" and j2 - j1 == 1 and one.said[j1] in one.terms:
                words = " ".join(heard[:i1]), " ".join(heard[i1:i2]), one.said[j1], " ".join(heard[i2:])
                found.setdefault((words[1], words[2]), Misheard(*words))
    return list(found.values())


class Person:
    """Corrects, mistypes, rewrites, or lets it be."""

    def __init__(self, utterances: Sequence[Spoken], chance: random.Random) -> None:
        self._others = [" ".join(one.said) for one in utterances]
        self._terms = sorted({term for one in utterances for term in one.terms})
        self._chance = chance

    def makes(self, one: Misheard) -> tuple[str, bool]:
        """The text as it is then, and whether that is what was said."""
        luck = self._chance.random()
        if luck < CORRECTS:
            return one.saying(one.term), True
        if luck < CORRECTS + MISTYPES:
            return one.saying(self._mistyped(one.term)), False
        if luck < CORRECTS + MISTYPES + REWRITES:
            return self._rewritten(one), False
        return one.saying(one.heard), False

    def _mistyped(self, term: str) -> str:
        if self._chance.random() < 0.5 or len(term) < 3:
            return self._chance.choice(self._terms)
        place = self._chance.randrange(len(term) - 1)
        return term[:place] + term[place + 1] + term[place] + term[place + 2 :]

    def _rewritten(self, one: Misheard) -> str:
        other = self._chance.choice(self._others)
        return other if self._chance.random() < 0.5 else f"{one.before} {other}"


class Life:
    """A profile and what became of it."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._number = 0
        self.profile = Profile(name="person")

    def corrects(self, heard: str, meant: str) -> None:
        self._number += 1
        learned = self._learner.corrected(self.profile, Correction(heard, meant, f"u{self._number}"))
        self.profile = applied(self.profile, learned)

    def active(self) -> Iterator[tuple[str, str]]:
        for lesson in self.profile.lessons:
            if lesson.state is State.ACTIVE:
                yield lesson.heard, lesson.written


def lived(true: Sequence[Misheard], person: Person, learner: Learner, chance: random.Random) -> dict[str, Any]:
    """Every term is met until it was corrected BY times, in an order by chance."""
    life, corrected = Life(learner), [0] * len(true)
    pairs = {(one.heard, one.term) for one in true}
    active_in_time, junk = 0, set[tuple[str, str]]()
    for _ in range(MOST_MEETINGS):
        for number in chance.sample(range(len(true)), len(true)):
            if corrected[number] >= BY:
                continue
            one = true[number]
            meant, right = person.makes(one)
            life.corrects(one.saying(one.heard), meant)
            junk.update(set(life.active()) - pairs)
            corrected[number] += right
            if right and corrected[number] == BY:
                active_in_time += any(written == one.term for _, written in life.active())
    return {
        "pairs": len(true),
        "corrected_often_enough": sum(count >= BY for count in corrected),
        "active_by_third": active_in_time,
        "active_by_third_share": round(active_in_time / max(1, sum(count >= BY for count in corrected)), 3),
        "junk_active": len(junk),
        "junk": sorted(f"{heard} -> {written}" for heard, written in junk)[:20],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hypotheses", type=Path)
    parser.add_argument("references", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=200, help="pairs")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    utterances = spoken(arguments.hypotheses, arguments.references)
    chance = random.Random(arguments.seed)
    true = misheard(utterances)
    true = chance.sample(true, min(arguments.limit, len(true)))
    learner = Learner(Ears(English(), ChineseLexicon()))
    result = lived(true, Person(utterances, chance), learner, chance) | {"seed": arguments.seed} | facts()
    tell(result, arguments.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
