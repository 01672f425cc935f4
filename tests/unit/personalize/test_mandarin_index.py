"""Which Chinese entries sound like a piece of what was heard."""

import random

import pytest

from tests.needs import needs_package

needs_package("pypinyin")

from voice_ime.engine.base import Hypothesis, Word, replaced  # noqa: E402
from voice_ime.engine.words import cut  # noqa: E402
from voice_ime.personalize.chinese_words import ChineseLexicon  # noqa: E402
from voice_ime.personalize.mandarin_index import MandarinIndex, protects  # noqa: E402
from voice_ime.personalize.profile import Entry, Preferences, Profile, Sound, SoundKind  # noqa: E402
from voice_ime.personalize.retrieve import Candidate  # noqa: E402


@pytest.fixture(scope="module")
def lexicon() -> ChineseLexicon:
    return ChineseLexicon()


def heard(text: str) -> Hypothesis:
    return Hypothesis(text, tuple(Word(word) for word in cut(text)), final=True)


def entry(written: str, *sounds: tuple[SoundKind, str], **more: object) -> Entry:
    hints = tuple(Sound(kind=kind, text=text) for kind, text in sounds)
    return Entry(id=f"e{abs(hash(written))}", written=written, sounds=hints, **more)


def index(lexicon: ChineseLexicon, *entries: Entry | str, fuzzy: tuple[str, ...] = ()) -> MandarinIndex:
    listed = tuple(each if isinstance(each, Entry) else entry(each) for each in entries)
    return MandarinIndex(Profile(name="p", entries=listed, preferences=Preferences(fuzzy=fuzzy)), lexicon)


def written(found: MandarinIndex, text: str, application: str | None = None) -> str:
    """`text` with every surely right entry in its place, as the text alone decides."""
    hypothesis = heard(text)
    sure = [each for each in found.candidates(hypothesis, application) if each.text_score > 0 and not each.homophones]
    for each in sorted(sure, key=lambda each: -each.first):
        hypothesis = heard(replaced(hypothesis, each.first, each.last, each.entry.written))
    return hypothesis.text


def only(found: list[Candidate]) -> Candidate:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("listed", "text", "right"),
    [
        ("王晓明", "昨天我和王小名见面了", "昨天我和王晓明见面了"),
        ("单雄信", "请善雄信过来", "请单雄信过来"),
        ("曾国藩", "曾国凡说的话", "曾国藩说的话"),
        ("欧阳娜娜", "我喜欢欧阳纳纳的歌", "我喜欢欧阳娜娜的歌"),
        ("GPT模型", "我们用gpt魔型吧", "我们用gpt魔型吧"),
        ("GPT模型", "我们用GPT魔型吧", "我们用GPT模型吧"),
    ],
)
def test_a_name_that_was_written_with_other_characters_is_put_right(
    lexicon: ChineseLexicon, listed: str, text: str, right: str
):
    assert written(index(lexicon, listed), text) == right


def test_punctuation_stays_where_it_was(lexicon: ChineseLexicon):
    assert written(index(lexicon, "王晓明"), "请问，王小名，你好。") == "请问，王晓明，你好。"


def test_a_name_never_reaches_over_a_mark(lexicon: ChineseLexicon):
    assert index(lexicon, "王晓明").candidates(heard("他姓王，小名叫阿宝"), None) == []


def test_an_ordinary_word_that_sounds_like_a_name_stays_and_the_name_is_a_candidate(lexicon: ChineseLexicon):
    found = index(lexicon, "李想")
    assert written(found, "他的理想是当医生") == "他的理想是当医生"
    assert only(found.candidates(heard("他的理想是当医生"), None)).text_score < 0


def test_sounds_that_this_person_does_not_tell_apart_are_the_same(lexicon: ChineseLexicon):
    assert only(index(lexicon, "刘南生", fuzzy=("n/l",)).candidates(heard("找刘兰生"), None)).distance == 0
    assert only(index(lexicon, "刘南生").candidates(heard("找刘兰生"), None)).distance > 0.1


