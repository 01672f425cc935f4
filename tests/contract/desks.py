"""Desks on which everything that knows the focus, inserts and reads back is tried: one in memory, one real."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from voice_ime_desktop.focus.base import Focus, Kind, Target
from voice_ime_desktop.focus.recording import FakeDesk
from voice_ime_desktop.insert.base import ReadBack, Way
from voice_ime_desktop.insert.recording import RecordingReadBack, RecordingWay

from tests.desktop.applications import GTK3, Application, application
from tests.desktop.inserting import Hands, accessible, hands_in
from tests.desktop.session import PackageMissing, private_session
from tests.needs import DEBIAN

FIELDS = {"text": Kind.TEXT, "line": Kind.TEXT, "password": Kind.PASSWORD, "button": Kind.OTHER}


class Desk(ABC):
    """A window with the fields of `FIELDS`; `text` has lines and has the focus."""

    focus: Focus
    read_back: ReadBack

    @abstractmethod
    def way(self, name: str) -> Way: ...

    @abstractmethod
    async def to(self, field: str) -> Target:
        """Move the focus there, and tell what has it now."""

    @abstractmethod
    def shows(self, field: str) -> str:
        """What stands in it, seen without the parts that are tried."""


class MemoryDesk(Desk):
    def __init__(self) -> None:
        self._desk = FakeDesk()
        self.focus = self._desk
        self.read_back = RecordingReadBack(self._desk)
        self._fields = {
            name: self._desk.add(
                name, kind, multi_line=name == "text", readable=kind is Kind.TEXT, editable=kind is Kind.TEXT
            )
            for name, kind in FIELDS.items()
        }
        self._desk.focus_on(self._fields["text"])

    def way(self, name: str) -> Way:
        return RecordingWay(self._desk)

    async def to(self, field: str) -> Target:
        self._desk.focus_on(self._fields[field])
        return self._fields[field].target

    def shows(self, field: str) -> str:
        return self._fields[field].text


class RealDesk(Desk):
    def __init__(self, hands: Hands, window: Application) -> None:
        self._hands = hands
        self._window = window
        self.focus = hands.focus
        self.read_back = hands.read_back

    def way(self, name: str) -> Way:
        return self._hands.way(name)

    async def to(self, field: str) -> Target:
        before = await self.focus.target()
        moves = self._window.focused() != field
        await asyncio.to_thread(self._window.focus, field)
        async with asyncio.timeout(20):
            while moves and await self.focus.target() in (before, None):  # noqa: ASYNC110 - told a little later
                await asyncio.sleep(0.02)
        if field == "text":
            await self._hands.ibus_has_a_field()
        return await self._hands.target(FIELDS[field])

    def shows(self, field: str) -> str:
        return self._window.text(field)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Desk]:
    yield MemoryDesk()


@asynccontextmanager
async def real() -> AsyncIterator[Desk]:
    try:
        with private_session() as session:
            await accessible(session)
            with application(session, GTK3) as window:
                async with hands_in(session) as hands:
                    await hands.target()
                    yield RealDesk(hands, window)
    except PackageMissing as missing:
        pytest.skip(f"{DEBIAN} {missing.package}")


Open = Callable[[], AbstractAsyncContextManager[Desk]]
