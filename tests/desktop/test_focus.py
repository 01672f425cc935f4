"""What has the focus is told truly also where programs hardly tell anything."""

import pytest

from tests.desktop.applications import GTK3, GTK4, QT5, TK, XTERM, Program
from tests.desktop.conftest import Open
from tests.desktop.session import Session
from tests.desktop.x11 import until
from tests.needs import needs_package

needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

from voice_ime_desktop.focus.base import Kind  # noqa: E402
from voice_ime_desktop.insert.inserter import Held, Inserted  # noqa: E402

from tests.desktop.inserting import hands_in  # noqa: E402

WAYS = ("ibus", "atspi", "clipboard")


@pytest.mark.parametrize("before", [GTK3, GTK4, QT5], ids=lambda program: program.name)
async def test_a_window_that_does_not_say_whose_it_is_is_not_taken_for_the_one_before(
    before: Program, session: Session, open_application: Open
) -> None:
    """Tk does not; and GTK 4 goes on calling its field focused."""
    letter = open_application(before)
    async with hands_in(session) as hands, hands.inserter(*WAYS) as inserter:
        await hands.target()
        plain = open_application(TK)
        target = await hands.focus.target()
        assert target is not None
        outcome = await inserter.insert(target, "hello")

    assert (target.kind, target.process) == (Kind.UNKNOWN, plain.process.pid)
    assert isinstance(outcome, Inserted)
    until(lambda: plain.text("text") == "hello", "the text")
    assert letter.text("text") == ""


async def test_text_for_a_closed_window_does_not_go_into_the_next_one_which_gets_its_number(
    session: Session, open_application: Open
) -> None:
    closed = open_application(XTERM)
    async with hands_in(session) as hands, hands.inserter(*WAYS) as inserter:
        target = await hands.focus.target()
        assert target is not None
        closed.close()
        following = open_application(XTERM)
        outcome = await inserter.insert(target, "hello")

    assert following.window == closed.window
    assert outcome == Held("focus_moved")
    assert following.text("terminal") == ""
