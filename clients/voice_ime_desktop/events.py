"""What happens to the desktop client, as its state machine is told."""

from dataclasses import dataclass

from voice_ime_desktop.focus.base import Refusal, Target
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.journal import Entry


@dataclass(frozen=True)
class Pressed:
    press: Press


@dataclass(frozen=True)
class TargetFound:
    """The answer to `FindTarget`."""

    take: int
    target: Target | None
    refusal: Refusal | None


@dataclass(frozen=True)
class Released:
    """The sound of a take is closed and its answer asked for; `end` is the sample that was asked for."""

    take: int
    end: int


@dataclass(frozen=True)
class Overdue:
    """The answer to a take should have come by now."""

    take: int


@dataclass(frozen=True)
class Heard:
    """A final: `text` is what is to be inserted."""

    utterance: str
    start: int
    text: str


@dataclass(frozen=True)
class Answered:
    """All finals before sample `end` have come."""

    end: int


@dataclass(frozen=True)
class Settled:
    """What became of a text."""

    entry: Entry
    target: Target | None


@dataclass(frozen=True)
class ServerLost:
    """What is said meanwhile is kept."""


@dataclass(frozen=True)
class ServerBack:
    pass


@dataclass(frozen=True)
class MicrophoneDead:
    """It delivers nothing, or is not there; sentences fit to be spoken."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class MicrophoneBack:
    pass


@dataclass(frozen=True)
class Trouble:
    """Something else is wrong; sentences fit to be spoken."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Taught:
    """What a correction has changed for good; a sentence fit to be spoken, empty where there is nothing new."""

    sentence: str


@dataclass(frozen=True)
class Explained:
    """About a doubtful word; sentences fit to be spoken."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """The person wants the word of that number, of those that were named last."""

    number: int


@dataclass(frozen=True)
class Taken:
    """It was written, or was not; a sentence fit to be spoken."""

    sentence: str


Event = (
    Pressed
    | TargetFound
    | Released
    | Overdue
    | Heard
    | Answered
    | Settled
    | ServerLost
    | ServerBack
    | MicrophoneDead
    | MicrophoneBack
    | Trouble
    | Taught
    | Explained
    | Chosen
    | Taken
)
