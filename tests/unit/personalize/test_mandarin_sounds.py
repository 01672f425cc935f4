"""How Mandarin sounds: syllables, readings, what a person does not tell apart."""

import pytest

from tests.needs import needs_package

needs_package("pypinyin")

from voice_ime.personalize.phonetics.mandarin import (  # noqa: E402
    SILENT,
    Ear,
    Syllable,
    alone,
    distance,
    fuzzy_pairs,
    in_context,
    letter_names,
    readings,
    spelled,
    syllable,
    tone_distance,
)

SOME = "zi4 zhi4 ci4 chi4 si4 shi4 na4 la4 ra4 fa4 ha4 xin1 xing1 fen1 feng1 lan2 lang2 fei1 hei1 ran4 lan4"


def text_of(sounds: tuple[Syllable, ...] | None) -> str:
    return " ".join(map(str, sounds or ()))


@pytest.mark.parametrize(
    ("pinyin", "parts"),
    [
        ("zhang1", ("zh", "ang", 1)),
        ("yuan2", ("", "van", 2)),
        ("wei3", ("", "ui", 3)),
        ("qu4", ("q", "v", 4)),
        ("lü4", ("l", "v", 4)),
        ("lv4", ("l", "v", 4)),
        ("er2", ("", "er", 2)),
        ("yi", ("", "i", 0)),
        ("ZHANG1", ("zh", "ang", 1)),
    ],
)
def test_a_syllable_is_read_as_pinyin_writes_it(pinyin: str, parts: tuple[str, str, int]):
    assert syllable(pinyin) == Syllable(*parts)


@pytest.mark.parametrize("nonsense", ["", "zh", "xyz", "zhang9", "hello"])
def test_what_is_no_syllable_is_refused(nonsense: str):
    with pytest.raises(ValueError, match="syllable"):
        syllable(nonsense)


def test_without_a_number_a_given_sound_has_any_tone():
    (one,) = spelled(["wei"]) or ()
    assert [tone_distance(one.tone, tone) for tone in (1, 2, 3, 4, 5)] == [0.0] * 5


def test_a_hint_with_a_wrong_syllable_is_none():
    assert spelled(["zhang1", "wxyz"]) is None


def test_a_character_is_read_as_the_words_around_it_want():
    assert text_of(in_context("重庆")) != text_of(in_context("重要"))
    assert in_context("重庆")[0] == syllable("chong2")


def test_each_character_has_one_place_even_where_nobody_can_read_it():
    assert in_context("张\0\0伟")[1:3] == (SILENT, SILENT)


def test_a_surname_is_first_read_as_a_surname_and_then_as_a_word():
    read = [text_of(each) for each in readings("单雄信", 12, {"单": "shan4"})]
    assert read[0].startswith("shan4 ")
    assert any(each.startswith("dan1 ") for each in read)


def test_a_surname_of_two_characters_counts_as_one():
    assert text_of(readings("长孙明", 12, {"长孙": "zhang3 sun1"})[0]) == "zhang3 sun1 ming2"


def test_no_entry_has_more_readings_than_were_asked_for():
    assert len(readings("单乐重行都", 3, {})) == 3


def test_all_readings_of_a_character_are_known():
    assert {str(each) for each in alone("曾")} >= {"zeng1", "ceng2"}


def test_who_does_not_tell_n_from_l_hears_them_as_one():
    ear = Ear(("n/l",))
    assert ear.fold(syllable("nan2")) == ear.fold(syllable("lan2"))
    assert ear.fold(syllable("zang1")) != ear.fold(syllable("zhang1"))


def test_pairs_that_share_a_sound_become_one_group():
    ear = Ear(("n/l", "r/l"))
    assert len({ear.fold(syllable(each)) for each in ("na4", "la4", "ra4")}) == 1


def test_endings_are_folded_behind_every_glide():
    ear = Ear(("an/ang",))
    assert ear.fold(syllable("jian1")) == ear.fold(syllable("jiang1"))
    assert ear.fold(syllable("guan1")) == ear.fold(syllable("guang1"))


def test_the_tone_stays_when_sounds_are_folded():
    ear = Ear(("in/ing",))
    assert ear.fold(syllable("lin2")) != ear.fold(syllable("ling4"))


def test_pairs_that_many_people_confuse_are_near_and_others_are_not():
    assert distance(syllable("zhang1"), syllable("zang1")) == pytest.approx(0.3)
    assert distance(syllable("lin2"), syllable("ling2")) == pytest.approx(0.3)
    assert distance(syllable("ma3"), syllable("ma1")) == pytest.approx(0.2)
    assert distance(syllable("ma3"), syllable("shui4")) > 1


def test_distance_is_the_same_both_ways():
    some = [syllable(each) for each in ("zhang1", "zan3", "ri4", "yong3", "er2", "lüe4", "ai4")]
    assert all(distance(a, b) == distance(b, a) for a in some for b in some)
    assert all(distance(a, a) == 0 for a in some)


def test_letters_have_names_among_chinese():
    assert text_of(letter_names("B2")) == "bi4 er4"


def test_every_offered_pair_makes_some_syllables_the_same():
    plain = {syllable(each) for each in SOME.split()}
    for pair in fuzzy_pairs():
        ear = Ear((pair,))
        assert len({ear.fold(each) for each in plain}) < len(plain), pair
