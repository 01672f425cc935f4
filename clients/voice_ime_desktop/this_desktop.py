"""The desktop that we are running on, as the doctor asks about it."""

import asyncio
import os
import shutil
import stat
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from voice_ime import machine
from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.announce.sounds import player_of
from voice_ime_desktop.announce.ssip import SsipAnnouncer, service_of
from voice_ime_desktop.checks import DesktopFacts

SCREEN_READERS = {"orca": "Orca", "speakup": "Speakup", "brltty": "BRLTTY"}
"""Name of the program -> name of the screen reader."""


class ThisDesktop(DesktopFacts):
    """`session_bus`: address of the person's D-Bus session."""

    def __init__(self, environment: Mapping[str, str], session_bus: str, control_socket: Path, talk_key: str) -> None:
        self._environment = environment
        self._session_bus = session_bus
        self._control_socket = control_socket
        self._talk_key = talk_key

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    @property
    def talk_key(self) -> str:
        return self._talk_key

    @property
    def socket_folder(self) -> Path:
        return self._control_socket.parent

    def missing_packages(self, packages: Sequence[str]) -> Sequence[str]:
        return machine.missing_packages(packages)

    def install_command(self, packages: Sequence[str]) -> str:
        return machine.install_command(packages)

    def has_program(self, name: str) -> bool:
        return shutil.which(name, path=self._environment.get("PATH")) is not None

    def ask_display(self) -> None:
        self.a_good_key()

    def accessibility_was_on(self) -> bool:
        return asyncio.run(_accessibility_was_on(self._session_bus))

    def input_method_answers(self) -> bool:
        from voice_ime_desktop.bus import Bus
        from voice_ime_desktop.insert.ibus_engine import ibus_address

        async def ask() -> None:
            bus = Bus("ibus")
            await bus.connect(ibus_address(self._environment) or "")
            await bus.close()

        return _is_open(ask())

    def speech_answers(self) -> bool:
        service = service_of(self._environment)
        return service is not None and _is_open(_start_and_stop(SsipAnnouncer(service, self._environment)))

    def player(self) -> str:
        return (player_of(self._environment) or ("",))[0]

    def screen_reader(self) -> str:
        return next((SCREEN_READERS[name] for name in our_programs() if name in SCREEN_READERS), "")

    def socket_folder_is_private(self) -> bool:
        folder = next(folder for folder in (self.socket_folder, *self.socket_folder.parents) if folder.exists())
        status = folder.stat()
        ours = status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH
        return ours and os.access(folder, os.W_OK | os.X_OK)

    def has_key(self, name: str) -> bool:
        from voice_ime_desktop.hotkeys.x11 import keyboard_has

        return bool(name) and keyboard_has(self._display, name)

    def a_good_key(self) -> str:
        from voice_ime_desktop.hotkeys.x11 import a_key_this_keyboard_has

        return a_key_this_keyboard_has(self._display)

    def tell(self, sentence: str, language: str) -> None:
        """Print; and speak, unless a screen reader does so by itself."""
        print(sentence, flush=True)
        service = service_of(self._environment)
        if service is not None and not self.screen_reader():
            _is_open(_start_and_stop(SsipAnnouncer(service, self._environment), (sentence, language)))

    @property
    def _display(self) -> str:
        return self._environment.get("DISPLAY", "")


def session_bus_of(environment: Mapping[str, str]) -> str:
    """Address of the person's D-Bus session."""
    runtime = environment.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    return environment.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={runtime}/bus"


async def _start_and_stop(announcer: SsipAnnouncer, *sentences: tuple[str, str]) -> None:
    await announcer.start()
    for sentence, language in sentences:
        announcer.say(sentence, language)
    await announcer.stop()


def _is_open(asking: Awaitable[None]) -> bool:
    async def ask() -> bool:
        try:
            await asking
        except DesktopUnavailable:
            return False
        return True

    return asyncio.run(ask())


async def _accessibility_was_on(session_bus: str) -> bool:
    """Looks only: it is the client that switches it on."""
    from voice_ime_desktop.bus import Bus, CallFailed, NoAnswer

    session = Bus("accessibility")
    await session.connect(session_bus)
    service = ("org.a11y.Bus", "/org/a11y/bus")
    try:
        address = await session.call(*service, "org.a11y.Bus", "GetAddress", within_s=5.0)  # also starts it
        on = bool(await session.property(*service, "org.a11y.Status", "IsEnabled"))
    except (CallFailed, NoAnswer) as error:
        raise DesktopUnavailable("accessibility", str(error)) from error
    finally:
        await session.close()
    accessibility = Bus("accessibility")
    await accessibility.connect(str(address))
    await accessibility.close()
    return on


def our_programs() -> list[str]:
    """Names of this user's programs that run, and of root's, who runs screen readers of the console."""
    names = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended just now
            if folder.stat().st_uid in (os.getuid(), 0):
                names.append((folder / "comm").read_text("utf-8", "replace").strip())
    return names
