"""`voice-ime profile`: what a caretaker types, and what is answered."""

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import needs_package
from voice_ime.cli import main
from voice_ime.commands import ExitCode

needs_package("sqlalchemy")
needs_package("alembic")
needs_package("numpy")


@dataclass(frozen=True)
class Said:
    status: int
    lines: list[str]
    complaint: list[str]

    @property
    def rows(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


Profile = Callable[..., Said]


@pytest.fixture
def profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Profile:
    def run(*words: str, language: str = "en") -> Said:
        status = main(["profile", *words, "--messages", language], environment={"HOME": str(tmp_path)})
        said = capsys.readouterr()
        return Said(status, said.out.splitlines(), said.err.splitlines())

    return run


def numbers(said: Said) -> list[int]:
    return [int(line.split(".")[0]) for line in said.lines]


# --- entries and rules -----------------------------------------------------------------------------------------------


def test_the_first_entry_makes_the_usual_profile(profile: Profile) -> None:
    assert profile("list").lines == ["There is no profile yet. voice-ime profile add makes one with the first entry."]
    assert profile("entries").lines == ["Entries: 0."]
    assert profile("add", "Kowalski").lines == ["Added: Kowalski. Change 1."]
    assert profile("list").lines == ["default: entries 1, rules 0, last change 1."]


def test_an_entry_is_told_with_all_that_was_said_about_it(profile: Profile) -> None:
    about = ("--sounds", "co val ski", "--sounds", "letters: K O", "--language", "en", "--strength", "strong")
    profile("add", "Kowalski", *about, "--application", "mail", "--tag", "street", "--note", "upstairs")
    assert profile("entries").lines[0] == (
        "Kowalski, sounds like co val ski; letters: K O, English, strong, only in mail, tags: street, note: upstairs"
    )
    chinese = profile("entries", language="zh").lines[0]
    assert chinese == "Kowalski，读作 co val ski；letters: K O，英语，强，只在 mail 里，标签：street，备注：upstairs"


def test_an_entry_is_found_by_its_words_whatever_the_capitals_and_changed(profile: Profile) -> None:
    profile("add", "Kowalski", "--language", "en", "--note", "upstairs")
    profile("edit", "kowalski", "--written", "Kowalsky", "--language", "both", "--note", "")
    assert profile("entries").lines[0] == "Kowalsky"
    assert profile("remove", "KOWALSKY").status == ExitCode.OK
    assert profile("entries").lines == ["Entries: 0."]


def test_where_words_stand_for_several_entries_their_ids_are_told(profile: Profile) -> None:
    profile("add", "Lee")
    profile("add", "Lee", "--application", "mail")
    said = profile("remove", "Lee")
    assert said.status == ExitCode.SOME_FAILED
    assert said.lines[0] == "Lee stands for more than one. Name the one you mean by its id:"
    id = re.search(r"only in mail; id (\w+)", said.lines[2])
    assert id
    profile("remove", id[1])
    assert profile("entries").lines == ["Lee", "Entries: 1."]


def test_what_is_not_there_is_said(profile: Profile) -> None:
    said = profile("remove", "Nguyen")
    assert (said.status, said.lines) == (ExitCode.SOME_FAILED, ["There is no Nguyen in this profile."])


def test_entries_are_found_by_a_part_or_a_tag(profile: Profile) -> None:
    profile("add", "Kowalski", "--tag", "street")
    profile("add", "Nguyen", "--tag", "work")
    assert profile("entries", "--find", "WAL").lines == ["Kowalski, tags: street", "Entries: 1."]
    assert profile("entries", "--tag", "work").lines == ["Nguyen, tags: work", "Entries: 1."]


def test_rules_are_made_listed_replaced_and_removed(profile: Profile) -> None:
    profile("rule", "em dash", " — ")
    profile("rule", "um", "")
    profile("rule", "em dash", "—", "--match-case")
    assert profile("rule").lines == [
        "for em dash write —, with exactly these capitals",
        "for um write nothing",
        "Rules: 2.",
    ]
    profile("rule", "Um", "erm")
    assert profile("rule").lines[1] == "for Um write erm"
    profile("rule", "UM", "--remove")
    assert profile("rule").lines[-1] == "Rules: 1."


def test_a_rule_without_an_answer_is_asked_for_one(profile: Profile) -> None:
    assert profile("rule", "em dash").status == ExitCode.WRONG_USAGE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "x" * 300), "This cannot be kept: the written form is longer than 256 characters."),
        (("add", " "), "This cannot be kept: the written form is missing."),
        (("add", "a", "--sounds", "arpabet: QQ"), "This cannot be kept: it cannot be told how that sounds."),
        (("create", "Ann Smith"), "A profile cannot have that name."),
        (("undo", "--since", "yesterday"), "This date cannot be understood."),
        (("import", "words.docx"), "This format is not known."),
    ],
)
def test_a_mistake_is_told_in_a_plain_sentence(profile: Profile, words: tuple[str, ...], sentence: str) -> None:
    said = profile(*words)
    assert (said.status, said.complaint[0]) == (ExitCode.WRONG_USAGE, sentence)


