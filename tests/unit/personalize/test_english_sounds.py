"""How English words and entries sound."""

import pytest

from voice_ime.personalize.phonetics.english import UNKNOWN, English, sounds_of, spell
from voice_ime.personalize.phonetics.phones import decoded, encoded
from voice_ime.personalize.profile import Entry, Sound, SoundKind


@pytest.fixture(scope="module")
def english() -> English:
    return English()


def spoken(english: English, text: str) -> list[str]:
    return [decoded(sound) for sound in english.sounds(text)]


def test_a_word_of_the_dictionary_has_all_its_readings(english: English):
    assert spoken(english, "read") == ["R EH D", "R IY D"]


def test_capitals_marks_and_accents_do_not_change_the_sound(english: English):
    assert english.sounds("“Cafés,”") == english.sounds("cafes")
    assert english.sounds("O’Brien") == english.sounds("o'brien")


@pytest.mark.parametrize(("written", "plain"), [("Straße", "Strasse"), ("Søren", "Soren"), ("Łukasz", "Lukasz")])
def test_letters_that_are_no_accented_ones_sound_like_their_nearest(english: English, written: str, plain: str):
    assert english.sounds(written) == english.sounds(plain)


def test_words_that_nobody_listed_sound_as_they_are_spelled(english: English):
    assert spoken(english, "splink") == ["S P L IH NG K"]


@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("kowalski's", "K AH W AA L S K IY Z"),
        ("wobblies", "W AA B AH L IY Z"),
        ("trafalgared", "T R AH F AE L G ER D"),
        ("summerhouse", "S AH M ER HH AW S"),
    ],
)
def test_endings_and_parts_of_unknown_words_are_known(english: English, word: str, sound: str):
    assert sound in spoken(english, word)


def test_several_words_sound_one_after_the_other(english: English):
    assert spoken(english, "New York") == ["N UW Y AO R K", "N Y UW Y AO R K"]


def test_an_acronym_may_be_spelled_and_a_word_of_humps_has_parts(english: English):
    assert decoded(spell("CLI")) in spoken(english, "CLI")
    assert spoken(english, "GitHub") == ["G IH T HH AH B"]
    assert spoken(english, "N8N")[0] == "EH N EY T EH N"


def test_what_has_no_letters_has_no_sound(english: English):
    assert english.sounds("—") == english.sounds("") == english.sounds("章") == ()


@pytest.mark.parametrize(
    ("kind", "text", "sound"),
    [
        (SoundKind.WORDS, "mo hah med", "M OW HH AA M EH D"),
        (SoundKind.LETTERS, "C L I", "S IY EH L AY"),
        (SoundKind.ARPABET, "K AH0 V AE1 L S K IY0", "K AH V AE L S K IY"),
    ],
)
def test_the_sounds_that_an_entry_was_given_come_first(english: English, kind: SoundKind, text: str, sound: str):
    entry = Entry(id="e", written="Xyz", sounds=(Sound(kind=kind, text=text),))
    assert decoded(sounds_of(entry, english)[0]) == sound


@pytest.mark.parametrize(("kind", "text"), [(SoundKind.PINYIN, "zhang1 wei3"), (SoundKind.ARPABET, "K Q Q")])
def test_a_given_sound_that_is_not_english_is_left(english: English, kind: SoundKind, text: str):
    entry = Entry(id="e", written="Kowalski", sounds=(Sound(kind=kind, text=text),))
    assert sounds_of(entry, english) == english.sounds("Kowalski")


def test_it_is_known_how_common_words_are(english: English):
    assert english.zipf("The") > 7 > 4 > english.zipf("indubitable") > 1 > english.zipf("blorfing") == UNKNOWN
    assert english.knows("Kowalski")
    assert not english.knows("blorfing")


def test_phones_survive_their_encoding():
    assert decoded(encoded(["HH", "AH0", "L", "OW1"])) == "HH AH L OW"
    with pytest.raises(KeyError):
        encoded(["X"])
