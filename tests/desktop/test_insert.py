"""Texts arrive in real programs exactly as they are, or are held or refused; nothing of the person's is changed."""

import asyncio
import os
import signal

import pytest

from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, TK, VTE, XTERM, Program
from tests.desktop.conftest import Open
from tests.desktop.session import Session
from tests.desktop.x11 import until
from tests.needs import needs_package

needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

from voice_ime_desktop.accessibility import Ref  # noqa: E402
from voice_ime_desktop.focus.atspi import ref_of  # noqa: E402
from voice_ime_desktop.focus.base import Kind, Surroundings, Target  # noqa: E402
from voice_ime_desktop.insert.ibus import IbusWay  # noqa: E402
from voice_ime_desktop.insert.inserter import Held, Inserted, Outcome, Refused  # noqa: E402
from Xlib import X  # noqa: E402
from Xlib.display import Display  # noqa: E402

from tests.desktop.inserting import accessible, engine_in_use, hands_in, use_engine  # noqa: E402

READABLE = (GTK3, GTK4, QT5, CHROMIUM)
EDITABLE = (GTK3, GTK4, QT5)
EVERY_WAY = [
    *((program, way) for program in EDITABLE for way in ("ibus", "atspi", "clipboard")),
    *((CHROMIUM, way) for way in ("ibus", "clipboard")),
]
KINDS = {"vte": Kind.TERMINAL, "xterm": Kind.UNKNOWN}
TEXTS = (
    "Hello, world. ",
    "你好，世界。",
    "a😀👩‍👩‍👧b👍🏽🇨🇳",
    "two\nlines ",
    ("一二三 four five. " * 150)[:2000],
)


@pytest.fixture
async def session(session: Session) -> Session:
    await accessible(session)
    return session


def named(value: object) -> str:
    return value.name if isinstance(value, Program) else str(value)


def verified(outcome: Outcome) -> bool:
    return isinstance(outcome, Inserted) and outcome.verified


def object_of(target: Target) -> Ref:
    ref = ref_of(target)
    assert ref is not None
    return ref


# --- texts arrive


