"""The accessibility bus (AT-SPI): objects of programs, their state and text, and what happens to them.

Offsets of text are code points here, whatever the program counts in: Qt counts UTF-16 units, everybody else code
points. Every call ends in time: a program that hangs must not make us hang.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from dbus_fast import Message, MessageType, Variant

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.bus import DBUS, PROPERTIES, Bus, CallFailed, NoAnswer

ACCESSIBLE = "org.a11y.atspi.Accessible"
APPLICATION = "org.a11y.atspi.Application"
TEXT = "org.a11y.atspi.Text"
EDITABLE_TEXT = "org.a11y.atspi.EditableText"
EVENT = "org.a11y.atspi.Event."
REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/registry", "org.a11y.atspi.Registry")
ROOT_PATH = "/org/a11y/atspi/accessible/root"
_PART = "accessibility"
_STATUS = ("org.a11y.Bus", "/org/a11y/bus")
_LONGEST_S = 0.3
"""A program that works answers within milliseconds (18 at most were seen)."""


class State(IntEnum):
    """Bits of an object's state."""

    ACTIVE = 1
    EDITABLE = 7
    FOCUSED = 12
    MULTI_LINE = 17
    SHOWING = 25
    MANAGES_DESCENDANTS = 31
    READ_ONLY = 43


class Role(IntEnum):
    """Kinds of objects. The numbers are alike in all toolkits, the names are not."""

    CANVAS = 6
    DRAWING_AREA = 18
    FILLER = 20
    FRAME = 23
    LAYERED_PANE = 30
    PANEL = 39
    PASSWORD_TEXT = 40
    ROOT_PANE = 46
    TERMINAL = 60
    TEXT = 61
    UNKNOWN = 67
    WINDOW = 69
    PARAGRAPH = 73
    APPLICATION = 75
    EDITBAR = 77
    ENTRY = 79
    DOCUMENT_TEXT = 94


@dataclass(frozen=True)
class Ref:
    """Names an object as long as it lives."""

    sender: str
    path: str


@dataclass(frozen=True)
class Event:
    """Something that happened to an object. Never holds its text."""

    member: str
    """StateChanged, TextChanged, TextCaretMoved, Activate, Deactivate."""
    detail: str
    ref: Ref
    value: int
    """Of a state: 1 on, 0 off."""


@dataclass(frozen=True)
class Program:
    """What a connection belongs to."""

    name: str
    process: int | None
    counts_utf16: bool
    """Whether offsets and lengths of its text are UTF-16 units."""


OnEvent = Callable[[Event], None]

_EVENTS = (
    ("Object", "StateChanged", "focused", "object:state-changed:focused"),
    ("Object", "TextChanged", "", "object:text-changed"),
    ("Object", "TextCaretMoved", "", "object:text-caret-moved"),
    ("Window", "Activate", "", "window:activate"),
    ("Window", "Deactivate", "", "window:deactivate"),
)


