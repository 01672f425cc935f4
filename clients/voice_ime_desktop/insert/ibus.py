"""Putting text into a field as an input method does: Unicode, quick, and held keys do no harm."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from voice_ime.errors import DesktopUnavailable, InsertionFailed, InsertionRefused
from voice_ime_desktop.bus import CallFailed, NoAnswer
from voice_ime_desktop.focus.base import Focus, Kind, Target
from voice_ime_desktop.insert.base import Way
from voice_ime_desktop.insert.ibus_engine import NAME, Context, IbusEngine

_XIM_BYTES = 300
"""What plain X programs take in one piece. xterm lost single commits of 588 bytes; of texts in several pieces one
in twenty came with two pieces exchanged on a busy machine, which nothing could notice. Those are left to other ways."""


class IbusWay(Way):
    """Our engine is chosen for the moment of the insertion, then the person's own is given back."""

    name = "ibus"

    def __init__(self, engine: IbusEngine, memory: Path, focus: Focus | None = None) -> None:
        """`memory`: a file that names the person's engine. `focus`: asked once more at the very last moment.

        A text goes where the focus is when it comes. Choosing our engine takes long enough to get to the next field,
        and a whole window of Qt, its password fields included, is one field to IBus.

        IBus uses none any more when an engine that was registered as ours was goes away. An orderly end puts the
        person's back; after a crash the next start does.
        """
        self._engine = engine
        self._memory = memory
        self._focus = focus
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        await self._engine.connect()
        with suppress(CallFailed, NoAnswer):
            if await self._engine.chosen() is None and (own := self._remembered()) is not None:
                await self._engine.choose(own)

    async def stop(self) -> None:
        async with self._one_at_a_time:
            with suppress(CallFailed, NoAnswer, DesktopUnavailable, TimeoutError):
                chosen = await self._engine.chosen()
                own = self._remembered() if chosen == NAME else chosen
                if own is not None:
                    await self._engine.leave(own)
                self._memory.unlink(missing_ok=True)
            await self._engine.close()

    async def can(self, target: Target) -> bool:
        """Whether IBus runs. Whether the field listens to it shows only when our engine is chosen."""
        if target.kind in (Kind.PASSWORD, Kind.OTHER):
            return False
        try:
            await self._engine.connect()
        except DesktopUnavailable:
            return False
        return True

    async def insert(self, target: Target, text: str) -> None:
        """Also InsertionRefused: the field asks for a password."""
        async with self._one_at_a_time:
            try:
                await self._engine.connect()
                async with self._chosen() as context:
                    await self._still_there(target)
                    await self._send(context, text)
            except (DesktopUnavailable, CallFailed, NoAnswer) as error:
                raise InsertionFailed(self.name) from error

    @asynccontextmanager
    async def _chosen(self) -> AsyncIterator[Context]:
        field = await self._engine.field()
        own = await self._engine.chosen()
        self._remember(own)
        try:
            await self._engine.choose_ours()
            context = self._engine.context
            if context is None or context.field not in ("", field):  # the focus moved meanwhile
                raise InsertionFailed(self.name)
            yield context
        finally:
            # not to be broken off: the person would be left without an input method
            await asyncio.shield(self._give_back(own))

    async def _give_back(self, own: str | None) -> None:
        """Where the person used none, ours stays, which lets all keys pass: leaving none would lose what was sent."""
        with suppress(CallFailed, NoAnswer):  # IBus is gone or hangs: the file still tells
            if own is not None and own != NAME:
                await self._engine.choose(own)
            else:
                await self._engine.field()  # answered when what was sent before is done

    def _remember(self, own: str | None) -> None:
        if own is None or own in (NAME, self._remembered()):
            return
        with suppress(OSError):
            self._memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._memory.write_text(own, "utf-8")

    def _remembered(self) -> str | None:
        with suppress(OSError):
            return self._memory.read_text("utf-8") or None
        return None

    async def _still_there(self, target: Target) -> None:
        if self._focus is None:
            return
        now = await self._focus.target()
        if now is None or now.key != target.key:
            raise InsertionFailed(self.name)

    async def _send(self, context: Context, text: str) -> None:
        now = self._engine.context
        if now is None or now.field != context.field or not context.is_field:  # nothing is waited for from here on
            raise InsertionFailed(self.name)
        if now.secret:
            raise InsertionRefused("password")
        if context.is_xim and len(text.encode()) > _XIM_BYTES:
            raise InsertionFailed(self.name)
        await self._engine.commit(text)
