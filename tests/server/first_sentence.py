"""A process of its own in which two sentences are dictated after "ready". It prints the modules and files that were
loaded for them, as JSON. What a process has loaded it has for good: inside the tests this could not be asked.

    python -m tests.server.first_sentence en|zh STORE
"""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from tests.contract.engine_contract import MODELS, silence, sound_of
from tests.server.running import running_server
from voice_ime import protocol as wire
from voice_ime.audio import to_pcm16
from voice_ime.engine.base import Engine, Samples
from voice_ime.engine.speech import SpeechDetector
from voice_ime.personalize.profile import Entry, Source
from voice_ime.settings import MoonshineSettings, SherpaSettings
from voice_ime.store.base import Author, Put
from voice_ime.store.sql import SqlStore

ENTRIES = (Entry(id="e1", written="Kowalski"), Entry(id="e2", written="王建国", language="zh"))
SENTENCES = 2
"""The second one is fitted to the first."""


class Loading:
    """Notes which modules and files are loaded."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def begin(self) -> None:
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in ("import", "open"):
            self.names.append(f"{event} {arguments[0]}")


def engine_of(language: str) -> tuple[Engine, Samples]:
    """An engine that hears the language, and a sentence."""
    if language == "zh":
        from voice_ime.engine.sherpa import SherpaEngine

        folder = MODELS / "micro_zh"
        engine = SherpaEngine(SherpaSettings(folder=folder / "ctc", threads=1))
        return engine, sound_of(folder / "clips" / "trained-24.ogg")
    from voice_ime.engine.moonshine import MoonshineEngine

    return MoonshineEngine(MoonshineSettings(threads=1)), sound_of(MODELS / "en-window.flac")


async def loaded(language: str, file: Path) -> list[str]:
    """For the first sentences after "ready"."""
    store = SqlStore(file)
    store.create("ann")
    store.apply("ann", [Put(entry) for entry in ENTRIES], Author(Source.PERSON, "test"))
    engine, speech = engine_of(language)
    sound = np.concatenate([silence(0.5), speech, silence(0.5)])
    loading = Loading()
    async with (
        running_server(engine, SpeechDetector(), store=store) as server,
        server.session(language=language, profile="ann", endpoints=False) as talk,
    ):
        loading.begin()
        for number in range(SENTENCES):
            await talk.say(wire.AudioFrame(number * len(sound), to_pcm16(sound)))
            await talk.say(wire.Finalize(sample=(number + 1) * len(sound)))
            await talk.hear(wire.Final)
        return loading.names


if __name__ == "__main__":
    print(json.dumps(asyncio.run(loaded(sys.argv[1], Path(sys.argv[2])))))
