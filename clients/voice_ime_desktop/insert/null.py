"""No desktop: nothing can be inserted, nothing can be read."""

from collections.abc import Callable

from voice_ime.errors import InsertionFailed
from voice_ime_desktop.focus.base import Target
from voice_ime_desktop.insert.base import OnFieldEvent, Place, ReadBack, Swap, Swapped, Way


class NullWay(Way):
    name = "null"

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def can(self, target: Target) -> bool:
        return False

    async def insert(self, target: Target, text: str) -> None:
        raise InsertionFailed(self.name)


class NullReadBack(ReadBack):
    async def place(self, target: Target) -> Place | None:
        return None

    async def arrived(self, place: Place, text: str) -> bool:
        return False

    async def remove(self, place: Place, text: str) -> bool:
        return False

    async def swap(self, place: Place, text: str, swap: Swap) -> Swapped:
        return "untouched"

    async def stretch(self, target: Target, start: int, end: int) -> None:
        return None

    def watch(self, target: Target, on_event: OnFieldEvent) -> Callable[[], None]:
        return lambda: None
