import numpy as np
import pytest

from voice_ime.engine.word_times import Seen, Times, from_halves, from_partials, speech_edges

FINAL = ["It", "was", "late."]


def seen(*partials: tuple[float, str]) -> list[Seen]:
    return [Seen(at_s, tuple(text.split())) for at_s, text in partials]


def rounded(times: list[Times]) -> list[Times]:
    return [(start and round(start, 2), end and round(end, 2)) for start, end in times]


def test_without_partials_there_is_no_evidence_and_no_time() -> None:
    assert from_partials(FINAL, [], (0.0, 2.0)) == [(None, None)] * 3


def test_no_words_have_no_times() -> None:
    assert from_partials([], seen((1.0, "It")), (0.0, 2.0)) == []


def test_a_word_ended_when_it_came_to_stay() -> None:
    partials = seen((0.4, ""), (0.8, "It"), (1.2, "It was"), (1.6, "It was"))
    assert rounded(from_partials(FINAL, partials, (0.3, 2.0))) == [(0.3, 0.8), (0.8, 1.2), (1.2, 2.0)]


def test_of_words_that_came_together_only_the_outer_borders_are_known() -> None:
    partials = seen((0.8, "It"), (1.2, "It was late"))
    assert rounded(from_partials(FINAL, partials, (0.0, 2.0))) == [(0.0, 0.8), (0.8, None), (None, 1.2)]


def test_capitals_and_punctuation_do_not_matter() -> None:
    partials = seen((0.8, "it."), (1.2, "IT, was"))
    assert rounded(from_partials(FINAL, partials, (0.0, 2.0)))[:2] == [(0.0, 0.8), (0.8, 1.2)]


def test_a_word_that_is_lost_in_one_partial_came_all_the_same() -> None:
    partials = seen((0.8, "It"), (1.2, "It was"), (1.6, "It was"), (2.0, "It"), (2.4, "It was late"))
    assert rounded(from_partials(FINAL, partials, (0.0, 3.0)))[1] == (0.8, 1.2)


def test_a_wrong_guess_before_the_speech_does_not_count() -> None:
    partials = seen((0.4, "late"), (0.8, "It"), (1.2, "It was"), (1.6, "It was late"))
    assert rounded(from_partials(FINAL, partials, (0.0, 2.0)))[2] == (1.2, 1.6)


def test_times_stay_within_the_speech() -> None:
    partials = seen((0.4, "It"), (0.8, "It was late"))
    assert from_partials(FINAL, partials, (0.1, 0.6))[2][1] == 0.6


MOMENTS = [0.2, 0.4, 0.6, 0.8, 1.0]


def halves(borders: list[tuple[float, float]]) -> list[Times]:
    """Times of words that really were said between `borders`."""
    before = np.array([[0.0 if end <= moment else -5.0 for _, end in borders] for moment in MOMENTS])
    after = np.array([[0.0 if start >= moment else -5.0 for start, _ in borders] for moment in MOMENTS])
    return rounded(from_halves(before, after, np.zeros(len(borders)), MOMENTS, 2.0))


def test_a_border_lies_where_both_halves_fit() -> None:
    assert halves([(0.2, 0.4), (0.4, 0.8), (0.8, 1.0)]) == [(0.35, 0.55), (0.55, 0.95), (0.95, 1.15)]


def test_a_pause_belongs_to_no_word() -> None:
    assert halves([(0.2, 0.4), (0.8, 1.0)]) == [(0.35, 0.55), (0.95, 1.15)]


def test_a_word_shorter_than_the_moments_tried_is_one_moment_long() -> None:
    first, second, third = halves([(0.2, 0.6), (0.6, 0.6), (0.6, 1.0)])
    assert (first, third) == ((0.35, 0.75), (0.75, 1.15))
    assert second == (0.75, 0.75)


def test_a_word_that_fits_everywhere_has_no_time() -> None:
    evidence = np.zeros((len(MOMENTS), 1))
    assert from_halves(evidence, evidence, np.zeros(1), MOMENTS, 2.0) == [(None, None)]


def test_sound_too_short_for_moments_gives_no_times() -> None:
    assert from_halves(np.zeros((0, 1)), np.zeros((0, 1)), np.zeros(1), [], 2.0) == [(None, None)]


def test_no_word_ends_after_the_sound() -> None:
    evidence = np.zeros((len(MOMENTS), 1))
    evidence[:, 0] = [-5.0, -5.0, -5.0, -5.0, 0.0]
    (_, end) = from_halves(evidence, evidence[::-1], np.zeros(1), MOMENTS, 1.1)[0]
    assert end == 1.1


@pytest.mark.parametrize(("begin", "end"), [(0.0, 1.0), (0.2, 0.8)])
def test_speech_is_where_it_is_loud(begin: float, end: float) -> None:
    sound = np.full(16_000, 1e-4, np.float32)
    sound[round(begin * 16_000) : round(end * 16_000)] = 0.2
    assert speech_edges(sound) == pytest.approx((begin, end))


def test_silence_has_no_speech() -> None:
    assert speech_edges(np.zeros(16_000, np.float32)) == (0.0, 0.0)
    assert speech_edges(np.zeros(0, np.float32)) == (0.0, 0.0)
