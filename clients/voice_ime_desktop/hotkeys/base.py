"""The keys that a person holds or presses to talk, whatever has the focus."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum


class Press(Enum):
    """What a person does with the keys."""

    TALK_DOWN = "talk down"
    TALK_UP = "talk up"
    TALK_TOGGLE = "talk toggle"
    """Begins to talk, or ends it."""
    CANCEL = "cancel"
    """Escape while talking."""
    INSERT_HELD = "insert held"
    REPEAT = "repeat"
    WHERE = "where"
    UNDO = "undo"
    CHANGES = "changes"
    """What did the profile change?"""
    EXPLAIN = "explain"
    """How is the next doubtful word written, and what else could it be?"""
    TAKE = "take"
    """Write the first of what else it could be."""


OnPress = Callable[[Press], None]
"""Called on the thread of the hot keys; must only pass it on."""


class Hotkeys(ABC):
    @abstractmethod
    def start(self, on_press: OnPress) -> None:
        """Begin to watch. DesktopUnavailable(part, reason) where that cannot be done here."""

    @abstractmethod
    def stop(self) -> None:
        """No press comes after this returns."""
