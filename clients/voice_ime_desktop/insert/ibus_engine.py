"""An input method of our own for IBus, registered over D-Bus: no file is installed, nothing runs in IBus itself."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant

from voice_ime.errors import DesktopUnavailable
from voice_ime_desktop.bus import DBUS, Bus, CallFailed, NoAnswer

NAME = "voice-ime"
_SERVICE = "org.freedesktop.IBus.VoiceIme"
_IBUS = ("org.freedesktop.IBus", "/org/freedesktop/IBus", "org.freedesktop.IBus")
_ENGINE = "org.freedesktop.IBus.Engine"
_ENGINE_PATH = "/org/freedesktop/IBus/Engine/VoiceIme"
_NO_FIELD = "fake"
"""What IBus calls its client while no field with an input method has the focus: a commit would be lost."""
_LEAVES_WITHIN_S = 1.0
_LOOK_AGAIN_S = 0.01
_SECRET_PURPOSES = {8, 9}
"""Password and PIN; only some toolkits tell."""

Address = Callable[[], str | None]
"""Address of IBus's own bus now; None: IBus does not run."""


@dataclass(frozen=True)
class Context:
    """The field that our engine is connected to."""

    path: str
    """Of our engine's object."""
    field: str = ""
    """IBus's name of the field."""
    client: str | None = None
    """Name that the program's toolkit gave itself, e.g. gtk3-im:gedit; xim for plain X programs; None: not told."""
    purpose: int = 0

    @property
    def is_field(self) -> bool:
        return self.client != _NO_FIELD

    @property
    def is_xim(self) -> bool:
        return self.client == "xim"

    @property
    def secret(self) -> bool:
        return self.purpose in _SECRET_PURPOSES


def ibus_address(environment: Mapping[str, str]) -> str | None:
    """IBus writes its address into a file named after machine and display; a restart writes it anew."""
    if address := environment.get("IBUS_ADDRESS"):
        return address
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")
    display = environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY", "").rpartition(":")[2].partition(".")[0]
    with suppress(OSError):
        file = Path(home, "ibus", "bus", f"{_machine()}-unix-{display}")
        if found := re.search("^IBUS_ADDRESS=(.+)$", file.read_text("utf-8"), re.MULTILINE):
            return found[1]
    return None


def _machine() -> str:
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with suppress(OSError):
            return Path(file).read_text("utf-8").strip()
    return ""


class IbusEngine:
    """Our engine and the choice of engines. CallFailed and NoAnswer come from every method that asks IBus."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._bus = Bus("ibus")
        self._made = 0
        self._purpose = 0
        self.context: Context | None = None
        """Where a commit would go; None while another engine is chosen."""

    async def connect(self) -> None:
        """Connect and register, unless that is done. DesktopUnavailable where IBus does not run."""
        if self._bus.open:
            return
        if (address := self._address()) is None:
            raise DesktopUnavailable("ibus", "does not run")
        self.context = None
        try:
            await self._bus.connect(address, self._on_message)
            await self._bus.call(*DBUS, "RequestName", "su", _SERVICE, 0)
            await self._bus.call(*_IBUS, "RegisterComponent", "v", _component())
        except (CallFailed, NoAnswer) as error:
            await self.close()
            raise DesktopUnavailable("ibus", str(error)) from error

    async def close(self) -> None:
        """IBus forgets our engine with the connection, and the person's as well: it then uses none."""
        self.context = None
        await self._bus.close()

    async def leave(self, name: str) -> None:
        """Close, and make `name` the engine in use again."""
        if not self._bus.open:
            return
        await self.close()
        try:
            await self._bus.connect(self._address() or "")
            async with asyncio.timeout(_LEAVES_WITHIN_S):
                while await self._bus.call(*DBUS, "NameHasOwner", "s", _SERVICE):  # noqa: ASYNC110 - no signal tells
                    await asyncio.sleep(_LOOK_AGAIN_S)
            await self.choose(name)
        finally:
            await self._bus.close()

    async def chosen(self) -> str | None:
        """Name of the engine that the person uses; None: none."""
        try:
            description = await self._bus.property(*_IBUS, "GlobalEngine")
        except CallFailed:
            return None
        values = description.value if isinstance(description, Variant) else description
        return str(values[2])

    async def choose_ours(self) -> None:
        """Make our engine the one in use; when this returns, `context` tells the field."""
        await self.choose(NAME)
        if self.context is not None and self.context.client is None:
            await self.choose(NAME)  # IBus tells the client from the second time on

    async def choose(self, name: str) -> None:
        """Make `name` the engine in use."""
        await self._bus.call(*_IBUS, "SetGlobalEngine", "s", name)

    async def field(self) -> str:
        """IBus's name of the field that has the focus, as in Context."""
        return str(await self._bus.property(*_IBUS, "CurrentInputContext"))

    async def commit(self, text: str) -> None:
        """Send `text` to the field of `context`."""
        if self.context is None:
            raise NoAnswer("CommitText")
        attributes = Variant("(sa{sv}av)", ["IBusAttrList", {}, []])
        wrapped = Variant("(sa{sv}sv)", ["IBusText", {}, text, attributes])
        await self._bus.signal(self.context.path, _ENGINE, "CommitText", "v", wrapped)

    # --- what IBus asks of us ---

    def _on_message(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or not (message.path or "").startswith(_IBUS[1]):
            return None
        signature, body = self._answer(message.path or "", message.member or "", message.body)
        return Message.new_method_return(message, signature, body)

    def _answer(self, path: str, member: str, body: list[Any]) -> tuple[str, list[Any]]:
        if member == "CreateEngine":
            self._made += 1
            self._purpose = 0
            return "o", [f"{_ENGINE_PATH}/{self._made}"]
        if member == "ProcessKeyEvent":
            return "b", [False]
        if member == "Get":  # FocusId: tell us the client; ActiveSurroundingText: not needed
            return "v", [Variant("b", body[1] == "FocusId")]
        if member == "GetAll":
            return "a{sv}", [{"FocusId": Variant("b", True), "ActiveSurroundingText": Variant("b", False)}]
        self._note(path, member, body)
        return "", []

    def _note(self, path: str, member: str, body: list[Any]) -> None:
        if member in ("FocusIn", "FocusInId"):
            field, client = body if len(body) == 2 else ("", None)
            self.context = Context(path, field, client, self._purpose)
        elif self.context is None or self.context.path != path:
            return
        elif member in ("FocusOut", "FocusOutId", "Disable", "Destroy"):
            self.context = None
        elif member == "Set" and body[1] == "ContentType":  # told only when it changes
            self._purpose = int(body[2].value[0])
            self.context = replace(self.context, purpose=self._purpose)


def _component() -> Variant:
    title, licence = "Voice input", "MIT"
    engine = ["IBusEngineDesc", {}, NAME, title, "", "other", licence, "", "", "default", 0, *[""] * 8]
    described = Variant("(sa{sv}ssssssssussssssss)", engine)
    component = ["IBusComponent", {}, _SERVICE, title, "", licence, "", "", "", NAME, [], [described]]
    return Variant("(sa{sv}ssssssssavav)", component)
