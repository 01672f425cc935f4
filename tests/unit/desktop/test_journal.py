"""What was said and what became of it."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from voice_ime_desktop.journal import DAY_S, Journal, State, opened

from voice_ime.cli import main
from voice_ime.commands import ExitCode
from voice_ime.errors import JournalDamaged


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_an_utterance_is_noted_before_it_is_inserted_and_again_after(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    entry = journal.intend("Hello.", "gedit")
    assert entry.state is State.INTENDED
    assert journal.settle(entry.number, State.VERIFIED).state is State.VERIFIED
    assert [(e.text, e.application, e.state) for e in journal.entries()] == [("Hello.", "gedit", State.VERIFIED)]
    journal.close()


def test_what_is_noted_is_there_after_the_client_was_killed(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").intend("Hello.", "gedit")
    later = Journal(tmp_path / "journal")
    (lost,) = later.recover()
    assert (lost.text, lost.state, lost.reason) == ("Hello.", State.HELD, "perhaps_inserted")
    assert later.recover() == []
    later.close()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal"
    journal = Journal(path)
    journal.intend("Hello.", "gedit")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    journal.close()


def test_it_is_bounded_by_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", most=3)
    for number in range(5):
        journal.intend(f"{number}", "gedit")
    assert [entry.text for entry in journal.entries()] == ["4", "3", "2"]
    journal.close()


def test_it_is_bounded_by_age(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "journal", days=2, clock=clock)
    journal.intend("old", "gedit")
    clock.now += 3 * DAY_S
    journal.intend("new", "gedit")
    assert [entry.text for entry in journal.entries()] == ["new"]
    journal.close()


def test_the_newest_text_that_can_still_be_inserted_is_found(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for text, state in (("one", State.HELD), ("two", State.REFUSED), ("three", State.VERIFIED)):
        journal.settle(journal.intend(text, "gedit").number, state)
    found = journal.newest_available()
    assert found is not None
    assert found.text == "two"
    journal.close()


def test_forgetting_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    number = journal.intend("mandragora", "gedit").number
    journal.intend("kept", "gedit")
    assert journal.forget(number) == 1
    assert [entry.text for entry in journal.entries()] == ["kept"]
    assert journal.forget() == 1
    journal.close()
    assert all(b"mandragora" not in file.read_bytes() for file in tmp_path.iterdir())


def test_an_entry_that_is_not_there_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with pytest.raises(LookupError):
        journal.settle(7, State.HELD)
    journal.close()


@pytest.mark.parametrize("number", [None, 1])
def test_what_is_erased_stands_in_none_of_its_files_while_the_client_still_runs(
    tmp_path: Path, number: int | None
) -> None:
    client, command = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
    client.settle(client.intend("mandragora", "gedit").number, State.VERIFIED)
    assert command.forget(number) == 1
    assert [file.name for file in tmp_path.iterdir() if b"mandragora" in file.read_bytes()] == []
    client.close()
    command.close()


def test_what_became_too_old_stands_in_none_of_its_files(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "journal", days=2, clock=clock)
    journal.intend("mandragora", "gedit")
    clock.now += 3 * DAY_S
    journal.intend("new", "gedit")
    assert [file.name for file in tmp_path.iterdir() if b"mandragora" in file.read_bytes()] == []
    journal.close()


def test_who_wants_the_held_text_inserted_and_there_is_none_hears_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"HOME": str(tmp_path)}
    assert main(["journal", "insert"], environment=environment) == ExitCode.SOME_FAILED
    assert capsys.readouterr().out == "Nothing is held.\n"
    assert main(["journal", "insert", "12"], environment=environment) == ExitCode.SOME_FAILED
    assert capsys.readouterr().out.startswith("There is no held text of that number.")


def with_texts(path: Path) -> Path:
    journal = Journal(path)
    for number in range(200):
        journal.intend(f"{number} " * 50, "gedit")
    journal.close()
    return path


def no_journal(path: Path) -> None:
    path.write_bytes(b"This was never a journal. " * 1000)


def overwritten(path: Path) -> None:
    with with_texts(path).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)


def cut_short(path: Path) -> None:
    whole = with_texts(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


DAMAGES = [no_journal, overwritten, cut_short]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_told_as_such_and_not_touched(damage: Callable[[Path], None], tmp_path: Path) -> None:
    damage(tmp_path / "journal")
    before = (tmp_path / "journal").read_bytes()
    with pytest.raises(JournalDamaged):
        Journal(tmp_path / "journal")
    assert (tmp_path / "journal").read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_client_begins_anew_beside_a_damaged_journal(damage: Callable[[Path], None], tmp_path: Path) -> None:
    damage(tmp_path / "journal")
    before = (tmp_path / "journal").read_bytes()
    journal, aside = opened(tmp_path / "journal", most=500, days=7)
    assert aside is not None
    assert aside.read_bytes() == before
    assert journal.intend("Hello.", "gedit").number == 1
    journal.close()


def test_a_whole_journal_is_not_put_aside(tmp_path: Path) -> None:
    journal, aside = opened(with_texts(tmp_path / "journal"), most=500, days=7)
    assert aside is None
    assert len(journal.entries()) == 200
    journal.close()
