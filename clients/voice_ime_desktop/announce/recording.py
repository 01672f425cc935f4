"""Keeps what was announced: for tests, which are about what a person hears."""

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.announce.base import Announcer, Sound


class RecordingAnnouncer(Announcer):
    """`available`: False is a way that is not open here."""

    def __init__(self, *, available: bool = True) -> None:
        self.available = available
        self.heard: list[str | Sound] = []
        """Sentences and sounds, in order."""
        self.languages: list[str] = []
        """Of the sentences."""
        self.quieted = 0
        """How often speech was stopped."""

    @property
    def spoken(self) -> list[str]:
        return [one for one in self.heard if isinstance(one, str)]

    @property
    def sounds(self) -> list[Sound]:
        return [one for one in self.heard if isinstance(one, Sound)]

    async def start(self) -> None:
        if not self.available:
            raise DesktopUnavailable("speech", "not here")

    async def stop(self) -> None:
        pass

    def say(self, sentence: str, language: str) -> None:
        self.heard.append(sentence)
        self.languages.append(language)

    def sound(self, sound: Sound) -> None:
        self.heard.append(sound)

    def quiet(self) -> None:
        self.quieted += 1
