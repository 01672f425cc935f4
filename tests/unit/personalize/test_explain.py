"""Telling written words apart by ear."""

import re

import pytest

from tests.needs import needs_package

needs_package("pypinyin")

from voice_ime.messages import LANGUAGES, Messages  # noqa: E402
from voice_ime.personalize.chinese_words import HAN, ChineseLexicon  # noqa: E402
from voice_ime.personalize.explain import EXAMPLES, Explainer, Rival, Way  # noqa: E402
from voice_ime.personalize.mandarin_index import MandarinIndex  # noqa: E402
from voice_ime.personalize.phonetics.english import English  # noqa: E402
from voice_ime.personalize.phonetics.mandarin import syllable  # noqa: E402
from voice_ime.personalize.profile import Entry, Preferences, Profile  # noqa: E402

CHINESE, ENGLISH = Messages("zh"), Messages("en")


@pytest.fixture(scope="module")
def lexicon() -> ChineseLexicon:
    return ChineseLexicon()


@pytest.fixture(scope="module")
def english() -> English:
    return English()


@pytest.fixture(scope="module")
def explainer(lexicon: ChineseLexicon, english: English) -> Explainer:
    return of_list(lexicon, english, "张伟", "章伟", "李想", "Kowalski", "Covalsky", "Smythe")


def of_list(lexicon: ChineseLexicon, english: English, *written: str, fuzzy: tuple[str, ...] = ()) -> Explainer:
    entries = tuple(Entry(id=f"e{number}", written=each) for number, each in enumerate(written))
    profile = Profile(name="p", entries=entries, preferences=Preferences(fuzzy=fuzzy))
    return Explainer(profile, MandarinIndex(profile, lexicon), lexicon, english)


def said(explainer: Explainer, text: str) -> list[str]:
    return [each.sentence(CHINESE) for each in explainer.explain(text, "zh")]


def test_a_character_that_nobody_can_read_is_told_as_rare(explainer: Explainer) -> None:
    (one,) = explainer.explain("\U00020bb7", "zh")
    assert [one.sentence(CHINESE), one.sentence(ENGLISH)] == ["\U00020bb7，生僻字", "\U00020bb7, a rare character"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("章", ["章，文章的章"]),
        ("张", ["张，弓长张"]),
        ("李", ["李，木子李"]),
        ("章伟", ["章，立早章", "伟，伟大的伟"]),
        ("胡", ["胡，古月胡"]),
        ("欧阳修文", ["欧阳，欧洲的欧，太阳的阳", "修，修改的修", "文，文化的文"]),
        ("重要", ["重，重要的重", "要，主要的要"]),
        ("重庆", ["重，重新的重", "庆，庆祝的庆"]),
        ("GPT模型", ["GPT，拼写是 G, P, T", "模，规模的模", "型，大型的型"]),
        ("喆", ["喆，双吉喆"]),
        ("張", ["張，弓長張"]),
        ("國", ["國，國家的國"]),
        ("章偉", ["章，立早章", "偉，偉大的偉"]),
        ("歐陽修文", ["歐陽，歐洲的歐，太陽的陽", "修，修改的修", "文，文化的文"]),
        ("後來GPT", ["後，以後的後", "來，起來的來", "GPT，拼写是 G, P, T"]),
        ("囧", ["囧，拼音是 jiong3"]),
    ],
)
def test_a_chinese_word_is_explained_character_by_character(explainer: Explainer, text: str, sentences: list[str]):
    assert said(explainer, text) == sentences


def test_a_word_that_begins_like_a_surname_is_no_name(explainer: Explainer):
    assert [each.way for each in explainer.explain("文章", "zh")] == [Way.WORD, Way.WORD]


def test_a_listed_name_is_one_even_where_it_is_also_a_word(lexicon: ChineseLexicon, english: English):
    assert said(of_list(lexicon, english, "高兴"), "高兴")[0] == "高，高低的高"
    assert of_list(lexicon, english, "张扬").explain("张扬", "zh")[0].way is Way.PHRASE
    assert of_list(lexicon, english).explain("张扬", "zh")[0].way is Way.WORD


