"""Cutting texts into words."""

import pytest

from voice_ime.engine.words import cut, has_han


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  ", ()),
        ("Hello, world.", ("Hello,", "world.")),
        ("今天下午三点开会。", ("今", "天", "下", "午", "三", "点", "开", "会。")),
        ("他说：“好！”", ("他", "说：“", "好！”")),
        ("“好”", ("“好”",)),
        ("打开Python文件", ("打", "开", "Python", "文", "件")),
        ("用 GPT-4，谢谢", ("用", "GPT-4，", "谢", "谢")),
        ("it's 3.5%", ("it's", "3.5%")),
        ("𠮷野家", ("𠮷", "野", "家")),
    ],
)
def test_words_end_at_blanks_and_han_characters_stand_alone_with_their_punctuation(text: str, words: tuple[str, ...]):
    assert cut(text) == words


@pytest.mark.parametrize("text", ["a — b", "你好， world！ ok", "……", "1，2，3"])
def test_no_character_is_lost(text: str):
    assert "".join(cut(text)) == text.replace(" ", "")


def test_han_is_found_anywhere_in_a_text():
    assert has_han("ok 好")
    assert not has_han("ok, 100 %，。")
