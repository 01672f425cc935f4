"""Which entries of a person's list sound like a piece of Chinese text."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voice_ime.engine.base import Hypothesis
from voice_ime.personalize.chinese_words import HAN, ChineseLexicon, ChineseWords, Reading
from voice_ime.personalize.homophones import Circumstances, settled, told_by_place
from voice_ime.personalize.phonetics.mandarin import (
    ANY_TONE,
    Ear,
    Sounds,
    Syllable,
    alone,
    final_distance,
    in_context,
    initial_distance,
    letter_names,
    pinyin_sounds,
    readings,
    tone_distance,
)
from voice_ime.personalize.profile import Entry, Profile, Sound, SoundKind
from voice_ime.personalize.retrieve import Candidate

Costs = NDArray[np.float32]
Numbers = NDArray[np.intp]

MOST_CANDIDATES = 16
MOST_READINGS = 12
"""Of one written form; hints of a person come on top."""
FARTHEST = 0.3
"""Per syllable; what is farther is no candidate."""
FARTHEST_RIVAL = 0.45
OTHER_READING = 0.1
"""A character that was heard is read otherwise than its neighbours suggest."""
TOLD = 20.0
"""Score of an entry for which its application or the words around it speak, where another one was heard."""
LONGEST_SPELLED = 5
"""Latin letters of one word that are named one by one."""
_PIECES = re.compile(rf"{HAN.pattern}+|[A-Za-z0-9]+")
_LATIN = re.compile("[A-Za-z]")
_CHUNKS = re.compile(rf"{HAN.pattern}|[A-Za-z0-9]+|[^\W_]+|[^\w\s·・'’-]+")
"""What is heard as one: a Chinese character, a Latin word; or marks, over which no entry reaches."""
_WHOLE_WORD = "="
_UNLIKE = 2.0
LONGEST_RUN = 200
"""Characters that are searched as one; further ones are searched for themselves, so that no text takes all memory."""
_STAND_IN = "\0"
"""For what is not Chinese, where a text is looked up in Chinese words."""


@dataclass(frozen=True)
class Evidence:
    """What is known about an entry and a piece of text, besides the sound itself."""

    length: int
    """Syllables."""
    distance: float
    """Per syllable, 0: the same for this person."""
    surprise: float
    """How unexpected the text is, in nats; see `chinese_words.Reading.surprise`."""
    cuts: bool
    """Whether an edge of the piece is inside a word."""
    known: bool
    """Whether the piece as it stands is one word of the language."""
    kept: float
    """Part of the characters that the entry would leave as they are."""
    margin: float
    """See `Candidate.margin`."""


@dataclass(frozen=True)
class Weights:
    """Of the text score: the logarithm of the odds that the entry is right. From `benchmarks.mandarin_names --fit`."""

    constant: float = -8.2
    distance: float = -16.41
    surprise: float = 0.28
    length: float = 0.5
    cuts: float = -1.9
    known: float = -2.14
    kept: float = 2.44
    margin: float = 5.74
    unsure: float = -1.0
    """Most that is reached by a piece that cuts a word in two, or of two syllables that do not sound exactly as the
    entry: the sound has to speak for it."""

    def score(self, evidence: Evidence) -> float:
        linear = (
            self.constant
            + self.distance * evidence.distance
            + self.surprise * evidence.surprise
            + self.length * evidence.length
            + self.cuts * evidence.cuts
            + self.known * evidence.known
            + self.kept * evidence.kept
            + self.margin * min(evidence.margin, 0.3)
        )
        is_unsure = evidence.cuts or (evidence.length <= 2 and evidence.distance > 0)
        return min(linear, self.unsure) if is_unsure else linear


class Unit(NamedTuple):
    """One syllable of what was heard."""

    word: int
    """Its word of the hypothesis."""
    starts: bool
    """Whether it is the first syllable of that word."""
    ends: bool
    character: int
    """Where it stands in the text of its run."""
    sounds: tuple[tuple[Syllable, float], ...]
    """What it can be, and the cost of that."""


@dataclass(frozen=True)
class Run:
    """Text between two marks."""

    chunks: tuple[str, ...]
    """Chinese characters and Latin words."""
    text: str
    """One letter for each chunk; `_STAND_IN` for a Latin word."""
    units: tuple[Unit, ...]


class _Table:
    """The syllables that entries consist of, and how far each is from another one."""

    def __init__(self, known: Iterable[Syllable]) -> None:
        self.numbers = {each: number for number, each in enumerate(dict.fromkeys(known))}
        self._initials, self._initial_of = _numbered(each.initial for each in self.numbers)
        self._finals, self._final_of = _numbered(each.final for each in self.numbers)
        self._tone_of = np.array([each.tone for each in self.numbers], dtype=np.intp)
        self._kept: dict[Syllable, Costs] = {}

    def distances(self, heard: Syllable) -> Costs:
        """Shape [syllables]: from `heard` to each of the table."""
        if heard.initial == _WHOLE_WORD:
            return np.array([0 if heard == each else _UNLIKE for each in self.numbers], dtype=np.float32)
        if heard not in self._kept:
            self._kept[heard] = self._distances(heard)
        return self._kept[heard]

    def _distances(self, heard: Syllable) -> Costs:
        initials = np.array([initial_distance(heard.initial, each) for each in self._initials], dtype=np.float32)
        finals = np.array([final_distance(heard.final, each) for each in self._finals], dtype=np.float32)
        tones = np.array([tone_distance(heard.tone, each) for each in range(6)], dtype=np.float32)
        return initials[self._initial_of] + finals[self._final_of] + tones[self._tone_of]


def _numbered(values: Iterable[str]) -> tuple[list[str], Numbers]:
    """(the different values, which of them each one is)"""
    known: dict[str, int] = {}
    numbers = [known.setdefault(each, len(known)) for each in values]
    return list(known), np.array(numbers, dtype=np.intp)


@dataclass(frozen=True)
class Block:
    """All sounds of one length that entries have."""

    sounds: tuple[Sounds, ...]
    syllables: Numbers
    """Shape [sounds, length]: numbers in the table of syllables."""

    @property
    def length(self) -> int:
        return int(self.syllables.shape[1])

    def distances(self, heard: Costs) -> Costs:
        """Shape [sounds, places] from [syllables, units]: of each to the units from each place on, per syllable."""
        places = heard.shape[1] - self.length + 1
        total = np.zeros((len(self.sounds), places), dtype=np.float32)
        for at in range(self.length):
            total += heard[self.syllables[:, at], at : at + places]
        total /= self.length
        return total


class Hit(NamedTuple):
    first: int
    """Units of the run, from..."""
    last: int
    """... to (exclusive)."""
    sounds: Sounds
    distance: float
    entries: tuple[Entry, ...]
    """All that sound so."""


class MandarinIndex:
    """Entries that are Chinese, hold Chinese, or were given a Chinese sound. See `retrieve.Index`."""

    def __init__(self, profile: Profile, lexicon: ChineseLexicon, weights: Weights | None = None) -> None:
        self._ear = Ear(profile.preferences.fuzzy)
        self._words = lexicon.words
        self._weights = weights or Weights()
        self._surnames = lexicon.special_readings
        self._sharing: defaultdict[Sounds, list[Entry]] = defaultdict(list)
        for entry in filter(concerns, profile.entries):
            for sounds in self.sounds(entry):
                self._sharing[sounds].append(entry)
        self._table = _Table(each for sounds in self._sharing for each in sounds)
        self._blocks = _blocks(self._sharing, self._table)
        self._written = frozenset(entry.written for entry in profile.entries)
        self._lengths = sorted({len(written) for written in self._written})

    def sounds(self, entry: Entry) -> list[Sounds]:
        """All ways in which this person may say `entry`; one syllable alone is not searched for."""
        written = mixed(entry.written, self._surnames) if HAN.search(entry.written) else []
        given = [sounds for hint in entry.sounds for sounds in given_sounds(hint, self._surnames)]
        return list(dict.fromkeys(tuple(map(self._ear.fold, each)) for each in [*written, *given] if len(each) > 1))

    def alike(self, text: str) -> list[Entry]:
        """The entries that sound exactly like `text`, Chinese, and are not written so."""
        said = {tuple(map(self._ear.fold, each)) for each in mixed(text, {})[:1]}
        found = [entry for sounds in said for entry in self._sharing.get(sounds, ())]
        return [entry for entry in found if entry.written != text]

    def candidates(self, hypothesis: Hypothesis, application: str | None) -> list[Candidate]:
        """See `retrieve.Index`. Where what was heard is itself listed, others that sound the same are only to be
        offered, unless what is around it speaks for one: the listed one is among their homophones."""
        found = [candidate for candidate, _ in self.found(hypothesis, application)]
        return sorted(found, key=lambda each: (not each.due, -each.text_score))[:MOST_CANDIDATES]

    def found(self, hypothesis: Hypothesis, application: str | None) -> list[tuple[Candidate, Evidence]]:
        """All candidates, and what their text score was made of."""
        where = Circumstances(hypothesis.text, application)
        places = runs(hypothesis, self._ear) if self._blocks and HAN.search(hypothesis.text) else []
        return [each for run in places for each in self._in_run(run, where)]

    def _in_run(self, run: Run, where: Circumstances) -> Iterator[tuple[Candidate, Evidence]]:
        hits = self._hits(run, where)
        if not hits:
            return
        reading = self._words.read(run.text)
        listed = self._listed(run.text)
        for (first, last), here in hits.items():
            begin, end = run.units[first].character, run.units[last - 1].character + 1
            if any(protects(place, (begin, end)) for place in listed):
                continue
            for hit, margin in nearest(here):
                if (begin, end) in listed and not any(each.written == run.text[begin:end] for each in hit.entries):
                    continue
                heard = "".join(run.chunks[begin:end])
                meant = _meant(hit.entries, heard, where)
                if meant is not None:
                    evidence = evidence_of(hit, meant[0], margin, reading, begin, end, self._words)
                    words = run.units[first].word, run.units[last - 1].word + 1
                    is_told = len(meant) == 1 and any(_is_written(each, heard) for each in hit.entries)
                    score = TOLD if is_told else self._weights.score(evidence)
                    due = (begin, end) in listed or _was_given(meant[0], heard)
                    yield Candidate(meant[0], *words, hit.distance, margin, score, meant[1:], due=due), evidence

    def _hits(self, run: Run, where: Circumstances) -> dict[tuple[int, int], list[Hit]]:
        """By place, the nearest first."""
        hits: defaultdict[tuple[int, int], list[Hit]] = defaultdict(list)
        heard = np.stack([self._heard(unit) for unit in run.units], axis=1)
        for block in self._blocks:
            if block.length > len(run.units):
                break
            distances = block.distances(heard)
            for row, first in np.argwhere(distances <= FARTHEST_RIVAL).tolist():
                last = first + block.length
                entries = tuple(each for each in self._sharing[block.sounds[row]] if _applies(each, where))
                if entries and run.units[first].starts and run.units[last - 1].ends:
                    hits[first, last].append(Hit(first, last, block.sounds[row], float(distances[row, first]), entries))
        return {place: sorted(here, key=lambda hit: hit.distance) for place, here in hits.items()}

    def _heard(self, unit: Unit) -> Costs:
        """Shape [syllables]: how far each of the table is from what was heard."""
        least: Costs = np.min([self._table.distances(sound) + cost for sound, cost in unit.sounds], axis=0)
        return least

    def _listed(self, text: str) -> list[tuple[int, int]]:
        """Where entries stand in `text` as they are written."""
        places = ((at, at + length) for length in self._lengths for at in range(len(text) - length + 1))
        return [(begin, end) for begin, end in places if text[begin:end] in self._written]


def concerns(entry: Entry) -> bool:
    """Whether an entry has a Chinese sound."""
    given = any(hint.kind == SoundKind.PINYIN or HAN.search(hint.text) for hint in entry.sounds)
    return given or (entry.language != "en" and HAN.search(entry.written) is not None)


def mixed(text: str, surnames: Mapping[str, str]) -> list[Sounds]:
    """Ways to say a text of Chinese characters and Latin words, the likeliest first."""
    said: list[Sounds] = [()]
    for piece in _PIECES.findall(text):
        ways = readings(piece, MOST_READINGS, surnames if said == [()] else {}) if HAN.match(piece) else [latin(piece)]
        said = [before + way for before in said for way in ways][:MOST_READINGS]
    return said


def latin(word: str) -> Sounds:
    """A Latin word among Chinese: capitals and digits by their names, another word as one that sounds like no other."""
    if len(word) <= LONGEST_SPELLED and word == word.upper():
        return letter_names(word)
    return (whole_word(word),)


def whole_word(word: str) -> Syllable:
    """Stands for a Latin word, which sounds like no Chinese syllable."""
    return Syllable(_WHOLE_WORD, _WHOLE_WORD + word.casefold(), ANY_TONE)


def given_sounds(hint: Sound, surnames: Mapping[str, str]) -> list[Sounds]:
    """The Mandarin sounds that a person gave; none where the hint is for English."""
    match hint.kind:
        case SoundKind.PINYIN:
            read = pinyin_sounds(hint.text)
            return [read] if read else []
        case SoundKind.WORDS if HAN.search(hint.text):
            return mixed(hint.text, surnames)
        case SoundKind.LETTERS:
            return [letter_names(hint.text)]
        case _:
            return []


def runs(hypothesis: Hypothesis, ear: Ear) -> list[Run]:
    """The words of `hypothesis`, cut where marks stand."""
    found: list[list[tuple[int, bool, bool, str]]] = [[]]
    for number, word in enumerate(hypothesis.words):
        chunks = _CHUNKS.findall(word.text)
        spoken = [at for at, chunk in enumerate(chunks) if _is_spoken(chunk)]
        for at, chunk in enumerate(chunks):
            if len(found[-1]) == LONGEST_RUN:
                found.append([])
            if at in spoken:
                found[-1].append((number, at == spoken[0], at == spoken[-1], chunk))
            elif found[-1]:
                found.append([])
    return [_run(chunks, ear) for chunks in found if chunks]


def _is_spoken(chunk: str) -> bool:
    return chunk[0].isalnum()


def _run(chunks: Sequence[tuple[int, bool, bool, str]], ear: Ear) -> Run:
    text = "".join(chunk if HAN.fullmatch(chunk) else _STAND_IN for *_, chunk in chunks)
    units: list[Unit] = []
    for at, (read, (word, starts, ends, chunk)) in enumerate(zip(in_context(text), chunks, strict=True)):
        if text[at] == _STAND_IN:
            named = latin(chunk) or (whole_word(chunk),)
            units += [
                Unit(word, starts and number == 0, ends and number == len(named) - 1, at, ((ear.fold(each), 0.0),))
                for number, each in enumerate(named)
            ]
        else:
            units.append(Unit(word, starts, ends, at, _sounds(read, chunk, ear)))
    return Run(tuple(chunk for *_, chunk in chunks), text, tuple(units))


def _sounds(read: Syllable, character: str, ear: Ear) -> tuple[tuple[Syllable, float], ...]:
    others = {ear.fold(each): OTHER_READING for each in alone(character)}
    return tuple((others | {ear.fold(read): 0.0}).items())


def _blocks(sharing: Iterable[Sounds], table: _Table) -> list[Block]:
    by_length: defaultdict[int, list[Sounds]] = defaultdict(list)
    for sounds in sharing:
        by_length[len(sounds)].append(sounds)
    return [
        Block(tuple(alike), np.array([[table.numbers[each] for each in sounds] for sounds in alike], dtype=np.intp))
        for _, alike in sorted(by_length.items())
    ]


def _applies(entry: Entry, where: Circumstances) -> bool:
    return not entry.application or entry.application.casefold() == (where.application or "").casefold()


def protects(listed: tuple[int, int], place: tuple[int, int]) -> bool:
    """Whether a listed word that was heard forbids to change `place`: not where it is only a part of that, or that."""
    begin, end = max(listed[0], place[0]), min(listed[1], place[1])
    return begin < end and (begin, end) != listed


def nearest(hits: Sequence[Hit]) -> Iterator[tuple[Hit, float]]:
    """Each entry's nearest sound of those at one place, and by how much it is nearer than the next other entry."""
    seen: set[str] = set()
    for hit in hits:
        if hit.distance > FARTHEST or hit.entries[0].id in seen:
            continue
        seen.update(entry.id for entry in hit.entries)
        others = (each.distance for each in hits if not set(each.entries).intersection(hit.entries))
        yield hit, min(next(others, 1.0) - hit.distance, 1.0)


