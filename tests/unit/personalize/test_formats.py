"""Lists that people have come in, with a reason for each line that does not, and can be taken out again."""

import json
import random
from datetime import UTC, datetime

import pytest

from voice_ime.errors import ImportEncoding, ImportTooLarge, ImportUnreadable, UnknownFormat
from voice_ime.messages import Messages
from voice_ime.personalize.formats.base import MOST_BYTES, MOST_LINES, Reading, Unfit
from voice_ime.personalize.formats.sounds import read_sound, write_sound
from voice_ime.personalize.formats.table import FORMATS, format_named, read
from voice_ime.personalize.profile import Entry, Lesson, Preferences, Profile, Rule, Sound, SoundKind, Source, Strength

WORDS, LETTERS, PINYIN, ARPABET = SoundKind.WORDS, SoundKind.LETTERS, SoundKind.PINYIN, SoundKind.ARPABET


def reading(text: str | bytes, form: str) -> Reading:
    return read(text if isinstance(text, bytes) else text.encode(), format_named(form))


def written(found: Reading) -> list[str]:
    return [item.value.written for item in found.items if isinstance(item.value, Entry)]


def refused(found: Reading) -> list[tuple[int, str]]:
    return [(each.number, each.reason) for each in found.refused]


def entry(found: Reading, place: int = 0) -> Entry:
    value = found.items[place].value
    assert isinstance(value, Entry)
    return value


def sound(kind: SoundKind, text: str) -> Sound:
    return Sound(kind=kind, text=text)


# --- CSV -------------------------------------------------------------------------------------------------------------

HEADED = """written,sounds,language,strength,application,note,tags
Kowalski,co val ski | arpabet: k ah v ae l s k iy,en,strong,Thunderbird,"our neighbour, upstairs",people|street
张伟,zhang1 wei3,zh,,,,
"""


def test_a_list_with_a_headline_gives_every_field() -> None:
    found = reading(HEADED, "csv")
    kowalski, zhang = entry(found, 0), entry(found, 1)
    assert kowalski.sounds == (sound(WORDS, "co val ski"), sound(ARPABET, "K AH V AE L S K IY"))
    assert (kowalski.language, kowalski.strength, kowalski.application) == ("en", Strength.STRONG, "Thunderbird")
    assert (kowalski.note, kowalski.tags) == ("our neighbour, upstairs", ("people", "street"))
    assert (zhang.written, zhang.sounds, zhang.strength) == ("张伟", (sound(PINYIN, "zhang1 wei3"),), Strength.NORMAL)
    assert "strength" not in found.items[1].given
    assert [item.number for item in found.items] == [2, 3]


def test_a_list_without_a_headline_is_words_and_how_they_sound() -> None:
    found = reading("Kowalski,co val ski\nNguyen\n", "csv")
    assert written(found) == ["Kowalski", "Nguyen"]
    assert entry(found).sounds == (sound(WORDS, "co val ski"),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "，"])
def test_columns_may_be_parted_in_any_usual_way(delimiter: str) -> None:
    assert entry(reading(HEADED.replace(",", delimiter).replace("neighbour" + delimiter, "neighbour,"), "csv")).language


def test_chinese_headlines_and_values_are_understood() -> None:
    found = reading("词条,读音,语言,强度\n张伟,拼音：zhang wei,中文,强\n", "csv")
    assert entry(found).sounds == (sound(PINYIN, "zhang wei"),)
    assert (entry(found).language, entry(found).strength) == ("zh", Strength.STRONG)


def test_columns_that_mean_nothing_are_named() -> None:
    assert reading("written,colour\nKowalski,red\n", "csv").ignored == ("colour",)


def test_each_bad_line_is_refused_with_its_number_and_reason() -> None:
    lines = [
        "written,sounds,language,strength",
        "good,,,",
        ",no written form,,",
        f"{'x' * 257},,,",
        "klingon,,tlh,",
        "loud,,,very",
        "odd,arpabet: QQ,,",
        "",
        "wide,,,,,too many",
        'half"quoted,,,',
        "bell\a,,,",
        '"open,,,',
        "swallowed,,,",
    ]
    found = reading("\n".join(lines), "csv")
    assert written(found)[0] == "good"
    assert refused(found) == [
        (3, "missing"),
        (4, "too_long"),
        (5, "unknown_value"),
        (6, "unknown_value"),
        (7, "unknown_sound"),
        (9, "columns"),
        (11, "control_character"),
        (12, "quotes"),
    ]


def test_nothing_out_of_a_bad_line_is_in_the_report() -> None:
    found = reading("written,language,strength\nRumpelstiltskin,Rumpelstiltskin,Rumpelstiltskin\n", "csv")
    assert found.refused
    assert "Rumpelstiltskin" not in repr(found.refused)