def test_two_characters_that_do_not_sound_the_same_need_the_sound(lexicon: ChineseLexicon):
    candidate = only(index(lexicon, "刘楠").candidates(heard("刘揽说的"), None))
    assert candidate.distance > 0
    assert candidate.text_score < 0


def test_a_piece_that_cuts_a_word_in_two_needs_the_sound(lexicon: ChineseLexicon):
    found = index(lexicon, "王明华")
    assert written(found, "我忘明华侨学校在哪里") == "我忘明华侨学校在哪里"
    assert written(found, "我找忘明华问路") == "我找王明华问路"


def test_a_listed_name_is_never_changed_into_another_one(lexicon: ChineseLexicon):
    found = index(lexicon, "王小明", "王晓鸣").candidates(heard("王小明来了"), None)
    assert [each.homophones for each in found if each.text_score > 0] == [(entry("王小明"),)]


def test_names_that_sound_the_same_are_homophones_of_each_other(lexicon: ChineseLexicon):
    candidate = only(index(lexicon, "张伟霖", "章伟琳").candidates(heard("找张维林"), None))
    assert {candidate.entry.written, *(each.written for each in candidate.homophones)} == {"张伟霖", "章伟琳"}


def test_one_of_them_that_is_settled_by_the_application_has_none(lexicon: ChineseLexicon):
    found = index(lexicon, "张伟霖", entry("章伟琳", application="邮件")).candidates(heard("找张维林"), "邮件")
    assert (only(found).entry.written, only(found).homophones) == ("章伟琳", ())


def test_where_one_of_them_was_heard_what_is_around_it_tells_which_was_meant(lexicon: ChineseLexicon):
    found = index(lexicon, "张伟霖", entry("章伟琳", note="财务"))
    assert written(found, "财务找张伟霖") == "财务找章伟琳"
    assert found.candidates(heard("财务找章伟琳"), None) == []
    nickname = index(lexicon, "小林", entry("小琳", application="微信"))
    assert written(nickname, "小林的邮件", "微信") == "小琳的邮件"
    assert written(nickname, "小林的邮件", "邮件") == "小林的邮件"
    assert only(found.candidates(heard("我找张伟霖"), None)).homophones == (entry("张伟霖"),)


def test_a_word_for_which_a_name_was_taught_is_always_worth_an_offer(lexicon: ChineseLexicon):
    taught = entry("彭游", (SoundKind.WORDS, "朋友"))
    assert only(index(lexicon, taught).candidates(heard("我的朋友来了"), None)).due
    assert not any(each.due for each in index(lexicon, "彭游").candidates(heard("我的朋友来了"), None))


def test_what_belongs_to_another_application_is_left_alone(lexicon: ChineseLexicon):
    found = index(lexicon, entry("王晓明", application="邮件"))
    assert found.candidates(heard("找王小名"), "终端") == []
    assert found.candidates(heard("找王小名"), None) == []
    assert written(found, "找王小名", "邮件") == "找王晓明"


def test_a_longer_name_may_complete_a_listed_shorter_one(lexicon: ChineseLexicon):
    assert written(index(lexicon, "王晓", "王晓明"), "我找王晓名") == "我找王晓明"


@pytest.mark.parametrize(
    ("listed", "place", "forbids"),
    [((2, 4), (2, 5), False), ((2, 4), (3, 5), True), ((2, 5), (2, 4), True), ((2, 4), (4, 6), False)],
)
def test_a_listed_word_protects_what_cuts_it(listed: tuple[int, int], place: tuple[int, int], forbids: bool):
    assert protects(listed, place) is forbids


def test_a_given_sound_finds_a_foreign_name(lexicon: ChineseLexicon):
    kowalski = entry("Kowalski", (SoundKind.PINYIN, "ke1 wa3 er3 si1 ji1"))
    assert written(index(lexicon, kowalski), "请科瓦尔斯基来") == "请Kowalski来"


