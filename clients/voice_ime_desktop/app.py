"""Where the desktop client is put together, started and ended."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from voice_ime.client import ClientOptions, DictationClient
from voice_ime.errors import DesktopError, DesktopUnavailable, KeyMissing, MicrophoneError, VoiceImeError
from voice_ime.local_server import LocalServer, serve_command
from voice_ime.messages import Messages
from voice_ime.settings import DesktopSettings
from voice_ime.spoken import what_to_do
from voice_ime_desktop.accessibility import Accessibility
from voice_ime_desktop.announce.base import Announcer
from voice_ime_desktop.controller import Controller
from voice_ime_desktop.delivery import Delivery
from voice_ime_desktop.desktop import Desktop, Parts
from voice_ime_desktop.edits import Edits
from voice_ime_desktop.events import Pressed
from voice_ime_desktop.focus.active_window import ActiveWindow
from voice_ime_desktop.focus.atspi import AtspiFocus
from voice_ime_desktop.focus.base import Focus
from voice_ime_desktop.focus.terminal import hidden_input
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.hotkeys.control import ControlHotkeys
from voice_ime_desktop.hotkeys.x11 import X11Hotkeys, keyboard_has
from voice_ime_desktop.insert.atspi import AtspiWay
from voice_ime_desktop.insert.clipboard import ClipboardWay
from voice_ime_desktop.insert.ibus import IbusWay
from voice_ime_desktop.insert.ibus_engine import IbusEngine, ibus_address
from voice_ime_desktop.insert.inserter import Inserter
from voice_ime_desktop.insert.null import NullReadBack
from voice_ime_desktop.insert.read_back import AtspiReadBack
from voice_ime_desktop.journal import FILE, Journal, opened
from voice_ime_desktop.listening import Listening
from voice_ime_desktop.microphone import best_microphone
from voice_ime_desktop.this_desktop import session_bus_of

REARM_S = 3.0
"""How often a microphone that is not there is looked for."""


@dataclass(frozen=True)
class Place:
    """Where the client runs."""

    environment: Mapping[str, str]
    state_folder: Path
    control_socket: Path

    @property
    def display(self) -> str:
        """Name of the X display. DesktopUnavailable where there is none."""
        if name := self.environment.get("DISPLAY"):
            return name
        raise DesktopUnavailable("display", "DISPLAY")


class App:
    """To be made and run on one event loop."""

    def __init__(
        self,
        settings: DesktopSettings,
        messages: Messages,
        place: Place,
        announcer: Announcer,
        server_options: Sequence[str],
        *,
        language: str | None = None,
        profile: str | None = None,
    ) -> None:
        """`language`: what will be spoken, as ISO 639-1 code; None: the engine decides.

        `profile`: name of the profile whose words are used; None: nobody's.
        """
        self._settings = settings
        self._messages = messages
        self._place = place
        self._announcer = announcer
        self._server = LocalServer(serve_command(server_options))
        options = ClientOptions(
            language=language,
            endpoints=False,
            partials=True,  # nobody hears them; they are the drafts that make finals quick
            messages="zh" if messages.language == "zh" else "en",
            profile=profile,
        )
        self._client = DictationClient(self._server.address, options)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._desktop: Desktop | None = None

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. VoiceImeErrors, perhaps in an ExceptionGroup, where it cannot go on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._end)
        async with AsyncExitStack() as held:
            try:
                await self._run(await self._put_together(held))
            except* VoiceImeError as errors:
                self._say_why(*errors.exceptions)
                raise
            except* Exception:
                self._say_why(VoiceImeError())
                raise

    async def _run(self, desktop: Desktop) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for work in (self._server.run(), self._client.run(), desktop.run(), self._arm(desktop))
            ]
            try:
                await self._ended
            finally:
                await self._client.close()
                for task in running:
                    task.cancel()

    def _say_why(self, *errors: BaseException) -> None:
        """A person at a desktop does not see the terminal in which the client was started."""
        for error in errors:
            if isinstance(error, VoiceImeError):
                for sentence in what_to_do(error, self._messages):
                    self._announcer.say(sentence, self._messages.language)

    async def _put_together(self, held: AsyncExitStack) -> Desktop:
        """Everything started; `held` ends it again, the last first. DesktopAlreadyRunning comes first of all."""
        control = ControlHotkeys(self._place.control_socket, self._insert_entry, self._take)
        control.start(self._pressed)
        held.callback(control.stop)
        await held.enter_async_context(_started(self._announcer))
        held.callback(self._say, "ended")
        self._say("starting")
        journal = self._journal()
        held.callback(journal.close)
        display = self._place.display
        accessibility = Accessibility(session_bus_of(self._place.environment))
        focus = AtspiFocus(accessibility, ActiveWindow(display), hidden_input)
        await held.enter_async_context(_started(focus))
        inserter = self._inserter(accessibility, focus, display)
        held.push_async_callback(inserter.stop)
        self._missing = await inserter.start()
        self._listening = Listening(
            best_microphone(self._microphone_told), self._settings.pre_roll_s, self._settings.tail_s
        )
        held.callback(self._listening.disarm)
        delivery = Delivery(journal, inserter, focus)
        edits = self._edits(accessibility)
        parts = Parts(focus, delivery, self._listening, (self._hotkeys(display),), self._announcer, edits)
        self._desktop = desktop = Desktop(
            parts, self._client, journal, Controller(self._settings.talk), self._messages, self._settings.talk_key
        )
        for error in self._missing:
            desktop.trouble(error)
        return desktop

    def _journal(self) -> Journal:
        settings, path = self._settings, self._place.state_folder / FILE
        journal, aside = opened(path, most=settings.journal_most, days=settings.journal_days)
        if aside is not None:
            self._say("journal_aside", path=aside)
        return journal

    def _inserter(self, accessibility: Accessibility, focus: AtspiFocus, display: str) -> Inserter:
        engine = IbusEngine(lambda: ibus_address(self._place.environment))
        ways = (
            IbusWay(engine, self._place.state_folder / "input-method", focus),
            AtspiWay(accessibility),
            ClipboardWay(display, focus),
        )
        return Inserter(focus, AtspiReadBack(accessibility), ways)

    def _edits(self, accessibility: Accessibility) -> Edits:
        wanted = self._settings.report_edits
        if not wanted:
            return Edits(NullReadBack(), lambda _: None)
        return Edits(AtspiReadBack(accessibility), self._client.correct)

    def _hotkeys(self, display: str) -> X11Hotkeys:
        keys = {
            Press.TALK_DOWN: self._settings.talk_key,
            Press.INSERT_HELD: self._settings.insert_key,
            Press.REPEAT: self._settings.repeat_key,
            Press.WHERE: self._settings.where_key,
            Press.UNDO: self._settings.undo_key,
            Press.CHANGES: self._settings.changes_key,
            Press.EXPLAIN: self._settings.explain_key,
            Press.TAKE: self._settings.take_key,
        }
        for press, name in list(keys.items()):
            if not name or press is Press.TALK_DOWN:
                continue  # without a key to talk one cannot do
            if name == self._settings.talk_key:
                del keys[press]  # whoever talks with it does not want it for anything else
            elif not keyboard_has(display, name):
                del keys[press]
                self._missing.append(KeyMissing(name))
        return X11Hotkeys(display, keys, self._lost)

    def _say(self, key: str, **values: object) -> None:
        self._announcer.say(self._messages(f"desktop.{key}", **values), self._messages.language)

    async def _arm(self, desktop: Desktop) -> None:
        """Opens the microphone; one that is not there is told, and looked for again and again."""
        told = False
        while True:
            try:
                self._listening.arm()
            except MicrophoneError as error:
                if not told:
                    desktop.microphone_told(error)
                told = True
                await asyncio.sleep(REARM_S)
            else:
                break
        if told:
            desktop.microphone_told(None)

    def _end(self, why: DesktopError | None = None) -> None:
        if self._ended.done():
            return
        if why is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(why)

    # --- from other threads ---

    def _pressed(self, press: Press) -> None:
        self._with_desktop(lambda desktop: desktop.happened(Pressed(press)))

    def _insert_entry(self, number: int) -> None:
        self._with_desktop(lambda desktop: desktop.insert_entry(number))

    def _take(self, number: int) -> None:
        self._with_desktop(lambda desktop: desktop.take(number))

    def _microphone_told(self, trouble: MicrophoneError | None) -> None:
        self._with_desktop(lambda desktop: desktop.microphone_told(trouble))

    def _lost(self, why: DesktopError) -> None:
        """The display is gone, and with it everything to dictate into."""
        self._loop.call_soon_threadsafe(self._end, why)

    def _with_desktop(self, call: Callable[[Desktop], None]) -> None:
        """What comes before everything is started is too early to mean anything."""

        def now() -> None:
            if self._desktop is not None:
                call(self._desktop)

        self._loop.call_soon_threadsafe(now)


@asynccontextmanager
async def _started(part: Focus | Announcer) -> AsyncIterator[None]:
    await part.start()
    try:
        yield
    finally:
        await part.stop()
