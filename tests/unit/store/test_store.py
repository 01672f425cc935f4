"""What is kept is kept, and every step of its history can be taken back."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.needs import needs_package
from tests.unit.store.making import CARETAKER, LEARNED, NOON, PERSON, Clock, entry, lesson, rule

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.errors import (  # noqa: E402
    ChangedSince,
    EntryExists,
    EntryNotFound,
    NewerSchema,
    NotConfirmed,
    Outdated,
    ProfileExists,
    ProfileFull,
    ProfileNotFound,
    RevisionNotFound,
    StoreError,
    WrongName,
)
from voice_ime.personalize.profile import (  # noqa: E402
    MOST_RULES,
    Preferences,
    Profile,
    Sound,
    SoundKind,
    Source,
    Strength,
)
from voice_ime.store.base import Put, Remove, Store  # noqa: E402
from voice_ime.store.current import OLD_S, Profiles  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "profiles.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = SqlStore(path, clock=Clock())
    store.create("ann")
    yield store
    store.close()


FULL = entry(
    "e1",
    "Kowalski",
    sounds=(Sound(kind=SoundKind.WORDS, text="co val ski"), Sound(kind=SoundKind.ARPABET, text="K AH V AE L S K IY")),
    language="en",
    strength=Strength.STRONG,
    application="thunderbird",
    note="our neighbour 邻居",
    tags=("people", "street"),
    source=Source.CARETAKER,
    used=NOON,
)


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_a_new_profile_is_empty(store: Store) -> None:
    assert store.get("ann") == Profile(name="ann")
    assert store.revision("ann") == 0


def test_everything_of_an_entry_a_rule_and_the_preferences_comes_back(store: Store) -> None:
    dash = rule("r1", "em dash", " — ", match_case=True, source="learned", state="suggested")
    wishes = Preferences(learn=False, fuzzy=("n/l",), endpoint_delay_s=0.7)
    learned = lesson("l1", "co walski", "Kowalski", state="active", times=3, entry="e1")
    revision = store.apply("ann", [Put(FULL), Put(dash), Put(learned), Put(wishes)], PERSON)
    assert store.get("ann") == Profile(
        name="ann", revision=revision, entries=(FULL,), rules=(dash,), lessons=(learned,), preferences=wishes
    )


def test_what_was_acknowledged_is_there_after_a_restart(store: Store, path: Path) -> None:
    store.apply("ann", [Put(FULL)], PERSON)
    again = SqlStore(path)
    assert again.get("ann").entries == (FULL,)
    again.close()


def test_entries_stay_in_the_order_in_which_they_came_also_when_they_are_changed(store: Store) -> None:
    store.apply("ann", [Put(entry("b")), Put(entry("a")), Put(entry("c"))], PERSON)
    store.apply("ann", [Put(entry("a", "changed"))], PERSON)
    assert [each.id for each in store.get("ann").entries] == ["b", "a", "c"]


def test_all_changes_of_one_call_are_made_or_none(store: Store) -> None:
    with pytest.raises(EntryNotFound):
        store.apply("ann", [Put(entry("a")), Remove("entry", "nowhere")], PERSON)
    assert store.get("ann") == Profile(name="ann")


def test_the_same_words_are_kept_once_for_each_language_and_application(store: Store) -> None:
    store.apply("ann", [Put(entry("a", "Lee")), Put(entry("b", "Lee", language="zh"))], PERSON)
    store.apply("ann", [Put(entry("c", "Lee", application="terminal"))], PERSON)
    with pytest.raises(EntryExists) as caught:
        store.apply("ann", [Put(entry("d", "Lee", language="zh"))], PERSON)
    assert caught.value.values == {"id": "b"}
    with pytest.raises(EntryExists):
        store.apply("ann", [Put(entry("e", "new")), Put(entry("f", "new"))], PERSON)


def test_a_lesson_is_kept_once_for_what_was_heard_and_what_was_meant(store: Store) -> None:
    store.apply("ann", [Put(lesson("a", "x", "y")), Put(lesson("b", "x", "z"))], LEARNED)
    with pytest.raises(EntryExists):
        store.apply("ann", [Put(lesson("c", "x", "y"))], LEARNED)
    store.apply("ann", [Put(lesson("a", "x", "y", times=2)), Remove("lesson", "b")], LEARNED)
    assert store.get("ann").lessons == (lesson("a", "x", "y", times=2),)
    store.undo_since("ann", NOON, PERSON, only=Source.LEARNED)
    assert store.get("ann").lessons == ()


def test_two_entries_can_swap_their_words(store: Store) -> None:
    store.apply("ann", [Put(entry("a", "Lee")), Put(entry("b", "Li"))], PERSON)
    store.apply("ann", [Put(entry("a", "Li")), Put(entry("b", "Lee"))], PERSON)
    assert [each.written for each in store.get("ann").entries] == ["Li", "Lee"]


def test_a_change_that_changes_nothing_is_no_revision(store: Store) -> None:
    first = store.apply("ann", [Put(FULL)], PERSON)
    assert store.apply("ann", [Put(FULL)], PERSON) == first
    assert len(store.log("ann")) == 1


def test_a_change_thought_out_for_an_older_state_is_refused(store: Store) -> None:
    first = store.apply("ann", [Put(entry("a"))], PERSON, expected=0)
    second = store.apply("ann", [Put(entry("b"))], CARETAKER, expected=first)
    with pytest.raises(Outdated) as caught:
        store.apply("ann", [Put(entry("c"))], PERSON, expected=first)
    assert caught.value.values == {"expected": first, "revision": second}


def test_a_profile_that_is_full_says_so(store: Store) -> None:
    store.apply("ann", [Put(rule(f"r{n}", f"say {n}", "x")) for n in range(MOST_RULES)], PERSON)
    with pytest.raises(ProfileFull):
        store.apply("ann", [Put(rule("more", "one more", "x"))], PERSON)


def test_an_id_that_was_removed_cannot_be_removed_again(store: Store) -> None:
    store.apply("ann", [Put(entry("a"))], PERSON)
    store.apply("ann", [Remove("entry", "a")], PERSON)
    with pytest.raises(EntryNotFound):
        store.apply("ann", [Remove("entry", "a")], PERSON)


# --- profiles --------------------------------------------------------------------------------------------------------


def test_profiles_share_nothing(store: Store) -> None:
    store.create("bob")
    store.apply("ann", [Put(entry("a", "Lee"))], PERSON)
    store.apply("bob", [Put(entry("a", "Lee")), Put(rule("r", "x", "y"))], PERSON)
    store.apply("bob", [Remove("entry", "a")], PERSON)
    assert [each.written for each in store.get("ann").entries] == ["Lee"]
    assert [(each.name, each.entries, each.rules) for each in store.profiles()] == [("ann", 1, 0), ("bob", 0, 1)]


def test_a_profile_is_deleted_for_good_once_its_name_is_said_again(store: Store, path: Path) -> None:
    store.apply("ann", [Put(entry("a", "Rumpelstiltskin"))], PERSON)
    with pytest.raises(NotConfirmed):
        store.delete("ann", confirm="an")
    store.delete("ann", confirm="ann")
    with pytest.raises(ProfileNotFound):
        store.get("ann")
    assert not any(b"Rumpelstiltskin" in file.read_bytes() for file in path.parent.iterdir())


def test_a_profile_made_again_never_has_a_revision_of_the_old_one(store: Store) -> None:
    old = store.apply("ann", [Put(entry("a"))], PERSON)
    store.delete("ann", confirm="ann")
    store.create("ann")
    assert store.apply("ann", [Put(entry("b"))], PERSON) > old


def test_a_name_is_taken_once_and_is_short_and_plain(store: Store) -> None:
    with pytest.raises(ProfileExists):
        store.create("ann")
    for wrong in ("", "Ann Smith", "../x", "a" * 65):
        with pytest.raises(WrongName):
            store.create(wrong)


# --- taking back -----------------------------------------------------------------------------------------------------


def test_the_log_tells_who_did_what_and_when(store: Store) -> None:
    store.apply("ann", [Put(entry("a", "Lee"))], PERSON)
    store.apply("ann", [Put(entry("a", "Li"))], CARETAKER)
    store.apply("ann", [Remove("entry", "a")], PERSON)
    third, second, first = store.log("ann")
    assert (first.author, second.author, third.author) == (PERSON, CARETAKER, PERSON)
    assert (first.at, second.at) == (NOON, NOON + timedelta(hours=1))
    assert (first.changes[0].before, first.changes[0].after) == (None, entry("a", "Lee"))
    assert (second.changes[0].before, second.changes[0].after) == (entry("a", "Lee"), entry("a", "Li"))
    assert (third.changes[0].before, third.changes[0].after) == (entry("a", "Li"), None)
    assert [each.number for each in store.log("ann", limit=1, before=third.number)] == [second.number]


def test_any_step_can_be_undone_and_the_undoing_too(store: Store) -> None:
    added = store.apply("ann", [Put(FULL), Put(Preferences(learn=False))], PERSON)
    removed = store.apply("ann", [Remove("entry", "e1")], CARETAKER)
    undone = store.undo("ann", removed, PERSON)
    assert store.get("ann").entries == (FULL.model_copy(update={"used": None}),)
    store.undo("ann", undone, PERSON)
    assert store.get("ann").entries == ()
    assert store.log("ann")[1].undoes == (removed,)
    store.undo("ann", store.log("ann")[0].number, PERSON)
    store.undo("ann", added, PERSON)
    assert store.get("ann").entries == ()
    assert store.get("ann").preferences == Preferences()


def test_undoing_what_was_undone_changes_nothing(store: Store) -> None:
    added = store.apply("ann", [Put(entry("a"))], PERSON)
    back = store.undo("ann", added, PERSON)
    assert store.undo("ann", added, PERSON) == back


def test_a_step_under_a_later_one_on_the_same_is_not_undone_by_itself(store: Store) -> None:
    added = store.apply("ann", [Put(entry("a", "Lee")), Put(entry("b"))], PERSON)
    changed = store.apply("ann", [Put(entry("a", "Li"))], CARETAKER)
    with pytest.raises(ChangedSince) as caught:
        store.undo("ann", added, PERSON)
    assert caught.value.values == {"number": added, "later": changed}
    assert len(store.get("ann").entries) == 2


def test_everything_since_a_moment_can_be_undone_at_once_and_that_too(store: Store) -> None:
    store.apply("ann", [Put(entry("a", "Lee"))], PERSON)
    store.apply("ann", [Put(entry("a", "Li")), Put(entry("b"))], LEARNED)
    store.apply("ann", [Remove("entry", "a"), Put(rule("r", "x", "y"))], CARETAKER)
    late = store.get("ann")
    undone = store.undo_since("ann", NOON + timedelta(minutes=30), PERSON)
    assert store.get("ann").entries == (entry("a", "Lee"),)
    assert store.get("ann").rules == ()
    assert (undone.restored, undone.kept, len(undone.numbers)) == (3, 0, 2)
    store.undo("ann", undone.revision, PERSON)
    assert store.get("ann").entries == late.entries
    assert store.get("ann").rules == late.rules


def test_what_was_learned_can_be_undone_alone_and_what_people_changed_since_stays(store: Store) -> None:
    store.apply("ann", [Put(entry("a")), Put(entry("b"))], PERSON)
    store.apply("ann", [Put(entry("a", "learned")), Put(entry("b", "learned too")), Put(entry("c"))], LEARNED)
    store.apply("ann", [Put(entry("b", "corrected"))], CARETAKER)
    undone = store.undo_since("ann", NOON, PERSON, only=Source.LEARNED)
    assert [(each.id, each.written) for each in store.get("ann").entries] == [("a", "a"), ("b", "corrected")]
    assert (undone.restored, undone.kept) == (2, 1)


def test_undoing_when_there_is_nothing_changes_nothing(store: Store) -> None:
    assert store.undo_since("ann", NOON, PERSON).revision == 0
    with pytest.raises(RevisionNotFound):
        store.undo("ann", 7, PERSON)


def test_use_is_remembered_without_a_revision_and_does_not_stand_in_the_way_of_undoing(store: Store) -> None:
    added = store.apply("ann", [Put(entry("a"))], PERSON)
    store.mark_used("ann", ["a"], NOON)
    assert store.get("ann").entries[0].used == NOON
    assert store.revision("ann") == added
    store.apply("ann", [Put(entry("a", "changed"))], PERSON)
    assert store.get("ann").entries[0].used == NOON
    store.undo("ann", store.revision("ann"), PERSON)
    store.undo("ann", added, PERSON)
    assert store.get("ann").entries == ()


# --- files -----------------------------------------------------------------------------------------------------------


def test_only_the_owner_can_read_the_files(store: Store, path: Path) -> None:
    store.apply("ann", [Put(entry("a"))], PERSON)
    files = list(path.parent.iterdir())
    assert len(files) >= 2
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * len(files)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(store: Store, path: Path) -> None:
    store.close()
    changed(path, "update alembic_version set version_num = '9999'")
    with pytest.raises(NewerSchema):
        SqlStore(path).profiles()


def test_a_folder_that_cannot_be_made_is_told_without_anything_private(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        SqlStore(tmp_path / "file" / "profiles.sqlite").profiles()
    assert caught.value.values["path"] == str(tmp_path / "file" / "profiles.sqlite")


def test_an_error_of_the_database_quotes_no_words(store: Store, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed(path, "create trigger t before insert on item begin select raise(abort, 'no'); end")
    with caplog.at_level("DEBUG"), pytest.raises(StoreError) as caught:
        store.apply("ann", [Put(entry("a", "Rumpelstiltskin"))], PERSON)
    assert "Rumpelstiltskin" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def changed(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement)
    database.close()


# --- many at a time --------------------------------------------------------------------------------------------------


def test_threads_and_stores_write_at_the_same_time_and_lose_nothing(store: Store, path: Path) -> None:
    other = SqlStore(path)
    failures: list[BaseException] = []

    def write(kept_by: Store, thread: int) -> None:
        try:
            for number in range(10):
                kept_by.apply("ann", [Put(entry(f"t{thread}n{number}"))], PERSON)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=((store, other)[n % 2], n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.get("ann").entries) == 60
    assert len(store.log("ann", limit=100)) == 60
    other.close()


def test_two_programs_can_make_the_file_at_the_same_time(path: Path) -> None:
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(SqlStore(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.profiles() for store in stores] == [[]] * 4
    for store in stores:
        store.close()


# --- snapshots -------------------------------------------------------------------------------------------------------


def test_an_unchanged_profile_is_the_same_object(store: Store) -> None:
    store.apply("ann", [Put(entry("a"))], PERSON)
    store.create("bob")
    profiles = Profiles(store)
    first = profiles.current("ann")
    assert profiles.current("ann") is first
    store.apply("bob", [Put(entry("a"))], PERSON)
    store.mark_used("ann", ["a"], NOON)
    assert profiles.current("ann") is first


def test_a_change_by_anybody_is_seen_at_once(store: Store, path: Path) -> None:
    profiles = Profiles(store)
    assert profiles.current("ann").entries == ()
    store.apply("ann", [Put(entry("a"))], PERSON)
    assert len(profiles.current("ann").entries) == 1
    other = SqlStore(path)
    other.apply("ann", [Put(entry("b"))], CARETAKER)
    assert len(profiles.current("ann").entries) == 2
    other.delete("ann", confirm="ann")
    other.close()
    with pytest.raises(ProfileNotFound):
        profiles.current("ann")
    with pytest.raises(ProfileNotFound):
        profiles.current("ann")


def test_a_profile_that_came_back_is_read_anew(store: Store) -> None:
    profiles = Profiles(store)
    store.apply("ann", [Put(entry("a"))], PERSON)
    assert len(profiles.current("ann").entries) == 1
    store.delete("ann", confirm="ann")
    store.create("ann")
    store.apply("ann", [Put(entry("b")), Put(entry("c"))], PERSON)
    assert [each.id for each in profiles.current("ann").entries] == ["b", "c"]


def test_what_was_used_lately_is_known_after_half_a_day_at_the_latest(store: Store) -> None:
    now = [0.0]
    profiles = Profiles(store, lambda: now[0])
    store.apply("ann", [Put(entry("a"))], PERSON)
    assert profiles.current("ann").entries[0].used is None
    now[0] = OLD_S + 1
    store.mark_used("ann", ["a"], NOON)
    assert profiles.current("ann").entries[0].used == NOON
