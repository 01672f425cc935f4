"""The real speech-dispatcher, with an output module that writes down what it would speak."""

import os
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voice_ime_desktop.announce.ssip import Service

from tests.desktop.x11 import until
from tests.needs import needs_debian

_SETTINGS = """
AddModule "written" "sd_generic" "written.conf"
DefaultModule "written"
AudioOutputMethod "alsa"
AudioALSADevice "null"
"""
_MODULE = """
GenericExecuteSynth "printf '%s\\\\n' '$DATA' >> {heard}; while [ -e {busy} ]; do sleep 0.02; done"
GenericDelimiters "\\n"
GenericLanguage "en" "en" "utf-8"
GenericLanguage "zh" "zh" "utf-8"
AddVoice "en" "MALE1" "any"
AddVoice "zh" "MALE1" "any"
"""


class SpeechDispatcher:
    """One that runs in `folder`. While `busy`, what it is speaking does not come to an end."""

    def __init__(self, folder: Path) -> None:
        self.service = Service(folder / "socket")
        self._folder = folder
        self._heard, self._busy = folder / "heard", folder / "busy"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For programs that are to speak through it."""
        return {"SPEECHD_ADDRESS": f"unix_socket:{self.service.socket}"}

    @property
    def heard(self) -> list[str]:
        return self._heard.read_text("utf-8").splitlines() if self._heard.exists() else []

    def wait_for(self, *sentences: str) -> None:
        """Until exactly these were begun. Full-width signs reach the module as plain ones."""
        expected = [unicodedata.normalize("NFKC", sentence) for sentence in sentences]
        until(lambda: self.heard == expected, f"{sentences}")

    def talks_on(self) -> None:
        """What it speaks from now on does not end."""
        self._busy.touch()

    def comes_to_an_end(self) -> None:
        self._busy.unlink()

    def say(self, sentence: str) -> None:
        """As a screen reader does."""
        speak = ["spd-say", "--priority", "text", sentence]
        subprocess.run(speak, env=os.environ | self.environment, check=True)

    def start(self) -> None:
        modules = self._folder / "modules"
        modules.mkdir(exist_ok=True)
        (self._folder / "speechd.conf").write_text(_SETTINGS)
        (modules / "written.conf").write_text(_MODULE.format(heard=self._heard, busy=self._busy))
        command = ["speech-dispatcher", "-s", "-t", "0", "-c", "unix_socket", "-S", str(self.service.socket)]
        places = ["-C", str(self._folder), "-L", str(self._folder), "-P", str(self._folder / "pid")]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *places], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(self.service.socket.is_socket, "speech-dispatcher")

    def kill(self) -> None:
        """As a crash would end it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.service.socket.unlink(missing_ok=True)

    def end(self) -> None:
        if self._busy.exists():
            self.comes_to_an_end()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


@contextmanager
def speech_dispatcher(folder: Path) -> Iterator[SpeechDispatcher]:
    needs_debian("speech-dispatcher", "speech-dispatcher", "spd-say")
    running = SpeechDispatcher(folder)
    running.start()
    try:
        yield running
    finally:
        running.end()
        shutil.rmtree(folder, ignore_errors=True)
