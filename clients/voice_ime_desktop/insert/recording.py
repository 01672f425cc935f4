"""Ways and reading back in memory for tests, on the fields of a FakeDesk."""

from collections.abc import Callable
from enum import Enum

from voice_ime.errors import InsertionFailed, InsertionRefused
from voice_ime_desktop.focus.base import Kind, Target
from voice_ime_desktop.focus.recording import FakeDesk, FakeField
from voice_ime_desktop.insert.anchors import Stretch
from voice_ime_desktop.insert.base import FieldEvent, OnFieldEvent, Place, ReadBack, Swap, Swapped, Way, moved


class Luck(Enum):
    """What a RecordingWay does with a text."""

    WORKS = "works"
    FAILS = "fails"
    """Certainly nothing arrives, and it says so."""
    LOSES = "loses"
    """It is sent and never arrives."""
    REFUSES = "refuses"
    """It knows that the field asks for a password."""
    ABSENT = "absent"
    """It does not lead into any field."""


class RecordingWay(Way):
    """`way.sent == ["hello"]`: what was given to it, whatever became of it."""

    def __init__(self, desk: FakeDesk, luck: Luck = Luck.WORKS, name: str = "recording") -> None:
        self.desk = desk
        self.luck = luck
        self.name = name
        self.sent: list[str] = []
        self.running = False
        self.before_insert: Callable[[], None] = lambda: None
        self.after_insert: Callable[[], None] = lambda: None
        """What happens on the desk in the moment of the insertion."""

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    async def can(self, target: Target) -> bool:
        return self.luck is not Luck.ABSENT and target.kind not in (Kind.PASSWORD, Kind.OTHER)

    async def insert(self, target: Target, text: str) -> None:
        self.before_insert()
        if self.luck in (Luck.FAILS, Luck.ABSENT) or (field := self.desk.focused) is None:
            raise InsertionFailed(self.name)
        if self.luck is Luck.REFUSES:
            raise InsertionRefused("password")
        self.sent.append(text)
        if self.luck is Luck.WORKS:
            field.type(text)
        self.after_insert()


class RecordingReadBack(ReadBack):
    """Reads the fields of the desk. `mute`: the program does not answer."""

    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk
        self.mute = False

    async def place(self, target: Target) -> Place | None:
        field = self._field(target)
        return Place(target, field.caret - field.selected) if field is not None else None

    async def arrived(self, place: Place, text: str) -> bool:
        field = self._field(place.target)
        return field is not None and field.caret == place.start + len(text) and _stands(field, place, text)

    async def remove(self, place: Place, text: str) -> bool:
        field = self._field(place.target)
        if field is None or not place.target.editable or not text or not _stands(field, place, text):
            return False
        field.caret, field.selected = place.start + len(text), len(text)
        field.type("")
        return True

    async def swap(self, place: Place, text: str, swap: Swap) -> Swapped:
        field = self._field(place.target)
        if field is None or not place.target.editable or not text or not _stands(field, place, text):
            return "untouched"
        here = swap.further(place.start)
        caret = moved(field.caret, here)
        field.caret, field.selected = here.last, here.last - here.first
        field.type(here.by)
        field.caret = caret
        return "done"

    async def stretch(self, target: Target, start: int, end: int) -> Stretch | None:
        field = self._field(target)
        if field is None or target.kind is not Kind.TEXT:
            return None
        first = max(0, start)
        return Stretch(first, field.text[first:end], len(field.text))

    def watch(self, target: Target, on_event: OnFieldEvent) -> Callable[[], None]:
        field = self.desk.of(target)

        def changed(one: FakeField) -> None:
            if one is field:
                on_event(FieldEvent.CHANGED)

        def moved(one: FakeField | None) -> None:
            if one is not field:
                on_event(FieldEvent.LEFT)

        return self.desk.listen(changed, moved)

    def _field(self, target: Target) -> FakeField | None:
        readable = target.readable and target.kind is not Kind.PASSWORD
        return self.desk.of(target) if readable and not self.mute else None


def _stands(field: FakeField, place: Place, text: str) -> bool:
    return field.text[place.start : place.start + len(text)] == text
