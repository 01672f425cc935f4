"""Runs the state machine: what happens becomes events, what is to be done is done by the parts of the desktop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from voice_ime import protocol as wire
from voice_ime.client import Connected, DictationClient, Disconnected
from voice_ime.errors import DesktopUnavailable, MicrophoneError, VoiceImeError
from voice_ime.messages import Messages
from voice_ime.spoken import what_to_do
from voice_ime_desktop import changes, effects, events
from voice_ime_desktop.announce.base import Announcer
from voice_ime_desktop.announce.language import language_of
from voice_ime_desktop.controller import Controller
from voice_ime_desktop.delivery import SECRET, Delivered, Delivery
from voice_ime_desktop.edits import Edits
from voice_ime_desktop.focus.base import Focus, Kind, Refusal, Target
from voice_ime_desktop.hotkeys.base import Hotkeys
from voice_ime_desktop.journal import Journal
from voice_ime_desktop.listening import Listening
from voice_ime_desktop.review import Spot
from voice_ime_desktop.reviewing import Reviewing

WORKING_AFTER_S = 2.0
LONGEST_NAME = 200
"""Characters of a program's name that the server takes."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """What a desktop is made of."""

    focus: Focus
    delivery: Delivery
    listening: Listening
    hotkeys: tuple[Hotkeys, ...]
    announcer: Announcer
    edits: Edits