def test_a_quotation_mark_that_is_not_closed_makes_no_entry_of_many_lines() -> None:
    found = reading('written\n"Kowalski\nNguyen"\nMeyer\n', "csv")
    assert (written(found), refused(found)) == (["Meyer"], [(2, "several_lines")])


def test_a_list_of_rules_is_known_by_its_headline() -> None:
    found = reading('heard,write,match_case\nem dash," — ",no\nscratch this,,\nx,y,perhaps\n', "csv")
    rules = [item.value for item in found.items]
    assert [(each.heard, each.write) for each in rules if isinstance(each, Rule)] == [
        ("em dash", " — "),
        ("scratch this", ""),
    ]
    assert refused(found) == [(4, "unknown_value")]


# --- TXT -------------------------------------------------------------------------------------------------------------


def test_a_plain_list_has_one_entry_a_line() -> None:
    found = reading("Kowalski\r\n\r\nCLI = letters: C L I\r\na=b\r\n张伟 ＝ zhang1 wei3\r\n", "txt")
    assert written(found) == ["Kowalski", "CLI", "a=b", "张伟"]
    assert entry(found, 1).sounds == (sound(LETTERS, "C L I"),)
    assert [item.number for item in found.items] == [1, 3, 4, 5]


def test_a_line_that_says_only_how_something_sounds_is_refused() -> None:
    assert refused(reading("good\n = co val ski\n", "txt")) == [(2, "missing")]


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030"])
def test_the_encoding_is_found_out(encoding: str) -> None:
    assert written(reading("张伟\n陶喆\nKowalski\n".encode(encoding), "txt")) == ["张伟", "陶喆", "Kowalski"]


@pytest.mark.parametrize(
    "content",
    ["José Müller\nNoël\n".encode("latin-1"), b"PK\x03\x04" + bytes(range(256)) * 9, random.Random(1).randbytes(999)],
    ids=["latin-1", "archive", "noise"],
)
def test_where_the_encoding_cannot_be_told_nothing_is_guessed(content: bytes) -> None:
    with pytest.raises(ImportEncoding):
        reading(content, "txt")


# --- JSON ------------------------------------------------------------------------------------------------------------

EVERYTHING = Profile(
    name="ann",
    revision=7,
    entries=(
        Entry(
            id="e1",
            written="Zoë |;,\"' =",
            sounds=(sound(WORDS, "zo e"), sound(PINYIN, "zuo yi"), sound(LETTERS, "Z O E"), sound(ARPABET, "Z OW IY")),
            language="en",
            strength=Strength.NEVER,
            application="mail",
            note="line one\nline two",
            tags=("a", "b|c"),
            source=Source.LEARNED,
            used=datetime(2026, 3, 1, 12, tzinfo=UTC),
        ),
        Entry(id="e2", written="张伟", language="zh"),
    ),
    rules=(Rule(id="r1", heard="new line", write="\n", match_case=True), Rule(id="r2", heard="um", write="")),
    lessons=(Lesson(id="l1", heard="so e", written="Zoë", language="en", times=2, entry="e1"),),
    preferences=Preferences(learn=False, fuzzy=("n/l", "in/ing"), script="traditional", endpoint_delay_s=0.35),
)


def test_json_brings_everything_back() -> None:
    text = format_named("json").write(EVERYTHING)
    found = reading(text, "json")
    assert tuple(item.value for item in found.items) == EVERYTHING.entries + EVERYTHING.rules + EVERYTHING.lessons
    assert found.preferences == EVERYTHING.preferences
    assert found.refused == ()


@pytest.mark.parametrize("text", ["{", "5", '{"format": "other"}', '{"version": 2}', '{"entries": 3}', "[" * 100_000])
def test_json_that_is_not_ours_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ImportUnreadable):
        reading(text, "json")


def test_json_entries_are_refused_one_by_one() -> None:
    body = {"entries": [{"written": "good"}, 5, {"written": 7}, {"written": "x", "colour": "red"}, {}]}
    found = reading(json.dumps(body), "json")
    assert written(found) == ["good"]
    assert refused(found) == [(2, "no_object"), (3, "wrong_value"), (4, "unknown_field"), (5, "missing")]


# --- vCard -----------------------------------------------------------------------------------------------------------

CONTACTS = """BEGIN:VCARD
VERSION:3.0
FN:Dr. Anna Kowalski
N:Kowalski;Anna;;Dr.;
item1.NICKNAME:Ania\\, the first,Anka
ORG:Café Zoë;Kitchen
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ
 SkZJRgABAQ
TEL;TYPE=CELL:+48 1
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0;=E5=
=B0=8F=E6=98=8E;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0=E5=B0=8F=E6=98=8E
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Nguyễn
  Văn An
N:Nguyễn;An;Văn;;
X-PHONETIC-LAST-NAME:win
END:VCARD
BEGIN:VCARD
TEL:12
END:VCARD
"""


