"""From a text to an outcome: the rules of inserting, to the last branch."""

from dataclasses import replace

import pytest
from voice_ime_desktop.focus.base import Kind, Refusal, Target
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.insert.inserter import Held, Inserted, Inserter, Refused, fit
from voice_ime_desktop.insert.recording import Luck, RecordingReadBack, RecordingWay

from voice_ime.errors import DesktopUnavailable


class Bench:
    """A desk with one letter that has the focus, and an inserter with as many ways as there are lucks."""

    def __init__(self, *lucks: Luck) -> None:
        self.desk = FakeDesk()
        self.letter = self.desk.add("letter", multi_line=True)
        self.desk.focus_on(self.letter)
        self.ways = [RecordingWay(self.desk, luck, f"way{number}") for number, luck in enumerate(lucks)]
        self.read_back = RecordingReadBack(self.desk)
        self.inserter = Inserter(self.desk, self.read_back, self.ways)

    @property
    def sent(self) -> list[list[str]]:
        return [way.sent for way in self.ways]

    def focus_on(self, field: FakeField) -> Target:
        self.desk.focus_on(field)
        return field.target


async def test_a_text_goes_to_the_caret_and_is_verified():
    bench = Bench(Luck.WORKS)
    bench.letter.text, bench.letter.caret = "Dear ,", 5

    outcome = await bench.inserter.insert(bench.letter.target, "阿明")

    assert bench.letter.text == "Dear 阿明,"
    assert isinstance(outcome, Inserted)
    assert (outcome.verified, outcome.way, outcome.text) == (True, "way0", "阿明")
    assert outcome.place is not None
    assert outcome.place.start == 5


async def test_what_is_selected_is_replaced():
    bench = Bench(Luck.WORKS)
    bench.letter.text, bench.letter.caret, bench.letter.selected = "one two", 7, 3

    outcome = await bench.inserter.insert(bench.letter.target, "three")

    assert bench.letter.text == "one three"
    assert isinstance(outcome, Inserted)
    assert outcome.verified


async def test_another_window_than_at_the_beginning_holds_the_text():
    bench = Bench(Luck.WORKS)
    chat = bench.desk.add("chat")
    bench.focus_on(chat)

    assert await bench.inserter.insert(bench.letter.target, "secret plan") == Held("focus_moved")
    assert bench.sent == [[]]


async def test_a_focus_that_went_nowhere_holds_the_text():
    bench = Bench(Luck.WORKS)
    bench.desk.focus_on(None)

    assert await bench.inserter.insert(bench.letter.target, "hello") == Held("focus_moved")


async def test_words_spoken_while_nothing_had_the_focus_are_held():
    bench = Bench(Luck.WORKS)

    assert await bench.inserter.insert(None, "hello") == Held("nothing_focused")
    assert bench.sent == [[]]


@pytest.mark.parametrize("refusal", ["hidden_input", "read_only", "locked"])
async def test_a_refusal_is_asked_again_right_before(refusal: Refusal):
    bench = Bench(Luck.WORKS)
    bench.letter.refusal = refusal

    assert await bench.inserter.insert(bench.letter.target, "hello") == Refused(refusal)
    assert bench.sent == [[]]


async def test_a_password_field_is_refused():
    bench = Bench(Luck.WORKS)
    password = bench.focus_on(bench.desk.add("password", Kind.PASSWORD))

    assert await bench.inserter.insert(password, "hello") == Refused("password")
    assert bench.sent == [[]]


async def test_a_password_that_was_made_visible_meanwhile_is_refused_as_well():
    bench = Bench(Luck.WORKS)
    at_the_beginning = replace(bench.letter.target, kind=Kind.PASSWORD)

    assert await bench.inserter.insert(at_the_beginning, "hello") == Refused("password")


async def test_a_button_is_refused():
    bench = Bench(Luck.WORKS)
    button = bench.focus_on(bench.desk.add("button", Kind.OTHER, readable=False, editable=False))

    assert await bench.inserter.insert(button, "hello") == Refused("no_text_field")


async def test_a_focus_that_moves_while_a_way_fails_holds_the_text():
    bench = Bench(Luck.FAILS, Luck.WORKS)
    chat = bench.desk.add("chat")
    bench.ways[0].before_insert = lambda: bench.desk.focus_on(chat)

    assert await bench.inserter.insert(bench.letter.target, "hello") == Held("focus_moved")
    assert chat.text == ""


async def test_a_way_that_certainly_did_nothing_is_followed_by_the_next():
    bench = Bench(Luck.FAILS, Luck.WORKS)

    outcome = await bench.inserter.insert(bench.letter.target, "hello")

    assert isinstance(outcome, Inserted)
    assert outcome.way == "way1"
    assert bench.letter.text == "hello"


async def test_a_way_that_leads_nowhere_is_passed_over():
    bench = Bench(Luck.ABSENT, Luck.WORKS)

    outcome = await bench.inserter.insert(bench.letter.target, "hello")

    assert isinstance(outcome, Inserted)
    assert outcome.way == "way1"


async def test_a_text_that_was_sent_and_did_not_arrive_is_never_sent_another_way():
    bench = Bench(Luck.LOSES, Luck.WORKS)

    assert await bench.inserter.insert(bench.letter.target, "hello") == Held("not_arrived", perhaps=True)
    assert bench.sent == [["hello"], []]


