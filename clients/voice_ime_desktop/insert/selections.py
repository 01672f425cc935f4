"""What X programs call selections: lending them a text to paste, and giving back what was there before.

All of it happens on one thread with a connection of its own, because whoever owns a selection must answer requests for
it at any time. Contents go back in every form in which they were offered, as far as they are small.
"""

import os
import queue
import select
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError
from Xlib.ext import xtest
from Xlib.protocol import event as xevent
from Xlib.protocol.request import SetSelectionOwner

from voice_ime.errors import DesktopUnavailable

_LARGEST_BYTES = 200_000
"""Of one form; larger ones come in pieces and would not fit into one answer of ours."""
_ANSWER_S = 0.3
_SAVE_S = 1.0
_RELEASE_S = 2.0
_FETCH_S = 1.0
_SERVE_S = 0.2
"""After the first request: browsers ask more than once (20 ms was too short for Chromium)."""
_LOOK_S = 0.01
_MODIFIERS = X.ShiftMask | X.ControlMask | X.Mod1Mask | X.Mod4Mask | X.Mod5Mask
_PROPERTY = "VOICE_IME"
_SECRET = "x-kde-passwordManagerHint"
"""Asks clipboard managers not to keep what they see."""
_MACHINERY = ("TARGETS", "MULTIPLE", "TIMESTAMP", "SAVE_TARGETS", "DELETE", "INSERT_SELECTION", "INSERT_PROPERTY")


@dataclass(frozen=True)
class Form:
    """One form of a content."""

    type: int
    format: int
    """Bits of one item: 8, 16 or 32."""
    data: Any


Forms = dict[int, Form]
"""By target; empty: nothing was there."""


class NotRestorable(Exception):
    """What the selection holds could not be given back."""


class NotFetched(Exception):
    """Nobody asked for the text: it is nowhere."""


