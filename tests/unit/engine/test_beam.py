"""Beam search over a decoder that is a table."""

from tests.unit.engine.table import MARKS, VOCABULARY, State, TableDecoder
from voice_ime.engine.beam import beam
from voice_ime.engine.decoding import greedy
from voice_ime.engine.reading import read


class Chances(TableDecoder):
    """Says each next token with the probability of a table; what is not in it has next to none."""

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]]) -> None:
        super().__init__([])
        self._table = table

    def _row(self, ids: State, *, together: bool) -> list[float]:
        row = [-30.0] * VOCABULARY
        for token, logit in self._table.get(ids[1:], {MARKS.end: 0.0}).items():
            row[token] = logit
        return row


SHORT_SIGHTED = {
    (): {5: 0.0, 6: -0.2},
    (5,): {7: 0.0, 8: 0.0, 9: 0.0},
    (6,): {10: 0.0},
}
"""5 looks likelier at first, but 6 with what follows is likelier as a whole."""


def texts(decoder: TableDecoder, width: int, most: int = 50) -> list[tuple[int, ...]]:
    return [found.ids for found in beam(decoder, MARKS, most, width)]


def test_a_text_that_is_likelier_as_a_whole_is_found_where_greedy_search_misses_it() -> None:
    assert greedy(Chances(SHORT_SIGHTED), MARKS, 50).ids[0] == 5
    assert texts(Chances(SHORT_SIGHTED), 2)[0] == (6, 10)


def test_the_likeliest_texts_come_in_order() -> None:
    decoder = Chances({(): {5: 0.0, 6: -1.0, 7: -2.0}})
    assert texts(decoder, 3) == [(5,), (6,), (7,)]


def test_with_one_text_at_a_time_it_is_the_greedy_search() -> None:
    assert texts(TableDecoder([5, 6, 7]), 1) == [greedy(TableDecoder([5, 6, 7]), MARKS, 50).ids]


def test_nothing_said_is_an_empty_text() -> None:
    assert texts(TableDecoder([]), 4)[0] == ()


def test_texts_go_through_the_decoder_one_by_one_and_token_by_token() -> None:
    decoder = Chances(SHORT_SIGHTED)
    beam(decoder, MARKS, 50, 3)
    assert set(decoder.passes) == {1}


def test_what_was_found_can_be_read() -> None:
    decoder = Chances(SHORT_SIGHTED)
    best = beam(decoder, MARKS, 50, 2)[0]
    assert read(decoder, MARKS, best).ids == (6, 10)


def test_a_text_that_goes_round_and_round_is_given_up_for_one_that_ends() -> None:
    decoder = TableDecoder([5, *[6, 7] * 20], second={(5, 6, 7): MARKS.end})
    assert texts(decoder, 2)[0] == (5, 6, 7)


def test_where_every_text_goes_round_and_round_it_ends_as_greedy_search_would() -> None:
    endless = [5, *[6, 7] * 40]
    assert texts(TableDecoder(endless), 1) == [greedy(TableDecoder(endless), MARKS, 50).ids]


def test_a_text_without_an_end_is_cut_where_the_sound_has_no_room_for_more() -> None:
    assert texts(TableDecoder([5, 6, 7, 8]), 1, most=2) == [(5, 6)]