def test_contacts_give_their_names() -> None:
    found = reading(CONTACTS.replace("\n", "\r\n"), "vcard")
    assert written(found) == [
        *("Dr. Anna Kowalski", "Kowalski", "Anna", "Ania, the first", "Anka", "Café Zoë"),
        *("小明", "张小明"),
        *("Nguyễn Văn An", "Nguyễn", "An"),
    ]
    assert {item.number for item in found.items} == {1, 11, 17}
    assert all(entry(found, place).tags == ("contact",) for place in range(len(found.items)))


def test_how_a_contact_sounds_is_taken_where_the_address_book_knows() -> None:
    found = reading(CONTACTS, "vcard")
    assert entry(found, written(found).index("Nguyễn")).sounds == (sound(WORDS, "win"),)


def test_a_contact_without_a_name_is_refused_by_its_first_line() -> None:
    assert refused(reading(CONTACTS, "vcard")) == [(24, "no_name")]


def test_a_contact_that_breaks_off_is_refused() -> None:
    whole = "BEGIN:VCARD\nFN:Kowalski\nEND:VCARD\n"
    for broken in ("BEGIN:VCARD\nFN:Nguyen\n", "BEGIN:VCARD\nFN:Nguyen"):
        found = reading(whole + broken, "vcard")
        assert (written(found), refused(found)) == (["Kowalski"], [(4, "breaks_off")])
        found = reading(broken.rstrip() + "\n" + whole, "vcard")
        assert (written(found), refused(found)) == (["Kowalski"], [(1, "breaks_off")])


def test_a_contact_with_a_control_character_is_refused() -> None:
    cards = "BEGIN:VCARD\nFN:Bell\a\nEND:VCARD\nBEGIN:VCARD\nFN:Kowalski\nEND:VCARD\n"
    found = reading(cards, "vcard")
    assert (written(found), refused(found)) == (["Kowalski"], [(1, "control_character")])


def test_half_a_character_is_refused() -> None:
    found = reading(
        '[{"written": "\\ud800"}, {"written": "a", "tags": ["\\udfff"]}, {"written": "\\ud83d\\ude42"}]', "json"
    )
    assert (written(found), [each.number for each in found.refused]) == (["🙂"], [1, 2])


def test_quoted_printable_may_be_in_an_old_chinese_encoding() -> None:
    card = "BEGIN:VCARD\nFN;CHARSET=GBK;ENCODING=QUOTED-PRINTABLE:=D5=C5=CE=B0\nEND:VCARD\n"
    assert written(reading(card, "vcard")) == ["张伟"]


def test_a_file_without_contacts_is_no_vcard() -> None:
    with pytest.raises(ImportUnreadable):
        reading("Kowalski\nNguyen\n", "vcard")


# --- every format ----------------------------------------------------------------------------------------------------

PLAIN = Profile(
    name="ann",
    entries=(
        Entry(id="a", written="Kowalski", sounds=(sound(WORDS, "co val ski"), sound(WORDS, "wei3"))),
        Entry(id="b", written='say "hi", Zoë', sounds=(sound(PINYIN, "zuo yi"), sound(PINYIN, "zuo3 yi1"))),
        Entry(id="c", written="张伟"),
    ),
    rules=(Rule(id="d", heard="em dash", write=' — "x", '),),
)


@pytest.mark.parametrize("form", [each.name for each in FORMATS])
def test_what_is_taken_out_can_be_taken_in_again(form: str) -> None:
    found = reading(format_named(form).write(PLAIN), form)
    assert found.refused == ()
    values = [item.value for item in found.items]
    if form != "rules-csv":
        expected = [(each.written, () if form == "vcard" else each.sounds) for each in PLAIN.entries]
        assert [(each.written, each.sounds) for each in values if isinstance(each, Entry)] == expected
    if form in ("json", "rules-csv"):
        assert [(each.heard, each.write) for each in values if isinstance(each, Rule)] == [("em dash", ' — "x", ')]


@pytest.mark.parametrize("form", ["csv", "txt", "rules-csv"])
def test_an_empty_file_is_an_empty_list(form: str) -> None:
    assert reading("", form) == Reading()


