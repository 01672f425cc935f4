"""Where terminal dictation is put together: server, client, microphone or recording, terminal."""

import asyncio
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from voice_ime_desktop.microphone import RecordedMicrophone, best_microphone, require_microphone

from voice_ime import protocol as wire
from voice_ime.client import Address, ClientOptions, DictationClient
from voice_ime.commands import ExitCode
from voice_ime.dictating import Dictation, Key, Recording, Talk, done_before, end_key, play
from voice_ime.engine.store import MOONSHINE_TINY_EN, sample_recording
from voice_ime.errors import ConfigError, MicrophoneError, ModelNotFound, ServerUnreachable
from voice_ime.local_server import LocalServer, serve_command
from voice_ime.messages import Messages
from voice_ime.terminal import Screen, read_keys, unseen_keys

STDIN = 0
ANSWERS_WITHIN_S = 5.0
"""A server that somebody else runs and that does not answer for so long is not there."""


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    file: Path | None
    """The recording to dictate; None: the microphone."""
    sample: bool
    """Dictate the recording that comes with the model."""
    url: str | None
    """The server; None: one of our own."""
    token_file: Path
    """The token of that server."""
    language: str | None
    partials: bool
    profile: str | None
    """Whose words are used; None: nobody's."""


@dataclass(frozen=True)
class Tape:
    """A recording that is to be dictated."""

    name: str
    sound: Recording


async def start_dictating(wishes: Wishes, messages: Messages, server_options: Sequence[str]) -> ExitCode:
    """Dictate in this terminal until the person or the recording ends. VoiceImeErrors come in an ExceptionGroup."""
    with unseen_keys(STDIN):
        return await _Start(wishes, messages, server_options).run()


class _Start:
    """To be made and used on one event loop."""

    def __init__(self, wishes: Wishes, messages: Messages, server_options: Sequence[str]) -> None:
        self._wishes = wishes
        self._messages = messages
        self._server_options = server_options
        self._screen = Screen(sys.stdout, _width if sys.stdout.isatty() else None)
        self._keys: asyncio.Queue[Key] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> ExitCode:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._keys.put_nowait, Key.END)
        self._say("starting")
        async with asyncio.TaskGroup() as tasks:
            server = LocalServer(serve_command(self._server_options)) if self._wishes.url is None else None
            running = tasks.create_task(server.run()) if server is not None else None
            client = DictationClient(self._remote() if server is None else server.address, self._options())
            dictation = Dictation(client, self._screen, self._messages)
            connecting = tasks.create_task(client.run())
            tasks.create_task(dictation.told())
            code = await self._dictate(dictation, tasks.create_task(asyncio.to_thread(self._tape)))
            await client.close()
            connecting.cancel()  # it may still be waiting for an address
            if running is not None:
                running.cancel()
        return code

    async def _dictate(
        self, dictation: Dictation, tape_found: "asyncio.Task[Tape | MicrophoneError | None]"
    ) -> ExitCode:
        if not await done_before(self._connected(dictation), end_key(self._keys)):
            return ExitCode.INTERRUPTED
        tape = await tape_found
        if isinstance(tape, MicrophoneError):
            tape = self._sample_instead(dictation, tape)
        whole = await (self._talk(dictation) if tape is None else self._play(dictation, tape))
        dictation.summary()
        if tape is not None and tape.sound.trouble is not None:
            raise tape.sound.trouble
        return ExitCode.OK if whole else ExitCode.INTERRUPTED

    async def _connected(self, dictation: Dictation) -> None:
        """ServerUnreachable where nothing answers at the address of somebody else's server."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S if self._wishes.url else None):
                facts = (await dictation.until_connected()).capabilities
        except TimeoutError:
            raise ServerUnreachable(url=str(self._wishes.url)) from None
        if self._messages.language not in facts.languages:
            self._say(
                "language_not_heard", engine=facts.engine, languages=self._messages.languages(facts.languages)
            )

    async def _talk(self, dictation: Dictation) -> bool:
        def told(trouble: MicrophoneError | None) -> None:
            self._loop.call_soon_threadsafe(dictation.microphone_told, trouble)

        def typed(key: Key) -> None:
            self._loop.call_soon_threadsafe(self._keys.put_nowait, key)

        microphone = best_microphone(told)
        read_keys(STDIN, on_enter=lambda: typed(Key.ENTER), on_end=lambda: typed(Key.END))
        self._say("ready")
        return await Talk(dictation, microphone, self._keys).run()

    async def _play(self, dictation: Dictation, tape: Tape) -> bool:
        self._say("ready_recording", name=tape.name)
        return await play(dictation, lambda on_end: RecordedMicrophone(tape.sound, on_end=on_end), self._keys)

    # --- what is to be dictated ---

    def _tape(self) -> Tape | MicrophoneError | None:
        """The recording; None: the microphone, which is there; an error: it is not."""
        if self._wishes.file is not None:
            return _tape_of(self._wishes.file)
        if self._wishes.sample:
            return _sample()
        try:
            require_microphone()
        except MicrophoneError as error:
            return error
        return None

    def _sample_instead(self, dictation: Dictation, trouble: MicrophoneError) -> Tape:
        """Says why there is no microphone. The same error where there is no recording either."""
        sample = sample_recording()
        if sample is None:
            raise trouble
        dictation.tell(trouble)
        self._say("sample_instead")
        return _tape_of(sample)

    # --- the server ---

    def _remote(self) -> Callable[[], Awaitable[Address]]:
        url = _websocket_url(str(self._wishes.url), self._messages)

        async def address() -> Address:
            return Address(url, _token(self._wishes.token_file))

        _token(self._wishes.token_file)
        return address

    def _options(self) -> ClientOptions:
        return ClientOptions(
            language=self._wishes.language,
            partials=self._wishes.partials and self._screen.redraws,
            messages="zh" if self._messages.language == "zh" else "en",
            profile=self._wishes.profile,
        )

    def _say(self, key: str, **values: str) -> None:
        self._screen.line(self._messages(f"dictate.{key}", **values))


def _width() -> int:
    return shutil.get_terminal_size().columns


def _sample() -> Tape:
    path = sample_recording()
    if path is None:
        raise ModelNotFound(
            model=MOONSHINE_TINY_EN.model, where=MOONSHINE_TINY_EN.requirement, command=MOONSHINE_TINY_EN.command
        )
    return _tape_of(path)


def _tape_of(path: Path) -> Tape:
    """AudioErrors where nothing of the file can be read; what is wrong later is kept in the tape."""
    from voice_ime.audio import read_blocks, to_pcm16  # with a library that takes its time

    blocks = read_blocks(path)
    first = next(blocks)
    return Tape(path.name, Recording(to_pcm16(block) for block in chain([first], blocks)))


def _websocket_url(url: str, messages: Messages) -> str:
    """`url`, with the usual path where it has none. ConfigError where it is no address of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ConfigError(where="--url", detail=messages("dictate.no_url"))
    return parts._replace(path=wire.PATH).geturl() if parts.path in ("", "/") else url


def _token(file: Path) -> str:
    """ConfigError where the file cannot be read."""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(where="--token-file", detail=str(error)) from None
