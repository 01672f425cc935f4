"""The machine that we are running on, as the doctor asks about it. What is heavy is imported when it is asked for."""

import array
import asyncio
import importlib.metadata
import os
import shutil
import socket
import stat
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voice_ime.doctor import Machine
from voice_ime.errors import MicrophoneError, MicrophoneSilent
from voice_ime.settings import Settings

if TYPE_CHECKING:
    from voice_ime.models.chooser import Advice

LISTEN_S, FIRST_SOUND_S = 0.5, 3.0


class ThisMachine(Machine):
    """`server_options` are those that give a server the same settings."""

    def __init__(
        self,
        settings: Settings,
        token_file: Path,
        server_options: Sequence[str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = environment or {}
        self._settings = settings
        self._token_file = token_file
        self._server_options = server_options

    @property
    def python(self) -> tuple[int, int, int]:
        return sys.version_info[:3]

    @property
    def glibc(self) -> tuple[int, int] | None:
        try:
            name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
            major, minor = version.split(".")[:2]
            return (int(major), int(minor)) if name == "glibc" else None
        except (ValueError, OSError, AttributeError):  # another C library, or no Unix
            return None

    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]:
        return missing_packages(packages)

    def install_command(self, packages: Sequence[str]) -> str:
        return install_command(packages)

    def load_engine(self) -> tuple[str, Sequence[str]]:
        from voice_ime.engine.engines import Engines

        engine = Engines(self._settings.engines)
        try:
            return engine.capabilities.engine, engine.capabilities.languages
        finally:
            engine.close()

    @property
    def dictated(self) -> Sequence[str]:
        return self._settings.languages

    def advice(self) -> "Advice":
        from voice_ime.models.chooser import chooser_of

        return chooser_of(self._settings, self._environment).advice()

    def load_detector(self) -> None:
        from voice_ime.engine.speech import SpeechDetector

        SpeechDetector(self._settings.speech.detector)

    def loudest(self) -> int:
        return loudest_of_microphone()

    def start_server(self) -> float:
        return asyncio.run(_start_server(self._server_options))

    @property
    def port(self) -> int:
        return self._settings.server.port

    def port_is_free(self) -> bool:
        family = socket.AF_INET6 if ":" in self._settings.server.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((self._settings.server.host, self.port))
            except OSError:
                return False
        return True

    @property
    def token_file(self) -> Path:
        return self._token_file

    def token_is_private(self) -> bool | None:
        try:
            mode = self._token_file.stat().st_mode
        except OSError:
            return None
        return not mode & (stat.S_IRGRP | stat.S_IROTH)

    def free_mb(self) -> int:
        folder = next(folder for folder in self._token_file.parents if folder.exists())
        return shutil.disk_usage(folder).free // 1_000_000


def missing_packages(packages: Sequence[str]) -> Sequence[str]:
    return [package for package in packages if not _is_installed(package)]


def install_command(packages: Sequence[str]) -> str:
    return f"{sys.executable} -m pip install {' '.join(packages)}"


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def loudest_of_microphone() -> int:
    """The loudest of the samples of half a second. MicrophoneError, MicrophoneSilent where none come."""
    return max(map(abs, array.array("h", heard_by_microphone(LISTEN_S))), default=0)


def heard_by_microphone(seconds: float) -> bytes:
    """What it hears now, as 16-bit mono sound at 16 kHz. MicrophoneError, MicrophoneSilent where nothing comes."""
    from voice_ime_desktop.microphone import best_microphone

    blocks: list[bytes] = []
    begun, over = threading.Event(), threading.Event()

    def hear(block: bytes) -> None:
        blocks.append(block)
        begun.set()

    def told(trouble: MicrophoneError | None) -> None:
        pass

    microphone = best_microphone(told)
    microphone.start(hear)
    try:
        if begun.wait(FIRST_SOUND_S):
            over.wait(seconds)
    finally:
        microphone.stop()
    if not blocks:
        raise MicrophoneSilent()
    return b"".join(blocks)


async def _start_server(options: Sequence[str]) -> float:
    from voice_ime.client import ClientOptions, Connected, DictationClient
    from voice_ime.local_server import LocalServer, serve_command

    begun = time.monotonic()
    local = LocalServer(serve_command(options))
    client = DictationClient(local.address, ClientOptions())
    running = asyncio.create_task(local.run())
    connecting = asyncio.create_task(client.run())
    try:
        async for event in client.events():
            if isinstance(event, Connected):
                break
        else:
            await connecting  # raises why it ended
        return time.monotonic() - begun
    finally:
        await client.close()
        running.cancel()
        await asyncio.gather(running, connecting, return_exceptions=True)
