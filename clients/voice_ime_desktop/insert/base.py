"""Putting text into a field, and seeing whether it arrived."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from voice_ime_desktop.focus.base import Offset, Target
from voice_ime_desktop.insert.anchors import Stretch


@dataclass(frozen=True)
class Place:
    """Where text is about to go, or went."""

    target: Target
    start: Offset
    """Of the first character."""


@dataclass(frozen=True)
class Swap:
    """A part of a text, and what is to stand there instead."""

    first: int
    """Code points of the text: from this one..."""
    last: int
    """... to this one (exclusive)."""
    by: str

    def within(self, text: str) -> str:
        """`text` with it made."""
        return text[: self.first] + self.by + text[self.last :]

    def further(self, count: int) -> "Swap":
        """The same in a text that has so many more code points in front."""
        return Swap(self.first + count, self.last + count, self.by)


def moved(caret: Offset, swap: Swap) -> Offset:
    """Where the caret of a field belongs after `swap`, which is told in code points of the field."""
    if caret >= swap.last:
        return caret + len(swap.by) - (swap.last - swap.first)
    return min(caret, swap.first + len(swap.by))


Swapped = Literal["done", "untouched", "perhaps"]
"""What became of a swap. done: read back. untouched: certainly nothing was changed."""


class Way(ABC):
    """One way to put text at the caret of what has the focus."""

    name: str

    @abstractmethod
    async def start(self) -> None:
        """Get ready. DesktopUnavailable(part, reason) where this way is not open here."""

    @abstractmethod
    async def stop(self) -> None:
        """Leave everything as it was found."""

    @abstractmethod
    async def can(self, target: Target) -> bool:
        """Whether this way leads into `target` now."""

    @abstractmethod
    async def insert(self, target: Target, text: str) -> None:
        """Put `text` at the caret. InsertionFailed(way): certainly nothing arrived, another way may be tried.

        Returning means that it was sent, not that it arrived.
        """


class FieldEvent(Enum):
    """What happens to a field that is watched."""

    CHANGED = "changed"
    """Its text."""
    LEFT = "left"
    """It has no longer the focus."""


OnFieldEvent = Callable[[FieldEvent], None]
"""Called on the event loop; must return at once."""


class ReadBack(ABC):
    """Reads fields."""

    @abstractmethod
    async def place(self, target: Target) -> Place | None:
        """Where the next text will go: the caret, or the start of the selection; None: cannot be read."""

    @abstractmethod
    async def arrived(self, place: Place, text: str) -> bool:
        """Waits, for a bounded time, until `text` stands at `place`; False: it does not."""

    @abstractmethod
    async def remove(self, place: Place, text: str) -> bool:
        """Take `text` out again, only if it still stands at `place` exactly; whether it is gone."""

    @abstractmethod
    async def swap(self, place: Place, text: str, swap: Swap) -> Swapped:
        """Make `swap` in `text`, only if that still stands at `place` exactly. The caret stays with its neighbours."""

    @abstractmethod
    async def stretch(self, target: Target, start: Offset, end: Offset) -> Stretch | None:
        """What stands from `start` to `end` (exclusive), as far as the field reaches.

        None: it cannot be read, or must not be (passwords, terminals).
        """

    @abstractmethod
    def watch(self, target: Target, on_event: OnFieldEvent) -> Callable[[], None]:
        """Tell what happens to a field until the function is called that this gives. Events may come twice."""
