"""The parts of the client that put text into windows, put together inside a private session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from voice_ime_desktop.accessibility import Accessibility
from voice_ime_desktop.bus import Bus
from voice_ime_desktop.focus.active_window import ActiveWindow
from voice_ime_desktop.focus.atspi import AtspiFocus
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.insert.atspi import AtspiWay
from voice_ime_desktop.insert.base import Way
from voice_ime_desktop.insert.clipboard import ClipboardWay
from voice_ime_desktop.insert.ibus import IbusWay
from voice_ime_desktop.insert.ibus_engine import IbusEngine, ibus_address
from voice_ime_desktop.insert.inserter import Inserter, Outcome
from voice_ime_desktop.insert.read_back import AtspiReadBack

from tests.desktop.session import Session
from tests.desktop.x11 import until


@dataclass
class Hands:
    """Puts text into whatever has the focus in a session."""

    session: Session
    accessibility: Accessibility
    focus: AtspiFocus
    read_back: AtspiReadBack
    hidden: set[int] = field(default_factory=set)
    """Processes whose terminals ask for a password."""

    def way(self, name: str) -> Way:
        display = self.session.environment["DISPLAY"]
        match name:
            case "ibus":
                return IbusWay(self.engine(), self.memory, self.focus)
            case "atspi":
                return AtspiWay(self.accessibility)
            case "clipboard":
                return ClipboardWay(display, self.focus)
        raise ValueError(name)

    def engine(self) -> IbusEngine:
        return IbusEngine(lambda: ibus_address(self.session.environment))

    @property
    def memory(self) -> Path:
        return self.session.home / "input-method"

    async def ibus_has_a_field(self) -> None:
        """Programs connect to IBus a little after they got the focus."""
        ibus = ("org.freedesktop.IBus", "/org/freedesktop/IBus", "org.freedesktop.IBus")
        bus = Bus("ibus")
        await bus.connect(ibus_address(self.session.environment) or "")
        async with asyncio.timeout(20):
            field = "CurrentInputContext"
            while (await bus.property(*ibus, field)).endswith("/InputContext_1"):  # noqa: ASYNC110 - IBus's own
                await asyncio.sleep(0.02)
        await bus.close()

    @asynccontextmanager
    async def inserter(self, *names: str) -> AsyncIterator[Inserter]:
        target = await self.focus.target()
        if names == ("ibus",) and target is not None and await self.focus.refusal(target) is None:
            await self.ibus_has_a_field()
        inserter = Inserter(self.focus, self.read_back, [self.way(name) for name in names])
        assert await inserter.start() == []
        try:
            yield inserter
        finally:
            await inserter.stop()

    async def target(self, kind: Kind = Kind.TEXT) -> Target:
        """What has the focus, once accessibility knows it: programs tell it of themselves a little after they start."""
        async with asyncio.timeout(20):
            while (target := await self.focus.target()) is None or target.kind is not kind:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return target

    async def insert(self, text: str, *names: str, kind: Kind = Kind.TEXT) -> Outcome:
        """Put `text` into what has the focus, by these ways."""
        async with self.inserter(*names) as inserter:
            return await inserter.insert(await self.target(kind), text)


@asynccontextmanager
async def hands_in(session: Session) -> AsyncIterator[Hands]:
    accessibility = Accessibility(session.environment["DBUS_SESSION_BUS_ADDRESS"])
    hidden: set[int] = set()
    focus = AtspiFocus(accessibility, ActiveWindow(session.environment["DISPLAY"]), hidden.__contains__)
    await focus.start()
    try:
        yield Hands(session, accessibility, focus, AtspiReadBack(accessibility), hidden)
    finally:
        await focus.stop()


async def accessible(session: Session) -> None:
    """Switch accessibility on before any program starts, as it is for somebody with a screen reader."""
    accessibility = Accessibility(session.environment["DBUS_SESSION_BUS_ADDRESS"])
    await accessibility.start()
    await accessibility.stop()


def use_engine(session: Session, name: str) -> None:
    """Choose an input method as the person would; IBus takes it when a field has the focus."""
    session.start(["ibus", "engine", name]).wait(20)
    until(lambda: engine_in_use(session) == name, f"the input method {name}")


def engine_in_use(session: Session) -> str:
    """What IBus's own tool says; empty: none."""
    process = session.start(["ibus", "engine"], pipes=True)
    assert process.stdout is not None
    said, _ = process.communicate(timeout=20)
    return said.decode().strip()
