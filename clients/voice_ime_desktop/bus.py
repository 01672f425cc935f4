"""A small D-Bus connection: calls that end in time, signals and calls passed to handlers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

from voice_ime.errors import DesktopUnavailable

DBUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
PROPERTIES = "org.freedesktop.DBus.Properties"
CALL_TIMEOUT_S = 1.0

OnMessage = Callable[[Message], Message | None]
"""Is given what arrives. A reply for a call that is ours; None for everything else. Must not raise."""


class CallFailed(Exception):
    """The other side answered with an error: the call did nothing. Never holds what the call was given."""


class NoAnswer(Exception):
    """No answer in time, or the connection ended: the call may have worked."""


class Bus:
    """One connection. `part` names it in DesktopUnavailable."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._bus: MessageBus | None = None
        self._end = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        return self._bus is not None and not self._end.is_set()

    @property
    def name(self) -> str:
        """Our own name on this bus."""
        return (self._bus.unique_name or "") if self._bus is not None else ""

    async def connect(self, address: str, on_message: OnMessage | None = None) -> None:
        """Connect to `address`. DesktopUnavailable(part, reason) where nobody answers there."""
        await self.close()
        try:
            bus = MessageBus(bus_address=address)
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await bus.connect()
        except (OSError, EOFError, TimeoutError, AuthError, InvalidAddressError) as error:
            raise DesktopUnavailable(self._part, type(error).__name__) from error
        bus.add_message_handler(lambda message: _handled(bus, message, on_message))
        self._bus, self._end = bus, asyncio.Event()
        self._watch = asyncio.create_task(_until_end(bus, self._end))

    async def close(self) -> None:
        """Also when it was never open, or has ended."""
        bus, self._bus = self._bus, None
        watch, self._watch = self._watch, None
        if bus is not None:
            bus.disconnect()
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def call(
        self, to: str, path: str, interface: str, member: str, signature: str = "", *body: Any, within_s: float = 0.0
    ) -> Any:
        """The answer: its one value, or a list of values. CallFailed, or NoAnswer after `within_s` (0: one second)."""
        if self._bus is None or self._end.is_set():
            raise NoAnswer(member)
        message = Message(
            destination=to, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        try:
            # not wait_for: that of Python 3.11 may swallow being cancelled
            async with asyncio.timeout(within_s or CALL_TIMEOUT_S):
                reply = await self._bus.call(message)
        except (OSError, EOFError, TimeoutError) as error:
            raise NoAnswer(member) from error
        if reply is None:
            raise NoAnswer(member)
        if reply.message_type is MessageType.ERROR:
            raise CallFailed(f"{member}: {reply.error_name}")
        return reply.body[0] if len(reply.body) == 1 else reply.body

    async def property(self, to: str, path: str, interface: str, name: str) -> Any:
        """The value of a property. CallFailed, NoAnswer."""
        value = await self.call(to, path, PROPERTIES, "Get", "ss", interface, name)
        return value.value if isinstance(value, Variant) else value

    async def subscribe(self, rule: str) -> None:
        """Let the signals that fit `rule` come to the handler. CallFailed, NoAnswer."""
        await self.call(*DBUS, "AddMatch", "s", rule)

    async def signal(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        """Send a signal; returns when it is written. NoAnswer where the connection has ended."""
        if self._bus is None or self._end.is_set():
            raise NoAnswer(member)
        message = Message(
            message_type=MessageType.SIGNAL,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self._bus.send(message)
        except (OSError, EOFError, TimeoutError) as error:
            raise NoAnswer(member) from error


def _handled(bus: MessageBus, message: Message, on_message: OnMessage | None) -> Message | bool | None:
    """What comes after we closed is not answered: it cannot be."""
    if bus._user_disconnect:
        return True
    return on_message(message) if on_message is not None else None


async def _until_end(bus: MessageBus, end: asyncio.Event) -> None:
    try:
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    except (OSError, EOFError):
        pass  # the other side went away
    finally:
        end.set()
