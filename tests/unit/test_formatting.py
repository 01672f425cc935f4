"""Blanks and capitals between utterances."""

import pytest

from voice_ime.dictation.formatting import Surroundings, fit


@pytest.mark.parametrize(
    ("before", "text", "after", "inserted"),
    [
        ("", "Hello.", "", "Hello."),
        ("Hello.", "How are you?", "", " How are you?"),
        ("Hello. ", "How are you?", "", "How are you?"),
        ("I think", "That is right.", "", " that is right."),
        ("I met", "Mary today.", "", " Mary today."),
        ("and", "I agree.", "", " I agree."),
        ("Dear Sir,\n", "the book came.", "", "The book came."),
        ('He said "', "come in.", "", "come in."),
        ('He said "yes"', "And left.", "", " and left."),
        ("(", "So it is.", "", "so it is."),
        ("He stopped", ", then went on", "", ", then went on"),
        ("", "one", "two", "One "),
        ("", "one", " two", "One"),
        ("", "one", ", two", "One"),
        ("你好", "世界", "", "世界"),
        ("你好，", "hello", "", "hello"),
        ("hello", "世界。", "", "世界。"),
        ("他说。", "the end", "", "The end"),
        ("Really?”", "Yes.", "", " Yes."),
        ("", "", "x", ""),
    ],
)
def test_text_is_fitted_to_its_surroundings(before: str, text: str, after: str, inserted: str) -> None:
    assert fit(text, Surroundings(before, after)) == inserted


def test_what_was_inserted_stands_before_the_caret_from_then_on() -> None:
    around = Surroundings("Hello", "!").then(" world")
    assert around == Surroundings("Hello world", "!")