def test_the_same_words_twice_are_refused(profile: Profile) -> None:
    profile("add", "Lee")
    assert profile("add", "Lee").complaint[0].startswith("The same is in the list already")


# --- profiles --------------------------------------------------------------------------------------------------------


def test_profiles_are_kept_apart(profile: Profile) -> None:
    profile("create", "ann")
    profile("add", "Kowalski", "--profile", "ann")
    assert profile("entries").lines == ["Entries: 0."]
    assert profile("entries", "--profile", "ann").lines[-1] == "Entries: 1."
    assert profile("add", "x", "--profile", "bob").complaint[0] == "There is no profile bob."


def test_deleting_asks_for_the_name_once_more(profile: Profile) -> None:
    profile("create", "ann")
    assert profile("delete", "ann").complaint[1] == "To delete it, confirm with its name: ann."
    assert profile("delete", "ann", "--confirm", "ann").status == ExitCode.OK


# --- files -----------------------------------------------------------------------------------------------------------

LIST = "written,sounds,language\nNguyen,win,en\nworf,,tlh\nKowalski,kowalsky,\n"


def test_an_import_says_what_became_of_each_line_and_can_be_previewed(profile: Profile, tmp_path: Path) -> None:
    profile("add", "Kowalski")
    file = tmp_path / "list.csv"
    file.write_text(LIST)
    counts = [
        "1 new, 1 merged with what was there, 0 known already, 1 refused.",
        "Line 3: the language is none of those that there are.",
    ]
    refused = profile("import", str(file))
    assert refused.lines[:2] == counts
    assert refused.lines[2].startswith("Nothing was changed, because lines were refused.")
    assert profile("import", str(file), "--keep-good", "--preview").lines[2].endswith("this was a preview.")
    assert profile("entries").lines[-1] == "Entries: 1."
    kept = profile("import", str(file), "--keep-good")
    assert (kept.status, kept.lines[2]) == (
        ExitCode.SOME_FAILED,
        "Imported. Change 2. To take it back, undo 2.",
    )
    assert profile("entries").lines == [
        "Kowalski, sounds like kowalsky",
        "Nguyen, sounds like win, English",
        "Entries: 2.",
    ]