class Desktop:
    """All calls belong on one event loop."""

    def __init__(
        self,
        parts: Parts,
        client: DictationClient,
        journal: Journal,
        controller: Controller,
        messages: Messages,
        talk_key: str,
        *,
        working_after_s: float = WORKING_AFTER_S,
    ) -> None:
        """`working_after_s`: an answer that takes longer is worth a word."""
        self._parts = parts
        self._client = client
        self._journal = journal
        self._controller = controller
        self._messages = messages
        self._talk_key = talk_key
        self._working_after_s = working_after_s
        self._events: asyncio.Queue[events.Event] = asyncio.Queue()
        self._deliveries: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._finals: dict[str, wire.Final] = {}
        self._began: dict[int, int] = {}
        """The sample at which each open take began."""
        self._pending: set[asyncio.Task[None]] = set()
        self._unreadable: str | None = None
        """The target of which the surroundings were asked for last, where they cannot be read."""
        self._closing: int | None = None
        """The take of which the tail is being heard."""
        self._changes: tuple[wire.Change, ...] | None = None
        """What the profile changed in the last text; None: there was none yet."""
        self._reviewing = Reviewing(client.explain, messages)

    async def run(self) -> None:
        """Until cancelled. The parts have been started."""
        loop = asyncio.get_running_loop()
        self._start_hotkeys(loop)
        self._tell_what_was_lost()
        self._parts.edits.start(self._look)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._work = tasks
                tasks.create_task(self._hear_client())
                tasks.create_task(self._deliver())
                while True:
                    await self._handle(await self._events.get())
                    self._events.task_done()
        finally:
            for hotkeys in self._parts.hotkeys:
                hotkeys.stop()
            self._parts.edits.stop()

    async def idle(self) -> None:
        """Returns once all that has happened so far is dealt with, texts included."""
        while True:
            await self._events.join()
            if self._pending:
                await asyncio.wait(self._pending)
            await self._deliveries.join()
            if self._events.empty() and not self._pending:
                return

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._work.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _say_ready(self) -> None:
        if self._talk_key:
            self._say("ready", key=self._talk_key)
        else:
            self._say("ready_without_key")

    def _start_hotkeys(self, loop: asyncio.AbstractEventLoop) -> None:
        """Those that cannot be had are told; the others do."""
        for hotkeys in self._parts.hotkeys:
            try:
                hotkeys.start(lambda press: _post(loop, lambda: self.happened(events.Pressed(press))))
            except DesktopUnavailable as error:
                self._talk_key = ""
                self.trouble(error)

    def happened(self, event: events.Event) -> None:
        """Something happened; on the event loop's thread."""
        self._events.put_nowait(event)

    def trouble(self, error: VoiceImeError) -> None:
        """Something is wrong that the person must know."""
        self.happened(events.Trouble(what_to_do(error, self._messages)))

    def microphone_told(self, trouble: MicrophoneError | None) -> None:
        """The microphone does not work, or (None) works again."""
        if trouble is None:
            self.happened(events.MicrophoneBack())
        else:
            self.happened(events.MicrophoneDead(what_to_do(trouble, self._messages)))

    # --- what happens ---

    async def _hear_client(self) -> None:
        async for event in self._client.events():
            match event:
                case Connected(again=again):
                    if again:
                        self.happened(events.ServerBack())
                    else:
                        self._say_ready()
                case Disconnected():
                    self._reviewing.cut()
                    self.happened(events.ServerLost())
                case wire.Final():
                    self._final(event)
                case wire.Finalized():
                    self.happened(events.Answered(event.sample))
                case wire.CorrectionTaken():
                    self.happened(events.Taught(event.say))
                case wire.Explained():
                    self._reviewing.explained(event)
                case wire.Error():
                    self.happened(events.Trouble((event.message, event.remedy)))

    def _final(self, final: wire.Final) -> None:
        self._finals[final.utterance] = final
        text = "".join(edit.text for edit in final.edits)
        self.happened(events.Heard(final.utterance, final.start_sample, text))

    def _tell_what_was_lost(self) -> None:
        lost = self._journal.recover()
        if lost:
            texts = " ".join(entry.text.strip() for entry in lost)
            self._say("perhaps_inserted_at_start", count=len(lost), texts=texts)

    # --- what is to be done ---

    async def _handle(self, event: events.Event) -> None:
        logger.debug("event: %s", type(event).__name__)
        for effect in self._controller.handle(event):
            try:
                self._do(effect)
            except VoiceImeError as error:
                self.trouble(error)

    def _do(self, effect: effects.Effect) -> None:
        match effect:
            case effects.FindTarget():
                self._start(self._find_target(effect.take))
            case effects.OpenSound():
                self._open(effect.take)
            case effects.CloseSound():
                self._closing = effect.take
                self._start(self._close(effect.take))
            case effects.DropSound():
                self._parts.listening.drop()
                self._client.cancel(self._began.pop(effect.take, self._client.position))
            case effects.SendContext():
                self._start(self._send_context(effect.target))
            case effects.Deliver():
                self._deliveries.put_nowait(lambda: self._deliver_one(effect))
            case effects.InsertHeld():
                self._deliveries.put_nowait(self._insert_held)
            case effects.Undo():
                self._deliveries.put_nowait(self._undo)
            case effects.Explain():
                self._deliveries.put_nowait(self._explain)
            case effects.Take():
                self._deliveries.put_nowait(lambda: self._take(effect.number))
            case _:
                self._tell(effect)

    def _tell(self, effect: effects.Effect) -> None:
        match effect:
            case effects.Play():
                self._parts.announcer.sound(effect.sound)
            case effects.Say():
                values = {name: self._messages(f"desktop.{key}") for name, key in effect.values}
                self._say(effect.key, **values)
            case effects.SayText():
                self._say_text(effect.text)
            case effects.Quiet():
                self._parts.announcer.quiet()
            case effects.Repeat():
                self._repeat()
            case effects.Where():
                self._where()
            case effects.Changes():
                self._tell_changes()

    def _open(self, take: int) -> None:
        self._release()  # the key went down again within the tail: the tail ends here
        self._look()
        self._began[take] = self._client.position
        self._parts.listening.begin(self._client.send)

    async def _close(self, take: int) -> None:
        if self._closing != take:  # the key went down again before we came to it: that sound is another take's
            return
        await self._parts.listening.end()
        if self._closing == take:
            self._release()

    def _release(self) -> None:
        take, self._closing = self._closing, None
        if take is not None:
            self._began.pop(take, None)
            self.happened(events.Released(take, self._client.finalize()))
            asyncio.get_running_loop().call_later(self._working_after_s, self.happened, events.Overdue(take))

    async def _find_target(self, take: int) -> None:
        target: Target | None = None
        refusal: Refusal | None = "nothing_focused"
        try:
            target = await self._parts.focus.target()
            refusal = await self._parts.focus.refusal(target) if target is not None else "nothing_focused"
        except VoiceImeError as error:
            self.trouble(error)
        self.happened(events.TargetFound(take, target, refusal))

    async def _send_context(self, target: Target) -> None:
        try:
            around = await self._parts.focus.surroundings(target)
        except VoiceImeError:
            around = None  # blanks and capitals are then decided without it
        if around is None and target.key == self._unreadable:
            return  # what was said before stands there, as far as anybody knows: the server joins to that
        self._unreadable = target.key if around is None else None
        focus = _focus_facts(target)
        before, after = (around.before, around.after) if around is not None else ("", "")
        self._client.context(wire.Context(before=before, after=after, focus=focus))

    # --- texts ---

    async def _deliver(self) -> None:
        while True:
            work = await self._deliveries.get()
            try:
                await work()
            except VoiceImeError as error:
                self.trouble(error)
            finally:
                self._deliveries.task_done()

    async def _deliver_one(self, effect: effects.Deliver) -> None:
        final = self._finals.pop(effect.utterance)
        settled = await self._parts.delivery.deliver(
            effect.text, effect.target, effect.reason, lambda: self._client.kept(final), self.trouble
        )
        self._remember(final, settled)
        self._settled(settled)
        if settled.place is not None:
            await self._parts.edits.inserted(effect.utterance, settled.entry.text, settled.place)

    def _remember(self, final: wire.Final, settled: Delivered) -> None:
        """For questions about the last text; of what was said to a secret field nothing is kept."""
        if settled.entry.reason in SECRET:
            self._changes = None
            self._reviewing.forget()
        else:
            self._changes = final.changes
            self._reviewing.begin(final, settled.entry.number, settled.entry.text)

    def _look(self) -> None:
        """Whether the last text was put right, before anything else is inserted."""
        self._deliveries.put_nowait(self._parts.edits.look)

    async def _insert_held(self) -> None:
        self._put_in(await self._parts.delivery.insert_held())

    def insert_entry(self, number: int) -> None:
        """Put a held text of the journal where the focus is now; on the event loop's thread."""
        self._deliveries.put_nowait(lambda: self._insert_entry(number))

    async def _insert_entry(self, number: int) -> None:
        try:
            delivered = await self._parts.delivery.insert_entry(number)
        except LookupError:
            delivered = None
        self._put_in(delivered)

    def _put_in(self, delivered: Delivered | None) -> None:
        """A held text, or (None) there is none."""
        if delivered is None:
            self._say("nothing_held")
            return
        if delivered.place is not None:
            self._parts.edits.forget()  # the last insertion is one of which the utterance is not known any more
        self._settled(delivered)

    async def _undo(self) -> None:
        entry = await self._parts.delivery.undo()
        if entry is not None:
            self._parts.edits.forget()
        self._say("not_undone" if entry is None else "undone")

    # --- doubtful words ---

    async def _explain(self) -> None:
        """The answer of the server is not waited for here: texts that come meanwhile are delivered."""
        sentence, spot = self._reviewing.next()
        self.happened(events.Explained((sentence,)))
        if spot is not None:
            self._start(self._say_explanation(spot))

    async def _say_explanation(self, spot: Spot) -> None:
        self.happened(events.Explained(tuple(await self._reviewing.explanation(spot))))

    def take(self, number: int) -> None:
        """Write the word of that number, of those that were named last; on the event loop's thread."""
        self.happened(events.Chosen(number))

    async def _take(self, number: int) -> None:
        choice = self._reviewing.choice(number)
        if choice is None:
            self._told("no_number", number=number)
            return
        await self._parts.edits.look()  # what the keyboard put right before
        self._parts.edits.forget()
        delivered = await self._parts.delivery.correct(choice.entry, choice.text, choice.swap)
        self._reviewing.took(number, choice, delivered.entry.number)
        if delivered.place is not None:
            self._told("taken", heard=choice.heard, written=choice.written)
            await self._parts.edits.inserted(choice.utterance, delivered.entry.text, delivered.place)
        else:
            self._told("corrected", text=choice.corrected)
            self._settled(delivered)
        self._parts.edits.chosen(choice.correction)

    def _told(self, key: str, /, **values: str | int) -> None:
        self.happened(events.Taken(self._messages(f"desktop.review.{key}", **values)))

    def _settled(self, delivered: Delivered) -> None:
        logger.info("utterance %d: %s %s", delivered.entry.number, delivered.entry.state.value, delivered.entry.reason)
        self.happened(events.Settled(delivered.entry, delivered.target))

    def _repeat(self) -> None:
        entries = self._journal.entries(1)
        if entries and entries[0].text:
            self._say_text(entries[0].text)
        else:
            self._say("nothing_yet")

    def _where(self) -> None:
        entries = self._journal.entries(1)
        if not entries:
            self._say("nothing_yet")
            return
        entry = entries[0]
        reason = self._messages(f"desktop.reason.{entry.reason}") if entry.reason else ""
        application = entry.application or self._messages("desktop.unknown_application")
        self._say(f"where.{entry.state.value}", application=application, why=reason)

    def _tell_changes(self) -> None:
        if self._changes is None:
            self._say("nothing_yet")
            return
        for sentence in changes.told(self._changes, self._messages):
            self._say_text(sentence)
        if texts := changes.alike(self._changes):
            self._start(self._say_written(texts))

    async def _say_written(self, texts: list[str]) -> None:
        self.happened(events.Explained(tuple(await self._reviewing.written(texts))))

    def _say_text(self, text: str) -> None:
        self._parts.announcer.say(text, language_of(text, self._messages.language))

    def _say(self, key: str, /, **values: str | int) -> None:
        self._say_text(self._messages(f"desktop.{key}", **values))


def _focus_facts(target: Target) -> wire.FocusFacts:
    return wire.FocusFacts(
        multi_line=target.multi_line,
        terminal=target.kind is Kind.TERMINAL,
        application=target.application[:LONGEST_NAME] or None,
    )


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Make a call from another thread."""
    loop.call_soon_threadsafe(call)
