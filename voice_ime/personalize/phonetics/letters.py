"""What an unknown English word sounds like: each letter by those around it, as tables learned from CMUdict say."""

from collections.abc import Iterable

OFFSETS = (1, -1, 2, -2, 3, -3, 4, -4, 5)
"""Letters around the one in question; two more places are the last phone and the one before."""
PLACES = len(OFFSETS) + 2
NOTHING = "#"
"""Stands for what is before the beginning or after the end."""

Spoken = dict[str, tuple[tuple[int, ...], dict[str, str]]]
"""For each letter: which places of its context count, the most telling first, and the sound for each context, where
it differs from that of the shorter context."""


def context(word: str, place: int, so_far: str, wanted: Iterable[int]) -> list[str]:
    """What stands at the `wanted` places around letter `place`, after the phones `so_far`."""
    return [_at(word, place, so_far, number) for number in wanted]


def _at(word: str, place: int, so_far: str, number: int) -> str:
    if number >= len(OFFSETS):
        back = number - len(OFFSETS) + 1
        return so_far[-back] if back <= len(so_far) else NOTHING
    at = place + OFFSETS[number]
    return word[at] if 0 <= at < len(word) else NOTHING


def speak(word: str, spoken: Spoken) -> str:
    """The sound of `word` (lower case); letters that are unknown are silent."""
    sound = ""
    for place, letter in enumerate(word):
        if letter in spoken:
            order, table = spoken[letter]
            key = "".join(context(word, place, sound, order))
            while key not in table:
                key = key[:-1]
            sound += table[key]
    return sound


def parsed(lines: Iterable[str]) -> Spoken:
    """From the file of tables: letter, places, then context=sound."""
    spoken: Spoken = {}
    for line in lines:
        letter, order, *pairs = line.split(" ")
        table = dict(pair.split("=") for pair in pairs)
        spoken[letter] = (tuple(map(int, order.split(","))), table)
    return spoken
