"""The desktop client as its user hears it: a desk in memory, real logic, a client that hears what it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from voice_ime_desktop.announce.recording import RecordingAnnouncer
from voice_ime_desktop.controller import Controller
from voice_ime_desktop.delivery import Delivery
from voice_ime_desktop.desktop import WORKING_AFTER_S, Desktop, Parts
from voice_ime_desktop.edits import Edits
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.hotkeys.recording import RecordingHotkeys
from voice_ime_desktop.insert.base import Way
from voice_ime_desktop.insert.inserter import Inserter
from voice_ime_desktop.insert.recording import RecordingReadBack
from voice_ime_desktop.journal import Journal, State
from voice_ime_desktop.listening import Listening
from voice_ime_desktop.microphone import Microphone, OnPcm

from tests.finals import OFFER, final, word
from voice_ime import protocol as wire
from voice_ime.client import Connected, Disconnected, Event
from voice_ime.errors import InsertionFailed, MicrophoneAbsent
from voice_ime.messages import Messages

SAY = Messages("en")


class FakeMicrophone(Microphone):
    def start(self, on_pcm: OnPcm) -> None:
        self.hear = on_pcm

    def stop(self) -> None: ...


@dataclass
class FakeClient:
    """Hears `answers` in turn: at each release the next; "" is silence."""

    answers: list[str] = field(default_factory=list)
    position: int = 0
    kept_finals: list[str] = field(default_factory=list)
    contexts: list[wire.Context] = field(default_factory=list)
    corrections: list[wire.Correction] = field(default_factory=list)
    teaches: str = ""
    """What is said of a correction."""
    changes: tuple[wire.Change, ...] = ()
    """What the profile changes in each text."""
    words: tuple[wire.FinalWord, ...] = ()
    """Of each text."""
    rivals: dict[str, tuple[wire.Rival, ...]] = field(default_factory=dict)
    """What sounds like each word."""
    away: bool = False
    """Whether questions do not reach the server."""
    events_queue: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)
    withheld: bool = False
    """Whether answers wait for `give`."""

    def send(self, pcm: bytes) -> None:
        self.position += len(pcm) // 2

    def finalize(self) -> int:
        self.position += 16000  # a second was said
        if not self.withheld:
            self.give()
        return self.position

    def give(self) -> None:
        text = self.answers.pop(0) if self.answers else ""
        if text:
            said = final(self.position - 16000, self.position, text)
            self.events_queue.put_nowait(said.model_copy(update={"changes": self.changes, "words": self.words}))
        self.events_queue.put_nowait(wire.Finalized(sample=self.position))

    def cancel(self, start: int = 0) -> int:
        self.events_queue.put_nowait(wire.Cancelled(sample=self.position))
        return self.position

    def context(self, context: wire.Context) -> None:
        self.contexts.append(context)

    def correct(self, correction: wire.Correction) -> None:
        self.corrections.append(correction)
        taken = wire.CorrectionTaken(utterance=correction.utterance, kept=bool(self.teaches), say=self.teaches)
        self.events_queue.put_nowait(taken)

    def explain(self, question: wire.Explain) -> bool:
        if not self.away:
            rivals = self.rivals.get(question.text, ())
            answer = wire.Explained(text=question.text, sentences=(how(question.text),), rivals=rivals)
            self.events_queue.put_nowait(answer)
        return not self.away

    def kept(self, said: wire.Final) -> None:
        self.kept_finals.append(said.text)

    async def events(self) -> AsyncIterator[Event]:
        while True:
            yield await self.events_queue.get()
            self.events_queue.task_done()


def how(text: str) -> str:
    """The word is written so."""
    return f"{text}, spelled"


@dataclass
class DeskWay(Way):
    """Types into the field that has the focus."""

    desk: FakeDesk
    broken: bool = False
    swallows: bool = False
    """Takes the text and does nothing with it."""
    name: str = "desk"

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def can(self, target: Target) -> bool:
        return True

    async def insert(self, target: Target, text: str) -> None:
        if self.broken:
            raise InsertionFailed(self.name)
        if self.desk.focused is not None and not self.swallows:
            self.desk.focused.type(text)


@dataclass
class Scene:
    desk: FakeDesk
    client: FakeClient
    keys: RecordingHotkeys
    announcer: RecordingAnnouncer
    journal: Journal
    way: DeskWay
    desktop: Desktop
    microphone: FakeMicrophone

    known: int = 0
    """Sentences that were spoken before `listen_anew`."""

    @property
    def spoken(self) -> list[str]:
        return self.announcer.spoken

    @property
    def news(self) -> list[str]:
        return self.spoken[self.known :]

    def listen_anew(self) -> None:
        self.known = len(self.spoken)

    async def talk(self) -> None:
        self.keys.hold()
        await self.quiet()
        self.keys.let_go()
        await self.quiet()

    async def press(self, press: Press) -> None:
        self.keys.press(press)
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing happens any more."""
        async with asyncio.timeout(10):
            for _ in range(3):  # what one hears may be what another waits for
                await asyncio.sleep(0)
                await self.desktop.idle()
                await self.client.events_queue.join()

    def editor(self, text: str = "") -> FakeField:
        one = self.desk.add("editor")
        one.text, one.caret = text, len(text)
        self.desk.focus_on(one)
        return one


