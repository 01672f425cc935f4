"""What breaks while somebody dictates: no word is lost, none comes twice, and what happened is said."""

from collections.abc import Iterator

import pytest

from tests.desktop.applications import GTK3, GTK4, QT5, Application, Program
from tests.desktop.conftest import Open
from tests.desktop.dictation import Dictation, dictation, loud, script, two_cities
from tests.desktop.session import Parts, Session
from tests.desktop.x11 import until
from tests.needs import needs_package

for package in ("av", "fastapi", "miniaudio", "onnxruntime"):
    needs_package(package)
needs_package("moonshine-voice")
needs_package("dbus-fast")
needs_package("python-xlib", "Xlib")

pytestmark = pytest.mark.slow


@pytest.fixture
def parts() -> Parts:
    return Parts(sound=True)


@pytest.fixture
def field(open_application: Open) -> Application:
    return open_application(GTK3)


@pytest.fixture
def client(session: Session, field: Application) -> Iterator[Dictation]:
    with dictation(session, script("First words.", "Second words.")) as client:
        yield client


def test_a_server_killed_in_mid_sentence_loses_nothing_and_doubles_nothing(
    session: Session, field: Application
) -> None:
    with dictation(session) as client:
        client.say(two_cities(), meanwhile=client.kill_server)
        until(lambda: "foolish" in field.text("text").lower(), "the last word")
        entries = client.settled()

        text = field.text("text")
        assert text == "".join(entry.text for entry in entries)
        for clause in ("best of times", "worst of times", "age of wisdom", "foolish"):
            assert text.lower().count(clause) == 1


def test_after_the_input_method_was_restarted_words_arrive(
    client: Dictation, session: Session, field: Application
) -> None:
    client.say(loud(1.5))
    client.wait_for("First words.")

    session.kill("ibus-daemon")
    session.start_input_method()
    client.say(loud(1.5))
    until(lambda: len(client.settled(2)) == 2, "the second text")

    assert [entry.state for entry in client.journal()] == ["verified"] * 2
    assert field.text("text").split(".")[1].strip() == "Second words"


def test_a_sound_service_that_dies_is_told_and_after_it_came_back_words_arrive(
    client: Dictation, session: Session, field: Application
) -> None:
    from voice_ime.errors import MicrophoneSilent
    from voice_ime.messages import Messages

    mark = client.mark()
    session.sound.kill()
    client.wait_for(Messages("en").error(MicrophoneSilent())[0], since=mark)
    mark = client.mark()
    session.sound.start()
    client.wait_for(client.sentence("microphone_back"), since=mark)

    client.say(loud(1.5))

    client.wait_for("First words.")
    assert field.text("text") == "First words."


class TestWithoutAccessibility:
    @pytest.fixture
    def parts(self) -> Parts:
        return Parts(sound=True, accessible=False)

    @pytest.mark.parametrize("program", [GTK3, GTK4, QT5], ids=lambda program: program.name)
    def test_programs_that_run_already_are_seen_when_the_client_switches_it_on(
        self, program: Program, session: Session, open_application: Open
    ) -> None:
        window = open_application(program)
        with dictation(session, script("Words.")) as client:
            client.say(loud(1.5))
            client.wait_for("Words.")

            assert window.text("text") == "Words."
            assert [entry.state for entry in client.journal()] == ["verified"]
