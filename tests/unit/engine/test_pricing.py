import math

import pytest

from tests.unit.engine.table import MARKS, State, TableDecoder
from voice_ime.engine.decoding import greedy
from voice_ime.engine.pricing import FOLLOWING, MOST_PASSES, Asked, Pricing
from voice_ime.engine.reading import read, score

HEARD = (5, 6, 7, 8, 9, 10)


def pricing(decoder: TableDecoder) -> Pricing[State]:
    reading = read(decoder, MARKS, greedy(decoder, MARKS, 50, HEARD))
    assert reading.logits is not None
    decoder.passes.clear()
    return Pricing(decoder, MARKS, reading, reading.logits)


def test_the_heard_text_costs_nothing() -> None:
    assert pricing(TableDecoder(HEARD)).price(HEARD) == 0.0


@pytest.mark.parametrize("ids", [(5, 6, 7, 8, 9, 11), (5, 6, 7, 8, 9), (5, 6, 7, 8, 11, 10), (5, 6, 7, 8, 9, 10, 11)])
def test_a_change_near_the_end_costs_what_the_whole_text_does(ids: tuple[int, ...]) -> None:
    decoder = TableDecoder(HEARD, close={4: 11, 5: 11})
    reading = read(decoder, MARKS, greedy(decoder, MARKS, 50, HEARD))
    whole = score(decoder, MARKS, reading, ids) - reading.log_probability
    assert pricing(decoder).price(ids) == pytest.approx(whole, abs=1e-4)


def test_only_a_little_of_what_follows_is_asked_about() -> None:
    decoder = TableDecoder(HEARD)
    pricing(decoder).price((5, 11, 7, 8, 9, 10))
    assert decoder.passes == [FOLLOWING]


def test_what_the_reading_rules_out_costs_no_pass() -> None:
    decoder = TableDecoder(HEARD, close={1: 12})
    priced = pricing(decoder)
    assert priced.price((5, 11, 7, 8, 9, 10), at_least=-6.0) == -math.inf
    assert decoder.passes == []
    assert priced.price((5, 12, 7, 8, 9, 10), at_least=-1000.0) > -math.inf
    assert len(decoder.passes) == 1


def test_of_two_for_the_same_words_the_hopeless_one_costs_no_pass() -> None:
    decoder = TableDecoder(HEARD, close={1: 12})
    good, bad = Asked(1, 2, ((5, 12, 7, 8, 9, 10),), -50.0), Asked(1, 2, ((5, 11, 7, 8, 9, 10),), -1.0)
    assert pricing(decoder).prices([bad, good])[0] == -math.inf
    assert len(decoder.passes) == 1


def test_the_cheapest_way_of_writing_counts() -> None:
    both = Asked(1, 2, ((5, 11, 7, 8, 9, 10), HEARD))
    assert pricing(TableDecoder(HEARD)).prices([both]) == [0.0]


def test_only_so_many_passes_are_made_for_one_text() -> None:
    decoder = TableDecoder(HEARD)
    asked = [Asked(place, place + 1, ((*HEARD[:place], 11, *HEARD[place + 1 :]),)) for place in range(5)] * 4
    prices = pricing(decoder).prices(asked)
    assert len(decoder.passes) == MOST_PASSES
    assert prices.count(-math.inf) > 0
