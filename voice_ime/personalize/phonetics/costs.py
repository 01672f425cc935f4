"""How far apart English sounds are: weighted edit distance over phones, for many pairs at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice_ime.personalize.phonetics.phones import CODES, PHONES, encoded

Sounds = NDArray[np.uint8]
"""[sounds, phones]: numbers of phones, filled up with `FILLER`."""

FILLER = len(PHONES)

_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_NEAR = (
    "IH IY", "EH IH", "EH EY", "EH AE", "AA AO", "AA AH", "AO AH", "AH IH", "AH EH", "AH AE", "AH UH", "AA AE", "UH UW",
    "AO OW", "UH OW", "AA AW", "AY AA", "OY AO", "ER AH", "ER AO", "EY IY", "OW UW", "AH OW",
    "P B", "T D", "K G", "F V", "S Z", "SH ZH", "CH JH", "S SH", "Z ZH", "M N", "N NG", "L R", "TH F", "TH DH", "DH D",
    "TH T", "DH V", "V W", "V B", "CH SH", "JH ZH", "T CH", "D JH", "TH S", "DH Z", "JH Y", "W L", "ER R", "JH CH",
)  # fmt: skip
_SAME_KIND, _NEARLY, _VOWEL_PAIR, _VOWEL_CONSONANT = 1.0, 0.4, 0.6, 1.2
_LIGHT = ("AH", "IH", "HH", "T", "D", "R", "L")
_LIGHT_COST = 0.6


@dataclass(frozen=True)
class PhoneCosts:
    """What it costs to hear one phone for another, one too many, or one too few."""

    substitution: NDArray[np.float32]
    """[phones + 1, phones + 1]; the last row and column are for the filler."""
    indel: NDArray[np.float32]
    """[phones + 1]: of a phone that stands on one side only."""


def hand_made() -> PhoneCosts:
    """Where everything starts: like sounds are near, weak ones get lost easily."""
    count = len(PHONES)
    substitution = np.full((count + 1, count + 1), _SAME_KIND, np.float32)
    vowels = np.isin(PHONES, _VOWELS)
    substitution[:count, :count][np.logical_and.outer(vowels, vowels)] = _VOWEL_PAIR
    substitution[:count, :count][np.logical_xor.outer(vowels, vowels)] = _VOWEL_CONSONANT
    for pair in _NEAR:
        one, other = (PHONES.index(phone) for phone in pair.split())
        substitution[one, other] = substitution[other, one] = _NEARLY
    np.fill_diagonal(substitution, 0)
    indel = np.ones(count + 1, np.float32)
    indel[[PHONES.index(phone) for phone in _LIGHT]] = _LIGHT_COST
    indel[FILLER] = 0
    return PhoneCosts(substitution, indel)


def packed(sounds: Sequence[str]) -> Sounds:
    """Encoded sounds as one array."""
    longest = max(map(len, sounds), default=0)
    rows = np.full((len(sounds), longest), FILLER, np.uint8)
    for row, sound in zip(rows, sounds, strict=True):
        row[: len(sound)] = _NUMBERS[np.frombuffer(sound.encode("ascii"), np.uint8)]
    return rows


def distances(one: Sounds, other: Sounds, costs: PhoneCosts) -> NDArray[np.float32]:
    """[pairs]: the cost of turning each row of `one` into the same row of `other`.

    Fillers at the ends cost nothing. Rows are worked through together, a phone of `one` at a time; a running minimum
    finds how many phones of `other` to put in.
    """
    pairs, length = other.shape
    put_in = np.zeros((pairs, length + 1), np.float32)
    np.cumsum(costs.indel[other], axis=1, out=put_in[:, 1:])
    row = put_in.copy()
    best = np.empty_like(row)
    for phones in one.T:
        left_out = costs.indel[phones][:, np.newaxis]
        np.add(row, left_out, out=best)
        swapped = row[:, :-1] + costs.substitution[phones[:, np.newaxis], other]
        swapped[phones == FILLER] = np.inf
        np.minimum(best[:, 1:], swapped, out=best[:, 1:])
        best -= put_in
        np.minimum.accumulate(best, axis=1, out=best)
        np.add(best, put_in, out=row)
    return row[:, -1].copy()


_NUMBERS = np.full(128, FILLER, np.uint8)
_NUMBERS[np.frombuffer(CODES.encode("ascii"), np.uint8)] = np.arange(len(CODES))
assert encoded(PHONES) == CODES
