"""Whether a calibration helps, on words made by hand."""

import numpy as np
import pytest

from tests.needs import needs_package

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")

from benchmarks.calibration import Sample, by_folds, fit, samples  # noqa: E402
from voice_ime.engine.calibration import signs_of  # noqa: E402


def said_by(speakers: int, told: float, true: float) -> list[Sample]:
    """Fifty words of each speaker, told to be right with probability `told` when it is `true`."""
    draws = np.random.default_rng(5).random((speakers, 50)) < true
    signs = signs_of([told])[0]
    return [Sample(str(speaker), told, signs, bool(right)) for speaker, row in enumerate(draws) for right in row]


def test_too_great_a_confidence_is_brought_down_for_speakers_it_was_not_fitted_on() -> None:
    figures = by_folds([*said_by(20, 0.95, 0.6), *said_by(20, 0.5, 0.2)])
    assert figures is not None
    assert figures["fitted"]["ece"] < figures["raw"]["ece"]
    assert figures["truer_percent"] == 100


def test_the_weights_give_the_share_that_is_right() -> None:
    words = [*said_by(20, 0.95, 0.6), *said_by(20, 0.5, 0.2)]
    assert fit(words).confidence(words[0].signs) == pytest.approx(0.6, abs=0.05)


def test_one_speaker_says_nothing_about_others() -> None:
    assert by_folds(said_by(1, 0.9, 0.9)) is None


def test_the_words_of_several_finals_are_judged_together_and_their_neighbours_apart() -> None:
    found = samples("anna", "hello there world", [[("Hello,", 0.9), ("their", 0.4)], [("world.", 0.8)]])
    assert [(word.raw, word.right) for word in found] == [(0.9, True), (0.4, False), (0.8, True)]
    assert found[2].signs.near == 0.0


def test_a_chinese_word_of_two_characters_is_judged_by_each() -> None:
    found = samples("anna", "你好世界", [[("你好", 0.9), ("时", 0.4), ("界", 0.5)]], "zh")
    assert [(word.raw, word.right) for word in found] == [(0.9, True), (0.9, True), (0.4, False), (0.5, True)]


def test_an_engine_without_confidence_gives_nothing_to_judge() -> None:
    assert samples("anna", "hello", [[("hello", None)]]) == []