async def test_a_way_that_knows_of_a_password_ends_it():
    bench = Bench(Luck.REFUSES, Luck.WORKS)

    assert await bench.inserter.insert(bench.letter.target, "hello") == Refused("password")
    assert bench.sent == [[], []]


@pytest.mark.parametrize("lucks", [(), (Luck.ABSENT,), (Luck.FAILS, Luck.FAILS)])
async def test_without_a_way_the_text_is_held(lucks: tuple[Luck, ...]):
    bench = Bench(*lucks)

    assert await bench.inserter.insert(bench.letter.target, "hello") == Held("no_way")


async def test_a_window_that_cannot_be_read_leaves_it_unverified():
    bench = Bench(Luck.WORKS)
    xterm = bench.desk.add("xterm", Kind.UNKNOWN, readable=False, editable=False)
    bench.focus_on(xterm)

    assert await bench.inserter.insert(xterm.target, "hello") == Inserted(False, "way0", "hello")
    assert xterm.text == "hello"


async def test_where_nothing_can_be_read_a_focus_that_moves_in_that_moment_makes_it_doubtful():
    bench = Bench(Luck.WORKS)
    xterm = bench.desk.add("xterm", Kind.UNKNOWN, readable=False, editable=False)
    bench.focus_on(xterm)
    bench.ways[0].after_insert = lambda: bench.desk.focus_on(bench.letter)

    assert await bench.inserter.insert(xterm.target, "hello") == Held("not_arrived", perhaps=True)


async def test_a_program_that_does_not_answer_is_sent_nothing():
    bench = Bench(Luck.WORKS)
    bench.read_back.mute = True

    assert await bench.inserter.insert(bench.letter.target, "hello") == Held("no_answer")
    assert bench.sent == [[]]


@pytest.mark.parametrize("text", ["", "\x1b", "\x00\x07"])
async def test_nothing_is_not_sent(text: str):
    bench = Bench(Luck.WORKS)

    assert await bench.inserter.insert(bench.letter.target, text) == Held("empty")
    assert bench.sent == [[]]


async def test_the_outcome_tells_the_text_as_it_was_put_in():
    bench = Bench(Luck.WORKS)
    line = bench.focus_on(bench.desk.add("line"))

    outcome = await bench.inserter.insert(line, "two\nlines")

    assert isinstance(outcome, Inserted)
    assert outcome.text == "two lines"


async def test_the_last_text_can_be_taken_out_again_once():
    bench = Bench(Luck.WORKS)
    outcome = await bench.inserter.insert(bench.letter.target, "hello")
    assert isinstance(outcome, Inserted)
    assert outcome.place is not None

    assert await bench.inserter.undo(outcome.place, outcome.text)
    assert bench.letter.text == ""
    assert not await bench.inserter.undo(outcome.place, outcome.text)


async def test_a_text_that_was_changed_since_is_not_taken_out():
    bench = Bench(Luck.WORKS)
    outcome = await bench.inserter.insert(bench.letter.target, "hello")
    assert isinstance(outcome, Inserted)
    assert outcome.place is not None
    bench.letter.text = "hullo"

    assert not await bench.inserter.undo(outcome.place, outcome.text)
    assert bench.letter.text == "hullo"


class AbsentWay(RecordingWay):
    async def start(self) -> None:
        raise DesktopUnavailable("ibus", "does not run")


async def test_a_way_that_is_not_open_here_is_told_and_the_others_start():
    bench = Bench(Luck.WORKS)
    absent = AbsentWay(bench.desk, Luck.ABSENT)
    inserter = Inserter(bench.desk, bench.read_back, [absent, *bench.ways])

    missing = await inserter.start()

    assert [error.values["part"] for error in missing] == ["ibus"]
    assert bench.ways[0].running
    await inserter.stop()
    assert not bench.ways[0].running


DOCUMENT = Target("one", Kind.TEXT, multi_line=True)
LINE = Target("one", Kind.TEXT)
TERMINAL = Target("one", Kind.TERMINAL, multi_line=True)
UNKNOWN = Target("one", Kind.UNKNOWN, multi_line=True)


@pytest.mark.parametrize(
    ("target", "text", "fitting"),
    [
        (DOCUMENT, "two\nlines", "two\nlines"),
        (DOCUMENT, "a\tb", "a\tb"),
        (LINE, "two\nlines", "two lines"),
        (LINE, "two\r\n\r\n lines", "two lines"),
        (LINE, "two\u2028lines\u2029", "two lines "),
        (TERMINAL, "rm x\n", "rm x "),
        (TERMINAL, "a\tb", "a b"),
        (TERMINAL, "a\x1b[Ab\x03\x04", "a[Ab"),
        (TERMINAL, "a\x85b", "a b"),
        (UNKNOWN, "rm x\r", "rm x "),
        (DOCUMENT, "你好👩‍👩‍👧", "你好👩‍👩‍👧"),
        (TERMINAL, "你好👩‍👩‍👧", "你好👩‍👩‍👧"),
    ],
)
def test_what_does_not_belong_there_is_left_out(target: Target, text: str, fitting: str):
    assert fit(text, target) == fitting
