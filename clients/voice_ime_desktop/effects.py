"""What the desktop client is to do, as its state machine says."""

from dataclasses import dataclass

from voice_ime_desktop.announce.base import Sound
from voice_ime_desktop.focus.base import Refusal, Target


@dataclass(frozen=True)
class FindTarget:
    take: int


@dataclass(frozen=True)
class OpenSound:
    """Send the microphone's sound from now on, and what came just before. The take begins at the client's position."""

    take: int


@dataclass(frozen=True)
class CloseSound:
    """Go on for the tail, then ask for the answer: `Released`."""

    take: int


@dataclass(frozen=True)
class DropSound:
    """Close at once, and forget what was said since the take began."""

    take: int


@dataclass(frozen=True)
class SendContext:
    target: Target


@dataclass(frozen=True)
class Deliver:
    """Journal, insert, verify: `Settled`. Without a target: hold, for `reason`."""

    utterance: str
    text: str
    target: Target | None
    reason: Refusal | None


@dataclass(frozen=True)
class InsertHeld:
    """Put the latest held text where the focus is now: `Settled`."""


@dataclass(frozen=True)
class Undo:
    """Take the last insertion out again, if it is still there."""


@dataclass(frozen=True)
class Repeat:
    """Say the last text again."""


@dataclass(frozen=True)
class Where:
    """Say what became of the last text."""


@dataclass(frozen=True)
class Changes:
    """Say what the profile changed in the last text."""


@dataclass(frozen=True)
class Explain:
    """Say how the next doubtful word of the last text is written, and what else it could be: `Explained`."""


@dataclass(frozen=True)
class Take:
    """Write the word of that number, of those that were named last: `Taken`."""

    number: int


@dataclass(frozen=True)
class Play:
    sound: Sound


@dataclass(frozen=True)
class Say:
    """A sentence of the catalogue under desktop."""

    key: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SayText:
    """Words of the person, or sentences that come as they are."""

    text: str


@dataclass(frozen=True)
class Quiet:
    """Nothing is to be spoken into the microphone."""


Effect = (
    FindTarget
    | OpenSound
    | CloseSound
    | DropSound
    | SendContext
    | Deliver
    | InsertHeld
    | Undo
    | Repeat
    | Where
    | Changes
    | Explain
    | Take
    | Play
    | Say
    | SayText
    | Quiet
)
