"""Each entry tells how it sounds."""

import pytest

from tests.needs import needs_package
from tests.unit.personalize.lexicons import LEXICONS
from voice_ime.personalize.profile import Entry, Profile, Sound, SoundKind
from voice_ime.personalize.sounding import Pronouncer, as_heard, near

PRONOUNCER = Pronouncer(LEXICONS)


def entry(written: str, **fields: object) -> Entry:
    return Entry.model_validate({"id": "e", "written": written, **fields})


def test_an_english_name_has_its_phones() -> None:
    assert "K L IY" in PRONOUNCER.readings(entry("CLI", sounds=[Sound(kind=SoundKind.WORDS, text="clee")]))
    assert PRONOUNCER.readings(entry("Robert")) == ("R AA B ER T",)


def test_a_latin_word_among_chinese_ones_has_its_phones() -> None:
    assert PRONOUNCER.readings(entry("Robert", language="zh")) == ("R AA B ER T",)
    needs_package("pypinyin")
    spelled = entry("CLI", language="zh", sounds=[Sound(kind=SoundKind.PINYIN, text="kai1")])
    assert PRONOUNCER.readings(spelled) == ("kai1",)


def test_a_chinese_name_has_its_pinyin_with_all_readings() -> None:
    needs_package("pypinyin")
    readings = PRONOUNCER.readings(entry("单雄信"))
    assert readings[0] == "shan4 xiong2 xin4"
    assert "dan1 xiong2 xin4" in readings


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("张伟", "zhang1 wei3"),
        ("王燕", "wang2 yan4"),
        ("吴英", "wu2 ying1"),
        ("于月", "yu2 yue4"),
        ("尤文", "you2 wen2"),
        ("吕居", "lü3 ju1"),
        ("安娥", "an1 e2"),
        ("易银", "yi4 yin2"),
    ],
)
def test_pinyin_is_written_as_people_write_it(written: str, said: str) -> None:
    needs_package("pypinyin")
    assert said in PRONOUNCER.readings(entry(written))


def test_a_given_sound_comes_with_that_of_the_written_form() -> None:
    readings = PRONOUNCER.readings(entry("Zoë", sounds=[Sound(kind=SoundKind.ARPABET, text="Z OW IY")], language="en"))
    assert "Z OW IY" in readings


def test_what_could_have_been_said_is_found_once() -> None:
    listed = entry("Kowalski", sounds=[Sound(kind=SoundKind.WORDS, text="co val ski")])
    found = near(Profile(name="ann", entries=(listed,)), as_heard("we met co walski"), LEXICONS)
    assert [each.entry.written for each in found] == ["Kowalski"]
