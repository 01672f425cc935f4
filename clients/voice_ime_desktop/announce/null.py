"""Says nothing."""

from voice_ime_desktop.announce.base import Announcer, Sound


class NullAnnouncer(Announcer):
    """Is always there and never heard."""

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def say(self, sentence: str, language: str) -> None:
        pass

    def sound(self, sound: Sound) -> None:
        pass

    def quiet(self) -> None:
        pass
