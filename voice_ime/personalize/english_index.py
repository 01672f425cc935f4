"""The entries that sound, in English, like some words of a hypothesis.

Each entry's sounds become points such that near sounds are near points; one matrix product tells which of thousands
may be near to which words, and only those are compared phone by phone.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.words import has_han
from voice_ime.personalize.homophones import Circumstances, settled, told_by_place
from voice_ime.personalize.phonetics.costs import FILLER, PhoneCosts, Sounds, distances, hand_made, packed
from voice_ime.personalize.phonetics.english import English, sounds_of
from voice_ime.personalize.profile import Entry, SoundKind
from voice_ime.personalize.retrieve import Candidate
from voice_ime.personalize.text_model import FARTHEST_RIVAL, Place, doubt_of
from voice_ime.personalize.weighing import Weighing

MOST_WORDS = 4
"""Heard words that one entry may stand for."""
SHORTEST = 3
"""Phones of an entry; shorter ones sound like everything."""
FARTHEST = 0.45
"""Distance, for each phone of the entry, up to which an entry may be a candidate."""
NEAR = 0.3
"""Distance up to which it is worth a remark that words sound like some entry."""
SAME_LETTERS = 20.0
"""Score of an entry that was heard and only lacks its capitals."""
COMMON = 3.0
"""Zipf value from which a word may well be meant in small letters."""
FEW_WORDS = 4
"""So few words tell nothing about how many entries sound like something by chance."""
MOST_CANDIDATES = 32
MOST_WEIGHED = 128
"""Places that are looked at closely."""
MOST_COMPARED = 800
"""Pairs of words and sounds that are compared phone by phone."""
MOST_READINGS = 4
"""Of what was written down by an entry; those that were given all count."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """Words `first` to `last` (exclusive) of a hypothesis, and how they sound."""

    first: int
    last: int
    sound: str


@dataclass(frozen=True)
class _Heard:
    text: str
    zipf: float
    known: bool
    log_probability: float | None


@dataclass(frozen=True)
class _Span:
    """What is known of the words of a window."""

    window: Window
    heard: tuple[str, ...]
    zipfs: tuple[float, ...]
    known: tuple[bool, ...]
    doubt: float
    surety: float
    """How little speaks for its being misheard, on the scale of `_roughly`."""


@dataclass(frozen=True)
class _Near:
    """A span that sounds like entry `number`."""

    span: _Span
    number: int
    distance: float
    rival: float
    """Distance of the nearest other entry."""


class EnglishIndex:
    """The English sounds of one profile's entries (`retrieve.Index`)."""

    def __init__(
        self,
        entries: Sequence[Entry],
        english: English,
        weighing: Weighing,
        costs: PhoneCosts | None = None,
    ) -> None:
        """Takes about half a second for 5,000 entries with words that the dictionary does not have."""
        self._entries = tuple(entries)
        self._english = english
        self._weighing = weighing
        self._costs = costs or hand_made()
        self._points = Points(self._costs)
        owned = [
            (sound, number)
            for number, entry in enumerate(self._entries)
            for sound in sounds_of(entry, english)[: MOST_READINGS + len(entry.sounds)]
            if len(sound) >= SHORTEST
        ]
        owned.sort(key=lambda each: len(each[0]))
        self._owners = np.array([number for _, number in owned], np.intp)
        self._sounds = packed([sound for sound, _ in owned])
        self._lengths = np.array([len(sound) for sound, _ in owned], np.intp)
        self._near = self._points.of(self._sounds, self._lengths)
        self._alike = _alike(owned)
        self._letters = [tuple(map(_bare, entry.written.split())) for entry in self._entries]
        self._given = [frozenset(_given(entry)) for entry in self._entries]
        self._listed = _listed(self._letters)
        self._listed_lengths = sorted({len(each) for each in self._listed})
        self._settled = {self._letters[number] for number, entry in enumerate(self._entries) if _is_plain(entry)}

    def candidates(self, hypothesis: Hypothesis, application: str | None) -> list[Candidate]:
        """The nearest few entries for the words of `hypothesis`, the likeliest first.

        Of entries that sound the same one stands for all, with the others as its homophones where nothing tells which
        of them is meant.
        """
        where = Circumstances(hypothesis.text, application)
        spelled = self._spelled_otherwise(hypothesis, where)
        alike = self._alike_to_listed(hypothesis, where)
        best = self.likeliest(self.places(hypothesis, application))
        return [*spelled, *alike, *_once(self._candidate(place, score, where) for place, score in best)]

    def likeliest(self, places: Sequence[Place]) -> list[tuple[Place, float]]:
        """Those worth pricing, with their text scores: first those against which the sound may speak most.

        By the text score alone an entry in the place of a common word that was heard with doubt drowns in long lists.
        """
        scores: list[float] = self._weighing.text.scores(places).tolist()
        both = zip(places, scores, strict=True)
        return sorted(both, key=self._urgency)[:MOST_CANDIDATES]

    def _urgency(self, weighed: tuple[Place, float]) -> tuple[bool, float]:
        """The lower, the more urgent."""
        place, score = weighed
        return not self._is_due(place.number, place.heard), -self._weighing.leeway.of(place, score)

    def places(self, hypothesis: Hypothesis, application: str | None) -> list[Place]:
        """All entries near to some words, with what is known of them."""
        words = [word.text for word in hypothesis.words]
        where = Circumstances(hypothesis.text, application)
        windows = self._windows(words)
        if not windows or not len(self._owners):
            return []
        heard = [self._heard(word) for word in hypothesis.words]
        spans = [_span(window, heard) for window in windows]
        near = [
            _Near(spans[window], number, distance, rival)
            for window, number, distance, rival in _with_rivals(self._distances(spans), self._alike)
            if self._fits(number, where)
        ]
        near.sort(key=lambda each: (not self._is_due(each.number, each.span.heard), _roughly(each)))
        density = _Density([each.span.window for each in near if each.distance <= NEAR], len(words))
        return [self._place(each, density) for each in near[:MOST_WEIGHED]]

    def alike(self, place: Place) -> tuple[Entry, ...]:
        """The entries that sound the same as the one at `place`."""
        return tuple(self._entries[number] for number in self._alike.get(place.number, ()))

    def _candidate(self, place: Place, score: float, where: Circumstances) -> Candidate:
        alike = [number for number in self._alike.get(place.number, ()) if self._fits(number, where)]
        others = tuple(self._entries[number] for number in alike)
        meant = settled((place.entry, *others), where) if others else place.entry
        return Candidate(
            entry=meant or place.entry,
            first=place.first,
            last=place.last,
            distance=place.distance,
            margin=place.margin,
            text_score=score,
            homophones=() if meant else others,
            leeway=self._weighing.leeway.of(place, score),
            due=self._is_due(place.number, place.heard),
        )

    def _is_due(self, number: int, heard: tuple[str, ...]) -> bool:
        """Whether the person has said that these very words may mean entry `number`."""
        return heard in self._given[number]

    def _alike_to_listed(self, hypothesis: Hypothesis, where: Circumstances) -> list[Candidate]:
        """For entries that were heard as they are written: those that sound exactly the same, one for all."""
        words = [word.text for word in hypothesis.words]
        found = [
            self._instead(first, last, number, where)
            for first, last in _found(words, self._settled, self._listed_lengths)
            for number in self._listed[tuple(map(_bare, words[first:last]))][:1]
        ]
        return [candidate for candidate in found if candidate is not None]

    def _instead(self, first: int, last: int, number: int, where: Circumstances) -> Candidate | None:
        """What may be meant where entry `number` was heard; None: nothing else, or what is around it speaks for it."""
        numbers = [each for each in self._alike.get(number, ()) if self._letters[each] != self._letters[number]]
        others = [self._entries[each] for each in numbers if self._fits(each, where)]
        if not others:
            return None
        heard = self._entries[number]
        meant = told_by_place((heard, *others), where)
        if meant is heard:
            return None
        if meant is None:
            return Candidate(others[0], first, last, 0.0, 1.0, 0.0, (*others[1:], heard), leeway=0.0, due=True)
        return Candidate(meant, first, last, 0.0, 1.0, SAME_LETTERS, leeway=SAME_LETTERS, due=True)

    def _spelled_otherwise(self, hypothesis: Hypothesis, where: Circumstances) -> list[Candidate]:
        """Entries that were heard, but not with their capitals: "github" for "GitHub", not "will" for "Will"."""
        words = [word.text for word in hypothesis.words]
        return [
            Candidate(entry, first, last, 0.0, 1.0, text_score=SAME_LETTERS, leeway=SAME_LETTERS)
            for first, last in _found(words, self._listed, self._listed_lengths)
            for entry in self._written_so(words[first:last], where)
        ]

    def _written_so(self, heard: Sequence[str], where: Circumstances) -> list[Entry]:
        """At most one: the entry of these letters, where it has other capitals, and they are meant."""
        core = [word.strip(_MARKS).replace("’", "'") for word in heard]
        numbers = [number for number in self._listed[tuple(map(_bare, heard))] if self._fits(number, where)]
        entries = [self._entries[number] for number in numbers]
        if len(entries) != 1 or entries[0].written.split() == core:
            return []
        meant = any(any(letter.isupper() for letter in word[1:]) for word in entries[0].written.split())
        rare = all(self._english.zipf(word) < COMMON for word in heard)
        return entries if meant or (rare and " ".join(core).islower()) else []

    def _fits(self, number: int, where: Circumstances) -> bool:
        """Whether the entry counts there: one of Mandarin is a Latin word among Chinese ones."""
        entry = self._entries[number]
        only = entry.application.casefold()
        if only and only != (where.application or "").casefold():
            return False
        return entry.language != "zh" or has_han(where.text)

    def _windows(self, words: Sequence[str]) -> list[Window]:
        """Runs of words that could be an entry: those with a sound, between words that are listed as they are."""
        sounds = [(self._english.sounds(word) or ("",))[0] for word in words]
        for first, last in _found(words, self._settled, self._listed_lengths):
            sounds[first:last] = [""] * (last - first)
        longest = 2 + 1.5 * (int(self._lengths[-1]) if len(self._lengths) else 0)
        windows: list[Window] = []
        for first in range(len(words)):
            sound = ""
            for last in range(first, min(first + MOST_WORDS, len(words))):
                if not sounds[last] or len(sound) + len(sounds[last]) > longest:
                    break
                sound += sounds[last]
                windows.append(Window(first, last + 1, sound))
        return windows

    def _distances(self, spans: Sequence[_Span]) -> dict[int, dict[int, float]]:
        """By span and entry, as far as they may be near, and not of the same letters."""
        heard = packed([span.window.sound for span in spans])
        lengths = np.array([len(span.window.sound) for span in spans], np.intp)
        first, second = self._promising(heard, lengths)
        found: defaultdict[int, dict[int, float]] = defaultdict(dict)
        apart = _compared(heard[first], self._sounds[second], self._lengths[second], self._costs)
        owners = self._owners[second]
        for span, number, distance in zip(first.tolist(), owners.tolist(), apart.tolist(), strict=True):
            if distance > 2 * FARTHEST or self._letters[number] == spans[span].heard:
                continue
            if distance < found[span].get(number, np.inf):
                found[span][number] = distance
        return found

    def _promising(self, heard: Sounds, lengths: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The pairs of windows and sounds whose points are nearest."""
        points = self._points.of(heard, lengths)
        own = np.einsum("ij,ij->i", self._near, self._near)
        apart = points @ (-2 * self._near.T)
        apart += np.einsum("ij,ij->i", points, points)[:, np.newaxis]
        apart += own
        apart *= self._lengths.astype(np.float32) ** -0.7
        flat = apart.ravel()
        if len(flat) > MOST_COMPARED:
            chosen = np.argpartition(flat, MOST_COMPARED)[:MOST_COMPARED]
        else:
            chosen = np.arange(len(flat))
        first, second = np.unravel_index(chosen, apart.shape)
        return first, second

    def _heard(self, word: Word) -> _Heard:
        bare = _bare(word.text)
        return _Heard(bare, self._english.zipf(bare), self._english.knows(bare), _log_probability(word))

    def _place(self, near: _Near, density: "_Density") -> Place:
        span = near.span
        return Place(
            number=near.number,
            entry=self._entries[near.number],
            first=span.window.first,
            last=span.window.last,
            distance=near.distance,
            margin=min(1.0, near.rival - near.distance),
            heard=span.heard,
            zipfs=span.zipfs,
            known=span.known,
            phones=len(span.window.sound),
            density=density.around(span.window),
            doubt=span.doubt,
        )


class _Density:
    """How many words of a hypothesis sound like some entry."""

    def __init__(self, windows: Sequence[Window], words: int) -> None:
        places = sorted({(window.first, window.last) for window in windows})
        self._first = np.array([first for first, _ in places], np.intp)
        self._last = np.array([last for _, last in places], np.intp)
        self._words = words
        self._known: dict[tuple[int, int], float] = {}

    def around(self, window: Window) -> float:
        """The part of the words that do, counting only windows apart from this one."""
        place = window.first, window.last
        if place not in self._known:
            apart = (self._last <= window.first) | (self._first >= window.last)
            borders = np.zeros(self._words + 1, np.intp)
            np.add.at(borders, self._first[apart], 1)
            np.add.at(borders, self._last[apart], -1)
            self._known[place] = int((np.cumsum(borders) > 0).sum()) / (self._words + FEW_WORDS)
        return self._known[place]


class Points:
    """Sounds as points: what each phone is like, at each quarter of the sound."""

    _PARTS = 4
    _TRAITS = 16
    _WEAK = 0.8

    def __init__(self, costs: PhoneCosts) -> None:
        likeness = 1 - np.minimum(costs.substitution[:FILLER, :FILLER], 1)
        values, vectors = np.linalg.eigh((likeness + likeness.T) / 2)
        best = np.argsort(-values)[: self._TRAITS]
        self._traits = np.zeros((FILLER + 1, self._TRAITS), np.float32)
        self._traits[:FILLER] = vectors[:, best] * np.sqrt(np.maximum(values[best], 0))
        self._traits[:FILLER][costs.indel[:FILLER] < 1] *= self._WEAK

    def of(self, sounds: Sounds, lengths: NDArray[np.intp]) -> Floats:
        """[sounds, traits * parts]"""
        places = (np.arange(sounds.shape[1]) + 0.5) / np.maximum(lengths, 1)[:, np.newaxis] * (self._PARTS - 1)
        parts = np.maximum(0, 1 - np.abs(places[:, :, np.newaxis] - np.arange(self._PARTS))).astype(np.float32)
        points = np.matmul(self._traits[sounds].transpose(0, 2, 1), parts)
        return np.ascontiguousarray(points.reshape(len(sounds), self._TRAITS * self._PARTS))


def _compared(heard: Sounds, sounds: Sounds, lengths: NDArray[np.intp], costs: PhoneCosts) -> Floats:
    """For each phone of `sounds`; the pairs are sorted by length, so that short ones need not wait for long ones."""
    apart = np.empty(len(sounds), np.float32)
    order = np.argsort(lengths, kind="stable")
    for part in np.array_split(order, 4):
        if not len(part):
            continue
        one, other = _trimmed(heard[part]), _trimmed(sounds[part])
        apart[part] = distances(one, other, costs) / lengths[part]
    return apart


def _trimmed(sounds: Sounds) -> Sounds:
    used = (sounds != FILLER).any(axis=0)
    return sounds[:, : int(used.sum())]


def _with_rivals(
    near: Mapping[int, Mapping[int, float]], alike: Mapping[int, Collection[int]]
) -> Iterable[tuple[int, int, float, float]]:
    """(window, entry, distance, distance of the nearest other entry that does not sound the same)."""
    for window, found in near.items():
        order = sorted(found, key=found.__getitem__)
        for number in order:
            if found[number] > FARTHEST:
                break
            same = alike.get(number, ())
            rival = next((found[other] for other in order if other != number and other not in same), np.inf)
            yield window, number, found[number], rival


def _once(candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    """The first of those that stand for the same."""
    seen: set[tuple[int, int, str]] = set()
    for each in candidates:
        names = {(each.first, each.last, entry.id) for entry in (each.entry, *each.homophones)}
        if seen.isdisjoint(names):
            yield each
        seen |= names


def _alike(owned: Sequence[tuple[str, int]]) -> dict[int, tuple[int, ...]]:
    """For each entry those that share one of its sounds."""
    by_sound = defaultdict(set)
    for sound, number in owned:
        by_sound[sound].add(number)
    alike: defaultdict[int, set[int]] = defaultdict(set)
    for numbers in by_sound.values():
        if len(numbers) > 1:
            for number in numbers:
                alike[number] |= numbers - {number}
    return {number: tuple(sorted(others)) for number, others in alike.items()}


def _listed(letters: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], list[int]]:
    """The entries of each written form, word by word."""
    listed: dict[tuple[str, ...], list[int]] = {}
    for number, words in enumerate(letters):
        if words:
            listed.setdefault(words, []).append(number)
    return listed


def _given(entry: Entry) -> Iterable[tuple[str, ...]]:
    """The words that the person has said it sounds like."""
    return (tuple(map(_bare, hint.text.split())) for hint in entry.sounds if hint.kind is SoundKind.WORDS)


def _is_plain(entry: Entry) -> bool:
    """Whether no word begins or ends with an apostrophe: where "men" was heard, "men'" was not."""
    words = [word.strip(_OTHER_MARKS) for word in entry.written.split()]
    return all(word == word.strip(_MARKS) for word in words)


def _found(
    words: Sequence[str], listed: Collection[tuple[str, ...]], lengths: Sequence[int]
) -> Iterable[tuple[int, int]]:
    bare = [_bare(word) for word in words]
    for length in lengths:
        for first in range(len(words) - length + 1):
            if tuple(bare[first : first + length]) in listed:
                yield first, first + length


_OTHER_MARKS = ' .,;:!?"()[]{}…—–-“”'
_MARKS = _OTHER_MARKS + "‘’'"


def _span(window: Window, words: Sequence[_Heard]) -> _Span:
    heard = words[window.first : window.last]
    zipfs = tuple(word.zipf for word in heard)
    doubt = doubt_of([word.log_probability for word in heard])
    surety = (min(zipfs) + max(zipfs)) / 2 + 2 * (len(heard) == 1) - 3 * doubt
    return _Span(window, tuple(word.text for word in heard), zipfs, tuple(word.known for word in heard), doubt, surety)


def _roughly(near: _Near) -> float:
    """Which are worth a closer look: near ones, and those in the place of rare or doubtful words."""
    return 8 * near.distance - 4 * min(near.rival - near.distance, FARTHEST_RIVAL) + near.span.surety


def _log_probability(word: Word) -> float | None:
    """By the engine itself; where it does not tell, from its confidence."""
    if word.log_probability is None and word.confidence is not None:
        return math.log(max(word.confidence, 1e-3))
    return word.log_probability


def _bare(word: str) -> str:
    return word.strip(_MARKS).casefold().replace("’", "'")
