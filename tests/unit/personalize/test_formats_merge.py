"""An import can be looked at before it is made, unites what is the same, and is made as a whole or not at all."""

from voice_ime.personalize.formats.merge import Plan, planned
from voice_ime.personalize.formats.table import format_named, read
from voice_ime.personalize.profile import (
    MOST_ENTRIES,
    MOST_SOUNDS,
    Entry,
    Lesson,
    Preferences,
    Profile,
    Rule,
    Sound,
    SoundKind,
    Source,
    Strength,
)
from voice_ime.store.base import Put


def plan(text: str, profile: Profile, form: str = "csv", *, keep_good: bool = False) -> Plan:
    return planned(profile, read(text.encode(), format_named(form)), keep_good=keep_good)


def entries(made: Plan) -> list[Entry]:
    return [change.value for change in made.changes if isinstance(change, Put) and isinstance(change.value, Entry)]


def spoken(text: str) -> Sound:
    return Sound(kind=SoundKind.WORDS, text=text)


KOWALSKI = Entry(
    id="k",
    written="Kowalski",
    sounds=(spoken("co val ski"),),
    strength=Strength.WEAK,
    note="neighbour",
    tags=("street",),
)
ANN = Profile(name="ann", revision=3, entries=(KOWALSKI,), rules=(Rule(id="r", heard="em dash", write="—"),))


def test_what_is_new_is_added_and_says_that_it_was_imported() -> None:
    made = plan("written\nNguyen\n", ANN)
    assert [(each.written, each.source) for each in entries(made)] == [("Nguyen", Source.IMPORT)]
    assert [(each.number, each.became, each.text) for each in made.outcomes] == [(2, "added", "Nguyen")]


def test_the_same_words_are_merged_sounds_and_tags_united_and_the_new_strength_taken() -> None:
    made = plan("written,sounds,strength,tags\nKowalski,kowalsky | co val ski,strong,work\n", ANN)
    merged = entries(made)[0]
    assert merged.id == "k"
    assert merged.sounds == (spoken("co val ski"), spoken("kowalsky"))
    assert merged.tags == ("street", "work")
    assert (merged.strength, merged.note, merged.source) == (Strength.STRONG, "neighbour", Source.PERSON)
    assert made.outcomes[0].became == "merged"


def test_what_the_file_does_not_say_stays_as_it_was() -> None:
    assert entries(plan("written,sounds,strength\nKowalski,kowalsky,\n", ANN))[0].strength is Strength.WEAK


def test_what_is_known_already_is_left_alone() -> None:
    made = plan("Kowalski\n", ANN, "txt")
    assert made.changes == ()
    assert made.count("unchanged") == 1


def test_other_languages_and_applications_are_other_entries() -> None:
    made = plan("written,language,application\nKowalski,en,\nKowalski,,mail\n", ANN)
    assert made.count("added") == 2


def test_lines_of_one_file_are_merged_too() -> None:
    made = plan("written,sounds\nNguyen,win\nNguyen,new yen\n", ANN)
    assert entries(made)[0].sounds == (spoken("win"), spoken("new yen"))
    assert [each.became for each in made.outcomes] == ["added", "merged"]


def test_a_bad_line_keeps_the_good_ones_out_unless_they_are_wanted_all_the_same() -> None:
    text = "written,language\nNguyen,en\nworf,tlh\n"
    assert plan(text, ANN).changes == ()
    assert [each.number for each in plan(text, ANN).refused] == [3]
    assert [each.written for each in entries(plan(text, ANN, keep_good=True))] == ["Nguyen"]


def test_too_many_sounds_are_refused_by_the_line_that_brings_them() -> None:
    text = "written,sounds\nNguyen," + " | ".join(f"n{number}" for number in range(MOST_SOUNDS)) + "\nNguyen,more\n"
    made = plan(text, ANN, keep_good=True)
    assert [(each.number, each.reason) for each in made.refused] == [(3, "too_many")]
    assert len(entries(made)[0].sounds) == MOST_SOUNDS


def test_a_list_that_does_not_fit_is_refused_from_the_first_line_that_has_no_room() -> None:
    full = ANN.model_copy(
        update={"entries": tuple(Entry(id=f"e{n}", written=f"word {n}") for n in range(MOST_ENTRIES - 1))}
    )
    made = plan("one\ntwo\nword 7\n", full, "txt")
    assert [(each.number, each.reason) for each in made.refused] == [(2, "full")]


def test_json_into_an_empty_profile_gives_the_same_profile() -> None:
    wishes = Preferences(fuzzy=("n/l",))
    given = ANN.model_copy(update={"preferences": wishes})
    made = plan(format_named("json").write(given), Profile(name="bob"), "json")
    assert [change.value for change in made.changes if isinstance(change, Put)] == [
        *given.entries,
        *given.rules,
        wishes,
    ]
    assert made.preferences


def test_an_id_that_is_taken_by_other_words_is_replaced() -> None:
    made = plan(
        '[{"id": "k", "written": "Nguyen"}, {"id": "x", "written": "a"}, {"id": "x", "written": "b"}]', ANN, "json"
    )
    ids = [each.id for each in entries(made)]
    assert "k" not in ids
    assert len(set(ids)) == 3


def test_a_rule_for_the_same_words_is_replaced() -> None:
    made = plan("heard,write\nem dash, – \n", ANN)
    assert [change.value for change in made.changes if isinstance(change, Put)] == [
        Rule(id="r", heard="em dash", write="– ", source=Source.PERSON)
    ]


def test_a_lesson_names_its_entry_by_the_id_that_it_has_here() -> None:
    lesson = Lesson(id="l", heard="co walski", written="Kowalski", language="en", entry="there")
    given = Profile(name="x", entries=(Entry(id="there", written="Kowalski"),), lessons=(lesson,))
    made = plan(format_named("json").write(given), ANN, "json")
    (kept,) = [change.value for change in made.changes if isinstance(change, Put) and isinstance(change.value, Lesson)]
    assert kept.entry == "k"
