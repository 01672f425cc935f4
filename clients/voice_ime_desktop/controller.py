"""What the desktop client does, as a state machine: events go in, effects come out. No desktop, no clock, no sound.

A *take* is one time of talking, from the key going down to the answer to its release. What had the focus when the key
went down is where its texts go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from voice_ime_desktop.announce.base import Sound
from voice_ime_desktop.effects import (
    Changes,
    CloseSound,
    Deliver,
    DropSound,
    Effect,
    Explain,
    FindTarget,
    InsertHeld,
    OpenSound,
    Play,
    Quiet,
    Repeat,
    Say,
    SayText,
    SendContext,
    Take,
    Undo,
    Where,
)
from voice_ime_desktop.events import (
    Answered,
    Chosen,
    Event,
    Explained,
    Heard,
    MicrophoneBack,
    MicrophoneDead,
    Overdue,
    Pressed,
    Released,
    ServerBack,
    ServerLost,
    Settled,
    Taken,
    TargetFound,
    Taught,
    Trouble,
)
from voice_ime_desktop.focus.base import Kind, Refusal, Target
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.journal import Entry, State

TalkMode = Literal["hold", "toggle"]


@dataclass
class _Take:
    number: int
    target: Target | None = None
    refusal: Refusal | None = None
    target_known: bool = False
    end: int | None = None
    """Sample of the release."""
    waiting: list[Heard] = field(default_factory=list)
    """Finals that came before the target was known."""
    texts: int = 0
    answered: bool = False


class Controller:
    """Feed it with events in the order in which they happen."""

    def __init__(self, mode: TalkMode) -> None:
        self._mode = mode
        self._takes: list[_Take] = []
        """Those without an answer, oldest first; the last may still be open."""
        self._talking: _Take | None = None
        self._number = 0
        self._server_lost = False
        self._deaf: list[SayText] = []
        """Why the microphone hears nothing; empty: it hears."""
        self._for_later: list[Say | SayText] = []
        """Sentences that came while the person talks: they would be heard by the microphone."""

    @property
    def _talks(self) -> bool:
        """Whether the microphone is still heard."""
        return any(take.end is None for take in self._takes)

    def handle(self, event: Event) -> list[Effect]:
        match event:
            case Pressed():
                return self._pressed(event.press)
            case TargetFound():
                return self._target_found(event)
            case Released():
                return self._released(event)
            case Overdue():
                return self._overdue(event.take)
            case Heard():
                return self._heard(event)
            case Answered():
                return self._answered(event.end)
            case Settled():
                return self._aloud(_announcement(event.entry, event.target))
            case ServerLost():
                return self._server(lost=True)
            case ServerBack():
                return self._server(lost=False)
            case MicrophoneDead():
                self._deaf = [SayText(sentence) for sentence in event.sentences]
                return [*self._deaf]
            case MicrophoneBack():
                self._deaf = []
                tone = [Play(Sound.START)] if self._talks else []
                return self._aloud([*tone, Say("microphone_back")])
            case Trouble():
                return self._aloud([SayText(sentence) for sentence in event.sentences])
            case Taught() | Taken():
                return self._aloud([SayText(event.sentence)] if event.sentence else [])
            case Explained():
                return self._explained(event.sentences)
            case Chosen():
                return [Take(event.number)]

    # --- keys ---

    def _pressed(self, press: Press) -> list[Effect]:
        match press:
            case Press.TALK_DOWN if self._mode == "hold":
                return self._begin()
            case Press.TALK_UP if self._mode == "hold":
                return self._end()
            case Press.TALK_DOWN | Press.TALK_TOGGLE:
                return self._end() if self._talking else self._begin()
            case Press.CANCEL:
                return self._cancel()
            case Press.INSERT_HELD:
                return [InsertHeld()]
            case Press.REPEAT:
                return [Repeat()]
            case Press.WHERE:
                return [Where()]
            case Press.UNDO:
                return [Undo()]
            case Press.CHANGES:
                return [Changes()]
            case Press.EXPLAIN:
                return [] if self._talks else [Explain()]
            case Press.TAKE:
                return [Take(1)]
            case _:
                return []

    def _begin(self) -> list[Effect]:
        if self._talking is not None:
            return []
        if self._deaf:
            return [Quiet(), *self._deaf]
        self._number += 1
        take = _Take(self._number)
        self._takes.append(take)
        self._talking = take
        return [Quiet(), OpenSound(take.number), FindTarget(take.number), Play(Sound.START)]

    def _end(self) -> list[Effect]:
        take, self._talking = self._talking, None
        return [CloseSound(take.number), Play(Sound.STOP)] if take is not None else []

    def _cancel(self) -> list[Effect]:
        take, self._talking = self._talking, None
        if take is None:
            return []
        self._takes.remove(take)
        return [DropSound(take.number), Say("cancelled"), *self._now()]

    # --- takes ---

    def _target_found(self, found: TargetFound) -> list[Effect]:
        take = self._take(found.take)
        if take is None:
            return []
        take.target, take.refusal, take.target_known = found.target, found.refusal, True
        if found.refusal in ("password", "hidden_input") and self._talking is take:
            return self._refuse_to_listen(take, found.refusal)
        context = [SendContext(found.target)] if found.target is not None else []
        waiting, take.waiting = take.waiting, []
        self._drop_answered()
        return [*context, *(self._deliver(take, heard) for heard in waiting)]

    def _refuse_to_listen(self, take: _Take, refusal: Refusal) -> list[Effect]:
        """A secret is not even listened to."""
        self._takes.remove(take)
        self._talking = None
        return [DropSound(take.number), Play(Sound.REFUSED), Say(f"reason.{refusal}"), *self._now()]

    def _released(self, released: Released) -> list[Effect]:
        take = self._take(released.take)
        if take is not None:
            take.end = released.end
        return self._now()

    def _overdue(self, number: int) -> list[Effect]:
        """Of the oldest take only; while the server is away, that was said."""
        first = next((take for take in self._takes if not take.answered), None)
        late = first is not None and first.number == number and not self._server_lost
        return self._aloud([Say("working")]) if late else []

    def _heard(self, heard: Heard) -> list[Effect]:
        take = next((take for take in self._takes if take.end is None or heard.start < take.end), None)
        if take is None:  # its take is over or was never ours: hold it, never lose it
            return [Deliver(heard.utterance, heard.text, None, None)]
        take.texts += 1
        if not take.target_known:
            take.waiting.append(heard)
            return []
        return [self._deliver(take, heard)]

    def _deliver(self, take: _Take, heard: Heard) -> Deliver:
        return Deliver(heard.utterance, heard.text, take.target, take.refusal)

    def _answered(self, end: int) -> list[Effect]:
        silent = [take for take in self._takes if take.end is not None and take.end <= end and not take.texts]
        for take in self._takes:
            take.answered = take.answered or (take.end is not None and take.end <= end)
        self._drop_answered()
        return self._aloud([Say("nothing_heard") for _ in silent])

    def _drop_answered(self) -> None:
        self._takes = [take for take in self._takes if not (take.answered and not take.waiting)]

    def _take(self, number: int) -> _Take | None:
        return next((take for take in self._takes if take.number == number), None)

    # --- the rest ---

    def _server(self, lost: bool) -> list[Effect]:
        if lost == self._server_lost:
            return []
        self._server_lost = lost
        return self._aloud([Say("server_lost" if lost else "server_back")])

    def _aloud(self, told: Sequence[Play | Say | SayText]) -> list[Effect]:
        """Sounds at once, sentences once the person has ended."""
        self._for_later += [one for one in told if not isinstance(one, Play)]
        return [*(one for one in told if isinstance(one, Play)), *self._now()]

    def _explained(self, sentences: tuple[str, ...]) -> list[Effect]:
        """Who begins to talk has heard enough; afterwards it would be about an old text."""
        return [] if self._talks else [SayText(sentence) for sentence in sentences]

    def _now(self) -> list[Effect]:
        """What waited for the person to end."""
        if self._talks:
            return []
        waiting, self._for_later = self._for_later, []
        return [*waiting]


def _announcement(entry: Entry, target: Target | None) -> list[Play | Say | SayText]:
    """What is heard of a text. Never the text in a terminal: there the screen reader speaks it by itself."""
    terminal = target is not None and target.kind is Kind.TERMINAL
    match entry.state:
        case State.VERIFIED | State.UNVERIFIED if terminal:
            return [Play(Sound.INSERTED)]
        case State.VERIFIED:
            return [SayText(entry.text)]
        case State.UNVERIFIED:
            return [SayText(entry.text), Say("unverified")]
        case State.HELD:
            return [Play(Sound.HELD), Say("held", (("why", f"reason.{entry.reason}"),))]
        case State.REFUSED:
            key = "refused_kept" if entry.text else "refused"
            return [Play(Sound.REFUSED), Say(key, (("why", f"reason.{entry.reason}"),))]
        case _:
            return []
