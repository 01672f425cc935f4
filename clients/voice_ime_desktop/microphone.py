"""The microphone: 16 kHz, mono, 16-bit little-endian samples, in blocks of about 20 ms.

Light on purpose: no numpy, no engine. `best_microphone` picks the way that works here and puts a watch on it.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from voice_ime.errors import MicrophoneAbsent, MicrophoneBusy, MicrophoneDenied, MicrophoneError, MicrophoneSilent

SAMPLE_RATE = 16_000
BLOCK_MS = 20
BLOCK_BYTES = SAMPLE_RATE * BLOCK_MS // 1000 * 2
KEPT_BLOCKS = 100
"""So many the sound service keeps for us where the machine is busy: of miniaudio's own three those are lost that come
after it was held up for a tenth of a second, and words lose syllables."""

OnPcm = Callable[[bytes], None]
"""Is given each block on the microphone's own thread; must only copy it, and must not raise."""
Told = Callable[[MicrophoneError | None], None]
"""Is given what is wrong with an open microphone, or None when it works again; on a thread of the watch."""

_MONITOR = ".monitor"
"""Ending of the sources of PulseAudio and PipeWire that record what the loudspeaker plays: no microphones."""


class Microphone(ABC):
    """A source of sound that can be opened and closed again and again. Not for two threads at once."""

    @abstractmethod
    def start(self, on_pcm: OnPcm) -> None:
        """Open it. MicrophoneAbsent (value `missing`: program, service or device), MicrophoneDenied, MicrophoneBusy."""

    @abstractmethod
    def stop(self) -> None:
        """Close it; no block comes after this returns. May be called at any time, also twice."""


# --- miniaudio: one wheel, no system library ------------------------------------------------------------------------


class MiniaudioMicrophone(Microphone):
    """The system's own microphone through the package miniaudio."""

    def __init__(self) -> None:
        self._device: Any = None
        self._on_pcm: OnPcm | None = None

    def start(self, on_pcm: OnPcm) -> None:
        import miniaudio  # type: ignore[import-untyped,import-not-found,unused-ignore]

        self.stop()
        backends = _backends(miniaudio)
        blocks = self._blocks()
        next(blocks)
        try:
            self._device = miniaudio.CaptureDevice(
                miniaudio.SampleFormat.SIGNED16, 1, SAMPLE_RATE, BLOCK_MS, callback_periods=KEPT_BLOCKS,
                backends=backends, app_name="voice-ime",
            )  # fmt: skip
            self._on_pcm = on_pcm
            self._device.start(blocks)
        except miniaudio.MiniaudioError as error:
            self.stop()
            raise _reason(miniaudio, error) from error

    def stop(self) -> None:
        device, self._device, self._on_pcm = self._device, None, None
        if device is None:
            return
        import miniaudio

        context = device._context
        device.close()
        # miniaudio 1.71 leaves its connection to the sound service open: 5 file descriptors for each start
        miniaudio.lib.ma_context_uninit(context)

    def _blocks(self) -> Generator[None, bytearray, None]:
        while True:
            block = yield
            if (on_pcm := self._on_pcm) is not None:
                on_pcm(bytes(block))


def _backends(miniaudio: Any) -> list[Any]:
    """The ways to sound that have a microphone here; empty: the choice is miniaudio's."""
    if sys.platform != "linux":
        return []
    names = _pulse_sources(miniaudio)
    if names is None:
        return [_alsa(miniaudio)]
    if all(name.endswith(_MONITOR) for name in names):
        raise MicrophoneAbsent(missing="device")
    return [miniaudio.Backend.PULSEAUDIO]


def _pulse_sources(miniaudio: Any) -> list[str] | None:
    """Names of the sources that PulseAudio or PipeWire offers; None where neither answers."""
    try:
        found = miniaudio.Devices([miniaudio.Backend.PULSEAUDIO]).get_captures()
    except miniaudio.MiniaudioError:
        return None
    return [bytes(miniaudio.ffi.buffer(one["id"])).split(b"\0")[0].decode(errors="replace") for one in found]


def _alsa(miniaudio: Any) -> Any:
    """ALSA, where the kernel knows a device to record from: else its library only complains on the terminal."""
    devices = list(Path("/dev/snd").glob("pcmC*c"))
    if not devices:
        raise MicrophoneAbsent(missing="service")
    if not any(os.access(device, os.R_OK) for device in devices):
        raise MicrophoneDenied()
    return miniaudio.Backend.ALSA


