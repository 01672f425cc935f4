"""A person who goes to the next field in the very moment of the insertion."""

import pytest

from tests.desktop.applications import GTK4, QT5, VTE, Program
from tests.desktop.conftest import Open
from tests.desktop.session import Session
from tests.needs import needs_package

needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

from voice_ime_desktop.focus.base import Target  # noqa: E402

from tests.desktop.inserting import hands_in  # noqa: E402
from tests.desktop.x11 import until  # noqa: E402
from voice_ime.errors import InsertionFailed  # noqa: E402


@pytest.mark.parametrize("way_name", ["ibus", "clipboard"])
@pytest.mark.parametrize("program", [GTK4, QT5], ids=lambda program: program.name)
async def test_words_do_not_follow_into_a_password_field_of_the_same_window(
    program: Program, way_name: str, session: Session, open_application: Open
) -> None:
    """What `insert` is told had the focus when it was last asked; meanwhile the focus is in the password field."""
    form = open_application(program)
    async with hands_in(session) as hands:
        way = hands.way(way_name)
        await way.start()
        target: Target = await hands.target()
        form.focus("password")
        try:
            with pytest.raises(InsertionFailed):
                await way.insert(target, "hello")
        finally:
            await way.stop()

    until(lambda: form.focused() == "password", "the focus")
    assert (form.text("text"), form.text("password")) == ("", "")


async def test_no_key_is_struck_in_another_window(session: Session, open_application: Open) -> None:
    """The keys that paste would do something else there: Control+V quotes the next key in a shell."""
    letter = open_application(GTK4)
    async with hands_in(session) as hands:
        way = hands.way("clipboard")
        await way.start()
        target = await hands.target()
        shell = open_application(VTE)
        try:
            with pytest.raises(InsertionFailed):
                await way.insert(target, "hello")
        finally:
            await way.stop()

    assert letter.text("text") == ""
    assert shell.text("terminal") == ""
