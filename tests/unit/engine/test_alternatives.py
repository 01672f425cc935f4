from dataclasses import dataclass

import pytest

from tests.unit.engine.table import MARKS, TableDecoder
from voice_ime.engine.alternatives import Alternative, alternatives, likeliest
from voice_ime.engine.decoding import greedy
from voice_ime.engine.reading import read


@dataclass(frozen=True)
class EvenPieces:
    """Even tokens start words, odd ones go on with them; 19 is punctuation."""

    def starts_word(self, token: int) -> bool:
        return token % 2 == 0

    def has_sound(self, token: int) -> bool:
        return token != 19


def found_by(decoder: TableDecoder) -> list[Alternative]:
    return alternatives(decoder, MARKS, read(decoder, MARKS, greedy(decoder, MARKS, 50)), EvenPieces())


def spans(decoder: TableDecoder) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(found.first, found.last, found.ids) for found in found_by(decoder)]


def test_a_clear_text_has_no_alternatives_and_costs_no_passes() -> None:
    decoder = TableDecoder([4, 5, 6])
    reading = read(decoder, MARKS, greedy(decoder, MARKS, 50))
    decoder.passes.clear()
    assert alternatives(decoder, MARKS, reading, EvenPieces()) == []
    assert decoder.passes == []


def test_a_doubtful_word_has_another_in_its_place() -> None:
    assert spans(TableDecoder([4, 6, 10], close={1: 8}, others={(4, 8): 10})) == [(1, 2, (8,))]


def test_a_doubtful_end_of_a_word_makes_another_whole_word() -> None:
    assert spans(TableDecoder([4, 6, 7, 10], close={2: 9}, others={(4, 6, 9): 10})) == [(1, 3, (6, 9))]


def test_an_alternative_may_have_more_tokens() -> None:
    others = {(4, 8): 9, (4, 8, 9): 11, (4, 8, 9, 11): 10}
    assert spans(TableDecoder([4, 6, 10], close={1: 8}, others=others)) == [(1, 2, (8, 9, 11))]


def test_one_word_may_stand_for_two() -> None:
    assert spans(TableDecoder([4, 6, 10, 12], close={1: 8}, others={(4, 8): 12})) == [(1, 3, (8,))]


def test_what_would_go_on_with_the_word_before_belongs_to_it() -> None:
    assert spans(TableDecoder([4, 6, 10], close={1: 9}, others={(4, 9): 10})) == [(0, 2, (4, 9))]


def test_an_alternative_at_the_end_meets_the_end() -> None:
    assert spans(TableDecoder([4, 6], close={1: 8})) == [(1, 2, (8,))]


def test_an_alternative_that_never_meets_the_text_again_is_none() -> None:
    assert spans(TableDecoder([4, 6, 10, 12, 14, 16], close={1: 8})) == []


def test_punctuation_is_no_alternative_for_punctuation() -> None:
    assert spans(TableDecoder([4, 19, 10], close={1: 17})) != []
    pieces = PunctuationOnly()
    decoder = TableDecoder([4, 19, 10], close={1: 17}, others={(4, 17): 10})
    assert alternatives(decoder, MARKS, read(decoder, MARKS, greedy(decoder, MARKS, 50)), pieces) == []


@dataclass(frozen=True)
class PunctuationOnly(EvenPieces):
    def has_sound(self, token: int) -> bool:
        return False


def test_a_likelier_text_replaces_the_first_one() -> None:
    class Regretful(TableDecoder):
        """The first text turns out unlikely at its third token."""

        def _row(self, ids: tuple[int, ...], *, together: bool) -> list[float]:
            row = super()._row(ids, together=together)
            if ids == (1, 4, 6):
                row[10], row[12] = 2.0, 1.9
            return row

    decoder = Regretful([4, 6, 10], close={1: 8}, others={(4, 8): 10})
    reading, others = likeliest(decoder, MARKS, read(decoder, MARKS, greedy(decoder, MARKS, 50)), EvenPieces())
    assert reading.ids == (4, 8, 10)
    assert [other.inside(reading.ids) for other in others] == [(4, 6, 10)]


def test_a_less_likely_text_does_not() -> None:
    decoder = TableDecoder([4, 6, 10], close={1: 8}, others={(4, 8): 10})
    reading, others = likeliest(decoder, MARKS, read(decoder, MARKS, greedy(decoder, MARKS, 50)), EvenPieces())
    assert reading.ids == (4, 6, 10)
    assert others[0].log_ratio == pytest.approx(-0.2, abs=0.01)