def evidence_of(
    hit: Hit, entry: Entry, margin: float, reading: Reading, begin: int, end: int, words: ChineseWords
) -> Evidence:
    heard = reading.text[begin:end]
    written = entry.written
    same = sum(a == b for a, b in zip(heard, written, strict=False)) if len(heard) == len(written) else 0
    return Evidence(
        length=len(hit.sounds),
        distance=hit.distance,
        surprise=reading.surprise(begin, end),
        cuts=reading.cuts(begin, end),
        known=len(heard) > 1 and heard in words,
        kept=same / len(heard),
        margin=margin,
    )


def _meant(entries: Sequence[Entry], heard: str, where: Circumstances) -> tuple[Entry, ...] | None:
    """The entry that is meant, then those that it cannot be told from; None: nothing to change."""
    listed = tuple(entry for entry in entries if _is_written(entry, heard))
    others = tuple(entry for entry in entries if entry not in listed and _is_of_same_script(entry.written, heard))
    if listed:
        meant = told_by_place((*others, *listed), where) if others else listed[0]
        if meant is None:
            return (*others, *listed)
        return (meant,) if meant in others else None
    if len(others) < 2:
        return others or None
    meant = settled(others, where)
    return others if meant is None else (meant,)


def _is_written(entry: Entry, heard: str) -> bool:
    return "".join(entry.written.split()) == heard


def _was_given(entry: Entry, heard: str) -> bool:
    """Whether the person has said that what was heard is how it sounds."""
    return any(hint.kind is SoundKind.WORDS and "".join(hint.text.split()) == heard for hint in entry.sounds)


def _is_of_same_script(written: str, heard: str) -> bool:
    """Engines write letters where letters were said: a name of Chinese characters was not."""
    return _LATIN.search(written) is not None or _LATIN.search(heard) is None