def _reason(miniaudio: Any, error: Exception) -> MicrophoneError:
    code = error.args[1] if len(error.args) > 1 else None
    if code == miniaudio.lib.MA_ACCESS_DENIED:
        return MicrophoneDenied()
    if code in (miniaudio.lib.MA_BUSY, miniaudio.lib.MA_ALREADY_IN_USE):
        return MicrophoneBusy()
    if code in (miniaudio.lib.MA_NO_DEVICE, miniaudio.lib.MA_DOES_NOT_EXIST):
        return MicrophoneAbsent(missing="device")
    return MicrophoneError()


# --- parec: where miniaudio has no wheel ----------------------------------------------------------------------------


class ParecMicrophone(Microphone):
    """PulseAudio's or PipeWire's microphone through the program parec (Debian: pulseaudio-utils), a child process."""

    _OPENS_WITHIN_S = 3.0

    def __init__(self, program: str = "parec") -> None:
        self._program = program
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, on_pcm: OnPcm) -> None:
        self.stop()
        if (path := shutil.which(self._program)) is None:
            raise MicrophoneAbsent(missing="program")
        _require_a_source()
        child = subprocess.Popen(
            [path, "--raw", f"--rate={SAMPLE_RATE}", "--channels=1", "--format=s16le", f"--latency-msec={BLOCK_MS}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C"},  # its complaints are read below
            start_new_session=True,  # Ctrl-C is for us, not for it
        )
        assert child.stdout is not None
        begun = threading.Event()
        self._child = child
        self._reader = threading.Thread(target=_pump, args=(child.stdout, on_pcm, begun), daemon=True)
        self._reader.start()
        begun.wait(self._OPENS_WITHIN_S)
        self._require_running()

    def stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        if self._reader is not None:
            self._reader.join()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()

    def _require_running(self) -> None:
        child, reader = self._child, self._reader
        assert child is not None
        assert reader is not None
        assert child.stderr is not None
        if reader.is_alive():
            return
        complaint = child.stderr.read().decode(errors="replace").lower()
        self.stop()
        raise _reason_of_parec(complaint)


def _pump(pipe: IO[bytes], on_pcm: OnPcm, begun: threading.Event) -> None:
    while block := pipe.read(BLOCK_BYTES):
        on_pcm(block[: len(block) & ~1])
        begun.set()
    begun.set()


def _require_a_source() -> None:
    """Without a microphone PulseAudio would record what the loudspeaker plays: the screen reader's own voice."""
    if (pactl := shutil.which("pactl")) is None:
        return
    try:
        listed = subprocess.run([pactl, "list", "short", "sources"], capture_output=True, timeout=3)
    except subprocess.TimeoutExpired:
        raise MicrophoneAbsent(missing="service") from None
    if listed.returncode != 0:
        raise MicrophoneAbsent(missing="service")
    names = [line.split("\t")[1] for line in listed.stdout.decode(errors="replace").splitlines() if "\t" in line]
    if all(name.endswith(_MONITOR) for name in names):
        raise MicrophoneAbsent(missing="device")


def _reason_of_parec(complaint: str) -> MicrophoneError:
    if "access denied" in complaint:
        return MicrophoneDenied()
    if "busy" in complaint:
        return MicrophoneBusy()
    if "no such entity" in complaint:
        return MicrophoneAbsent(missing="device")
    if "connection" in complaint:
        return MicrophoneAbsent(missing="service")
    return MicrophoneError()


# --- a recording in place of a microphone ---------------------------------------------------------------------------


