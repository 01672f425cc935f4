"""The focus as the accessibility bus tells it; windows that accessibility does not show are named by their number."""

import asyncio
from collections.abc import Callable
from itertools import chain

from voice_ime_desktop.accessibility import EDITABLE_TEXT, TEXT, Accessibility, Event, Program, Ref, Role, State
from voice_ime_desktop.bus import CallFailed, NoAnswer
from voice_ime_desktop.focus.active_window import ActiveWindow, Window
from voice_ime_desktop.focus.base import Focus, Kind, Refusal, Surroundings, Target

HiddenInput = Callable[[int], bool]
"""Whether a terminal run by this process asks for a password."""

_PREFIX = "atspi "
_BEFORE, _AFTER = 500, 100
_LARGEST_SEARCH = 3000
_WIDEST = 500
_TEXT_ROLES = {Role.TEXT, Role.ENTRY, Role.PARAGRAPH, Role.EDITBAR, Role.DOCUMENT_TEXT}
"""Hold text also when it cannot be changed."""
_UNDESCRIBED = {
    Role.CANVAS,
    Role.DRAWING_AREA,
    Role.FILLER,
    Role.FRAME,
    Role.LAYERED_PANE,
    Role.PANEL,
    Role.ROOT_PANE,
    Role.UNKNOWN,
    Role.WINDOW,
    Role.APPLICATION,
}
"""What a program shows that draws its text itself, e.g. Emacs."""


def ref_of(target: Target) -> Ref | None:
    """The object of the accessibility bus that a target is; None: it is none."""
    if not target.key.startswith(_PREFIX):
        return None
    sender, path = target.key.removeprefix(_PREFIX).split(" ", 1)
    return Ref(sender, path)


