"""Recordings to text through a real server, in real time: what a person who dictates would get."""

import asyncio
from pathlib import Path
from types import TracebackType

from voice_ime import protocol as wire
from voice_ime.audio import read_blocks, to_pcm16
from voice_ime.client import ClientOptions, Connected, DictationClient
from voice_ime.engine.base import SAMPLE_RATE, Word
from voice_ime.errors import AudioError, RecognitionFailed
from voice_ime.local_server import Command, LocalServer
from voice_ime.transcribe import Heard, OnHeard, OnProgress, Outcome

BLOCK_S = 0.1
"""So much sound is sent at a time."""


class StreamTranscriber:
    """Keeps a server of its own for as long as it is entered; each recording is a dictation session.

    `pace` is the speed at which recordings are played: 1 is real time.
    """

    def __init__(self, command: Command, options: ClientOptions, *, pace: float = 1.0) -> None:
        self._server = LocalServer(command)
        self._options = options
        self._pace = pace
        self._runner = asyncio.Runner()
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> "StreamTranscriber":
        self._runner.__enter__()
        self._serving = self._runner.get_loop().create_task(self._server.run())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._end())
        self._runner.__exit__(kind, error, trace)

    def transcribe(self, path: Path, on_heard: OnHeard, on_progress: OnProgress) -> Outcome:
        """Errors of the server come alone or in an ExceptionGroup; troubles of the recording are in the Outcome."""
        return self._runner.run(_Dictation(self._server, self._options, self._pace, on_heard, on_progress).of(path))

    async def _end(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)


class _Dictation:
    """One recording, spoken to the server."""

    def __init__(
        self, server: LocalServer, options: ClientOptions, pace: float, on_heard: OnHeard, on_progress: OnProgress
    ) -> None:
        self._client = DictationClient(server.address, options)
        self._pace = pace
        self._on_heard = on_heard
        self._on_progress = on_progress
        self._connected = asyncio.Event()
        self._engine: str | None = None
        self._end: int | None = None
        """The sample at which all was said."""
        self._problem: AudioError | RecognitionFailed | None = None

    async def of(self, path: Path) -> Outcome:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._client.run())
            tasks.create_task(self._play(path))
            async for event in self._client.events():
                self._note(event)
                if isinstance(event, wire.Finalized) and event.sample == self._end:
                    await self._client.close()
        return Outcome(self._client.position / SAMPLE_RATE, self._engine, self._problem)

    async def _play(self, path: Path) -> None:
        await self._connected.wait()
        due = asyncio.get_running_loop().time()
        try:
            for block in read_blocks(path, BLOCK_S):
                self._client.send(to_pcm16(block))
                self._on_progress(len(block) / SAMPLE_RATE)
                due += len(block) / SAMPLE_RATE / self._pace
                await asyncio.sleep(due - asyncio.get_running_loop().time())
        except AudioError as error:
            self._problem = error
        self._end = self._client.finalize()

    def _note(self, event: object) -> None:
        match event:
            case Connected():
                self._engine = event.ready.capabilities.engine
                self._connected.set()
            case wire.Final():
                self._on_heard(_heard(event))
                self._client.kept(event)
            case wire.Error(code=RecognitionFailed.code):
                self._problem = self._problem or RecognitionFailed(engine=str(self._engine))


def _heard(final: wire.Final) -> Heard:
    words = tuple(Word(word.text, word.start_s, word.end_s, word.confidence, word.alternatives) for word in final.words)
    timings = {stage: seconds for stage, seconds in final.timings.model_dump().items() if seconds is not None}
    return Heard("".join(edit.text for edit in final.edits), words, final.language, timings)