def test_an_english_name_is_spelled(explainer: Explainer):
    assert [each.sentence(ENGLISH) for each in explainer.explain("Kowalski", "en")] == [
        "Kowalski, spelled K, O, W, A, L, S, K, I"
    ]


def test_an_english_word_that_sounds_like_another_is_explained_by_where_it_stands(explainer: Explainer):
    assert [each.sentence(ENGLISH) for each in explainer.explain("Their", "en")] == ["Their, as in their house"]


def test_marks_are_not_explained(explainer: Explainer):
    assert explainer.explain("，。——", "zh") == explainer.explain("... -", "en") == []
    assert said(explainer, "章。") == ["章，文章的章"]


@pytest.mark.parametrize("text", ["", " ", "𠮷", "\0", "é", "ß", "👍", "a b", "·", "〇", "٣"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_any_text_can_be_explained(explainer: Explainer, text: str, language: str):
    assert all(each.sentence(CHINESE) for each in explainer.explain(text, language))
    explainer.rivals(text, language)


def test_the_other_names_of_the_list_that_sound_so_come_first(explainer: Explainer):
    assert explainer.rivals("张伟", "zh")[0] == Rival("章伟", "e1")
    assert Rival("李想", "e2") in explainer.rivals("理想", "zh")


def test_common_words_that_sound_so_are_rivals(explainer: Explainer):
    assert {"权力"} <= {each.text for each in explainer.rivals("权利", "zh")}
    assert {"there", "they're"} <= {each.text for each in explainer.rivals("their", "en")}


def test_names_that_are_spelled_otherwise_are_rivals(explainer: Explainer):
    assert Rival("Covalsky", "e4") in explainer.rivals("Kowalski", "en")


def test_a_word_is_not_its_own_rival(explainer: Explainer):
    for word, language in (("张伟", "zh"), ("权利", "zh"), ("Kowalski", "en"), ("their", "en")):
        assert word.casefold() not in {each.text.casefold() for each in explainer.rivals(word, language)}


def test_who_does_not_tell_sounds_apart_has_more_rivals(lexicon: ChineseLexicon, english: English):
    assert "篮子" not in {each.text for each in of_list(lexicon, english).rivals("男子", "zh")}
    assert "篮子" in {each.text for each in of_list(lexicon, english, fuzzy=("n/l",)).rivals("男子", "zh")}


def test_nearly_every_common_character_has_a_word(lexicon: ChineseLexicon):
    common = sorted(lexicon.words.all(), key=lexicon.words.log_probability, reverse=True)[:20_000]
    characters = {character for word in common for character in word}
    assert len(characters - lexicon.explanations.keys() - lexicon.given.keys()) < len(characters) / 50


def test_every_explaining_word_has_its_character_and_a_reading(lexicon: ChineseLexicon):
    for character, known in lexicon.explanations.items():
        for pinyin, word in known.items():
            assert character in word
            assert syllable(pinyin)


def test_every_surname_is_explained_with_its_own_characters(lexicon: ChineseLexicon):
    assert len(lexicon.surnames) >= 200
    for name, (explanation, reading) in lexicon.surnames.items():
        assert set(name) <= set(explanation) or "去掉" in explanation, name
        assert len(reading.split()) in (0, len(name))
        assert all(syllable(each) for each in reading.split())


def test_what_is_said_by_hand_is_said_of_one_character_only(lexicon: ChineseLexicon):
    surnames = {name: explanation for name, (explanation, _) in lexicon.surnames.items()}
    told = surnames | dict(lexicon.given)
    assert len(told) == len(set(told.values()))


def test_examples_show_where_a_word_stands():
    assert all(re.fullmatch(r"[A-Za-z ]+", example) for example in EXAMPLES.values())
    assert not any(HAN.search(example) for example in EXAMPLES.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", Way)
def test_every_way_has_a_sentence(way: Way, language: str):
    known = Messages(language).keys()
    assert f"explain.{way}" in known


def test_rivals_of_a_traditional_character_are_traditional(explainer: Explainer) -> None:
    rivals = [each.text for each in explainer.rivals("國", "zh")]
    assert not {"國", "国"}.intersection(rivals)
    assert explainer.rivals("書", "zh")[0] == Rival("輸")
