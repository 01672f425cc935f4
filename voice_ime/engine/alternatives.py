"""What else could have been said: for each doubtful token its runner-up, carried on until it meets the text again."""

import math
from dataclasses import dataclass
from typing import Generic, Protocol

from voice_ime.engine.decoding import Decoder, Found, Marks, S
from voice_ime.engine.reading import Choice, Reading, choice, read, score

_LEAST = math.log(0.1)
"""Log-probability from which a runner-up is worth asking for."""
_MOST_PLACES = 3
"""Places that are asked about; each costs a few passes."""
_MOST_TOKENS = 5
"""Tokens of one alternative after its first."""
_WORDS_AHEAD = 2
"""Words that one alternative may swallow beyond its own."""
_PROMISING = -1.0
"""Log-ratio from which an alternative may turn out likelier than the text itself, all in all."""


class Pieces(Protocol):
    """What has to be known of tokens."""

    def starts_word(self, token: int) -> bool: ...

    def has_sound(self, token: int) -> bool:
        """Whether it is more than punctuation."""
        ...


@dataclass(frozen=True)
class Alternative:
    """`ids` could stand in the place of the tokens `first` to `last` (exclusive)."""

    first: int
    last: int
    ids: tuple[int, ...]
    log_ratio: float
    """Log-probability of this less that of what it replaces: 0.0 would be as likely."""

    def inside(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """`ids`, the tokens of the whole text, with this alternative in its place."""
        return (*ids[: self.first], *self.ids, *ids[self.last :])


def alternatives(decoder: Decoder[S], marks: Marks, reading: Reading[S], pieces: Pieces) -> list[Alternative]:
    """Alternatives that begin at a border of words and meet the text again at one, likeliest first."""
    asked = [place for place, each in enumerate(reading.choices) if _is_doubtful(each, marks, pieces)]
    asked.sort(key=lambda place: reading.choices[place].lead)
    search = _Search(decoder, marks, reading, pieces)
    found = [search.from_place(place) for place in asked[:_MOST_PLACES]]
    return sorted((each for each in found if each is not None), key=lambda each: -each.log_ratio)


def likeliest(
    decoder: Decoder[S], marks: Marks, reading: Reading[S], pieces: Pieces
) -> tuple[Reading[S], list[Alternative]]:
    """`reading`, or the text with one of its alternatives if the whole of that is likelier; and the alternatives then.

    Greedy search is short-sighted: what looked likelier token by token may cost more in the end.
    """
    others = alternatives(decoder, marks, reading, pieces)
    texts = [other.inside(reading.ids) for other in others if other.log_ratio > _PROMISING]
    if not texts:
        return reading, others
    scores = {ids: score(decoder, marks, reading, ids) for ids in (reading.ids, *texts)}
    best = max(scores, key=lambda ids: scores[ids])
    if best == reading.ids:
        return reading, others
    better = read(decoder, marks, Found(best, ended=True, state=reading.state))
    return better, alternatives(decoder, marks, better, pieces)


def _is_doubtful(choice: Choice, marks: Marks, pieces: Pieces) -> bool:
    if choice.runner_up in (marks.start, marks.end) or choice.runner_up_log_probability < _LEAST:
        return False
    return pieces.has_sound(choice.token) or pieces.has_sound(choice.runner_up)


class _Search(Generic[S]):
    def __init__(self, decoder: Decoder[S], marks: Marks, reading: Reading[S], pieces: Pieces) -> None:
        self._decoder = decoder
        self._marks = marks
        self._choices = reading.choices
        self._state = reading.state
        self._ids = [*reading.ids, marks.end]
        self._pieces = pieces
        self._borders = [p for p, token in enumerate(self._ids) if p == 0 or self._is_border(token)]

    def from_place(self, place: int) -> Alternative | None:
        first = self._first(place)
        ids = [*self._ids[first:place], self._choices[place].runner_up]
        gained = self._choices[place].runner_up_log_probability
        state = self._decoder.cut(self._state, place + 1)
        for _ in range(_MOST_TOKENS + 1):
            logits, state = self._decoder.run(state, ids[-1:])
            row = logits[-1]
            next_token = int(row.argmax())
            meets = self._meets(next_token, place)
            if meets is not None:
                lost = sum(each.log_probability for each in self._choices[place:meets])
                return Alternative(first, meets, tuple(ids), gained - lost)
            if next_token == self._marks.end:
                return None
            ids.append(next_token)
            gained += choice(row, next_token).log_probability
        return None

    def _first(self, place: int) -> int:
        """Where the word begins that the runner-up is part of: one that continues a word belongs to the word before."""
        starts = self._pieces.starts_word(self._choices[place].runner_up)
        return max((border for border in self._borders if border < place + starts), default=0)

    def _meets(self, token: int, place: int) -> int | None:
        """Where the text goes on with `token`, at one of the next borders."""
        if not self._is_border(token):
            return None
        ahead = [border for border in self._borders if border > place][: _WORDS_AHEAD + 1]
        return next((border for border in ahead if self._ids[border] == token), None)

    def _is_border(self, token: int) -> bool:
        return token == self._marks.end or self._pieces.starts_word(token)
