"""What has the focus, and what stands in it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Offset = int
"""A place in a field's text, in code points, whatever the toolkit counts in."""


class Kind(Enum):
    TEXT = "text"
    TERMINAL = "terminal"
    PASSWORD = "password"
    OTHER = "other"
    """Something that takes no text, e.g. a button."""
    UNKNOWN = "unknown"
    """A window that accessibility does not show, e.g. xterm, Tk, Emacs."""


@dataclass(frozen=True)
class Target:
    """What had the focus at one moment. Equal `key`: the same object."""

    key: str
    """Names the object as long as it lives, e.g. "atspi :1.7 /org/a11y/atspi/accessible/12" or "x11 0x1400003 812"."""
    kind: Kind
    application: str = ""
    """Name of the program; never the title of the window."""
    process: int | None = None
    """Its process, where known."""
    multi_line: bool = False
    """Whether a line break belongs here. False also where that is not known."""
    readable: bool = False
    """Whether what stands in it can be read back."""
    editable: bool = False
    """Whether accessibility can put text into it."""


@dataclass(frozen=True)
class Surroundings:
    """Text around the caret, as much as was asked for."""

    before: str = ""
    after: str = ""


Refusal = Literal["password", "hidden_input", "read_only", "no_text_field", "nothing_focused", "locked"]
"""Why nothing may be put into a target. hidden_input: a terminal that asks for a password."""


class Focus(ABC):
    """Watches the focus."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to watch. DesktopUnavailable(part, reason) where that cannot be done here."""

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    async def target(self) -> Target | None:
        """What has the focus now; None: nothing has."""

    @abstractmethod
    async def surroundings(self, target: Target) -> Surroundings | None:
        """Text around the caret; None where it cannot be read or must not be (passwords, terminals)."""

    @abstractmethod
    async def refusal(self, target: Target) -> Refusal | None:
        """Why no text may go into `target` at this very moment; None: it may."""