def test_the_report_of_an_import_is_there_as_json(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(LIST)
    (row,) = profile("import", str(tmp_path / "list.csv"), "--keep-good", "--json").rows
    assert (row["added"], row["merged"], row["changed"], row["revision"]) == (2, 0, True, 1)
    assert row["refused"] == [{"line": 3, "reason": "unknown_value", "field": "language"}]


def test_a_profile_goes_out_and_comes_into_another_one_unchanged(profile: Profile, tmp_path: Path) -> None:
    profile("add", "Kowalski", "--sounds", "co val ski", "--tag", "a", "--strength", "weak")
    profile("rule", "em dash", " — ")
    file = str(tmp_path / "all.json")
    profile("export", file)
    profile("create", "ann")
    profile("import", file, "--profile", "ann")
    assert profile("export", "--profile", "ann").lines[4:] == profile("export").lines[4:]
    assert (tmp_path / "all.json").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_not_there_is_said(profile: Profile, tmp_path: Path) -> None:
    said = profile("import", str(tmp_path / "gone.csv"))
    assert said.complaint[0].endswith("gone.csv could not be read: there is no such file or folder.")


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_log_tells_each_change_and_any_can_be_undone(profile: Profile) -> None:
    profile("add", "Kowalski")
    profile("add", "Nguyen", "--caretaker")
    profile("rule", "um", "")
    lines = profile("log").lines
    assert [re.sub(r"\d{4}-\S+ \S+, ", "", line) for line in lines] == [
        "3. the person: added the rule for um.",
        "2. a caretaker: added Nguyen.",
        "1. the person: added Kowalski.",
    ]
    assert profile("undo", "1").lines == ["Change 1 is undone, by change 4. To take that back, undo 4."]
    assert profile("undo", "1").lines == ["Change 1 was undone before. Nothing has changed."]
    assert profile("entries").lines == ["Nguyen", "Entries: 1."]
    assert profile("log", "--limit", "1").lines[0].endswith("undid 1: removed Kowalski.")
    for word in ("a", "b", "c", "d"):
        profile("add", word)
    profile("undo", "--since", "2026-01-01")
    assert "undid 8 changes, from 1 to 8: " in profile("log", "--limit", "1").lines[0]


def test_all_that_came_from_an_import_can_be_undone_at_once(profile: Profile, tmp_path: Path) -> None:
    profile("add", "Kowalski")
    (tmp_path / "list.txt").write_text("a\nb\nc\nd\n")
    profile("import", str(tmp_path / "list.txt"))
    assert "4 entries, rules or preferences" in profile("log").lines[0]
    said = profile("undo", "--since", "2000-01-01", "--only", "import")
    assert said.lines == ["Entries, rules and preferences that are as they were before: 4. Last change: 3."]
    assert profile("entries").lines == ["Kowalski", "Entries: 1."]


@pytest.mark.parametrize("words", [(), ("1", "--since", "2026-01-01"), ("1", "--only", "learned")])
def test_undo_must_know_what(profile: Profile, words: tuple[str, ...]) -> None:
    profile("add", "Kowalski")
    assert profile("undo", *words).status == ExitCode.WRONG_USAGE


# --- preferences and what was learned --------------------------------------------------------------------------------


def test_preferences_are_told_and_changed(profile: Profile) -> None:
    assert profile("preferences").lines == [
        "Learns from corrections: yes.",
        "Mandarin sounds not told apart: none.",
        "A blank between Chinese characters and Latin words: yes.",
        "Chinese characters: simplified.",
        "Silence that ends a sentence: as usual.",
        "Language of dictation: whichever is spoken.",
        "Engine: as usual.",
        "Second engine, for what is written: as usual.",
    ]
    changed = (
        "--learn",
        "off",
        "--fuzzy",
        "n/l",
        "--fuzzy",
        "in/ing",
        "--script",
        "traditional",
        "--endpoint-delay",
        "0.7",
        "--language",
        "zh",
        "--own-engine",
        "mine",
        "--own-final-engine",
        "whisper",
    )
    assert profile("preferences", *changed, language="zh").lines == [
        "从纠正中学习：否。",
        "不区分的普通话读音：n/l；in/ing。",
        "汉字和拉丁字母的词之间加空格：是。",
        "汉字：繁体。",
        "停顿多久算一句话结束：0.7 秒。",
        "听写语言：zh。",
        "引擎：mine。",
        "负责最后文字的第二个引擎：whisper。",
    ]
    usual = ("--fuzzy", "", "--endpoint-delay", "0", "--language", "any", "--own-engine", "usual")
    (row,) = profile("preferences", *usual, "--json").rows
    assert (row["language"], row["engine"], row["final_engine"]) == (None, "", "whisper")
    assert (row["learn"], row["fuzzy"], row["endpoint_delay_s"], row["revision"]) == (False, [], None, 2)


@pytest.mark.parametrize("words", [("--fuzzy", "x/y"), ("--endpoint-delay", "99"), ("--endpoint-delay", "nan")])
def test_a_preference_that_cannot_be_is_refused(profile: Profile, words: tuple[str, ...]) -> None:
    said = profile("preferences", *words)
    assert said.status == ExitCode.WRONG_USAGE
    assert said.complaint[0].startswith("This cannot be kept: ")


def test_a_preference_beyond_its_limits_is_told_with_the_limit(profile: Profile) -> None:
    said = profile("preferences", "--endpoint-delay", "99")
    assert said.complaint[0] == "This cannot be kept: the silence that ends a sentence can be 3 at most."


def test_where_no_line_can_be_used_nobody_is_sent_to_take_the_others(profile: Profile, tmp_path: Path) -> None:
    words = tmp_path / "words.json"
    words.write_text('{"entries": [1], "preferences": {"endpoint_delay_s": 9}}')
    assert profile("import", str(words), "--keep-good").lines[1:] == [
        "The preferences: the silence that ends a sentence can be 3 at most.",
        "Item 1: it is no object with names and values.",
        "Nothing was changed: none of it can be used.",
    ]


def test_what_was_learned_is_told_accepted_and_forgotten(profile: Profile, tmp_path: Path) -> None:
    lessons = [
        {"id": "a", "heard": "co walski", "written": "Kowalski", "language": "en", "state": "suggested", "times": 2},
        {"id": "b", "heard": "win", "written": "Nguyen", "language": "en"},
    ]
    (tmp_path / "learned.json").write_text(json.dumps({"lessons": lessons}))
    profile("import", str(tmp_path / "learned.json"))
    assert profile("learned").lines == [
        "Corrections of co walski to Kowalski: 2; suggested, not in use.",
        "Corrections of win to Nguyen: 1; noticed, not in use.",
        "Lessons: 2.",
    ]
    accepted = profile("learned", "--accept", "kowalski")
    assert accepted.lines == ["From now on Kowalski also sounds like co walski. Change 2."]
    assert profile("entries").lines == ["Kowalski, sounds like co walski, English", "Entries: 1."]
    assert profile("learned", "--forget", "win").lines == ["Nguyen will not be learned for win again. Change 3."]
    assert profile("learned", "--forget", "nobody").status == ExitCode.SOME_FAILED
    profile("undo", "2")
    assert profile("entries").lines == ["Entries: 0."]


def test_a_learned_entry_that_is_removed_is_not_said_to_be_in_use(profile: Profile, tmp_path: Path) -> None:
    lesson = {"heard": "win", "written": "Nguyen", "language": "en", "state": "suggested", "times": 2}
    (tmp_path / "learned.json").write_text(json.dumps({"lessons": [lesson]}))
    profile("import", str(tmp_path / "learned.json"))
    profile("learned", "--accept", "win")
    profile("remove", "Nguyen")
    assert profile("learned").lines[0].endswith("; no longer in use, because it was taken back.")


# --- trying ----------------------------------------------------------------------------------------------------------


def test_it_is_told_how_an_entry_would_be_heard_and_what_the_engine_can_do(profile: Profile) -> None:
    profile("add", "Kowalski", "--sounds", "co val ski")
    said = profile("test", "kowalski", "--engine", "script")
    assert said.lines[0].startswith("Kowalski is expected to sound like: K OW V AE L S K IY")
    assert said.lines[1] == "The engine script cannot check the sound: only the text is compared."


def test_what_the_engine_cannot_hear_is_said(profile: Profile) -> None:
    needs_package("moonshine-voice")
    profile("add", "张伟")
    assert (
        "The engine moonshine-tiny-en does not hear this language, so it has no effect."
        in profile("test", "张伟").lines
    )


def test_of_what_is_near_it_is_said_whether_the_sound_decides(profile: Profile) -> None:
    needs_package("moonshine-voice")
    profile("add", "Vicki")
    profile("add", "Kowalski", "--strength", "never")
    said = "Where wiki is heard, Vicki might be meant; "
    assert said + "the sound decides." in profile("test", "wiki").lines
    assert said + "at most it is offered." in profile("test", "wiki", "--engine", "script").lines
    never = profile("test", "kowalsky").lines
    assert "Where kowalsky is heard, Kowalski might be meant; at most it is offered." in never


def test_in_a_sentence_the_words_are_told_for_which_an_entry_is_meant(profile: Profile) -> None:
    profile("add", "Kowalski")
    said = profile("test", "I met Kowalsky, in town", "--engine", "script").lines
    assert any(line.startswith("Where Kowalsky is heard, Kowalski ") for line in said)


def test_of_words_that_have_a_rule_the_rule_is_told(profile: Profile) -> None:
    profile("rule", "um", "")
    assert "The rule goes before all else: for um write nothing." in profile("test", "Um", "--engine", "script").lines
    profile("rule", "my address", "12 Mill Lane", "--application", "mail")
    said = profile("test", "this is my address, please", "--engine", "script").lines
    assert "The rule goes before all else: for my address write 12 Mill Lane, only in mail." in said


def test_in_a_chinese_sentence_the_words_are_told_for_which_an_entry_is_meant(profile: Profile) -> None:
    needs_package("pypinyin")
    profile("add", "王晓明")
    said = profile("test", "昨天我和王小名见面了", "--engine", "script", language="zh").lines
    assert "听到“王小名”时，会写成“王晓明”。" in said


def test_of_many_that_are_near_one_would_be_written_and_a_few_are_told(profile: Profile) -> None:
    for name in ("Kalomimon", "Kalomirel", "Kalomipen", "Kalomidor", "Kalomiwick", "Kalomibran", "Kalomivor"):
        profile("add", name)
    said = [line for line in profile("test", "kalomiren", "--engine", "script").lines if " is heard, " in line]
    assert (len(said), sum("would be written" in line for line in said)) == (5, 1)
    rows = profile("test", "kalomiren", "--engine", "script", "--json").rows
    assert len([row for row in rows if "candidate" in row]) >= 7


def test_of_two_that_sound_the_same_the_other_is_told(profile: Profile) -> None:
    profile("add", "Steven")
    profile("add", "Stephen")
    said = profile("test", "Steven", "--engine", "script").lines
    assert "Where Steven is heard, Stephen might be meant; at most it is offered." in said


def test_words_can_be_tried_as_if_a_program_had_the_focus(profile: Profile) -> None:
    profile("add", "Steven")
    profile("add", "Stephen", "--application", "slack")
    words = ("test", "ask Steven", "--engine", "script")
    would = "Where Steven is heard, Stephen would be written."
    assert would in profile(*words, "--application", "Slack").lines
    assert would not in profile(*words).lines


def test_words_that_are_not_listed_can_be_tried_too(profile: Profile) -> None:
    said = profile("test", "Nguyen", "--engine", "script")
    assert "Nguyen is not in the list." in said.lines


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_put_aside_unchanged_and_one_can_begin_anew(profile: Profile, tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    profile("add", "Kowalski")
    profile("export", str(export))
    file = tmp_path / ".local" / "share" / "voice-ime" / "profiles.sqlite"
    damaged = file.read_bytes()[:5000]
    file.write_bytes(damaged)
    said = profile("entries")
    assert said.status == ExitCode.NO_OUTPUT
    assert said.complaint == [
        f"The file with your words and rules is damaged: {file}. Nothing was changed in it.",
        "Run voice-ime profile rescue. It puts the damaged file aside, so that you can import your last export.",
    ]
    assert "移到一边" in profile("entries", language="zh").complaint[1]
    aside = Path(re.findall(r"unchanged: (.*)\.$", profile("rescue").lines[0])[0])
    assert aside.read_bytes() == damaged
    assert profile("import", str(export)).status == ExitCode.OK
    assert len(profile("entries").lines) == 1 + 1


def test_what_is_whole_of_a_damaged_file_can_be_taken_back(profile: Profile, tmp_path: Path) -> None:
    profile("add", "Kowalski", "--note", "n" * 1900)
    profile("add", "Covalsky", "--note", "m" * 1900)
    file = tmp_path / ".local" / "share" / "voice-ime" / "profiles.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("update item set data = replace(data, 'Covalsky', x'ff')")
    connection.commit()
    connection.close()
    assert profile("entries").status == ExitCode.NO_OUTPUT
    said = profile("rescue").lines[1]
    assert said.startswith(
        "What can still be read of it, entries: 1, rules: 0. To take it back: voice-ime profile import "
    )
    words = said.partition(": voice-ime profile ")[2].split()
    assert profile(*words).status == ExitCode.OK
    assert profile("entries", "--json").rows[0]["written"] == "Kowalski"


def test_a_file_that_is_sound_is_left_where_it_is(profile: Profile) -> None:
    profile("add", "Kowalski")
    assert profile("rescue").lines == ["All words and rules can be read. Nothing was changed."]
    assert profile("entries", "--json").rows[0]["written"] == "Kowalski"
