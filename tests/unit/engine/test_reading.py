import numpy as np
import pytest

from tests.unit.engine.table import MARKS, TableDecoder
from voice_ime.engine.decoding import greedy
from voice_ime.engine.reading import choice, read, score


def test_a_choice_names_its_runner_up_and_how_close_it_came() -> None:
    found = choice(np.array([0.0, 3.0, 2.5], np.float32), 1)
    total = np.log(np.exp([0.0, 3.0, 2.5]).sum())
    assert (found.token, found.runner_up) == (1, 2)
    assert found.log_probability == pytest.approx(3.0 - total, abs=1e-5)
    assert found.lead == pytest.approx(0.5)


def test_the_runner_up_of_an_unlikely_token_is_likelier_than_itself() -> None:
    assert choice(np.array([0.0, 3.0, 2.5], np.float32), 2).lead == pytest.approx(-0.5)


def test_a_text_is_read_in_one_pass() -> None:
    decoder = TableDecoder([5, 6])
    found = greedy(decoder, MARKS, 50)
    decoder.passes.clear()
    assert read(decoder, MARKS, found).ids == (5, 6)
    assert decoder.passes == [3]


def test_a_right_draft_needs_no_further_pass() -> None:
    decoder = TableDecoder([5, 6])
    found = greedy(decoder, MARKS, 50, [5, 6])
    assert read(decoder, MARKS, found).ids == (5, 6)
    assert decoder.passes == [3]


def test_what_is_read_does_not_depend_on_the_draft() -> None:
    readings = {
        read(decoder, MARKS, greedy(decoder, MARKS, 50, draft)).choices
        for draft in [(), (5,), (5, 6), (5, 8), (9, 9, 9)]
        for decoder in [TableDecoder([5, 6], close={1: 9})]
    }
    assert len(readings) == 1


def test_the_end_of_a_text_that_was_cut_costs_nothing() -> None:
    decoder = TableDecoder([5, 6, 7])
    assert read(decoder, MARKS, greedy(decoder, MARKS, 2)).end_log_probability == 0.0


@pytest.mark.parametrize("ids", [(), (5,), (5, 6), (5, 6, 8), (9,), (5, 9, 7), (5, 6, 7, 8)])
def test_a_text_costs_the_same_whatever_it_shares_with_the_heard_one(ids: tuple[int, ...]) -> None:
    decoder = TableDecoder([5, 6, 7], close={1: 9})
    near = read(decoder, MARKS, greedy(decoder, MARKS, 50))
    far = read(decoder, MARKS, greedy(TableDecoder([]), MARKS, 50))
    assert score(decoder, MARKS, near, ids) == pytest.approx(score(decoder, MARKS, far, ids))


def test_the_heard_text_costs_what_was_said_of_it() -> None:
    decoder = TableDecoder([5, 6, 7])
    reading = read(decoder, MARKS, greedy(decoder, MARKS, 50))
    assert score(decoder, MARKS, reading, reading.ids) == pytest.approx(reading.log_probability)