def test_a_given_sound_without_tones_takes_every_tone(lexicon: ChineseLexicon):
    zoom = entry("Zoom", (SoundKind.PINYIN, "zu mu"))
    assert only(index(lexicon, zoom).candidates(heard("用足目开会"), None)).distance == 0


def test_a_sound_given_in_characters_counts(lexicon: ChineseLexicon):
    zoom = entry("Zoom", (SoundKind.WORDS, "祖姆"))
    assert only(index(lexicon, zoom).candidates(heard("我们祖母上见"), None)).distance == 0


def test_english_entries_have_no_chinese_sound(lexicon: ChineseLexicon):
    assert index(lexicon, "Kowalski").candidates(heard("请科瓦尔斯基来"), None) == []


def test_words_of_several_characters_are_taken_as_the_engine_cuts_them(lexicon: ChineseLexicon):
    words = tuple(Word(each) for each in ("我找", "王小", "名", "聊"))
    found = index(lexicon, "王晓明", "赵王").candidates(Hypothesis("我找王小名聊", words, final=True), None)
    assert [(each.entry.written, each.first, each.last) for each in found] == [("王晓明", 1, 3)]


def test_what_stands_there_already_is_no_candidate(lexicon: ChineseLexicon):
    assert index(lexicon, "Zoom会议", "王晓明").candidates(heard("Zoom会议上王晓明说"), None) == []


def test_a_rival_that_is_nearly_as_near_makes_the_margin_small(lexicon: ChineseLexicon):
    alone = only(index(lexicon, "王晓明").candidates(heard("找王小名"), None))
    crowded = index(lexicon, "王晓明", "王晓敏").candidates(heard("找王小名"), None)
    assert crowded[0].entry.written == "王晓明"
    assert crowded[0].margin < alone.margin


@pytest.mark.parametrize("text", ["", "。", "hello world", "𠮷", "嗯", "   ", "a，b", "·", "王"])
def test_any_text_can_be_searched(lexicon: ChineseLexicon, text: str):
    assert index(lexicon, "王晓明", "李想").candidates(heard(text), None) == []


@pytest.mark.parametrize("odd", ["王", "·", "𠮷𠮷", "Ａ股", "A股", "C++语言", "王 晓 明", "é中文"])
def test_any_entry_can_be_listed(lexicon: ChineseLexicon, odd: str):
    index(lexicon, odd).candidates(heard("我们A股的王小名在写C++语言"), None)


def test_letters_that_were_heard_never_become_chinese_characters(lexicon: ChineseLexicon):
    assert index(lexicon, "毕义").candidates(heard("用B E来表示"), None) == []
    assert written(index(lexicon, "B站"), "我在必站看的") == "我在B站看的"


def test_a_long_text_is_searched_to_its_end(lexicon: ChineseLexicon):
    long = "今天我们一起去公园玩" * 60
    assert written(index(lexicon, "王晓明"), long + "我找王小名") == long + "我找王晓明"


def test_a_latin_word_sounds_like_itself_only(lexicon: ChineseLexicon):
    assert index(lexicon, "Zoom会议").candidates(heard("Room会议"), None) == []


def test_an_empty_list_finds_nothing(lexicon: ChineseLexicon):
    assert index(lexicon).candidates(heard("王小名"), None) == []


def test_candidates_are_within_the_words_whatever_was_heard(lexicon: ChineseLexicon):
    picked = random.Random(5)
    found = index(lexicon, "王晓明", "GPT模型", "李想", "欧阳娜娜", "B站")
    for _ in range(200):
        text = "".join(picked.choices("王晓明小名李想里向欧阳纳B站G GPT，。 ·x12", k=picked.randrange(20)))
        hypothesis = heard(text)
        for each in found.candidates(hypothesis, None):
            assert 0 <= each.first < each.last <= len(hypothesis.words)
