"""Doubtful words are told by a key, and another one is taken, in real windows."""

import json

import pytest

from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, VTE, Application, Program
from tests.desktop.conftest import Open
from tests.desktop.dictation import Dictation, dictation, loud, script
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

HEARD, MEANT = "ring kowalsky now", "ring Kowalski now"


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


def named(program: Program) -> str:
    return program.name


def dictated(client: Dictation, window: Application, field: str = "text") -> str:
    """`HEARD`, where Kowalski is one of the person's own words, is verified in the window: what stands there."""
    client.run("profile", "add", "Kowalski", "--strength", "never")
    client.say(loud(1.5))
    assert client.settled()[-1].state == "verified"
    return window.text(field)


def asked(client: Dictation) -> None:
    """The doubtful word was told, with the own word as the first that it could be."""
    mark = client.mark()
    client.run("key", "explain")
    how = Messages("en")("explain.spelling", text="Kowalski", by="K, O, W, A, L, S, K, I")
    client.wait_for(client.sentence("review.own", number=1, how=how), since=mark)
    assert client.spoken(mark)[0] == client.sentence("review.doubtful", text="kowalsky", percent=100)


@pytest.mark.parametrize("program", [GTK3, GTK4, QT5], ids=named)
def test_a_word_that_is_taken_stands_in_the_window_and_is_learned(
    program: Program, session: Session, open_application: Open
) -> None:
    window = open_application(program)
    with dictation(session, script(HEARD)) as client:
        before = dictated(client, window)
        asked(client)
        client.run("key", "take", "1")
        client.wait_for(client.sentence("review.taken", written="Kowalski", heard="kowalsky"))
        client.wait_for(Messages("en")("learn.active", written="Kowalski", heard="kowalsky"))

        assert window.text("text") == before.replace("kowalsky", "Kowalski")
        assert [entry.state for entry in client.journal()] == ["undone", "verified"]
        rows = [json.loads(line) for line in client.run("profile", "learned", "--json").splitlines()]
        assert [(row["heard"], row["written"], row["times"]) for row in rows] == [("kowalsky", "Kowalski", 1)]
        assert client.log == ""


def test_the_caret_stays_where_the_person_left_it_and_typing_goes_on(
    session: Session, open_application: Open
) -> None:
    window = open_application(GTK3)
    with dictation(session, script(HEARD)) as client:
        before = dictated(client, window)
        asked(client)
        client.run("key", "take")
        client.wait_for(client.sentence("review.taken", written="Kowalski", heard="kowalsky"))
        session.screen.tap("x")
        until(lambda: window.text("text") == before.replace("kowalsky", "Kowalski") + "x", "what was typed")


def test_where_it_is_not_wanted_nothing_is_learned_from_it(session: Session, open_application: Open) -> None:
    window = open_application(GTK3)
    with dictation(session, {**script(HEARD), "desktop": {"report_edits": False}}) as client:
        dictated(client, window)
        asked(client)
        client.run("key", "take")
        client.wait_for(client.sentence("review.taken", written="Kowalski", heard="kowalsky"))
        mark = client.mark()
        client.run("key", "where")
        client.wait_for(client.sentence("where.verified", application="gtk3.py", why=""), since=mark)

        assert client.run("profile", "learned", "--json") == ""


@pytest.mark.parametrize(("program", "field"), [(CHROMIUM, "text"), (VTE, "terminal")], ids=["chromium", "vte"])
def test_where_the_program_lets_nobody_change_its_text_the_corrected_one_is_held(
    program: Program, field: str, session: Session, open_application: Open
) -> None:
    window = open_application(program)
    with dictation(session, script(HEARD)) as client:
        before = dictated(client, window, field)
        asked(client)
        client.run("key", "take", "1")
        why = client.sentence("reason.no_change")
        client.wait_for(client.sentence("held", why=why))

        assert window.text(field) == before
        entry = client.journal()[-1]
        assert (entry.text.casefold(), entry.state, entry.reason) == (MEANT.casefold(), "held", "no_change")