@pytest.mark.parametrize(("program", "way"), EVERY_WAY, ids=named)
async def test_texts_arrive_as_they_are_one_after_the_other(
    program: Program, way: str, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    async with hands_in(session) as hands, hands.inserter(way) as inserter:
        target = await hands.target()
        outcomes = [await inserter.insert(target, text) for text in TEXTS]

    assert [outcome for outcome in outcomes if not verified(outcome)] == []
    assert field.text("text") == "".join(TEXTS)


@pytest.mark.parametrize(("program", "way"), EVERY_WAY, ids=named)
async def test_no_line_break_comes_into_a_field_of_one_line(
    program: Program, way: str, session: Session, open_application: Open
) -> None:
    field = open_application(program, "line")
    async with hands_in(session) as hands:
        outcome = await hands.insert("one\r\ntwo\u2028three", way)

    assert verified(outcome)
    assert field.text("line") == "one two three"


@pytest.mark.parametrize(("program", "way"), EVERY_WAY, ids=named)
async def test_a_password_field_gets_nothing(
    program: Program, way: str, session: Session, open_application: Open
) -> None:
    field = open_application(program, "password")
    async with hands_in(session) as hands:
        target = await hands.target(Kind.PASSWORD)
        outcome = await hands.insert("hello", way, kind=Kind.PASSWORD)
        surroundings = await hands.focus.surroundings(target)

    assert outcome == Refused("password")
    assert field.text("password") == ""
    assert surroundings is None


@pytest.mark.parametrize("program", READABLE, ids=named)
@pytest.mark.parametrize(
    ("field", "kind", "refusal"), [("button", Kind.OTHER, "no_text_field"), ("readonly", Kind.TEXT, "read_only")]
)
async def test_what_takes_no_text_is_refused(
    program: Program, field: str, kind: Kind, refusal: str, session: Session, open_application: Open
) -> None:
    open_application(program, field)
    async with hands_in(session) as hands:
        outcome = await hands.insert("hello", "ibus", "atspi", "clipboard", kind=kind)

    assert isinstance(outcome, Refused)
    assert outcome.refusal == refusal


@pytest.mark.parametrize("program", EDITABLE, ids=named)
@pytest.mark.parametrize("way", ["ibus", "atspi"])
async def test_what_is_selected_is_replaced(
    program: Program, way: str, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    async with hands_in(session) as hands, hands.inserter(way) as inserter:
        target = await hands.target()
        await inserter.insert(target, "😀 one two")
        for _ in range(3):
            session.screen.tap("Shift_L", "Left")
        async with asyncio.timeout(20):
            while await hands.accessibility.selection(object_of(target)) != (6, 9):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        outcome = await inserter.insert(target, "2️⃣")

    assert verified(outcome)
    assert isinstance(outcome, Inserted)
    assert outcome.place is not None
    assert outcome.place.start == 6
    assert field.text("text") == "😀 one 2️⃣"


@pytest.mark.parametrize("program", READABLE, ids=named)
async def test_held_keys_do_not_turn_text_into_shortcuts(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    session.screen.press("Control_L")
    session.screen.press("Shift_L")
    async with hands_in(session) as hands:
        try:
            outcome = await hands.insert("select all, quit", "ibus")
        finally:
            session.screen.release("Shift_L")
            session.screen.release("Control_L")
        # Chromium may end where the accessibility bus is left at this very moment; the client stays
        text = field.text("text")

    assert verified(outcome)
    assert text == "select all, quit"


@pytest.mark.parametrize("program", READABLE, ids=named)
async def test_the_text_around_the_caret_is_known(program: Program, session: Session, open_application: Open) -> None:
    open_application(program)
    async with hands_in(session) as hands, hands.inserter("ibus") as inserter:
        target = await hands.target()
        outcome = await inserter.insert(target, "😀 before")
        around = await hands.focus.surroundings(target)

    assert verified(outcome)
    assert around == Surroundings("😀 before", "")


# --- terminals and programs that accessibility does not show


@pytest.mark.parametrize("program", [VTE, XTERM], ids=named)
async def test_in_a_terminal_no_line_is_run(program: Program, session: Session, open_application: Open) -> None:
    field = open_application(program)
    if program is VTE:
        until(lambda: field.text("screen").startswith("$ "), "the prompt")
    async with hands_in(session) as hands:
        outcome = await hands.insert("echo 你好\n\r\n", "ibus", "atspi", "clipboard", kind=KINDS[program.name])

    assert isinstance(outcome, Inserted)
    assert outcome.verified == (program is VTE)
    until(lambda: field.text("terminal") == "echo 你好 ", "the text in the terminal")


@pytest.mark.parametrize("text", ["你好，世界。" * 30, "the quick brown fox " * 10, "x"], ids=["zh", "en", "short"])
async def test_in_a_terminal_a_text_of_several_lines_is_seen(
    text: str, session: Session, open_application: Open
) -> None:
    field = open_application(VTE)
    until(lambda: field.text("screen").startswith("$ "), "the prompt")
    async with hands_in(session) as hands:
        outcome = await hands.insert(text, "ibus", kind=Kind.TERMINAL)

    assert verified(outcome)
    assert field.text("terminal") == text


@pytest.mark.parametrize(("program", "field"), [(XTERM, "terminal"), (TK, "text")], ids=named)
async def test_plain_x_programs_get_a_whole_sentence(
    program: Program, field: str, session: Session, open_application: Open
) -> None:
    text = "一二三 four five. " * 14
    application = open_application(program)
    use_engine(session, "xkb:us::eng")
    async with hands_in(session) as hands:
        outcome = await hands.insert(text, "ibus", kind=Kind.UNKNOWN)

    assert outcome == Inserted(False, "ibus", text)
    until(lambda: application.text(field) == text, "the text")


@pytest.mark.parametrize("program", [VTE, XTERM], ids=named)
async def test_a_terminal_that_asks_for_a_password_gets_nothing(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    async with hands_in(session) as hands:
        target = await hands.target(KINDS[program.name])
        assert target.process is not None
        hands.hidden.add(target.process)
        outcome = await hands.insert("hello", "ibus", "clipboard", kind=target.kind)

    assert outcome == Refused("hidden_input")
    assert field.text("terminal") == ""


# --- the guard


async def test_text_for_a_window_that_lost_the_focus_goes_nowhere(session: Session, open_application: Open) -> None:
    letter = open_application(GTK3)
    async with hands_in(session) as hands, hands.inserter("ibus", "atspi", "clipboard") as inserter:
        target = await hands.target()
        chat = open_application(QT5)
        outcome = await inserter.insert(target, "hello")

    assert outcome == Held("focus_moved")
    assert (letter.text("text"), chat.text("text")) == ("", "")


async def test_text_for_a_field_that_lost_the_focus_goes_nowhere(session: Session, open_application: Open) -> None:
    form = open_application(GTK4)
    async with hands_in(session) as hands, hands.inserter("ibus", "atspi", "clipboard") as inserter:
        target = await hands.target()
        form.focus("line")
        outcome = await inserter.insert(target, "hello")

    assert outcome == Held("focus_moved")
    assert (form.text("text"), form.text("line")) == ("", "")


@pytest.mark.parametrize("program", READABLE, ids=named)
async def test_a_program_that_hangs_is_sent_nothing_and_does_not_make_us_hang(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    async with hands_in(session) as hands, hands.inserter("ibus", "atspi", "clipboard") as inserter:
        target = await hands.target()
        assert target.process is not None
        os.kill(target.process, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                outcome = await inserter.insert(target, "hello")
        finally:
            os.kill(target.process, signal.SIGCONT)

    assert isinstance(outcome, Held)
    assert not outcome.perhaps
    assert field.text("text") == ""


@pytest.mark.parametrize("program", READABLE, ids=named)
async def test_a_window_that_had_the_focus_before_we_came_is_found(
    program: Program, session: Session, open_application: Open
) -> None:
    open_application(program)
    async with hands_in(session) as hands:
        target = await hands.target()

    assert target.kind is Kind.TEXT
    assert (target.readable, target.multi_line) == (True, True)
    assert target.editable == (program is not CHROMIUM)


# --- taking it back


@pytest.mark.parametrize("program", EDITABLE, ids=named)
async def test_the_last_text_can_be_taken_out_as_long_as_it_stands_there(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program)
    async with hands_in(session) as hands, hands.inserter("ibus") as inserter:
        target = await hands.target()
        first = await inserter.insert(target, "keep 😀 ")
        second = await inserter.insert(target, "drop 👍🏽")
        assert isinstance(first, Inserted)
        assert isinstance(second, Inserted)
        assert second.place is not None
        assert first.place is not None

        assert await inserter.undo(second.place, second.text)
        assert field.text("text") == "keep 😀 "
        assert not await inserter.undo(second.place, second.text)
        assert not await inserter.undo(first.place, "kept 😀 ")
    assert field.text("text") == "keep 😀 "


# --- the person's own things


@pytest.mark.parametrize("program", [GTK3, XTERM], ids=named)
async def test_the_persons_input_method_is_theirs_again_after_each_text_and_at_the_end(
    program: Program, session: Session, open_application: Open
) -> None:
    open_application(program)
    use_engine(session, "xkb:us::eng")
    async with hands_in(session) as hands:
        async with hands.inserter("ibus") as inserter:
            await inserter.insert(await hands.target(KINDS.get(program.name, Kind.TEXT)), "hello")
            assert engine_in_use(session) == "xkb:us::eng"

        assert engine_in_use(session) == "xkb:us::eng"


async def test_the_persons_input_method_is_theirs_again_after_a_text_that_found_no_field(
    session: Session, open_application: Open
) -> None:
    use_engine(session, "xkb:us::eng")
    open_application(GTK3, "button")
    async with hands_in(session) as hands:
        way = hands.way("ibus")
        await way.start()
        with pytest.raises(Exception, match="insertion_failed"):
            await way.insert(Target("x", Kind.UNKNOWN), "hello")

        assert engine_in_use(session) == "xkb:us::eng"
        await way.stop()


async def test_after_we_died_in_mid_insertion_the_next_start_gives_the_input_method_back(
    session: Session, open_application: Open
) -> None:
    open_application(GTK3)
    use_engine(session, "xkb:us::eng")
    async with hands_in(session) as hands:
        hands.memory.write_text("xkb:us::eng")
        engine = hands.engine()
        await engine.connect()
        await engine.choose("voice-ime")
        await engine.close()
        until(lambda: engine_in_use(session) != "voice-ime", "the end of our engine")

        way = hands.way("ibus")
        assert isinstance(way, IbusWay)
        await way.start()
        assert engine_in_use(session) == "xkb:us::eng"
        await way.stop()
        assert engine_in_use(session) == "xkb:us::eng"


async def test_after_ibus_was_restarted_texts_arrive(session: Session, open_application: Open) -> None:
    field = open_application(GTK3)
    async with hands_in(session) as hands, hands.inserter("ibus", "atspi") as inserter:
        target = await hands.target()
        before = await inserter.insert(target, "one ")
        session.kill("ibus-daemon")
        without = await inserter.insert(target, "two ")
        session.start_input_method()
        after = await inserter.insert(target, "three")

    assert [outcome.way for outcome in (before, without) if isinstance(outcome, Inserted)] == ["ibus", "atspi"]
    assert verified(after)
    assert field.text("text") == "one two three"


def clipboard_has_an_owner(session: Session) -> bool:
    display = Display(session.environment["DISPLAY"])
    try:
        return bool(display.get_selection_owner(display.intern_atom("CLIPBOARD")) != X.NONE)
    finally:
        display.close()


@pytest.mark.parametrize("program", READABLE, ids=named)
async def test_after_pasting_the_clipboard_holds_what_it_held(
    program: Program, session: Session, open_application: Open
) -> None:
    field = open_application(program, "line")
    async with hands_in(session) as hands, hands.inserter("clipboard") as inserter:
        assert verified(await hands.insert("the person's own", "ibus"))

        def copied() -> bool:
            session.screen.tap("Control_L", "a")
            session.screen.tap("Control_L", "c")
            return clipboard_has_an_owner(session)

        until(copied, "the copy")
        field.focus("text")
        target = await hands.target()
        outcomes = [await inserter.insert(target, text) for text in ("one ", "two ")]

        def pasted() -> bool:  # ours is lent for a fifth of a second more
            session.screen.tap("Control_L", "v")
            return field.text("text").endswith("the person's own")

        until(pasted, "what the person had copied")

    assert all(verified(outcome) for outcome in outcomes)
    assert field.text("text").startswith("one two ")


async def test_a_person_who_holds_a_modifier_for_long_gets_nothing_pasted(
    session: Session, open_application: Open
) -> None:
    field = open_application(GTK3)
    session.screen.press("Control_L")
    try:
        async with hands_in(session) as hands:
            outcome = await hands.insert("quit", "clipboard")
    finally:
        session.screen.release("Control_L")

    assert outcome == Held("no_way")
    assert field.text("text") == ""
