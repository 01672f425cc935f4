"""The figures of the benchmarks on data made by hand, where the right answer is plain."""

import pytest

from tests.needs import needs_package

needs_package("jiwer")
needs_package("whisper-normalizer", "whisper_normalizer")

from benchmarks.metrics import (  # noqa: E402
    Judged,
    Pair,
    calibration,
    comparable,
    error_rates,
    first_lasting,
    first_right,
    interval,
    judged_words,
    percentiles,
    revisions,
    word_errors,
)


def test_case_punctuation_and_spelling_are_no_errors():
    assert comparable("I'm in the Colour shop, Mr. Bell!") == comparable("i am in the color shop mister bell")


@pytest.mark.parametrize("text", ["...", ".", "…", "-", "  "])
def test_marks_alone_are_no_words(text: str) -> None:
    assert comparable(text) == ""


def test_letters_and_digits_are_compared_one_by_one():
    assert comparable("268", kind="digits") == comparable("two six eight", kind="digits")


def test_chinese_is_compared_by_characters_and_the_latin_words_between_them():
    assert comparable("打开 WiFi，谢谢。", "zh-en") == "打 开 wifi 谢 谢"


def test_each_kind_of_word_error_is_counted():
    errors = word_errors("one two three", "one too three four")
    assert (errors.spoken, errors.substituted, errors.left_out, errors.added) == (3, 1, 0, 1)


def test_words_where_nothing_was_said_are_all_added():
    assert word_errors("", "thank you").added == 2


def test_the_error_rate_is_of_all_words_not_the_mean_of_recordings():
    rates = error_rates([Pair("a", "b", "anna"), Pair("a b c", "a b c", "bob")])
    assert (rates["wer"], rates["clips"], rates["speakers"]) == (0.25, 2, 2)


def test_without_any_text_there_is_no_rate():
    assert error_rates([])["wer"] is None


def test_speakers_who_are_all_alike_leave_no_doubt_about_the_rate():
    assert interval(["anna", "bob", "carl"], [1, 1, 1], [4, 4, 4]) == [0.25, 0.25]


def test_one_speaker_says_nothing_about_others():
    assert interval(["anna", "anna"], [1, 0], [4, 4]) is None


def test_where_nothing_was_said_there_is_no_interval_either() -> None:
    assert interval(["ann", "bob"], [3, 4], [0, 0]) is None


def test_speakers_who_said_nothing_do_not_make_rates_of_nothing() -> None:
    found = interval(["ann", "bob"], [1, 4], [4, 0])
    assert found is not None
    assert found[0] == 0.25


def test_the_interval_is_the_same_each_time():
    groups = ["anna", "bob", "carl", "dora"]
    assert interval(groups, [1, 0, 3, 0], [5, 5, 5, 5]) == interval(groups, [1, 0, 3, 0], [5, 5, 5, 5])


def test_percentiles_of_nothing_are_nothing():
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None, "n": 0}
    assert percentiles([1, 2, 3])["p50"] == 2


@pytest.mark.parametrize(
    ("partials", "final", "first"),
    [
        (["Hello"], "Hello there.", 0),
        (["Yellow", "Hello", "Hello there"], "Hello there.", 1),
        (["Hello", "Yellow"], "Hello there.", None),
        ([], "Hello", None),
        (["Hello", "Bye"], "", None),
    ],
)
def test_a_lasting_partial_has_a_word_that_stays(partials: list[str], final: str, first: int | None):
    assert first_lasting(partials, final) == first


def test_the_first_partial_is_the_first_with_a_word_of_the_final():
    assert first_right(["Yellow", "Hello", "Yellow"], "Hello there.") == 1
    assert first_right(["Yellow"], "Hello there.") is None


def test_a_word_that_is_only_added_is_no_revision():
    assert revisions(["I", "I am"], "I am here.") == 0


def test_what_was_shown_and_changed_is_a_revision_and_all_that_follows_it():
    assert revisions(["I can not see"], "I cannot see") == 3


def test_heard_words_are_judged_where_they_stand():
    judged = judged_words("hello there world", [("Hello,", 0.9), ("their", 0.4), ("world.", 0.8)])
    assert [word.right for word in judged] == [True, False, True]


def test_chinese_words_are_judged_character_by_character() -> None:
    judged = judged_words(
        "打开 WiFi，谢谢。", [("打", 0.9), ("开", 0.8), ("wifi", 0.7), ("谢", 0.6), ("写。", 0.4)], "zh-en"
    )
    assert [(word.confidence, word.right) for word in judged] == [
        (0.9, True),
        (0.8, True),
        (0.7, True),
        (0.6, True),
        (0.4, False),
    ]


def test_confidence_that_is_as_often_right_as_it_says_has_no_calibration_error():
    words = [Judged(0.75, right) for right in (True, True, True, False)]
    assert calibration(words)["ece"] == 0


def test_confidence_that_is_always_lower_for_errors_tells_them_perfectly():
    assert calibration([Judged(0.9, True), Judged(0.8, True), Judged(0.3, False)])["auc"] == 1


def test_confidence_that_is_always_the_same_tells_nothing():
    assert calibration([Judged(0.9, True), Judged(0.9, False)])["auc"] == 0.5


def test_without_errors_there_is_nothing_to_tell():
    assert calibration([Judged(0.9, True)])["auc"] is None