class AtspiFocus(Focus):
    def __init__(self, accessibility: Accessibility, windows: ActiveWindow, hidden_input: HiddenInput) -> None:
        self._accessibility = accessibility
        self._windows = windows
        self._hidden_input = hidden_input
        self._focused: Ref | None = None
        self._caret: Ref | None = None

    async def start(self) -> None:
        self._windows.start()
        self._accessibility.listen(self._heard)
        try:
            await self._accessibility.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        self._accessibility.ignore(self._heard)
        self._windows.stop()
        await self._accessibility.stop()

    async def target(self) -> Target | None:
        window = self._windows.window()
        while True:
            found = await self._target_in(window)
            now = self._windows.window()
            if now == window:
                return found
            window = now  # it moved while we looked, which can take long where programs are slow to answer

    async def _target_in(self, window: Window | None) -> Target | None:
        try:
            if (ref := await self._object(window)) is not None:
                return await self._described(ref)
            hangs = False
        except NoAnswer:
            hangs = True
        except CallFailed:
            hangs = False  # it went away while we looked
        return _of_window(window, hangs) if window is not None else None

    async def surroundings(self, target: Target) -> Surroundings | None:
        ref = ref_of(target)
        if ref is None or target.kind is not Kind.TEXT or not target.readable:
            return None
        at = self._accessibility
        try:
            if await at.role(ref) == Role.PASSWORD_TEXT:
                return None
            start, end = await at.selection(ref) or [await at.caret(ref)] * 2
            begin = max(0, start - _BEFORE)
            before = await at.text(ref, begin, start - begin) if start else ""
            return Surroundings(before, await at.text(ref, end, min(_AFTER, max(0, await at.size(ref) - end))))
        except (CallFailed, NoAnswer):
            return None

    async def refusal(self, target: Target) -> Refusal | None:
        ref = ref_of(target)
        if ref is not None:
            try:
                role, states, interfaces = await self._asked(ref)
            except (CallFailed, NoAnswer):
                return "no_text_field"
            kind = _kind(role, states, interfaces)
            if kind is Kind.TEXT and State.EDITABLE not in states:
                return "read_only"
        else:
            kind = target.kind
        if kind is Kind.PASSWORD:
            return "password"
        if kind is Kind.OTHER:
            return "no_text_field"
        return await self._hidden(target) if kind in (Kind.TERMINAL, Kind.UNKNOWN) else None

    async def _hidden(self, target: Target) -> Refusal | None:
        if target.process is None:
            return None
        return "hidden_input" if await asyncio.to_thread(self._hidden_input, target.process) else None

    # --- finding it ---

    def _heard(self, event: Event) -> None:
        if event.member == "StateChanged" and event.detail == "focused" and event.value:
            self._focused = event.ref
        elif event.member == "TextCaretMoved":
            self._caret = event.ref

    async def _object(self, window: Window | None) -> Ref | None:
        """What has the focus. Programs take the state away from an object when its window loses the focus."""
        if (ref := self._focused) is not None and await self._has_focus(ref, window):
            return await self._inside(ref)
        heard = self._focused
        for root in await self._roots(window):
            if (found := await self._search([root])) is not None:
                if self._focused == heard:  # else it moved while we searched
                    self._focused = found
                return await self._inside(found)
        return None

    async def _has_focus(self, ref: Ref, window: Window | None) -> bool:
        try:
            return await self._is_shown_by(window, ref) and State.FOCUSED in await self._accessibility.states(ref)
        except CallFailed:
            return False
        except NoAnswer:
            if window is None or await self._accessibility.process(ref.sender) == window.process:
                raise
            return False

    async def _is_shown_by(self, window: Window | None, ref: Ref) -> bool:
        """Whether the window that has the focus is of the same program.

        One of which nobody knows the program is none that accessibility shows: it must not be taken for the last one.
        """
        if window is None:
            return True
        if window.process is None:
            return False
        process = await self._accessibility.process(ref.sender)
        return process is None or process == window.process

    async def _inside(self, ref: Ref) -> Ref:
        """LibreOffice names a pane around the text; the object where its caret moves is meant."""
        caret = self._caret
        if caret is None or caret == ref or caret.sender != ref.sender:
            return ref
        if await self._accessibility.role(ref) not in _UNDESCRIBED:
            return ref
        states = await self._accessibility.states(caret)
        return caret if {State.EDITABLE, State.SHOWING} <= states else ref

    async def _roots(self, window: Window | None) -> list[Ref]:
        """The programs that may own the window that has the focus."""
        roots = await self._accessibility.programs()
        return [root for root in roots if await self._is_shown_by(window, root)]

    async def _search(self, level: list[Ref]) -> Ref | None:
        """What has the focus below, level by level; for an object that had it before we listened.

        A browser gives the state to the page as well as to the field in it: the innermost counts, unless it is a mere
        part of the field, such as the pane inside a text field of Qt.
        """
        seen = 0
        while level and seen < _LARGEST_SEARCH:
            seen += len(level)
            looked = await asyncio.gather(*(self._look(ref) for ref in level))
            for ref, (focused, children) in zip(level, looked, strict=True):
                if focused:
                    inner = await self._search(children)
                    return ref if inner is None or await self._is_undescribed(inner) else inner
            level = list(chain.from_iterable(children for _, children in looked))
        return None

    async def _is_undescribed(self, ref: Ref) -> bool:
        try:
            return await self._accessibility.role(ref) in _UNDESCRIBED
        except (CallFailed, NoAnswer):
            return False

    async def _look(self, ref: Ref) -> tuple[bool, list[Ref]]:
        try:
            states = await self._accessibility.states(ref)
            focused = State.FOCUSED in states
            if State.MANAGES_DESCENDANTS in states:
                return focused, []
            return focused, (await self._accessibility.children(ref))[:_WIDEST]
        except (CallFailed, NoAnswer):
            return False, []

    # --- describing it ---

    async def _asked(self, ref: Ref) -> tuple[int, frozenset[int], frozenset[str]]:
        at = self._accessibility
        return await asyncio.gather(at.role(ref), at.states(ref), at.interfaces(ref))

    async def _described(self, ref: Ref) -> Target:
        (role, states, interfaces), program = await asyncio.gather(
            self._asked(ref), self._accessibility.program(ref.sender)
        )
        return _target(ref, program, role, states, interfaces)


def _target(ref: Ref, program: Program, role: int, states: frozenset[int], interfaces: frozenset[str]) -> Target:
    kind = _kind(role, states, interfaces)
    return Target(
        key=f"{_PREFIX}{ref.sender} {ref.path}",
        kind=kind,
        application=program.name,
        process=program.process,
        multi_line=kind is Kind.TEXT and State.MULTI_LINE in states,
        readable=TEXT in interfaces and kind in (Kind.TEXT, Kind.TERMINAL),
        editable=EDITABLE_TEXT in interfaces and kind is Kind.TEXT and State.EDITABLE in states,
    )


def _kind(role: int, states: frozenset[int], interfaces: frozenset[str]) -> Kind:
    if role == Role.PASSWORD_TEXT:
        return Kind.PASSWORD
    if role == Role.TERMINAL:
        return Kind.TERMINAL
    if State.EDITABLE in states or (TEXT in interfaces and role in _TEXT_ROLES):
        return Kind.TEXT
    return Kind.UNKNOWN if role in _UNDESCRIBED else Kind.OTHER


def _of_window(window: Window, hangs: bool) -> Target:
    """`hangs`: accessibility knows the program, which does not answer: nobody can tell what the field is."""
    kind = Kind.OTHER if hangs else Kind.UNKNOWN
    key = f"x11 {window.number:#x} {window.process}"  # the number alone goes to the next program when this one ends
    return Target(key, kind, application=window.program, process=window.process)
