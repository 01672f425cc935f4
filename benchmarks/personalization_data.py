"""Lists of words for measuring personal vocabularies: those that are said, others, and those that sound near."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice_ime.errors import ConfigError
from voice_ime.personalize.english_index import Points
from voice_ime.personalize.phonetics.costs import distances, hand_made, packed
from voice_ime.personalize.phonetics.english import English

NEAREST, FARTHEST = 0.08, 0.30
"""Distances of the sounds, for each phone, between which a word is near to another."""
MOST_NEAR = 30
"""Near words in a list."""
LOOKED_AT = 150
"""Words, the nearest by a rough measure, that are compared phone by phone."""
WORDS = "all_rare_words.txt"
"""Beside the references: where the words of long lists are drawn from."""


@dataclass(frozen=True)
class Spoken:
    """One utterance: what was said, its rare words, and what was heard of it."""

    id: str
    said: tuple[str, ...]
    terms: tuple[str, ...]
    """Those that a person would have in the list."""
    heard: str
    others: tuple[str, ...] = ()
    """The published list without the terms."""

    @property
    def speaker(self) -> str:
        return self.id.split("-")[0]


def spoken(hypotheses: Path, references: Path) -> list[Spoken]:
    """From files of lines (id, TAB, text) and (id, TAB, text, TAB, terms, TAB, list as JSON). ConfigError."""
    heard = dict(_fields(line, 2) for line in _lines(hypotheses))
    found: list[Spoken] = []
    for line in _lines(references):
        name, said, terms, listed = _fields(line, 4)
        if name in heard:
            known = tuple(json.loads(terms))
            others = tuple(word for word in json.loads(listed) if word not in known)
            found.append(Spoken(name, tuple(said.split()), known, heard[name], others))
    if not found:
        raise ConfigError(where=str(references), detail="0")
    return found


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigError(where=str(file), detail=str(error)) from error


def _fields(line: str, count: int) -> list[str]:
    fields = line.split("\t")
    if len(fields) < count:
        raise ConfigError(where=line[:20], detail=f"{len(fields)} < {count}")
    return fields[:count]


def pool_of(file: Path, everything: Sequence[Spoken]) -> list[str]:
    """The words of long lists: those of the file, or of all lists where there is none."""
    if file.is_file():
        return file.read_text("utf-8").split()
    return sorted({word for one in everything for word in one.others})


@dataclass(frozen=True)
class Listed:
    """The list that one utterance is corrected with, in two parts."""

    terms: frozenset[str]
    """What was said, or would be, were the list not an absent one: errors on these count as errors on listed words."""
    others: tuple[str, ...]
    """What was not said."""

    def words(self, *, absent: bool) -> list[str]:
        return list(dict.fromkeys(self.others if absent else (*sorted(self.terms), *self.others)))


@dataclass(frozen=True)
class Habits:
    """The rare words of each speaker, utterance by utterance."""

    by_speaker: Mapping[str, Mapping[str, int]]
    """In how many utterances each word is."""

    @classmethod
    def of(cls, utterances: Iterable[tuple[str, Iterable[str]]]) -> "Habits":
        """From (speaker, terms)."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for speaker, terms in utterances:
            found[speaker].update(set(terms))
        return cls(found)

    def everything(self, speaker: str, said: Iterable[str]) -> Listed:
        """One list for all that this speaker says: whatever rare word is in any of it."""
        return _split(self.by_speaker[speaker], said)

    def elsewhere(self, speaker: str, terms: Iterable[str], said: Iterable[str]) -> Listed:
        """The rare words of this speaker's other utterances; `terms`: those of this one."""
        here = set(terms)
        return _split([word for word, count in self.by_speaker[speaker].items() if count > (word in here)], said)


def _split(words: Iterable[str], said: Iterable[str]) -> Listed:
    known = set(said)
    terms = frozenset(word for word in words if word in known)
    return Listed(terms, tuple(sorted(word for word in words if word not in known)))


@dataclass(frozen=True)
class Lists:
    """Makes lists out of a pool of rare words, the same ones for the same seed."""

    pool: Sequence[str]
    seed: int = 0

    def others(self, one: Spoken, size: int) -> list[str]:
        """`size` words that were not said: the published ones first, then any; fewer where the pool has no more."""
        if size <= len(one.others):
            return list(one.others[:size])
        chance = self._chance(one, size)
        taken = {*one.said, *one.others}
        wanted = size - len(one.others)
        if wanted + len(taken) > len(self.pool):
            left = sorted(set(self.pool) - taken)
            return [*one.others, *chance.sample(left, min(wanted, len(left)))]
        more: list[str] = []
        while len(more) < wanted:
            word = chance.choice(self.pool)
            if word not in taken:
                taken.add(word)
                more.append(word)
        return [*one.others, *more]

    def near(self, one: Spoken, neighbours: "Neighbours", size: int) -> list[str]:
        """`MOST_NEAR` words near to what was said, and others."""
        chance = self._chance(one, size)
        near = sorted({word for said in set(one.said) for word in neighbours.of(said)} - set(one.said))
        chosen = chance.sample(near, min(MOST_NEAR, size, len(near)))
        others = [word for word in self.others(one, size) if word not in chosen]
        return [*chosen, *others[: size - len(chosen)]]

    def _chance(self, one: Spoken, size: int) -> random.Random:
        return random.Random(f"{self.seed} {one.id} {size}")


class Neighbours:
    """Which words of a pool sound near to a given one."""

    def __init__(self, pool: Iterable[str], english: English, looked_at: int = LOOKED_AT) -> None:
        self._english = english
        self._looked_at = looked_at
        self._words = [word for word in pool if english.sounds(word)]
        sounds = [english.sounds(word)[0] for word in self._words]
        self._lengths = np.array([len(sound) for sound in sounds], np.intp)
        self._sounds = packed(sounds)
        self._costs = hand_made()
        self._points = Points(self._costs)
        self._near = self._points.of(self._sounds, self._lengths)
        self._squares = np.einsum("ij,ij->i", self._near, self._near)
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, word: str) -> tuple[str, ...]:
        if word not in self._known:
            self._known[word] = self._find(word)
        return self._known[word]

    def _find(self, word: str) -> tuple[str, ...]:
        sound = (self._english.sounds(word) or ("",))[0]
        if len(sound) < 3:
            return ()
        point = self._points.of(packed([sound]), np.array([len(sound)]))[0]
        apart = (self._squares - 2 * (self._near @ point)) * self._lengths.astype(np.float32) ** -0.7
        apart += float(point @ point) * self._lengths.astype(np.float32) ** -0.7
        best = np.argpartition(apart, min(self._looked_at, len(apart) - 1))[: self._looked_at]
        cost = distances(np.repeat(packed([sound]), len(best), axis=0), self._sounds[best], self._costs)
        far = cost / self._lengths[best]
        return tuple(
            self._words[number]
            for number, distance in zip(best, far, strict=True)
            if NEAREST <= distance <= FARTHEST and self._words[number] != word
        )
