"""Simplified and Traditional Chinese."""

import pytest

from tests.needs import needs_package
from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.han import Writing

needs_package("opencc")


@pytest.mark.parametrize("text", ["头发和发展，皇后在后面", "用 Python 写代码", "open the window", "", "３点１０分"])
def test_simplified_stays_simplified(text: str):
    assert Writing("simplified").text(text) == text


@pytest.mark.parametrize("text", ["里長說這裡很乾淨", "皇后在後面", "用 Python 寫程式", "open the window"])
def test_traditional_stays_traditional(text: str):
    assert Writing("traditional").text(text) == text


def test_a_character_with_two_traditional_forms_goes_by_its_word():
    assert Writing("traditional").text("头发和发展，皇后在后面") == "頭髮和發展，皇后在後面"


def test_a_text_in_both_scripts_becomes_one():
    assert Writing("traditional").text("我們今天讨论") == "我們今天討論"
    assert Writing("simplified").text("我們今天讨论") == "我们今天讨论"


def test_words_keep_their_times_and_are_cut_from_the_whole():
    """Alone, 发 would be written 發."""
    heard = Hypothesis("头发 ok", (Word("头", 0.1, 0.2, 0.9), Word("发", 0.2, 0.3, 0.8, ("花", "髮")), Word("ok")))
    written = Writing("traditional").hypothesis(heard)
    assert written.text == "頭髮 ok"
    assert written.words[1] == Word("髮", 0.2, 0.3, 0.8, ("花",))


def test_other_texts_that_are_the_same_in_this_script_are_told_once():
    heard = Hypothesis("开会", (), ("開會", "开花", "開花"))
    assert Writing("simplified").hypothesis(heard).alternatives == ("开花",)