class RecordedMicrophone(Microphone):
    """Plays 16-bit sound as if it were spoken now. Like a tape it goes on where it was stopped.

    At its end `on_end` is called once, on the player's thread.
    `pace` is the speed: 2 plays twice as fast, 0 as fast as the machine can.
    """

    def __init__(self, sound: Iterable[bytes], *, pace: float = 1.0, on_end: Callable[[], None] | None = None) -> None:
        self._blocks = _in_blocks(sound)
        self._block_s = BLOCK_MS / 1000 / pace if pace else 0.0
        self._on_end = on_end
        self._stopping = threading.Event()
        self._player: threading.Thread | None = None

    def start(self, on_pcm: OnPcm) -> None:
        self.stop()
        self._stopping.clear()
        self._player = threading.Thread(target=self._play, args=(on_pcm,), daemon=True)
        self._player.start()

    def stop(self) -> None:
        player, self._player = self._player, None
        self._stopping.set()
        if player is not None and player is not threading.current_thread():
            player.join()

    def _play(self, on_pcm: OnPcm) -> None:
        due = time.monotonic()
        try:
            for block in self._blocks:
                on_pcm(block)
                due += self._block_s
                if self._stopping.wait(max(0.0, due - time.monotonic())):
                    return
        finally:
            if not self._stopping.is_set():  # the end, or sound that cannot be read further
                self._ended()

    def _ended(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()


def _in_blocks(sound: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in sound:
        rest += piece
        whole = len(rest) - len(rest) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            yield rest[start : start + BLOCK_BYTES]
        rest = rest[whole:]
    if rest:
        yield rest


# --- the watch ------------------------------------------------------------------------------------------------------


class Watch:
    """Knows when a microphone counts as dead. Pure: the times (seconds) are given."""

    def __init__(self, silence_s: float, first_block_s: float, now: float) -> None:
        self._silence_s = silence_s
        self._first_block_s = first_block_s
        self._since = now
        self._first = True

    def heard(self, now: float) -> None:
        self._since = now
        self._first = False

    def opened(self, now: float) -> None:
        self._since = now
        self._first = True

    def dead(self, now: float) -> bool:
        """A service that slept may take its time for the first block (1.9 s was seen); later ones come every 20 ms."""
        return now - self._since > (self._first_block_s if self._first else self._silence_s)


class WatchedMicrophone(Microphone):
    """A microphone that comes back: one that delivers nothing is closed and opened until it works; the person is told.

    Needed because no way to sound reconnects to a sound service that was restarted; miniaudio does not even report it.
    """

    _LOOKS_PER_SILENCE = 4

    def __init__(
        self, microphone: Microphone, told: Told, *, silence_s: float = 1.0, first_block_s: float = 3.0
    ) -> None:
        self._microphone = microphone
        self._told = told
        self._silence_s = silence_s
        self._first_block_s = first_block_s
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self, on_pcm: OnPcm) -> None:
        self.stop()
        watch = Watch(self._silence_s, self._first_block_s, time.monotonic())
        dead = threading.Event()

        def hear(block: bytes) -> None:
            watch.heard(time.monotonic())
            if dead.is_set():
                dead.clear()
                self._told(None)
            on_pcm(block)

        self._microphone.start(hear)
        self._stopping.clear()
        self._watcher = threading.Thread(target=self._keep_alive, args=(watch, dead, hear), daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        watcher, self._watcher = self._watcher, None
        self._stopping.set()
        if watcher is not None:
            watcher.join()
        self._microphone.stop()

    def _keep_alive(self, watch: Watch, dead: threading.Event, hear: OnPcm) -> None:
        while not self._stopping.wait(self._silence_s / self._LOOKS_PER_SILENCE):
            if not watch.dead(time.monotonic()):
                continue
            if not dead.is_set():
                dead.set()
                self._told(MicrophoneSilent())
            self._microphone.stop()
            with suppress(MicrophoneError):  # the service is not back yet: the next look tries again
                self._microphone.start(hear)
                watch.opened(time.monotonic())


def best_microphone(told: Told) -> Microphone:
    """The way to sound that this machine has, watched. MicrophoneAbsent (its value `missing`) where there is none."""
    if importlib.util.find_spec("miniaudio") is not None:
        return WatchedMicrophone(MiniaudioMicrophone(), told)
    if shutil.which("parec") is not None:
        return WatchedMicrophone(ParecMicrophone(), told)
    raise MicrophoneAbsent(missing="program")


def require_microphone() -> None:
    """Look for a microphone without opening it. MicrophoneAbsent or MicrophoneDenied where there is none."""
    if importlib.util.find_spec("miniaudio") is not None:
        import miniaudio

        _backends(miniaudio)
    elif shutil.which("parec") is not None:
        _require_a_source()
    else:
        raise MicrophoneAbsent(missing="program")
