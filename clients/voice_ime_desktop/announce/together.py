"""Speech with sounds, and print where one of them is not to be had."""

from collections.abc import Mapping
from typing import TextIO

from voice_ime.errors import DesktopUnavailable
from voice_ime.messages import Messages
from voice_ime_desktop.announce.base import Announcer, Sound
from voice_ime_desktop.announce.null import NullAnnouncer
from voice_ime_desktop.announce.printed import PrintedAnnouncer
from voice_ime_desktop.announce.sounds import SoundAnnouncer, player_of
from voice_ime_desktop.announce.ssip import SsipAnnouncer, service_of


class TogetherAnnouncer(Announcer):
    """Sentences go to `speech`, sounds to `sounds`; each to `instead` where it does not start."""

    def __init__(self, speech: Announcer, sounds: Announcer, instead: Announcer) -> None:
        self._speech = speech
        self._sounds = sounds
        self._instead = instead

    async def start(self) -> None:
        await self._instead.start()
        self._speech = await self._started(self._speech)
        self._sounds = await self._started(self._sounds)

    async def stop(self) -> None:
        for way in dict.fromkeys((self._sounds, self._speech, self._instead)):
            await way.stop()

    def say(self, sentence: str, language: str) -> None:
        self._speech.say(sentence, language)

    def progress(self, sentence: str, language: str) -> None:
        self._speech.progress(sentence, language)

    def sound(self, sound: Sound) -> None:
        self._sounds.sound(sound)

    def quiet(self) -> None:
        self._speech.quiet()

    async def _started(self, way: Announcer) -> Announcer:
        try:
            await way.start()
        except DesktopUnavailable:
            return self._instead
        return way


def announcer_of(
    environment: Mapping[str, str], stream: TextIO, messages: Messages, *, speech: bool = True, sounds: bool = True
) -> TogetherAnnouncer:
    """What this machine has, with print to `stream` in place of what it has not. `speech` False: all is printed."""
    printed = PrintedAnnouncer(stream, messages)
    service = service_of(environment) if speech else None
    player = player_of(environment)
    return TogetherAnnouncer(
        SsipAnnouncer(service, environment, meanwhile=printed) if service is not None else printed,
        SoundAnnouncer(player, environment, meanwhile=printed) if sounds else NullAnnouncer(),
        printed,
    )