@asynccontextmanager
async def scene(
    folder: Path, *answers: str, broken_keys: bool = False, working_after_s: float = WORKING_AFTER_S
) -> AsyncIterator[Scene]:
    desk, client = FakeDesk(), FakeClient(list(answers))
    keys, announcer, journal = RecordingHotkeys(broken=broken_keys), RecordingAnnouncer(), Journal(folder / "journal")
    way = DeskWay(desk)
    read_back = RecordingReadBack(desk)
    delivery = Delivery(journal, Inserter(desk, read_back, [way]), desk)
    microphone = FakeMicrophone()
    listening = Listening(microphone, 0.5, 0.0)
    listening.arm()
    parts = Parts(desk, delivery, listening, (keys,), announcer, Edits(read_back, client.correct))
    desktop = Desktop(parts, client, journal, Controller("hold"), SAY, "Pause", working_after_s=working_after_s)
    running = asyncio.create_task(desktop.run())
    try:
        await asyncio.sleep(0)  # it begins to run
        await desktop.idle()
        yield Scene(desk, client, keys, announcer, journal, way, desktop, microphone)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()


def held(reason: str) -> str:
    return SAY("desktop.held", why=SAY(f"desktop.reason.{reason}"))


async def test_what_was_said_is_in_the_field_and_said_back(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello world.") as s:
        editor = s.editor()
        await s.talk()
        assert editor.text == "Hello world."
        assert s.spoken == ["Hello world."]
        assert s.client.kept_finals == ["Hello world."]
        assert [entry.state for entry in s.journal.entries()] == [State.VERIFIED]


async def test_the_server_is_told_what_stands_before_the_caret(tmp_path: Path) -> None:
    async with scene(tmp_path, " there") as s:
        s.editor("Hello")
        await s.talk()
        assert [context.before for context in s.client.contexts] == ["Hello"]


async def test_who_moved_to_another_field_hears_that_the_text_is_held(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        editor, other = s.editor(), s.desk.add("other")
        s.keys.hold()
        await s.quiet()
        s.desk.focus_on(other)
        s.keys.let_go()
        await s.quiet()
        assert (editor.text, other.text) == ("", "")
        assert s.spoken == [held("focus_moved")]
        s.desk.focus_on(editor)
        await s.press(Press.INSERT_HELD)
        assert editor.text == "Hello."
        assert s.spoken[-1] == "Hello."


async def test_into_a_password_field_nothing_is_said_or_kept(tmp_path: Path) -> None:
    async with scene(tmp_path, "secret") as s:
        password = s.desk.add("password", Kind.PASSWORD)
        s.desk.focus_on(password)
        await s.talk()
        assert password.text == ""
        assert s.spoken == [SAY("desktop.reason.password")]
        assert s.journal.entries() == []


async def test_a_terminal_that_asks_for_a_password_while_one_speaks_gets_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, "list the files") as s:
        terminal = s.desk.add("terminal", Kind.TERMINAL)
        s.desk.focus_on(terminal)
        s.keys.hold()
        await s.quiet()
        terminal.refusal = "hidden_input"
        s.keys.let_go()
        await s.quiet()
        assert terminal.text == ""
        assert s.spoken == [SAY("desktop.refused_kept", why=SAY("desktop.reason.hidden_input"))]


async def test_in_a_terminal_the_client_is_silent_but_for_a_sound(tmp_path: Path) -> None:
    async with scene(tmp_path, "list the files") as s:
        terminal = s.desk.add("terminal", Kind.TERMINAL)
        s.desk.focus_on(terminal)
        await s.talk()
        assert terminal.text == "list the files"
        assert s.spoken == []


async def test_that_an_answer_takes_long_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.", working_after_s=0.0) as s:
        s.editor()
        s.client.withheld = True
        await s.talk()
        async with asyncio.timeout(10):
            while not s.spoken:
                await asyncio.sleep(0)
                await s.quiet()
        assert s.spoken == [SAY("desktop.working")]
        s.client.give()
        await s.quiet()
        assert s.spoken == [SAY("desktop.working"), "Hello."]


async def test_nothing_heard_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path, "") as s:
        s.editor()
        await s.talk()
        assert s.spoken == [SAY("desktop.nothing_heard")]


