import pytest

from voice_ime.engine.calibration import Calibration, signs_of

AS_IT_IS = Calibration(constant=0.0, own=1.0, near=0.0, whole=0.0)
TOGETHER = Calibration(constant=1.0, own=0.6, near=0.5, whole=0.5)


def test_the_weights_may_leave_confidence_as_it_is() -> None:
    assert AS_IT_IS.of([0.1, 0.5, 0.99]) == pytest.approx([0.1, 0.5, 0.99])


def test_a_word_between_doubtful_words_is_less_sure() -> None:
    assert TOGETHER.of([0.2, 0.9, 0.2])[1] < TOGETHER.of([0.9, 0.9, 0.9])[1]


def test_a_surer_word_stays_the_surer_one() -> None:
    low, high = TOGETHER.of([0.4])[0], TOGETHER.of([0.8])[0]
    assert low < high


def test_certainty_and_impossibility_stay_between_zero_and_one() -> None:
    assert all(0 < confidence < 1 for confidence in TOGETHER.of([0.0, 1.0, 0.0, 0.5]))


def test_what_is_not_there_at_the_ends_counts_as_sure() -> None:
    assert [signs.near for signs in signs_of([1.0])] == [0.0]


def test_no_words_have_no_confidence() -> None:
    assert TOGETHER.of([]) == []
