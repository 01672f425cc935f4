"""The client itself is killed at any moment: no word stands in a window twice, and none that was noted is forgotten.

What was spoken but not noted yet is the one stated loss.
"""

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.desktop.applications import GTK3, Application
from tests.desktop.conftest import Open
from tests.desktop.dictation import Dictation, Entry, loud, script
from tests.desktop.session import Parts, Session
from tests.desktop.x11 import until
from tests.needs import needs_package

for package in ("av", "fastapi", "miniaudio", "onnxruntime"):
    needs_package(package)
needs_package("moonshine-voice")
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow

WORDS = "Marvellous words."
SPEECH_S = 1.5
AFTER_RELEASE_S = 0.6
TRIES = 10


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


@pytest.fixture
def field(open_application: Open) -> Application:
    return open_application(GTK3)


@pytest.fixture
def client(session: Session, field: Application) -> Iterator[Dictation]:
    client = Dictation(session, script(WORDS))
    client.start()
    yield client
    client.end()


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_moment_it_doubles_nothing_and_forgets_nothing_noted(
    seed: int, client: Dictation, session: Session, field: Application
) -> None:
    moment = random.Random(seed).uniform(0, SPEECH_S + AFTER_RELEASE_S)
    killer = threading.Timer(moment, client.kill)
    killer.start()
    client.say(loud(SPEECH_S))
    killer.join()

    came_back(client, field)


def test_killed_between_noting_and_inserting_it_says_that_the_words_are_kept(
    client: Dictation, session: Session, field: Application
) -> None:
    with closing(journal(session)) as database:
        client.say(loud(SPEECH_S))
        until(lambda: intended(database), "the intent")
        client.kill()

        assert came_back(client, field)


def test_killed_between_inserting_and_noting_it_says_that_the_words_are_perhaps_inserted(
    client: Dictation, session: Session, field: Application
) -> None:
    """Whoever holds the journal's lock keeps the client from noting how it ended."""
    with closing(journal(session)) as database:
        for before in range(TRIES):
            client.say(loud(SPEECH_S))
            if caught(database, before + 1):
                break
        else:
            pytest.fail("the client was always quicker")
        until(lambda: field.text("text").count(WORDS) == before + 1, "the words")
        client.kill()
        database.rollback()

        entries = came_back(client, field, inserted=before + 1)
        assert entries[-1].reason == "perhaps_inserted"


def came_back(client: Dictation, field: Application, inserted: int = 1) -> list[Entry]:
    """Starts it again; what the journal knew then. All promises are checked."""
    mark = client.mark()
    client.start()
    entries = client.journal()
    count = field.text("text").count(WORDS)
    sure = [entry for entry in entries if entry.state == "verified"]
    perhaps = [entry for entry in entries if entry.reason == "perhaps_inserted"]
    said = client.spoken(mark)

    assert len(sure) <= count <= len(sure) + len(perhaps) <= inserted
    assert field.text("text").strip() == " ".join([WORDS] * count)
    assert any(WORDS in one for one in said) == bool(perhaps), said
    client.say(loud(SPEECH_S))
    until(lambda: field.text("text").count(WORDS) == count + 1, "the next words")
    return entries


def journal(session: Session) -> sqlite3.Connection:
    from voice_ime_desktop.journal import FILE

    path = Path(session.home, ".local", "state", "voice-ime", FILE)
    return sqlite3.connect(path, isolation_level=None, timeout=5)


def intended(database: sqlite3.Connection) -> bool:
    return bool(database.execute("select 1 from utterance where state = 'intended'").fetchall())


def caught(database: sqlite3.Connection, count: int) -> bool:
    """Locks the journal while an utterance is noted as intended; False: it was settled before."""
    while not database.execute("select 1 from utterance where number >= ?", (count,)).fetchall():
        pass
    database.execute("begin immediate")
    if intended(database):
        return True
    database.rollback()
    return False
