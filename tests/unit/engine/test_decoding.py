"""Greedy decoding over a decoder that is a table."""

from collections.abc import Sequence

import pytest

from tests.unit.engine.table import MARKS, TableDecoder
from voice_ime.engine.decoding import greedy, length_without_loop


def heard(decoder: TableDecoder, draft: Sequence[int] = (), most: int = 50) -> tuple[int, ...]:
    return greedy(decoder, MARKS, most, draft).ids


def test_the_likeliest_tokens_are_taken_until_the_end_mark() -> None:
    assert heard(TableDecoder([5, 6, 7])) == (5, 6, 7)


def test_nothing_said_is_an_empty_text() -> None:
    assert heard(TableDecoder([])) == ()


def test_a_right_draft_takes_one_pass() -> None:
    decoder = TableDecoder([5, 6, 7])
    assert heard(decoder, [5, 6, 7]) == (5, 6, 7)
    assert decoder.passes == [4]


def test_the_agreeing_beginning_of_a_draft_is_kept_and_decoding_goes_on_from_there() -> None:
    decoder = TableDecoder([5, 6, 7, 8])
    assert heard(decoder, [5, 6, 9]) == (5, 6, 7, 8)
    assert decoder.passes == [4, 1, 1]


def test_a_draft_that_is_too_long_is_cut_at_the_end_mark() -> None:
    assert heard(TableDecoder([5, 6]), [5, 6, 7, 8]) == (5, 6)


@pytest.mark.parametrize("draft", [(), (5,), (5, 6, 7), (5, 9, 7), (9, 9, 9, 9), (5, 6, 7, 8, 9)])
def test_the_result_does_not_depend_on_the_draft_where_two_tokens_are_close(draft: tuple[int, ...]) -> None:
    decoder = TableDecoder([5, 6, 7], close={1: 9}, rounding=0.4)
    assert heard(decoder, draft) == heard(TableDecoder([5, 6, 7], close={1: 9}, rounding=0.4)) == (5, 6, 7)


def test_without_a_margin_a_close_call_may_follow_the_draft() -> None:
    decoder = TableDecoder([5, 6, 7], close={1: 9}, rounding=0.4)
    assert greedy(decoder, MARKS, 50, (5, 9), margin=0.0).ids == (5, 9)


def test_no_more_tokens_than_the_sound_has_room_for() -> None:
    assert heard(TableDecoder([5, 6, 7, 8]), most=2) == (5, 6)
    assert heard(TableDecoder([5, 6, 7, 8]), [5, 6, 7, 8], most=2) == (5, 6)


def test_a_loop_is_cut_after_its_first_round() -> None:
    assert heard(TableDecoder([5, *[6, 7] * 10])) == (5, 6, 7)


def test_a_word_said_four_times_is_kept() -> None:
    assert length_without_loop([5, 6, 6, 6, 6]) == 5
    assert length_without_loop([6] * 8) == 1