class Accessibility:
    """A connection to the accessibility bus. Connects again by itself, when it is used, after the bus was restarted."""

    def __init__(self, session_address: str) -> None:
        """`session_address`: of the person's D-Bus session."""
        self._session_address = session_address
        self._bus = Bus(_PART)
        self._listeners: list[OnEvent] = []
        self._programs: dict[str, Program] = {}
        self._connecting = asyncio.Lock()

    # --- the connection ---

    async def start(self) -> None:
        """Switch accessibility on and connect. DesktopUnavailable where there is none.

        It stays switched on when we end: a screen reader may have come to need it meanwhile.
        """
        async with self._connecting:
            if self._bus.open:
                return
            self._programs.clear()
            try:
                await self._bus.connect(await self._address(), self._on_message)
                await self._ask_for_events()
            except (CallFailed, NoAnswer) as error:
                raise DesktopUnavailable(_PART, str(error)) from error

    async def stop(self) -> None:
        await self._bus.close()

    def listen(self, on_event: OnEvent) -> None:
        """Events come to `on_event` from now on; it must return at once."""
        self._listeners.append(on_event)

    def ignore(self, on_event: OnEvent) -> None:
        """No event comes to it any more, if any did."""
        with suppress(ValueError):
            self._listeners.remove(on_event)

    async def _address(self) -> str:
        session = Bus(_PART)
        await session.connect(self._session_address)
        try:
            # the first call starts the accessibility service, which may take its time
            address = await session.call(*_STATUS, "org.a11y.Bus", "GetAddress", within_s=5.0)
            await session.call(*_STATUS, PROPERTIES, "Set", "ssv", "org.a11y.Status", "IsEnabled", Variant("b", True))
        finally:
            await session.close()
        return str(address)

    async def _ask_for_events(self) -> None:
        for group, member, detail, event in _EVENTS:
            rule = f"type='signal',interface='{EVENT}{group}',member='{member}'"
            await self._bus.subscribe(f"{rule},arg0='{detail}'" if detail else rule)
            await self._bus.call(*REGISTRY, "RegisterEvent", "s", event, within_s=5.0)
        await self._bus.subscribe("type='signal',interface='org.freedesktop.DBus',member='NameOwnerChanged'")

    def _on_message(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.SIGNAL or not message.body:
            return None
        if (message.interface or "").startswith(EVENT):
            self._tell(message)
        elif message.member == "NameOwnerChanged" and message.sender == DBUS[0]:
            self._programs.pop(message.body[0], None)
        return None

    def _tell(self, message: Message) -> None:
        detail, value = str(message.body[0]), message.body[1] if len(message.body) > 1 else 0
        event = Event(message.member or "", detail, Ref(message.sender or "", message.path or ""), int(value))
        for listener in tuple(self._listeners):
            listener(event)

    async def call(self, ref: Ref, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        """Call a method of an object. CallFailed: it did nothing; NoAnswer: nobody knows."""
        await self._open()
        return await self._bus.call(ref.sender, ref.path, interface, member, signature, *body, within_s=_LONGEST_S)

    async def _property(self, ref: Ref, interface: str, name: str) -> Any:
        await self._open()
        return (
            await self._bus.call(ref.sender, ref.path, PROPERTIES, "Get", "ss", interface, name, within_s=_LONGEST_S)
        ).value

    async def _open(self) -> None:
        if self._bus.open:
            return
        try:
            await self.start()
        except DesktopUnavailable as error:
            raise NoAnswer(_PART) from error

    # --- objects ---

    async def role(self, ref: Ref) -> int:
        return int(await self.call(ref, ACCESSIBLE, "GetRole"))

    async def states(self, ref: Ref) -> frozenset[int]:
        low, high = await self.call(ref, ACCESSIBLE, "GetState")
        bits = low | high << 32
        if bits >> State.READ_ONLY & 1:
            bits &= ~(1 << State.EDITABLE)  # Qt sets both
        return frozenset(bit for bit in range(64) if bits >> bit & 1)

    async def interfaces(self, ref: Ref) -> frozenset[str]:
        return frozenset(await self.call(ref, ACCESSIBLE, "GetInterfaces"))

    async def children(self, ref: Ref) -> list[Ref]:
        return [Ref(*child) for child in await self.call(ref, ACCESSIBLE, "GetChildren")]

    async def parent(self, ref: Ref) -> Ref | None:
        sender, path = await self._property(ref, ACCESSIBLE, "Parent")
        return Ref(sender, path) if path not in ("", "/org/a11y/atspi/null") else None

    async def programs(self) -> list[Ref]:
        """The root objects of all programs that accessibility shows."""
        return await self.children(Ref(REGISTRY[0], ROOT_PATH))

    async def program(self, sender: str) -> Program:
        """What the connection `sender` belongs to; asked once for each connection."""
        if (known := self._programs.get(sender)) is not None:
            return known
        root = Ref(sender, ROOT_PATH)
        name, toolkit = await asyncio.gather(
            self._property(root, ACCESSIBLE, "Name"), self._property(root, APPLICATION, "ToolkitName")
        )
        program = Program(str(name), await self.process(sender), str(toolkit).lower() == "qt")
        self._programs[sender] = program
        return program

    async def process(self, sender: str) -> int | None:
        await self._open()
        try:
            return int(await self._bus.call(*DBUS, "GetConnectionUnixProcessID", "s", sender))
        except CallFailed:
            return None

    # --- text ---

    async def text(self, ref: Ref, start: int, length: int) -> str:
        """At most `length` code points from `start` on (code points)."""
        if not (await self.program(ref.sender)).counts_utf16:
            return str(await self.call(ref, TEXT, "GetText", "ii", start, start + length))
        begin = await self._native(ref, start)
        read = str(await self.call(ref, TEXT, "GetText", "ii", begin, await self._within(ref, begin + 2 * length)))
        return read[:length]

    async def caret(self, ref: Ref) -> int:
        return await self._code_points(ref, int(await self._property(ref, TEXT, "CaretOffset")))

    async def size(self, ref: Ref) -> int:
        return await self._code_points(ref, int(await self._property(ref, TEXT, "CharacterCount")))

    async def selection(self, ref: Ref) -> tuple[int, int] | None:
        """Start and end of the first selection; None: nothing is selected."""
        if not int(await self.call(ref, TEXT, "GetNSelections")):
            return None
        start, end = sorted(await self.call(ref, TEXT, "GetSelection", "i", 0))
        if start == end:
            return None
        return await self._code_points(ref, start), await self._code_points(ref, end)

    async def insert(self, ref: Ref, at: int, text: str) -> bool:
        """Put `text` at `at`; False: the program refused. CallFailed, NoAnswer."""
        utf16 = (await self.program(ref.sender)).counts_utf16
        length = _utf16(text) if utf16 else len(text.encode())
        done = await self.call(ref, EDITABLE_TEXT, "InsertText", "isi", await self._native(ref, at), text, length)
        return bool(done)

    async def delete(self, ref: Ref, start: int, end: int) -> bool:
        """Take out what stands from `start` to `end`; False: the program refused. CallFailed, NoAnswer."""
        begin, stop = await self._native(ref, start), await self._native(ref, end)
        return bool(await self.call(ref, EDITABLE_TEXT, "DeleteText", "ii", begin, stop))

    async def set_caret(self, ref: Ref, offset: int) -> bool:
        """Move the caret; False: the program refused. CallFailed, NoAnswer."""
        return bool(await self.call(ref, TEXT, "SetCaretOffset", "i", await self._native(ref, offset)))

    async def select(self, ref: Ref, start: int, end: int) -> bool:
        """Select what stands from `start` to `end`; False: the program refused. CallFailed, NoAnswer."""
        begin, stop = await self._native(ref, start), await self._native(ref, end)
        member = "SetSelection" if int(await self.call(ref, TEXT, "GetNSelections")) else "AddSelection"
        given = ("iii", 0, begin, stop) if member == "SetSelection" else ("ii", begin, stop)
        return bool(await self.call(ref, TEXT, member, *given))

    async def _code_points(self, ref: Ref, offset: int) -> int:
        if offset <= 0 or not (await self.program(ref.sender)).counts_utf16:
            return max(offset, 0)
        return len(await self.call(ref, TEXT, "GetText", "ii", 0, offset))

    async def _native(self, ref: Ref, offset: int) -> int:
        if offset <= 0 or not (await self.program(ref.sender)).counts_utf16:
            return max(offset, 0)
        text = await self.call(ref, TEXT, "GetText", "ii", 0, await self._within(ref, 2 * offset))
        return _utf16(text[:offset])

    async def _within(self, ref: Ref, offset: int) -> int:
        """Qt answers nothing at all for an end behind the text."""
        return min(offset, int(await self._property(ref, TEXT, "CharacterCount")))


def _utf16(text: str) -> int:
    """How many UTF-16 units `text` has."""
    return len(text) + sum(character > "\uffff" for character in text)
