"""Greedy decoding over a decoder that is a table, and over one that rounds by how many ids go through together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from voice_ime.engine.decoding import Logits, Marks, choose, greedy, length_without_loop, log_probability

MARKS = Marks(start=1, end=2)
VOCABULARY = 20

State = tuple[int, ...]


@dataclass
class TableDecoder:
    """Says the tokens of `text` in order; after any other beginning, the end mark."""

    text: Sequence[int]
    passes: list[int] = field(default_factory=list)
    """How many ids went through in each pass."""
    close: dict[int, int] = field(default_factory=dict)
    """By place: a token that comes within 0.2 of the right one..."""
    rounding: float = 0.0
    """... and is better by this where several ids go through in one pass, unless the pass begins at the start."""

    def run(self, state: State | None, ids: Sequence[int]) -> tuple[Logits, State]:
        self.passes.append(len(ids))
        before = state or ()
        every = (*before, *ids)
        together = len(ids) > 1 and state is None
        rows = [self._row(every[: len(before) + i + 1], together=together) for i in range(len(ids))]
        return np.array(rows, np.float32), every

    def cut(self, state: State, length: int) -> State:
        return state[:length]

    def _row(self, ids: State, *, together: bool) -> list[float]:
        row = [0.0] * VOCABULARY
        said = ids[1:]
        follows = tuple(self.text[: len(said)]) == said and len(said) < len(self.text)
        row[self.text[len(said)] if follows else MARKS.end] = 10.0
        if follows and len(said) in self.close:
            row[self.close[len(said)]] = 9.8 + (self.rounding if together else 0.0)
        return row


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


def test_the_log_probability_of_a_text_is_that_of_its_tokens_and_its_end() -> None:
    decoder = TableDecoder([5, 6])
    logits, _ = decoder.run(None, [MARKS.start, 5, 6])
    decoding = greedy(TableDecoder([5, 6]), MARKS, 50)
    assert decoding.log_probability == pytest.approx(log_probability(logits, [5, 6, MARKS.end]), abs=1e-5)


def test_a_choice_names_its_runner_up_and_how_close_it_came() -> None:
    choice = choose(np.array([0.0, 3.0, 2.5], np.float32))
    total = np.exp([0.0, 3.0, 2.5]).sum()
    assert (choice.token, choice.runner_up) == (1, 2)
    assert choice.margin == pytest.approx(0.5)
    assert choice.log_probability == pytest.approx(3.0 - np.log(total), abs=1e-5)
    assert choice.runner_up_log_probability == pytest.approx(2.5 - np.log(total), abs=1e-5)
