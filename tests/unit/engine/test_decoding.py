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


def test_a_loop_is_left_after_its_first_round_and_what_comes_behind_it_is_kept() -> None:
    decoder = TableDecoder([5, *[6, 7] * 20], second={(5, 6, 7): 9}, others={(5, 6, 7, 9): 10})
    assert heard(decoder) == (5, 6, 7, 9, 10)


def test_a_loop_with_nothing_behind_it_ends_after_its_first_round() -> None:
    assert heard(TableDecoder([5, *[6, 7] * 20], second={(5, 6, 7): MARKS.end})) == (5, 6, 7)


@pytest.mark.parametrize("draft", [(), (5, 6, 7), (5, 6, 7, 6, 7, 6), (5, 6, 7, 9, 10), (8,)])
def test_leaving_a_loop_does_not_depend_on_the_draft(draft: tuple[int, ...]) -> None:
    decoder = TableDecoder([5, *[6, 7] * 20], second={(5, 6, 7): 9}, others={(5, 6, 7, 9): 10})
    assert heard(decoder, draft) == (5, 6, 7, 9, 10)


def test_loop_upon_loop_is_cut() -> None:
    class Endless(TableDecoder):
        def _row(self, ids: tuple[int, ...], *, together: bool) -> list[float]:
            row = [0.0] * 20
            row[ids[-1] if len(ids) > 1 else 3] = 10.0
            row[(ids[-1] + 1) % 20] = 5.0
            return row

    found = greedy(Endless([]), MARKS, 200)
    assert not found.ended
    assert len(found.ids) < 20


def test_a_word_said_five_times_is_kept() -> None:
    assert length_without_loop([5, *[6, 7] * 5]) == 11
    assert length_without_loop([6] * 11) == 11
    assert length_without_loop([6] * 12) == 1


def test_a_sentence_said_three_times_is_kept() -> None:
    assert length_without_loop([5, 6, 7, 8, 9] * 3) == 15
    assert length_without_loop([5, 6, 7, 8, 9] * 4) == 5


def test_a_text_that_never_ends_keeps_one_of_the_rounds_it_was_in() -> None:
    sentence = [5, 6, 7, 8, 9, 10, 11]
    assert length_without_loop([3, *sentence, *sentence, 5, 6], ran_away=True) == 8
    assert heard(TableDecoder([3, *sentence * 9]), most=20) == (3, *sentence)
