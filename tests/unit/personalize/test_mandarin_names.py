"""The benchmark of Chinese names makes up what it says it does."""

from random import Random

import numpy as np
import pytest

from tests.needs import needs_package

needs_package("pypinyin")

from benchmarks.mandarin_names import (  # noqa: E402
    NAMES,
    Fate,
    Language,
    Sentence,
    character_of,
    filled,
    kinds_of,
    logistic,
    names,
)
from voice_ime.personalize.chinese_words import ChineseLexicon  # noqa: E402


@pytest.fixture(scope="module")
def language() -> Language:
    return Language(ChineseLexicon())


def test_the_same_seed_makes_the_same_names_and_another_one_others(language: Language):
    assert names(language, Random(1)) == names(language, Random(1))
    assert names(language, Random(1)) != names(language, Random(2))


def test_there_are_as_many_different_names_as_was_said(language: Language):
    made = names(language, Random(3))
    assert len(made) == len(set(made)) == NAMES
    assert {len(name) for name in made} == {2, 3, 4}


def test_names_that_sound_the_same_to_this_person_are_shared(language: Language):
    kinds = kinds_of(["张伟", "章伟", "李想", "刘南", "刘兰"], language)
    assert kinds == {"张伟": "shared", "章伟": "shared", "李想": "unique", "刘南": "shared", "刘兰": "shared"}


def test_a_template_is_filled_from_left_to_right():
    assert filled("给{name}打电话", Random(0), name=["张伟"]) == [("", "给"), ("name", "张伟"), ("", "打电话")]


def test_the_place_of_a_word_is_that_of_its_first_character():
    assert character_of(Sentence("好，“张伟").hypothesis, 1) == 3


def test_a_name_counts_as_missed_where_nothing_was_decided():
    fate = Fate()
    fate.add("张伟", [])
    assert fate.figures() == {"spoken": 1, "recovered": 0.0, "offered": 0.0, "another_written": 0.0}


def test_the_regression_finds_the_border():
    values = np.column_stack([np.ones(200), np.linspace(-1, 1, 200)])
    constant, slope = logistic(values, (values[:, 1] > 0.2).astype(float))
    assert -constant / slope == pytest.approx(0.2, abs=0.05)
