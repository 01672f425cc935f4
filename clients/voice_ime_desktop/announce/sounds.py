"""Plays the short sounds. Each play is a child process: it starts within 10 ms, costs nothing while there is no sound,
and cannot be broken by a sound service that was restarted.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.announce.base import Announcer, Sound

PLAYERS = (("paplay", "--latency-msec=20"), ("pw-play",), ("aplay", "-q"))
"""Programs that play a file, best first."""
PATIENCE_S = 3.0
"""The longest sound is a third of a second: a player that takes longer hangs."""
MOST = 3
"""Sounds at once; more would only come late."""


def player_of(environment: Mapping[str, str]) -> Sequence[str] | None:
    """The command to which a file's name is added; None: this machine has none."""
    path = environment.get("PATH")
    return next((player for player in PLAYERS if shutil.which(player[0], path=path)), None)


def file_of(sound: Sound) -> Path:
    return Path(str(files("voice_ime_desktop") / "sounds" / f"{sound.value}.wav"))


class SoundAnnouncer(Announcer):
    """Sounds only. One that could not be played goes to `meanwhile`."""

    def __init__(
        self,
        player: Sequence[str] | None,
        environment: Mapping[str, str],
        *,
        meanwhile: Announcer | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._player = player
        self._environment = environment
        self._meanwhile = meanwhile
        self._patience_s = patience_s
        self._playing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        if self._player is None:
            raise DesktopUnavailable("sound", "no program that plays sounds")

    async def stop(self) -> None:
        """Returns when the last sound was played."""
        await asyncio.gather(*self._playing)

    def say(self, sentence: str, language: str) -> None:
        """Sentences are not for this way."""

    def sound(self, sound: Sound) -> None:
        if self._player is None or len(self._playing) >= MOST:
            return
        playing = asyncio.create_task(self._play(sound, [*self._player, str(file_of(sound))]))
        self._playing.add(playing)
        playing.add_done_callback(self._playing.discard)

    def quiet(self) -> None:
        """Nothing here is long enough to be stopped."""

    async def _play(self, sound: Sound, command: Sequence[str]) -> None:
        played = await _succeeds(command, self._environment, self._patience_s)
        if not played and self._meanwhile is not None:
            self._meanwhile.sound(sound)


async def _succeeds(command: Sequence[str], environment: Mapping[str, str], patience_s: float) -> bool:
    nothing = subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(patience_s):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
