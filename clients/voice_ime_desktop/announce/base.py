"""Saying things: a spoken sentence, a short sound, or both."""

from abc import ABC, abstractmethod
from enum import Enum


class Sound(Enum):
    """Short sounds; each has a sentence in the catalogue that says what it means, under desktop.sound.<value>."""

    START = "start"
    STOP = "stop"
    INSERTED = "inserted"
    HELD = "held"
    REFUSED = "refused"


class Announcer(ABC):
    """Never blocks: what is to be said is queued. Texts are never logged."""

    @abstractmethod
    async def start(self) -> None:
        """Get ready. DesktopUnavailable(part, reason) where this way is not open here."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def say(self, sentence: str, language: str) -> None:
        """Speak `sentence`, after what is being said. `language`: en or zh."""

    def progress(self, sentence: str, language: str) -> None:
        """Speak how far something is. Where the way can tell: after what is being said, and not at all where something
        newer came meanwhile."""
        self.say(sentence, language)

    @abstractmethod
    def sound(self, sound: Sound) -> None: ...

    @abstractmethod
    def quiet(self) -> None:
        """Stop speaking: the person begins to talk."""
