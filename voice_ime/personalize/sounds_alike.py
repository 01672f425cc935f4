"""Whether one text could be a mishearing of another, in either language."""

from dataclasses import dataclass, field

from voice_ime.engine.words import has_han
from voice_ime.personalize.chinese_words import HAN, ChineseLexicon
from voice_ime.personalize.phonetics.costs import PhoneCosts, distances, hand_made, packed
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.phonetics.mandarin import Sounds, distance, in_context

ORDINARY = 3.0
"""Zipf value of English words, one in a million: rarer ones, such as family names, are in the dictionary, too."""


@dataclass(frozen=True)
class Ears:
    """The words and sounds of both languages."""

    english: English
    chinese: ChineseLexicon
    costs: PhoneCosts = field(default_factory=hand_made)

    def likeness(self, one: str, other: str) -> float:
        """1: they sound the same; 0: nothing in common. Of Chinese texts the best of all ways to read them."""
        if has_han(one) and has_han(other):
            return _mandarin_likeness(one, other)
        if has_han(one) or has_han(other):
            return 0.0
        return self._english_likeness(one, other)

    def is_word(self, text: str) -> bool:
        """Whether `text` is an ordinary word: one that is likely to be meant when it is written."""
        if has_han(text):
            return text in self.chinese.words
        return all(self.english.zipf(word) >= ORDINARY for word in text.split())

    def _english_likeness(self, one: str, other: str) -> float:
        pairs = [(a, b) for a in self.english.sounds(one) for b in self.english.sounds(other)]
        if not pairs:
            return 1.0 if one.casefold() == other.casefold() else 0.0
        apart = distances(packed([a for a, _ in pairs]), packed([b for _, b in pairs]), self.costs)
        return max(1 - float(cost) / max(len(a), len(b)) for cost, (a, b) in zip(apart, pairs, strict=True))


def _mandarin_likeness(one: str, other: str) -> float:
    ours, theirs = _syllables(one), _syllables(other)
    longest = max(len(ours), len(theirs))
    return max(0.0, 1 - _apart(ours, theirs) / longest) if longest else 0.0


def _syllables(text: str) -> Sounds:
    return in_context("".join(HAN.findall(text)))


def _apart(ours: Sounds, theirs: Sounds) -> float:
    """Edit distance; a syllable too many costs 1."""
    row = [float(number) for number in range(len(theirs) + 1)]
    for syllable in ours:
        above, row = row, [row[0] + 1]
        for place, other in enumerate(theirs):
            swapped = above[place] + min(1.0, distance(syllable, other))
            row.append(min(swapped, above[place + 1] + 1, row[place] + 1))
    return row[-1]
