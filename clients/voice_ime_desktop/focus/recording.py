"""A desk in memory for tests: fields with text, caret and selection, one of which has the focus."""

from collections.abc import Callable
from dataclasses import dataclass, field

from voice_ime_desktop.focus.base import Focus, Kind, Refusal, Surroundings, Target


@dataclass
class FakeField:
    """A field as a program would have it. Offsets in code points."""

    target: Target
    text: str = ""
    caret: int = 0
    selected: int = 0
    """So many code points before the caret are selected."""
    refusal: Refusal | None = None
    on_change: Callable[["FakeField"], None] = lambda _: None

    def type(self, text: str) -> None:
        """What a person's keys would do: replace the selection, leave the caret behind."""
        start = self.caret - self.selected
        self.text = self.text[:start] + text + self.text[self.caret :]
        self.caret, self.selected = start + len(text), 0
        self.on_change(self)

    def edit(self, text: str) -> None:
        """The person's keys make of it what is given; the caret is left at its end."""
        self.caret = self.selected = len(self.text)
        self.type(text)


@dataclass
class FakeDesk(Focus):
    """`desk.focus_on(field)` moves the focus; `desk.asked` counts how often the focus was asked for."""

    fields: list[FakeField] = field(default_factory=list)
    focused: FakeField | None = None
    asked: int = 0
    _listeners: "list[tuple[Callable[[FakeField], None], Callable[[FakeField | None], None]]]" = field(
        default_factory=list
    )

    def add(self, name: str, kind: Kind = Kind.TEXT, **values: bool) -> FakeField:
        """A new field; it does not have the focus yet."""
        made = FakeField(Target(name, kind, application="fake", **({"readable": True, "editable": True} | values)))
        made.on_change = self._changed
        self.fields.append(made)
        return made

    def focus_on(self, one: FakeField | None) -> None:
        self.focused = one
        for _, moved in tuple(self._listeners):
            moved(one)

    def listen(
        self, changed: Callable[[FakeField], None], moved: Callable[[FakeField | None], None]
    ) -> Callable[[], None]:
        """Both are told what happens until the function is called that this gives."""
        both = (changed, moved)
        self._listeners.append(both)
        return lambda: self._listeners.remove(both)

    def _changed(self, one: FakeField) -> None:
        for changed, _ in tuple(self._listeners):
            changed(one)

    def of(self, target: Target) -> FakeField | None:
        return next((one for one in self.fields if one.target.key == target.key), None)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def target(self) -> Target | None:
        self.asked += 1
        return self.focused.target if self.focused is not None else None

    async def surroundings(self, target: Target) -> Surroundings | None:
        one = self.of(target)
        if one is None or target.kind is not Kind.TEXT or not target.readable:
            return None
        return Surroundings(one.text[: one.caret - one.selected], one.text[one.caret :])

    async def refusal(self, target: Target) -> Refusal | None:
        if (one := self.of(target)) is None:
            return "nothing_focused"
        if target.kind is Kind.PASSWORD:
            return "password"
        return one.refusal or ("no_text_field" if target.kind is Kind.OTHER else None)