class Selections:
    """Owner of selections, on a thread of its own."""

    def __init__(self, display: str) -> None:
        self._name = display
        self._display: Any = None
        self._thread: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._wake, self._bell = -1, -1
        self._served: dict[int, Forms] = {}
        self._fetched: list[int] = []
        self._answers: list[Any] = []

    def start(self) -> None:
        """DesktopUnavailable where there is no such display, or keys cannot be pressed on it."""
        if self._thread is not None and self._thread.is_alive():
            return
        try:
            display = Display(self._name)
        except (DisplayError, OSError) as error:
            raise DesktopUnavailable("clipboard", type(error).__name__) from error
        if not display.has_extension("XTEST"):
            display.close()
            raise DesktopUnavailable("clipboard", "no XTEST")
        self._display = display
        self._window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        self._window.change_attributes(event_mask=X.PropertyChangeMask)
        self._wake, self._bell = os.pipe()
        self._thread = threading.Thread(target=self._run, name="selections", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hands what is owned to the clipboard manager, where there is one."""
        if (thread := self._thread) is None:
            return
        self._thread = None
        self._do(None)
        thread.join()
        os.close(self._wake)
        os.close(self._bell)

    def paste(
        self, text: str, names: Sequence[str], keys: Sequence[int], window: int, still_there: Callable[[], bool]
    ) -> "Future[None]":
        """Offer `text` under the selections `names`, press `keys` (keysyms, the last one is struck with the others
        held) once the person holds no modifier, and give back what was there.

        `still_there` is asked on another thread right before the keys: False: nothing is pressed.
        Done as soon as `window`'s program has fetched the text; NotFetched, NotRestorable.
        """
        done: Future[None] = Future()

        def job() -> None:
            try:
                self._paste(text, [self._atom(name) for name in names], keys, window, still_there, done)
            except (NotFetched, NotRestorable) as error:
                done.set_exception(error)
            except (XError, ConnectionClosedError, OSError) as error:
                if not done.done():
                    done.set_exception(NotFetched(type(error).__name__))

        if self._thread is None or not self._thread.is_alive():
            done.set_exception(NotFetched("closed"))
        else:
            self._do(job)
        return done

    # --- on the thread ---

    def _do(self, job: Callable[[], None] | None) -> None:
        self._jobs.put(job)
        with suppress(OSError):
            os.write(self._bell, b"x")

    def _run(self) -> None:
        with suppress(ConnectionClosedError, OSError):
            while True:
                self._pump(lambda: not self._jobs.empty(), None)
                os.read(self._wake, 1)
                if (job := self._jobs.get()) is None:
                    break
                job()
            self._hand_over()
            self._display.close()

    def _pump(self, until: Callable[[], bool], within_s: float | None) -> bool:
        """Answer requests until `until`; False: the time is over."""
        end = None if within_s is None else time.monotonic() + within_s
        wakers = [self._display.fileno()] if end is not None else [self._display.fileno(), self._wake]
        while not until():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._display.flush()
            if not self._display.pending_events():
                select.select(wakers, [], [], left)
            while self._display.pending_events():
                self._handle(self._display.next_event())
        return True

    def _handle(self, event: Any) -> None:
        if event.type == X.SelectionRequest:
            self._answer(event)
        elif event.type == X.SelectionClear:
            self._served.pop(event.atom, None)
        elif event.type in (X.SelectionNotify, X.PropertyNotify):
            self._answers.append(event)

    def _paste(
        self,
        text: str,
        selections: Sequence[int],
        keys: Sequence[int],
        window: int,
        still_there: Callable[[], bool],
        done: "Future[None]",
    ) -> None:
        codes = [self._display.keysym_to_keycode(key) for key in keys]
        if not all(codes) or not self._released():
            raise NotFetched("keys")
        saved = {selection: self._saved(selection) for selection in selections}
        ours = self._forms(text)
        try:
            for selection in selections:
                self._own(selection, ours)
            self._fetched.clear()
            if not still_there() or not self._struck_in(window, codes):
                raise NotFetched("moved")
            if not self._pump(lambda: self._fetched_by(window), _FETCH_S):
                raise NotFetched("time")
            done.set_result(None)
            self._pump(lambda: False, _SERVE_S)
        finally:
            for selection, forms in saved.items():
                if self._served.get(selection) is ours:  # else the person copied something meanwhile
                    self._own(selection, forms)

    def _released(self) -> bool:
        """Waits until the person holds no modifier: they would make another shortcut of ours."""
        root, end = self._display.screen().root, time.monotonic() + _RELEASE_S
        while root.query_pointer().mask & _MODIFIERS:
            if time.monotonic() > end:
                return False
            self._pump(lambda: False, _LOOK_S)
        return True

    def _struck_in(self, window: int, codes: Sequence[int]) -> bool:
        """Strikes the keys only if the keyboard belongs to the program of `window`: nobody can move it meanwhile."""
        self._display.grab_server()
        try:
            focus = self._display.get_input_focus().focus
            if isinstance(focus, int) or not self._is_beside(int(focus.id), window):
                return False
            self._strike(codes)
        finally:
            self._display.ungrab_server()
            self._display.flush()
        return True

    def _is_beside(self, one: int, other: int) -> bool:
        """Whether two windows belong to the same program."""
        beside = ~self._display.display.info.resource_id_mask
        return bool(one & beside == other & beside)

    def _strike(self, codes: Sequence[int]) -> None:
        for code in codes:
            xtest.fake_input(self._display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self._display, X.KeyRelease, code)
        self._display.flush()

    def _fetched_by(self, window: int) -> bool:
        """Whether one of the requests came from the program of `window`; clipboard managers ask as well."""
        return any(self._is_beside(requestor, window) for requestor in self._fetched)

    # --- owning ---

    def _forms(self, text: str) -> Forms:
        utf8 = self._atom("UTF8_STRING")
        targets = (utf8, self._atom("text/plain;charset=utf-8"))
        forms = {target: Form(target, 8, text.encode()) for target in targets}
        with suppress(UnicodeEncodeError):
            forms[Xatom.STRING] = Form(Xatom.STRING, 8, text.encode("latin-1"))
        forms[self._atom("TEXT")] = forms[utf8]
        forms[self._atom(_SECRET)] = Form(Xatom.STRING, 8, b"secret")
        return forms

    def _own(self, selection: int, forms: Forms) -> None:
        self._served.pop(selection, None)
        now = self._now()
        if forms:
            self._served[selection] = forms
            self._window.set_selection_owner(selection, now)
        else:
            SetSelectionOwner(display=self._display.display, window=X.NONE, selection=selection, time=now)
        self._display.sync()

    def _answer(self, request: Any) -> None:
        where = request.property or request.target
        form = self._form(request)
        if form is not None:
            request.requestor.change_property(where, form.type, form.format, form.data, onerror=_ignore)
            if form.format == 8:
                self._fetched.append(int(request.requestor.id))
        notice = xevent.SelectionNotify(
            time=request.time,
            requestor=request.requestor,
            selection=request.selection,
            target=request.target,
            property=where if form is not None else X.NONE,
        )
        request.requestor.send_event(notice, onerror=_ignore)
        self._display.flush()

    def _form(self, request: Any) -> Form | None:
        forms = self._served.get(request.selection)
        if forms is None:
            return None
        if request.target == self._atom("TARGETS"):
            return Form(Xatom.ATOM, 32, [self._atom("TARGETS"), *forms])
        return forms.get(request.target)

    # --- what was there ---

    def _saved(self, selection: int) -> Forms:
        if selection in self._served:
            return self._served[selection]
        if self._display.get_selection_owner(selection) == X.NONE:
            return {}
        end = time.monotonic() + _SAVE_S
        offered = self._fetch(selection, self._atom("TARGETS"))
        if offered is None or offered.format != 32:
            raise NotRestorable("targets")
        passed_over = {self._atom(name) for name in _MACHINERY}
        forms: Forms = {}
        for target in offered.data:
            if time.monotonic() > end:
                raise NotRestorable("slow")
            if target not in passed_over and (form := self._fetch(selection, target)) is not None:
                forms[target] = form
        if not forms:
            raise NotRestorable("nothing")
        return forms

    def _fetch(self, selection: int, target: int) -> Form | None:
        """One form of what somebody else offers; None: they refused it."""
        place = self._atom(_PROPERTY)
        self._window.delete_property(place)
        self._answers.clear()
        self._window.convert_selection(selection, target, place, self._now())
        if not self._pump(lambda: self._notice(selection, target) is not None, _ANSWER_S):
            raise NotRestorable("silent")
        notice = self._notice(selection, target)
        if notice is None or notice.property == X.NONE:
            return None
        found = self._window.get_full_property(place, X.AnyPropertyType)
        if found is None:
            return None
        size = len(found.value) * (found.format // 8)
        if found.property_type == self._atom("INCR") or size > _LARGEST_BYTES:
            raise NotRestorable("large")
        return Form(found.property_type, found.format, found.value)

    def _notice(self, selection: int, target: int) -> Any:
        for event in self._answers:
            if event.type == X.SelectionNotify and (event.selection, event.target) == (selection, target):
                return event
        return None

    def _hand_over(self) -> None:
        """Our content would go away with us."""
        if self._atom("CLIPBOARD") not in self._served:
            return
        manager, save = self._atom("CLIPBOARD_MANAGER"), self._atom("SAVE_TARGETS")
        if self._display.get_selection_owner(manager) != X.NONE:
            self._answers.clear()
            self._window.convert_selection(manager, save, self._atom(_PROPERTY), self._now())
            self._pump(lambda: self._notice(manager, save) is not None, _SAVE_S)

    def _now(self) -> int:
        """The time of the X server, which owning wants."""
        self._answers.clear()
        self._window.change_property(self._atom(_PROPERTY + "_TIME"), Xatom.STRING, 8, b"")
        self._pump(lambda: any(event.type == X.PropertyNotify for event in self._answers), _ANSWER_S)
        times = [event.time for event in self._answers if event.type == X.PropertyNotify]
        return int(times[-1]) if times else X.CurrentTime

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))


def _ignore(*_: Any) -> None:
    """The program that asked is gone."""