async def test_a_text_that_did_not_arrive_is_held_and_never_tried_twice(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        editor = s.editor()
        s.way.swallows = True
        await s.talk()
        assert editor.text == ""
        assert s.spoken == [held("not_arrived")]


async def test_a_program_that_takes_no_text_makes_it_held(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        s.editor()
        s.way.broken = True
        await s.talk()
        assert s.spoken == [held("no_way")]


async def test_what_cannot_be_read_back_is_said_to_be_unchecked(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        s.desk.focus_on(s.desk.add("xterm", Kind.UNKNOWN, readable=False))
        await s.talk()
        assert s.spoken == ["Hello.", SAY("desktop.unverified")]
        assert [entry.state for entry in s.journal.entries()] == [State.UNVERIFIED]


async def test_the_last_insertion_can_be_undone_while_it_still_stands_there(tmp_path: Path) -> None:
    async with scene(tmp_path, "One.", "Two.") as s:
        editor = s.editor("Start. ")
        await s.talk()
        await s.press(Press.UNDO)
        assert editor.text == "Start. "
        assert s.spoken[-1] == SAY("desktop.undone")
        await s.talk()
        editor.text = "changed by hand"
        await s.press(Press.UNDO)
        assert editor.text == "changed by hand"
        assert s.spoken[-1] == SAY("desktop.not_undone")


async def test_the_last_insertion_can_be_undone_after_its_words_were_erased_from_the_journal(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        editor = s.editor()
        await s.talk()
        s.journal.forget()
        await s.press(Press.UNDO)
        assert editor.text == ""
        assert s.spoken[-1] == SAY("desktop.undone")


async def test_the_last_text_can_be_heard_again_and_where_it_went(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        s.editor()
        await s.press(Press.REPEAT)
        assert s.spoken == [SAY("desktop.nothing_yet")]
        await s.talk()
        await s.press(Press.REPEAT)
        await s.press(Press.WHERE)
        assert s.spoken[-2:] == ["Hello.", SAY("desktop.where.verified", application="fake", why="")]


async def test_two_dictations_in_a_row_each_go_to_their_own_field(tmp_path: Path) -> None:
    async with scene(tmp_path, "One.", "Two.") as s:
        first = s.editor()
        s.client.withheld = True
        await s.talk()
        s.client.withheld = False
        s.client.give()
        await s.quiet()
        second = s.desk.add("second")
        s.desk.focus_on(second)
        await s.talk()
        assert (first.text, second.text) == ("One.", "Two.")


async def test_a_key_that_goes_down_again_at_once_is_listened_to(tmp_path: Path) -> None:
    async with scene(tmp_path, "one ", "two") as s:
        s.editor()
        s.keys.hold()
        await s.quiet()
        s.keys.let_go()
        s.keys.hold()
        await s.quiet()
        before = s.client.position
        s.microphone.hear(bytes(640))
        await s.quiet()

        assert s.client.position == before + 320


async def test_escape_forgets_what_is_being_said(tmp_path: Path) -> None:
    async with scene(tmp_path, "Never mind.") as s:
        editor = s.editor()
        s.keys.hold()
        await s.quiet()
        await s.press(Press.CANCEL)
        s.keys.let_go()
        await s.quiet()
        assert editor.text == ""
        assert s.spoken == [SAY("desktop.cancelled")]


async def test_a_text_left_over_from_a_client_that_died_is_said_at_the_next_start(tmp_path: Path) -> None:
    before = Journal(tmp_path / "journal")
    before.intend("Was this inserted?", "editor")
    before.close()
    async with scene(tmp_path) as s:
        assert s.spoken == [SAY("desktop.perhaps_inserted_at_start", count=1, texts="Was this inserted?")]
        editor = s.editor()
        await s.press(Press.INSERT_HELD)
        assert editor.text == "Was this inserted?"


async def test_a_lost_server_and_its_return_are_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.client.events_queue.put_nowait(Disconnected())
        await s.quiet()
        s.client.events_queue.put_nowait(Connected(ready(), again=True))
        await s.quiet()
        assert s.spoken == [SAY("desktop.server_lost"), SAY("desktop.server_back")]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_ready_is_said_with_the_key(tmp_path: Path, language: str) -> None:
    async with scene(tmp_path) as s:
        s.client.events_queue.put_nowait(Connected(ready(), again=False))
        await s.quiet()
        assert s.spoken == [SAY("desktop.ready", key="Pause")]
        assert "Pause" in Messages(language)("desktop.ready", key="Pause")


async def test_what_the_person_says_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        async with scene(tmp_path, "mandragora") as s:
            s.editor("mandragora")
            await s.talk()
            s.way.broken = True
            s.client.answers.append("mandragora")
            await s.talk()
            s.way.broken = False
            await change(s, "mandragora sat", "mandragora cat")
            await s.press(Press.CHANGES)
            assert s.client.corrections
            s.client.words = (word("mandragora", 0.3, "mandrake"),)
            s.client.answers.append("mandragora")
            await s.talk()
            await s.press(Press.EXPLAIN)
            await s.press(Press.TAKE)
            assert len(s.client.corrections) == 2
    assert "mandragora" not in caplog.text


def ready() -> wire.Ready:
    return wire.Ready(
        version=1,
        server="voice-ime",
        session="session-1",
        next_sample=0,
        resumed=False,
        capabilities=wire.EngineFacts(
            engine="fake",
            languages=("en",),
            word_times="none",
            confidence=False,
            alternatives=False,
            scores_text=False,
            streaming=False,
        ),
        limits=wire.Limits(
            max_frame_bytes=262144,
            max_messages_per_s=50,
            max_unkept_finals=1000,
            longest_utterance_s=20,
            resume_s=300,
        ),
    )


async def test_texts_into_a_window_that_cannot_be_read_are_joined_to_each_other(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.", " And on.") as s:
        s.desk.focus_on(s.desk.add("xterm", Kind.UNKNOWN, readable=False))
        await s.talk()
        await s.talk()
        assert len(s.client.contexts) == 1


async def test_of_a_microphone_that_is_not_there_the_missing_part_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.desktop.trouble(MicrophoneAbsent(missing="program"))
        await s.quiet()
        assert s.spoken == [SAY("error.microphone_absent.message"), SAY("dictate.missing_program")]


async def test_a_journal_that_cannot_be_read_is_told_and_dictation_goes_on(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        editor = s.editor()
        s.journal.close()
        for press in (Press.WHERE, Press.REPEAT):
            s.listen_anew()
            await s.press(press)
            assert s.news[0].startswith(f"{tmp_path}/journal could not be written")
        await s.talk()
        assert editor.text == "Hello."


async def test_without_a_key_to_talk_ready_says_what_to_do(tmp_path: Path) -> None:
    async with scene(tmp_path, broken_keys=True) as s:
        s.client.events_queue.put_nowait(Connected(ready(), again=False))
        await s.quiet()
        assert s.spoken[-1] == SAY("desktop.ready_without_key")


# --- the person's own words


KOWALSKI = wire.Change(
    kind="replace", first_word=1, last_word=2, heard="kowalsky", written="Kowalski", source="e1",
    distance=0.1, cost=1.0, score=2.0,
)  # fmt: skip


async def change(s: Scene, said: str, meant: str) -> None:
    """Say it, put it right, and go elsewhere."""
    editor = s.desk.focused or s.editor()
    s.client.answers.append(said)
    await s.talk()
    editor.edit(editor.text.removesuffix(said) + meant)
    s.desk.focus_on(s.desk.add("elsewhere"))
    await s.quiet()


async def test_the_server_is_told_the_name_of_the_program(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        s.editor()
        await s.talk()
        assert [context.focus.application for context in s.client.contexts] == ["fake"]


async def test_what_was_put_right_is_reported_with_its_utterance(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await change(s, "ring kowalsky now", "ring Kowalski now")
        assert s.client.corrections == [
            wire.Correction(utterance="u0", heard="ring kowalsky now", meant="ring Kowalski now", how="edit")
        ]


async def test_what_was_learned_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.client.teaches = "From now on I write Kowalski when I hear kowalsky."
        await change(s, "ring kowalsky now", "ring Kowalski now")
        assert s.spoken == ["ring kowalsky now", s.client.teaches]


async def test_who_goes_on_talking_hears_afterwards_what_was_learned(tmp_path: Path) -> None:
    async with scene(tmp_path, "ring kowalsky now", "Thanks.") as s:
        editor = s.editor()
        s.client.teaches = "From now on I write Kowalski when I hear kowalsky."
        await s.talk()
        editor.edit("ring Kowalski now")
        s.keys.hold()
        await s.quiet()
        assert len(s.client.corrections) == 1
        assert s.spoken == ["ring kowalsky now"]
        s.keys.let_go()
        await s.quiet()
        assert s.spoken == ["ring kowalsky now", s.client.teaches, "Thanks."]


async def test_a_text_that_was_taken_out_again_is_no_correction(tmp_path: Path) -> None:
    async with scene(tmp_path, "One.") as s:
        editor = s.editor()
        await s.talk()
        await s.press(Press.UNDO)
        editor.edit("Won.")
        s.desk.focus_on(None)
        await s.quiet()
        assert s.client.corrections == []


async def test_into_terminals_and_what_cannot_be_read_nobody_looks(tmp_path: Path) -> None:
    async with scene(tmp_path, "ring kowalsky", "ring kowalsky") as s:
        for field in (s.desk.add("terminal", Kind.TERMINAL), s.desk.add("xterm", Kind.UNKNOWN, readable=False)):
            s.desk.focus_on(field)
            await s.talk()
            field.edit("ring Kowalski")
        s.desk.focus_on(None)
        await s.quiet()
        assert s.client.corrections == []


async def test_asked_what_was_changed_it_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path, "ring Kowalski now", "Thanks.") as s:
        s.editor()
        await s.press(Press.CHANGES)
        s.client.changes = (KOWALSKI,)
        await s.talk()
        await s.press(Press.CHANGES)
        s.client.changes = ()
        await s.talk()
        await s.press(Press.CHANGES)
        assert s.spoken == [
            SAY("desktop.nothing_yet"),
            "ring Kowalski now",
            SAY("desktop.changes.written", written="Kowalski", heard="kowalsky"),
            "Thanks.",
            SAY("desktop.changes.none"),
        ]


async def test_asked_what_was_changed_words_that_sound_the_same_are_told_apart(tmp_path: Path) -> None:
    async with scene(tmp_path, "小琳来了。") as s:
        s.editor()
        s.client.changes = (KOWALSKI.model_copy(update={"heard": "小林", "written": "小琳", "distance": 0.0}),)
        await s.talk()
        s.listen_anew()
        await s.press(Press.CHANGES)
        await s.quiet()
        written = SAY("desktop.changes.written", written="小琳", heard="小林")
        assert s.spoken[1:] == [written, how("林"), how("琳")]


# --- doubtful words

RING = (word("Ring", 0.5, "Rink"), word("kowalsky", 0.41, "cow"), word("now."))


async def rung(s: Scene, field: FakeField | None = None) -> FakeField:
    """ "Ring kowalsky now." was said, where Kowalski is offered; what is spoken from then on is news."""
    field = field or s.editor("Well. ")
    s.desk.focus_on(field)
    s.client.words, s.client.changes = RING, (OFFER,)
    s.client.rivals = {"kowalsky": (wire.Rival(text="Covalsky", source="e2", sentences=("Covalsky, of old",)),)}
    s.client.answers.append("Ring kowalsky now.")
    await s.talk()
    s.listen_anew()
    return field


def rival(number: int, text: str) -> str:
    return SAY("desktop.review.rival", number=number, how=text)


def own(number: int, text: str) -> str:
    return SAY("desktop.review.own", number=number, how=text)


async def test_the_most_doubtful_word_is_explained_with_what_else_it_could_be_own_words_first(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await rung(s)
        await s.press(Press.EXPLAIN)
        assert s.news == [
            SAY("desktop.review.doubtful", text="kowalsky", percent=41),
            how("kowalsky"),
            own(1, how("Kowalski")),
            own(2, "Covalsky, of old"),
            rival(3, how("cow")),
        ]


async def test_pressed_again_the_next_doubtful_word_is_explained_until_there_is_none(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await rung(s)
        await s.press(Press.EXPLAIN)
        s.listen_anew()
        await s.press(Press.EXPLAIN)
        await s.press(Press.EXPLAIN)
        await s.press(Press.EXPLAIN)
        assert s.news[:4] == [
            SAY("desktop.review.doubtful", text="Ring", percent=50),
            how("Ring"),
            rival(1, how("Rink")),
            SAY("desktop.review.all"),
        ]
        assert s.news[4] == SAY("desktop.review.doubtful", text="kowalsky", percent=41)


async def test_a_word_that_is_taken_stands_in_the_window_and_is_learned(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        s.client.teaches = "From now on I write Kowalski when I hear kowalsky."
        await s.press(Press.EXPLAIN)
        s.listen_anew()
        await s.press(Press.TAKE)
        assert (editor.text, editor.caret) == ("Well. Ring Kowalski now.", len("Well. Ring Kowalski now."))
        assert s.news == [SAY("desktop.review.taken", written="Kowalski", heard="kowalsky"), s.client.teaches]
        heard, meant = "Ring kowalsky now.", "Ring Kowalski now."
        assert s.client.corrections == [wire.Correction(utterance="u0", heard=heard, meant=meant, how="voice")]
        assert [(entry.text, entry.state) for entry in s.journal.entries()] == [
            (meant, State.VERIFIED),
            (heard, State.UNDONE),
        ]


async def test_a_common_word_that_is_taken_is_reported_as_an_edit(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        s.desktop.take(3)
        await s.quiet()
        assert editor.text == "Well. Ring cow now."
        assert [correction.how for correction in s.client.corrections] == ["edit"]


async def test_what_was_taken_is_given_back_by_taking_it_again_and_another_can_be_taken(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        await s.press(Press.TAKE)
        assert editor.text == "Well. Ring kowalsky now."
        s.desktop.take(2)
        await s.quiet()
        s.desktop.take(3)
        await s.quiet()
        assert editor.text == "Well. Ring cow now."


async def test_after_one_was_taken_the_next_word_is_found_where_it_is_then(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        s.client.rivals = {}
        await s.press(Press.EXPLAIN)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        await s.press(Press.EXPLAIN)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        assert editor.text == "Well. Rink Kowalski now."
        assert (s.client.corrections[1].heard, s.client.corrections[1].meant) == (
            "Rink kowalsky now.",
            "Rink Kowalski now.",
        )


async def test_what_was_taken_is_not_reported_once_more_as_an_edit_but_a_later_edit_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        s.desk.focus_on(s.desk.add("elsewhere"))
        await s.quiet()
        assert len(s.client.corrections) == 1
        s.desk.focus_on(editor)
        editor.edit("Well. Ring Kowalski soon.")
        s.desk.focus_on(s.desk.add("elsewhere"))
        await s.quiet()
        assert s.client.corrections[1].meant == "Ring Kowalski soon."


async def test_the_whole_is_undone_after_a_word_was_taken(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        await s.press(Press.UNDO)
        assert editor.text == "Well. "


async def test_in_a_text_that_was_changed_since_nothing_is_replaced_and_the_corrected_one_is_held(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        editor.edit("Well. Ring kowalsky soon.")
        s.listen_anew()
        await s.press(Press.TAKE)
        assert editor.text == "Well. Ring kowalsky soon."
        assert s.news == [SAY("desktop.review.corrected", text="Ring Kowalski now."), held("not_there")]
        meant = [correction.meant for correction in s.client.corrections]
        assert meant == ["Ring kowalsky soon.", "Ring Kowalski now."]
        assert s.journal.entries()[0].text == "Ring Kowalski now."
        await s.press(Press.INSERT_HELD)
        assert editor.text == "Well. Ring kowalsky soon.Ring Kowalski now."


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        (Kind.TERMINAL, {"editable": False}, "no_change"),
        (Kind.TEXT, {"editable": False}, "no_change"),
        (Kind.UNKNOWN, {"readable": False}, "no_change"),
    ],
)
async def test_where_a_program_lets_nobody_change_its_text_the_corrected_one_is_held(
    tmp_path: Path, kind: Kind, values: dict[str, bool], reason: str
) -> None:
    async with scene(tmp_path) as s:
        field = await rung(s, s.desk.add("browser", kind, **values))
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        assert field.text == "Ring kowalsky now."
        assert s.news[-1] == held(reason)
        assert len(s.client.corrections) == 1


async def test_of_a_held_text_only_the_corrected_one_is_held_then(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.way.broken = True
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        s.desktop.take(2)
        await s.quiet()
        assert s.news[-1] == held("no_way")
        s.way.broken = False
        await s.press(Press.INSERT_HELD)
        await s.press(Press.INSERT_HELD)
        assert editor.text == "Well. Ring Covalsky now."
        assert s.news[-1] == SAY("desktop.nothing_held")


async def test_a_held_text_that_was_inserted_since_is_put_right_there(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.way.broken = True
        editor = await rung(s)
        s.way.broken = False
        await s.press(Press.INSERT_HELD)
        await s.press(Press.EXPLAIN)
        await s.press(Press.TAKE)
        assert editor.text == "Well. Ring Kowalski now."


async def test_a_field_that_has_become_one_for_passwords_is_not_touched(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.EXPLAIN)
        editor.refusal = "password"
        await s.press(Press.TAKE)
        assert editor.text == "Well. Ring kowalsky now."
        assert s.news[-1] == SAY("desktop.refused_kept", why=SAY("desktop.reason.password"))


async def test_of_what_was_said_to_a_password_prompt_nothing_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await rung(s)
        terminal = s.desk.add("terminal", Kind.TERMINAL)
        s.desk.focus_on(terminal)
        s.client.words = (word("secret", 0.1, "secrete"),)
        s.client.answers.append("secret")
        s.keys.hold()
        await s.quiet()
        terminal.refusal = "hidden_input"
        s.keys.let_go()
        await s.quiet()
        s.listen_anew()
        await s.press(Press.EXPLAIN)
        await s.press(Press.CHANGES)
        await s.press(Press.TAKE)
        nothing = SAY("desktop.nothing_yet")
        assert s.news == [nothing, nothing, SAY("desktop.review.no_number", number=1)]


async def test_where_no_word_is_in_doubt_that_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path, "Hello.") as s:
        s.editor()
        await s.press(Press.EXPLAIN)
        s.client.words = (word("Hello.", 0.99),)
        await s.talk()
        await s.press(Press.EXPLAIN)
        assert s.news == [SAY("desktop.nothing_yet"), "Hello.", SAY("desktop.review.none")]


async def test_a_number_that_was_not_offered_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        await s.press(Press.TAKE)
        await s.press(Press.EXPLAIN)
        for number in (0, 4):
            s.desktop.take(number)
            await s.quiet()
            assert s.news[-1] == SAY("desktop.review.no_number", number=number)
        assert editor.text == "Well. Ring kowalsky now."
        assert s.client.corrections == []


async def test_while_the_server_is_away_what_is_known_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        editor = await rung(s)
        s.client.away = True
        await s.press(Press.EXPLAIN)
        assert s.news == [
            SAY("desktop.review.doubtful", text="kowalsky", percent=41),
            own(1, "Kowalski"),
            rival(2, "cow"),
            SAY("desktop.review.unexplained"),
        ]
        await s.press(Press.TAKE)
        assert editor.text == "Well. Ring Kowalski now."


async def test_who_begins_to_talk_hears_no_explanation(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await rung(s)
        s.keys.press(Press.EXPLAIN)
        s.keys.hold()
        await s.quiet()
        assert s.news == []
