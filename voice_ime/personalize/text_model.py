"""What the text alone says about an entry in the place of some words: a few numbers, weighted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice_ime.personalize.phonetics.costs import FILLER, PhoneCosts, distances
from voice_ime.personalize.profile import Entry

UNKNOWN_DOUBT = 1.0
"""Where the engine has no probabilities."""
MOST_DOUBT = 3.0
FARTHEST_RIVAL = 0.3
"""Beyond this a rival does not matter."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """An entry and words `first` to `last` (exclusive) of a hypothesis that sound like it."""

    number: int
    """Of the entry, in the index."""
    entry: Entry
    first: int
    last: int
    distance: float
    """Of the sounds, for each phone of the entry."""
    margin: float
    """Distance of the nearest other entry, less `distance`; at most 1."""
    heard: tuple[str, ...]
    """The words, bare and in lower case."""
    zipfs: tuple[float, ...]
    """How common each is."""
    known: tuple[bool, ...]
    """Whether each is in the dictionary."""
    phones: int
    """Of the words."""
    density: float
    """Part of the other words that sound like some entry, too: where many do, it is by chance."""
    doubt: float
    """How unsure the engine is of the words: minus the logarithm of their probability, from 0 to `MOST_DOUBT`."""


@dataclass(frozen=True)
class TextModel:
    """Weights of what `features` tells."""

    weights: Mapping[str, float]

    def scores(self, places: Sequence[Place]) -> Floats:
        """[places]; above 0: it would be written by the text alone."""
        table = features(places)
        total = np.zeros(len(places), np.float32)
        for name, weight in self.weights.items():
            total += np.float32(weight) * table[name]
        return total


@dataclass(frozen=True)
class Leeway:
    """How far the sound may speak against an entry, beside what the text says. All in nats."""

    constant: float
    text: float
    """For each unit of the text score..."""
    density: float
    """... and of `Place.density`: a price tells chance from truth better than the number of near entries..."""
    doubt: float
    """... and of `Place.doubt`: what was heard surely is seldom wrong."""

    def of(self, place: Place, text_score: float) -> float:
        """For one entry at one place."""
        return self.constant + self.text * text_score + self.density * place.density + self.doubt * place.doubt


def doubt_of(log_probabilities: Sequence[float | None]) -> float:
    """That of words with these."""
    known = [each for each in log_probabilities if each is not None]
    if len(known) < len(log_probabilities):
        return UNKNOWN_DOUBT
    return min(max(-math.fsum(known), 0.0), MOST_DOUBT)


def features(places: Sequence[Place]) -> dict[str, Floats]:
    """Each [places], by name."""
    columns = {
        "one": [1.0 for _ in places],
        "distance": [place.distance for place in places],
        "margin": [min(place.margin, FARTHEST_RIVAL) for place in places],
        "rarest": [min(place.zipfs) for place in places],
        "commonest": [max(place.zipfs) for place in places],
        "single": [float(len(place.heard) == 1) for place in places],
        "known": [float(all(place.known)) for place in places],
        "length": [float(np.log(place.phones)) for place in places],
        "density": [place.density for place in places],
    }
    found = {name: np.array(column, np.float32) for name, column in columns.items()}
    return found | {"letters": _likeness(places)}


def _likeness(places: Sequence[Place]) -> Floats:
    """1: the same letters; 0: not one in common."""
    heard = ["".join(place.heard) for place in places]
    written = [_letters(place.entry.written) for place in places]
    longest = np.array([max(len(one), len(other), 1) for one, other in zip(heard, written, strict=True)])
    apart = distances(_numbers(heard), _numbers(written), _EQUAL)
    return np.asarray(1 - apart / longest, np.float32)


def _letters(text: str) -> str:
    return "".join(text.casefold().split()).replace("’", "'")


def _numbers(texts: Sequence[str]) -> NDArray[np.uint8]:
    rows = np.full((len(texts), max(map(len, texts), default=0)), FILLER, np.uint8)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [ord(letter) % FILLER for letter in text]
    return rows


def _plain_costs() -> PhoneCosts:
    """Every letter is as far from every other."""
    substitution = np.ones((FILLER + 1, FILLER + 1), np.float32)
    np.fill_diagonal(substitution, 0)
    indel = np.ones(FILLER + 1, np.float32)
    indel[FILLER] = 0
    return PhoneCosts(substitution, indel)


_EQUAL = _plain_costs()