def test_a_format_is_known_by_its_name_or_by_that_of_a_file() -> None:
    assert format_named("Friends.VCF").name == "vcard"
    assert format_named("json").name == "json"
    with pytest.raises(UnknownFormat):
        format_named("words.docx")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(ImportTooLarge) as refusal:
        reading(b"x" * (MOST_BYTES + 1), "txt")
    assert Messages("en").error(refusal.value)[0] == "The file is too large: 10 megabytes and 20000 lines are the most."
    with pytest.raises(ImportTooLarge):
        reading("x\n" * (MOST_LINES + 1), "txt")
    with pytest.raises(ImportTooLarge):
        reading(json.dumps([{"written": "x"}] * (MOST_LINES + 1)), "json")


def test_a_pair_of_sounds_that_there_is_not_is_no_preference() -> None:
    found = reading('{"preferences": {"fuzzy": ["n/l", "q/w"]}}', "json")
    assert (found.preferences, refused(found)) == (None, [(0, "pair")])


@pytest.mark.parametrize("form", [each.name for each in FORMATS])
@pytest.mark.parametrize(
    "text", ["\0", '"', "BEGIN:VCARD", '{"entries": [null]}', "=\n=\n", ",,,,\n;;;", "\ufeff", "🙂" * 300]
)
def test_no_text_makes_a_reader_stumble(form: str, text: str) -> None:
    try:
        found = reading(text, form)
    except (ImportEncoding, ImportUnreadable):
        return
    assert all(isinstance(each.number, int) for each in found.refused)


# --- sounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "each",
    [
        sound(WORDS, "co val ski"),
        sound(WORDS, "wei3 zhang1"),
        sound(WORDS, "letters: x"),
        sound(WORDS, "mp3"),
        sound(LETTERS, "C L I"),
        sound(PINYIN, "zhang wei"),
        sound(PINYIN, "zhang1 wei3"),
        sound(ARPABET, "Z OW1 IY"),
    ],
)
def test_a_sound_is_read_as_it_was_written(each: Sound) -> None:
    assert read_sound(write_sound(each)) == each


@pytest.mark.parametrize(
    "text",
    [
        "x" * 300,
        "bell\a",
        "",
        "letters:",
        "arpabet: QQ",
        "...",
        "pinyin: foo",
        "pinyin: zhangwei",
        "pinyin: shan4 xyz4",
    ],
)
def test_what_says_nothing_about_a_sound_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        read_sound(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(ARPABET, "QQ"), (PINYIN, "foo bar"), (LETTERS, "!!"), (LETTERS, "张"), (WORDS, "..."), (ARPABET, "\u3000")],
)
def test_an_entry_with_a_sound_that_says_nothing_is_refused_wherever_it_comes_from(kind: SoundKind, text: str) -> None:
    row = {"written": "Kowalski", "sounds": [{"kind": kind.value, "text": text}]}
    assert [number for number, _ in refused(reading(json.dumps([row]), "json"))] == [1]


def test_a_rule_for_marks_alone_is_refused_because_it_would_never_apply() -> None:
    found = reading('heard,write\n",",x\n&,and\n', "csv")
    assert (refused(found), len(found.items)) == ([(2, "no_word")], 1)


def test_marks_that_nobody_sees_or_hears_are_left_out() -> None:
    found = reading("\u202dKowal\u00adski\u202c\nan\u200bna\nמ\u200fא\nक्\u200dष\n", "txt")
    assert written(found) == ["Kowalski", "anna", "מא", "क्\u200dष"]


@pytest.mark.parametrize(("headline", "row"), [("Name,Phone", "Kowalski,12"), ("姓名,电话", "Kowalski,12")])
def test_a_list_with_a_column_of_names_gives_those_names(headline: str, row: str) -> None:
    found = reading(f"{headline}\n{row}\n", "csv")
    assert (written(found), len(found.ignored)) == (["Kowalski"], 1)


@pytest.mark.parametrize("name", ["妈", "10086"])
def test_a_contact_whose_name_is_not_looked_for_is_told_so(name: str) -> None:
    assert refused(reading(f"BEGIN:VCARD\nFN:{name}\nEND:VCARD\n", "vcard")) == [(1, "bare_name")]


@pytest.mark.parametrize(
    ("preferences", "reason", "field"),
    [
        ({"endpoint_delay_s": 9}, "at_most", "endpoint_delay_s"),
        ({"endpoint_delay_s": 0.1}, "at_least", "endpoint_delay_s"),
        ({"script": "runes"}, "unknown_value", "script"),
        ({"engine": "x" * 65}, "too_long", "engine"),
        ({"learn": []}, "wrong_value", "learn"),
        ([], "preferences", None),
    ],
)
def test_it_is_told_which_preference_is_wrong(preferences: object, reason: str, field: str | None) -> None:
    (found,) = reading(json.dumps({"preferences": preferences}), "json").refused
    assert (found.reason, found.values.get("field")) == (reason, field)
