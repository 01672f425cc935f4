"""Whether a screen reader reads what we print: two voices are bad, silence is worse."""

from collections.abc import Sequence

import pytest
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.focus.null import NullFocus
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.read_out import ReadOut

from voice_ime.errors import DesktopUnavailable

OURS, OTHER = 100, 200
"""Processes of terminals; we run in the first."""
TERMINAL = Target("terminal", Kind.TERMINAL, readable=True, process=OURS)


def read_out(desk: FakeDesk, programs: Sequence[str] = ("bash", "orca")) -> ReadOut:
    return ReadOut(lambda: desk, lambda: programs, shows=lambda process, ours: process == OURS)


def desk_with(target: Target | None) -> FakeDesk:
    desk = FakeDesk()
    desk.focus_on(None if target is None else FakeField(target))
    return desk


async def test_the_screen_reader_reads_the_terminal_that_has_the_focus() -> None:
    reading = read_out(desk_with(TERMINAL))
    assert await reading.now()
    await reading.stop()


@pytest.mark.parametrize(
    "elsewhere",
    [
        None,
        Target("mail", Kind.TEXT, readable=True, process=OTHER),
        Target("another terminal", Kind.TERMINAL, readable=True, process=OTHER),
        Target("xterm", Kind.UNKNOWN, process=OURS),
        Target("unreadable", Kind.TERMINAL, process=OURS),
        Target("nobody's", Kind.TERMINAL, readable=True),
    ],
)
async def test_what_it_cannot_read_from_there_is_not_read(elsewhere: Target | None) -> None:
    assert not await read_out(desk_with(elsewhere)).now()


async def test_the_focus_counts_at_each_sentence() -> None:
    desk = desk_with(TERMINAL)
    reading = read_out(desk)
    assert await reading.now()
    desk.focus_on(None)
    assert not await reading.now()


@pytest.mark.parametrize("programs", [[], ["bash"], ["brltty"]])
async def test_without_a_screen_reader_that_speaks_nobody_asks_for_the_focus(programs: list[str]) -> None:
    desk = desk_with(TERMINAL)
    assert not await read_out(desk, programs).now()
    assert desk.asked == 0


class NoDesk(NullFocus):
    async def start(self) -> None:
        raise DesktopUnavailable("accessibility", "off")


def not_installed() -> NullFocus:
    raise ModuleNotFoundError("dbus_fast")


async def test_where_the_focus_cannot_be_told_it_is_not_read() -> None:
    for focus in (NoDesk, not_installed):
        reading = ReadOut(focus, lambda: ["orca"])
        assert not await reading.now()
        assert not await reading.now()
        await reading.stop()
