import math

import pytest

from tests.unit.engine.table import MARKS, State, TableDecoder
from voice_ime.engine.decoding import greedy
from voice_ime.engine.pricing import FOLLOWING, Pricing
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
