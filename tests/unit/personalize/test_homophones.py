"""Which of several entries that sound the same is meant."""

from datetime import UTC, datetime

from voice_ime.personalize.homophones import Circumstances, settled, told_by_place
from voice_ime.personalize.profile import Entry, Strength

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def pair(first: dict[str, object], second: dict[str, object]) -> list[Entry]:
    return [Entry(id="a", written="张伟", **first), Entry(id="b", written="章伟", **second)]


def meant(entries: list[Entry], text: str = "张伟来了", application: str | None = None) -> str | None:
    one = settled(entries, Circumstances(text, application))
    return one and one.id


def test_where_nothing_tells_them_apart_nobody_can_say():
    assert meant(pair({}, {})) is None


def test_the_one_of_this_application_is_meant():
    assert meant(pair({}, {"application": "Mail"}), application="mail") == "b"


def test_words_around_it_that_stand_in_its_tags_or_note_tell():
    assert meant(pair({"tags": ("银行",)}, {"note": "邻居，住在楼下"}), "章伟住在楼下") == "b"


def test_chinese_words_of_a_note_tell_wherever_they_stand_in_it():
    assert meant(pair({}, {"note": "武汉分公司的同事"}), "章伟的邮件在武汉") == "b"
    assert meant(pair({}, {"note": "我的同事"}), "章伟是我的朋友") is None


def test_words_that_stand_in_any_sentence_tell_nothing():
    assert meant(pair({}, {"note": "with the dog on his own"}), "is the other one with you") is None


def test_the_names_themselves_in_a_note_tell_nothing():
    entries = pair({}, {"note": "不是张伟", "tags": ("contact",)})
    assert told_by_place(entries, Circumstances("张伟, a contact, 来了")) is None


def test_a_latin_hint_must_be_a_whole_word():
    assert meant(pair({"tags": ("bank",)}, {}), "embankment") is None
    assert meant(pair({"tags": ("bank",)}, {}), "my bank calls") == "a"


def test_a_stronger_one_is_meant():
    assert meant(pair({"strength": Strength.STRONG}, {})) == "a"


def test_the_one_that_was_chosen_much_later_is_in_use_now():
    assert meant(pair({"used": MAY}, {"used": JUNE})) == "b"
    assert meant(pair({"used": MAY}, {})) == "a"


def test_what_was_used_at_about_the_same_time_stays_open():
    assert meant(pair({"used": MAY}, {"used": MAY})) is None


def test_a_time_without_a_zone_is_a_time_all_the_same():
    assert meant(pair({"used": MAY.replace(tzinfo=None)}, {"used": JUNE})) == "b"


def test_the_application_counts_more_than_when_it_was_used():
    assert meant(pair({"application": "Mail"}, {"used": JUNE}), application="Mail") == "a"


def test_where_one_of_them_was_heard_strength_and_time_do_not_speak_against_it():
    entries = pair({}, {"strength": Strength.STRONG, "used": JUNE, "note": "财务"})
    assert told_by_place(entries, Circumstances("张伟来了")) is None
    assert told_by_place(entries, Circumstances("张伟在财务")) is entries[1]
