"""The voice that reads a text can read it."""

import pytest
from voice_ime_desktop.announce.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Marvellous words.", "en"),
        ("你好，世界。", "zh"),
        ("我用 Firefox 上网", "zh"),
        ("𠮷野", "zh"),
        ("café", "en"),
    ],
)
@pytest.mark.parametrize("usual", ["en", "zh"])
def test_a_text_is_read_by_a_voice_of_its_language(text: str, language: str, usual: str) -> None:
    assert language_of(text, usual) == language


@pytest.mark.parametrize("text", ["42", "😀", "…", ""])
@pytest.mark.parametrize("usual", ["en", "zh"])
def test_what_has_no_language_is_read_in_the_usual_one(text: str, usual: str) -> None:
    assert language_of(text, usual) == usual
