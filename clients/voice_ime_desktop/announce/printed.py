"""Prints what would be spoken."""

import contextlib
from typing import TextIO

from voice_ime.messages import Messages
from voice_ime_desktop.announce.base import Announcer, Sound


class PrintedAnnouncer(Announcer):
    """A line for each sentence. With `sounds_as_text`, a line for each sound, too, in that language."""

    def __init__(self, stream: TextIO, sounds_as_text: Messages | None = None) -> None:
        self._stream = stream
        self._sounds_as_text = sounds_as_text

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def say(self, sentence: str, language: str) -> None:
        if line := " ".join(sentence.split()):
            with contextlib.suppress(OSError, ValueError):  # nobody reads there any more
                print(line, file=self._stream, flush=True)

    def sound(self, sound: Sound) -> None:
        if self._sounds_as_text is not None:
            self.say(self._sounds_as_text(f"desktop.sound.{sound.value}"), self._sounds_as_text.language)

    def quiet(self) -> None:
        """Print makes no noise."""
