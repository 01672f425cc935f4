"""What a person puts right with the keyboard in a real window is learned from, and said."""

import json
import threading
from dataclasses import dataclass

import pytest

from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, VTE, Application, Program
from tests.desktop.conftest import Open
from tests.desktop.dictation import HAND_S, Dictation, dictation, loud, script
from tests.desktop.session import Parts, Session
from tests.desktop.x11 import until
from tests.needs import needs_package
from voice_ime.messages import Messages

for package in ("av", "fastapi", "miniaudio", "onnxruntime"):
    needs_package(package)
needs_package("moonshine-voice")
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow

HEARD = "ring kowalsky now"


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


def named(program: Program) -> str:
    return program.name


@dataclass(frozen=True)
class Hand:
    """Changes a text with the keys."""

    session: Session
    window: Application

    def dictate(self, client: Dictation, count: int = 1) -> None:
        """`HEARD`, verified in the field."""
        client.say(loud(1.5))
        assert client.settled(count)[-1].state == "verified"

    def put_right(self) -> None:
        """Makes an i of the last y; returns when it stands there."""
        text = self.window.text("text")
        place = text.rindex("y")
        for key in (*["Left"] * (len(text) - place - 1), "BackSpace", "i", "End"):
            self.session.screen.tap(key)
            threading.Event().wait(HAND_S)
        until(lambda: self.window.text("text") == f"{text[:place]}i{text[place + 1 :]}", "the change")


def lessons(client: Dictation) -> list[tuple[str, str, str, int]]:
    rows = [json.loads(line) for line in client.run("profile", "learned", "--json").splitlines()]
    return [(row["heard"], row["written"], row["state"], row["times"]) for row in rows]


@pytest.mark.parametrize("program", [GTK3, GTK4, QT5, CHROMIUM], ids=named)
def test_what_is_put_right_is_known_once_the_field_is_left(
    program: Program, session: Session, open_application: Open
) -> None:
    hand = Hand(session, open_application(program))
    with dictation(session, script(HEARD)) as client:
        hand.dictate(client)
        hand.put_right()
        assert lessons(client) == []
        hand.window.focus("line")
        until(lambda: lessons(client), "a lesson")

        assert lessons(client) == [("kowalsky", "kowalski", "observed", 1)]


def test_what_is_put_right_is_known_once_the_window_is_left(session: Session, open_application: Open) -> None:
    hand = Hand(session, open_application(GTK3))
    with dictation(session, script(HEARD)) as client:
        hand.dictate(client)
        hand.put_right()
        open_application(VTE)
        until(lambda: lessons(client), "a lesson")

        assert lessons(client) == [("kowalsky", "kowalski", "observed", 1)]


def test_who_puts_the_same_right_three_times_hears_that_it_is_learned_and_what_was_changed(
    session: Session, open_application: Open
) -> None:
    say = Messages("en")
    hand = Hand(session, open_application(GTK3))
    with dictation(session, script(HEARD)) as client:
        for count in (1, 2, 3):
            hand.dictate(client, count)
            hand.put_right()
        mark = client.mark()
        hand.window.focus("line")
        client.wait_for(say("learn.active", written="kowalski", heard="kowalsky"), since=mark)
        hand.window.focus("text")
        hand.dictate(client, 4)
        client.run("key", "changes")
        client.wait_for(client.sentence("changes.written", written="kowalski", heard="kowalsky"), since=mark)

        assert client.journal()[-1].text.strip().casefold() == "ring kowalski now"
        assert client.log == ""


def test_where_it_is_not_wanted_nothing_is_learned(session: Session, open_application: Open) -> None:
    hand = Hand(session, open_application(GTK3))
    with dictation(session, {**script(HEARD, "Next."), "desktop": {"report_edits": False}}) as client:
        hand.dictate(client)
        hand.put_right()
        hand.window.focus("line")
        hand.dictate(client, 2)

        assert lessons(client) == []
