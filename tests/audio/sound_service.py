"""A sound service of our own with a virtual microphone: PulseAudio with null sinks, in a folder of its own."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

RATE = 16_000
BLOCK_BYTES = RATE // 50 * 2
AHEAD_MS = 400
"""So much sound the service has in hand: with 20 ms words are torn apart where the machine is busy. It ends on time."""


def needs_sound_service() -> None:
    from tests.needs import needs_debian  # pytest is not needed to use the service

    needs_debian("pulseaudio")
    needs_debian("pulseaudio-utils", "pactl", "parec", "pacat")


class SoundService:
    """`play` speaks into the microphone. `kill` ends it as a crash would; `start` brings it back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "native"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this service and no other."""
        return {"PULSE_SERVER": f"unix:{self._socket}"}

    def start(self, *, microphone: bool = True) -> None:
        """Returns when it answers. Without `microphone` it has a loudspeaker only."""
        shutil.rmtree(self._folder / "run", ignore_errors=True)  # what a killed one leaves would stop the next
        (self._folder / "run").mkdir(mode=0o700)
        self._socket.unlink(missing_ok=True)
        modules = [
            f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
            "module-null-sink sink_name=spk",
        ]
        if microphone:
            modules.append(f"module-null-sink sink_name=feed rate={RATE} channels=1")  # what is played, unchanged
            modules.append("module-remap-source master=feed.monitor source_name=mic")
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += [f"--load={module}" for module in modules]
        environment = os.environ | {"XDG_RUNTIME_DIR": str(self._folder / "run"), "HOME": str(self._folder)}
        self._daemon = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        self._await_answer()
        if microphone:
            self._control("set-default-sink", "spk")
            self._control("set-default-source", "mic")
            self._keep_awake()

    def _await_answer(self) -> None:
        waits = threading.Event()
        for _ in range(100):
            if self._socket.exists() and self._pactl("info").returncode == 0:
                return
            waits.wait(0.1)
        self.kill()
        raise RuntimeError("pulseaudio does not answer")

    def _keep_awake(self) -> None:
        """A null sink that nobody reads sleeps up to 2 s: the sound would come late."""
        command = ["parec", "-d", "feed.monitor", "--latency-msec=10"]
        self._keeper = subprocess.Popen(
            command, env=os.environ | self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def play(self, pcm: bytes) -> None:
        """Speak 16 kHz mono 16-bit sound into the microphone, in real time; returns when it was spoken."""
        command = ["pacat", "-d", "feed", "--raw", f"--rate={RATE}", "--channels=1", "--format=s16le"]
        command += [f"--latency-msec={AHEAD_MS}"]
        subprocess.run(command, env=os.environ | self.environment, input=pcm, check=True, timeout=120)

    @contextmanager
    def record(self) -> Iterator[bytearray]:
        """What the microphone delivers meanwhile, as it comes: 16 kHz, mono, 16 bit; nothing more once it is killed."""
        command = ["parec", "-d", "mic", "--raw", f"--rate={RATE}", "--channels=1", "--format=s16le"]
        process = subprocess.Popen(
            [*command, "--latency-msec=20"], env=os.environ | self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        recorded, begun = bytearray(), threading.Event()
        reading = threading.Thread(target=_read, args=(process.stdout, recorded, begun))
        reading.start()
        begun.wait(5)
        try:
            yield recorded
        finally:
            process.kill()
            reading.join()
            process.communicate()

    def is_heard(self) -> bool:
        """Whether some program listens to the microphone."""
        sources = self._listed("sources")
        microphone = next((number for number, name, *_ in sources if name == "mic"), None)
        return any(source == microphone for _, source, *_ in self._listed("source-outputs"))

    def hold_up(self, seconds: float) -> None:
        """As a busy machine would."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)
        try:
            threading.Event().wait(seconds)
        finally:
            self._daemon.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        for process in (self._keeper, self._daemon):
            if process is not None:
                process.kill()
                process.wait()
        self._keeper = self._daemon = None

    def _listed(self, what: str) -> list[list[str]]:
        return [line.split("\t") for line in self._pactl("list", "short", what).stdout.decode().splitlines()]

    def _control(self, *command: str) -> None:
        self._pactl(*command).check_returncode()

    def _pactl(self, *command: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(["pactl", *command], env=os.environ | self.environment, capture_output=True, timeout=10)


def _read(pipe: IO[bytes], into: bytearray, begun: threading.Event) -> None:
    while block := pipe.read(BLOCK_BYTES):
        into += block
        begun.set()
    begun.set()
