"""Somebody dictates into the windows of a private screen all day long, and things break. What breaks when is seeded."""

import random
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.accounts import Noted, Utterance
from benchmarks.faulty_voices import GivenLines, Voice
from tests.desktop.applications import CHROMIUM, GTK3, GTK4, QT5, TK, VTE, XTERM, Application, Program
from tests.desktop.dictation import TALK_KEY, Dictation
from tests.desktop.session import Parts, Session, private_session
from tests.desktop.x11 import until
from voice_ime.errors import MicrophoneSilent

SOONEST_S, LATE_S = 0.01, 0.25
"""Between the end of the words and their insertion something may happen: within this time. (A key that is down again
within 5 ms was not moved by a hand.)"""
TAIL = 16_000 * 2 // 4
"""Bytes of the microphone's sound after the key was released that may still belong to the words."""
SETTLED_WITHIN_S = 20.0
SAID_WITHIN_S = 5.0
PRE_ROLL_S = 0.8
"""Longer than the sound from before the key went down that belongs to an utterance."""
BETWEEN_SERVER_DEATHS = 8
"""Utterances at least: a server that dies five times in a minute is not started again, and rightly so."""
ASKS_FOR_PASSWORDS = ("bash", "-c", "printf 'Password: '; while :; do read -s word; done")


@dataclass(frozen=True)
class Kind:
    """A kind of window and its fields."""

    program: Program
    fields: tuple[str, ...]
    secure: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    is_terminal: bool = False
    may_close: bool = False


KINDS = (
    Kind(GTK3, ("text", "line"), ("password",), may_close=True),
    Kind(GTK4, ("text", "line"), ("password",), may_close=True),
    Kind(QT5, ("text", "line"), ("password",), may_close=True),
    Kind(CHROMIUM, ("text", "line"), ("password",)),
    Kind(VTE, ("terminal",), is_terminal=True, may_close=True),
    Kind(VTE, (), ("terminal",), ASKS_FOR_PASSWORDS, is_terminal=True),
    Kind(XTERM, ("terminal",), may_close=True),
    Kind(TK, ("text", "line")),
)


@dataclass(frozen=True)
class Window:
    name: str
    kind: Kind
    application: Application


@dataclass(frozen=True)
class Place:
    """A field of a window."""

    window: Window
    field: str
    asks: bool = False
    """Whether the terminal has come to ask for a password there."""

    @property
    def name(self) -> str:
        return f"{self.window.name}.{self.field}"

    @property
    def secure(self) -> bool:
        return self.asks or self.field in self.window.kind.secure


@dataclass
class Said:
    """What is expected of an utterance."""

    texts: tuple[str, ...]
    delivered: str = ""


@dataclass
class Day:
    """The session, the windows, the client, and what was said so far."""

    session: Session
    client: Dictation
    random: random.Random
    voice: Voice = field(default_factory=GivenLines)
    windows: list[Window] = field(default_factory=list)
    utterances: list[Utterance] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    """What stood in each field when it was last looked at, also in windows that were closed since."""
    crashed: list[str] = field(default_factory=list)
    """Programs that ended by themselves: some do so when the input method goes."""
    secure: list[str] = field(default_factory=list)
    """Names of all fields where nothing may stand, also of closed windows."""
    _opened: int = 0
    _generation: int = 0
    _died: bool = False
    _said: list[Said] = field(default_factory=list)
    """In this step."""

    # --- windows

    def open(self, kind: Kind) -> Window:
        self._opened += 1
        first = (kind.fields or kind.secure)[0]
        application = Application(self.session, kind.program, first, kind.command)
        window = Window(f"{kind.program.name}-{self._opened}", kind, application)
        screen = "screen" if kind.program is VTE else None
        if screen:
            prompt = "Password" if kind.secure else "$"
            until(lambda: prompt in application.text("screen"), "the prompt")
        self.windows.append(window)
        self.secure += [Place(window, name).name for name in kind.secure]
        return window

    def close(self, window: Window) -> None:
        self.texts |= _read(window)
        self.windows.remove(window)
        window.application.close()

    def look(self) -> dict[str, str]:
        """What stands in every field, as its own program sees it. A program that is gone is started again."""
        for window in list(self.windows):
            try:
                self.texts |= _read(window)
            except (OSError, RuntimeError):
                self.windows.remove(window)
                self.crashed.append(window.name)
                with suppress(OSError):
                    window.application.close()
                self.open(window.kind)
        return dict(self.texts)

    def place(self, *, other_than: Window | None = None, secure: bool = False, may_close: bool = False) -> Place:
        """A field by chance."""
        places = [
            Place(window, name)
            for window in self.windows
            for name in (window.kind.secure if secure else window.kind.fields)
            if window is not other_than and (window.kind.may_close or not may_close)
        ]
        return self.random.choice(places)

    def go(self, place: Place) -> None:
        self.session.screen.activate(place.window.application.window)
        place.window.application.focus(place.field)

    # --- talking

    def say(self, meanwhile: Callable[[], None] | None = None, late: Callable[[], None] | None = None) -> None:
        """`meanwhile`: called after the first words. `late`: called just after the key was released."""
        words = self.voice.speak(self.random)
        said = Said(words.texts)
        self._said.append(said)
        with self.session.sound.record() as sound:
            self.client.say(words.first + words.rest, meanwhile, len(words.first))
            end = len(sound) + TAIL
            if late is not None:
                threading.Event().wait(self.random.uniform(SOONEST_S, LATE_S))
                late()
            with suppress(TimeoutError):  # the service was killed meanwhile
                until(lambda: len(sound) >= end, "the end of the sound", 1)
                said.delivered = self.voice.hear(bytes(sound[:end]))

    def new_lines(self) -> None:
        """What the next server hears: nothing that was heard before."""
        self._generation += 1
        engine = self.voice.settings(self._generation)
        self.client.configure({"engine": engine, "desktop": {"journal_most": 100_000}})

    def kill_server(self) -> None:
        self.new_lines()
        self.client.kill_server()

    def kill_client(self) -> None:
        """Whoever is killed before the words are noted loses them."""
        self.new_lines()
        self.client.kill()
        self._died = True

    # --- what becomes of it

    def journal(self) -> sqlite3.Connection:
        from voice_ime_desktop.journal import FILE

        path = Path(self.session.home, ".local", "state", "voice-ime", FILE)
        return sqlite3.connect(path, isolation_level=None, timeout=5)

    def noted(self, after: int = 0) -> list[Noted]:
        with closing(self.journal()) as database:
            rows = database.execute(
                "select number, text, state, reason from utterance where number > ? order by number", (after,)
            ).fetchall()
        return [Noted(*row) for row in rows]

    def step(self, name: str, fault: "Fault") -> None:
        """Something is said, something breaks, and all is settled."""
        self._died = False
        self._said = []
        self._seen = max((one.number for one in self.noted()), default=0)
        mark = self.client.mark()
        places = fault(self)
        if self._died:
            lost = not self.noted(self._seen)
            self.client.start()
            if lost:
                self._keep(name, places, [], mark, died=True)
                return
        self._keep(name, places, self._settled(places, mark), mark, died=False)
        self.look()

    def _settled(self, places: Sequence[Place], mark: int) -> list[Noted]:
        """All that was noted, once something became of each utterance."""
        wanted = sum(not place.secure for place in places)
        with suppress(TimeoutError):
            until(lambda: self.settled(wanted), "what becomes of it", SETTLED_WITHIN_S)
            if any(place.secure for place in places):
                until(lambda: self._refusal_said(mark), "the refusal", SAID_WITHIN_S)
        return self.noted(self._seen)

    def settled(self, wanted: int) -> bool:
        """Whether in this step so many utterances were noted, and something became of each."""
        noted = self.noted(self._seen)
        return len(noted) >= wanted and all(one.state != "intended" for one in noted)

    def _keep(self, fault: str, places: Sequence[Place], noted: list[Noted], mark: int, *, died: bool) -> None:
        """Of several utterances the first note is the first one's; what is too much is the last one's."""
        for index, place in enumerate(places):
            own = noted[index:] if index == len(places) - 1 else noted[index : index + 1]
            one = Utterance(
                len(self.utterances) + 1, fault, place.name, place.secure, tuple(own),
                refusal_said=place.secure and self._refusal_said(mark), died=died,
                said=self._said[index].texts, delivered=self._said[index].delivered,
            )  # fmt: skip
            self.utterances.append(replace(one, unsaid=not all(self._was_said(each, place, mark) for each in own)))

    def _refusal_said(self, mark: int) -> bool:
        sentences = [self.client.sentence(f"reason.{reason}") for reason in ("password", "hidden_input")]
        return any(sentence in one for one in self.client.spoken(mark) for sentence in sentences)

    def _was_said(self, noted: Noted, place: Place, mark: int) -> bool:
        if self._died and noted.state in ("verified", "unverified", "refused"):
            return True  # it may have died between noting and saying so
        sentences = self._sentences(noted, place)
        with suppress(TimeoutError):
            until(lambda: _all_in(sentences, self.client.spoken(mark)), "what is said", SAID_WITHIN_S)
            return True
        return False

    def _sentences(self, noted: Noted, place: Place) -> list[str]:
        """What must be heard of it; in terminals it is a sound."""
        terminal = place.window.kind.is_terminal
        why = self.client.sentence(f"reason.{noted.reason}") if noted.reason else ""
        match noted.state:
            case "verified":
                return [] if terminal else [noted.text]
            case "unverified":
                return [] if terminal else [noted.text, self.client.sentence("unverified")]
            case _ if noted.reason == "perhaps_inserted" and self._died:
                return [noted.text]
            case "held" | "refused":
                return [why]
            case _:
                return ["(nothing became of it)"]


def _all_in(sentences: Sequence[str], said: Sequence[str]) -> bool:
    return all(any(sentence.strip() in one for one in said) for sentence in sentences)


def _read(window: Window) -> dict[str, str]:
    kind = window.kind
    return {Place(window, name).name: window.application.text(name) for name in (*kind.fields, *kind.secure)}


@contextmanager
def day(seed: int, kinds: Sequence[Kind] = KINDS, *, voice: Voice | None = None, messages: str = "en") -> Iterator[Day]:
    """A desktop with all windows open and the client ready, which speaks the language `messages`. PackageMissing."""
    with private_session(Parts(sound=True)) as session:
        one = Day(session, Dictation(session, language=messages), random.Random(seed), voice or GivenLines())
        one.new_lines()
        one.client.start()
        for kind in kinds:
            one.open(kind)
        try:
            yield one
        finally:
            one.client.end()


# --- faults: each says something, breaks something, and gives the places where the words belong

Fault = Callable[[Day], Sequence[Place]]


def nothing(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say()
    return [place]


def focus_moved(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(other_than=place.window)
    day.go(place)
    day.say(meanwhile=lambda: day.go(elsewhere))
    return [place]


def focus_moved_late(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(other_than=place.window)
    day.go(place)
    day.say(late=lambda: day.go(elsewhere))
    return [place]


def focus_moved_to_password(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(secure=True)
    day.go(place)
    day.say(meanwhile=lambda: day.go(elsewhere))
    return [place]


def focus_moved_to_password_late(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(secure=True)
    day.go(place)
    day.say(late=lambda: day.go(elsewhere))
    return [place]


def focus_away_and_back_late(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(other_than=place.window)

    def there_and_back() -> None:
        day.go(elsewhere)
        day.go(place)

    day.go(place)
    day.say(late=there_and_back)
    return [place]


def window_closed(day: Day) -> Sequence[Place]:
    place = day.place(may_close=True)
    day.go(place)
    day.say(meanwhile=lambda: day.close(place.window))
    day.open(place.window.kind)
    return [place]


def server_killed(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say(meanwhile=day.kill_server)
    return [place]


def server_killed_late(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say(late=day.kill_server)
    return [place]


def client_killed(day: Day) -> Sequence[Place]:
    """At any moment, also after all was done."""
    place = day.place()
    day.go(place)
    killer = threading.Timer(day.random.uniform(0, day.voice.longest_s + 0.6), day.kill_client)
    killer.start()
    day.say()
    killer.join()
    return [place]


def client_killed_when_noted(day: Day) -> Sequence[Place]:
    """Between the note and the insertion."""
    place = day.place()
    day.go(place)
    with closing(day.journal()) as database:
        after = _last(database)
        day.say()
        until(lambda: _last(database) > after, "the note", SETTLED_WITHIN_S)
        day.kill_client()
    return [place]


def client_killed_when_inserted(day: Day) -> Sequence[Place]:
    """Between the insertion and the note: whoever holds the journal's lock keeps the client from noting how it ended.

    Where the client is quicker than the lock, nothing breaks.
    """
    place = day.place()
    day.go(place)
    before = place.window.application.text(place.field)
    with closing(day.journal()) as database:
        after = _last(database)
        day.say()
        if _caught(database, after):
            with suppress(TimeoutError):
                until(lambda: place.window.application.text(place.field) != before, "the words", 3)
            day.kill_client()
            database.rollback()
    return [place]


def _last(database: sqlite3.Connection) -> int:
    return int(database.execute("select coalesce(max(number), 0) from utterance").fetchone()[0])


def _caught(database: sqlite3.Connection, after: int) -> bool:
    """Locks the journal while an utterance is noted and nothing has become of it; False: it was settled before."""
    ended = threading.Event()
    timer = threading.Timer(SETTLED_WITHIN_S, ended.set)
    timer.start()
    while _last(database) <= after and not ended.is_set():
        pass
    timer.cancel()
    database.execute("begin immediate")
    if database.execute("select 1 from utterance where state = 'intended'").fetchall():
        return True
    database.rollback()
    return False


def input_method_restarted(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say(meanwhile=lambda: _restart_input_method(day))
    return [place]


def input_method_restarted_late(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say(late=lambda: _restart_input_method(day))
    return [place]


def _restart_input_method(day: Day) -> None:
    day.session.kill("ibus-daemon")
    day.session.start_input_method()


def sound_killed(day: Day) -> Sequence[Place]:
    """The rest of the sentence is said when the microphone works again, as a tone tells: that it does is said later."""
    place = day.place()
    day.go(place)

    def meanwhile() -> None:
        _kill_sound(day)
        day.session.sound.start()
        until(day.session.sound.is_heard, "a client that listens again")

    day.say(meanwhile=meanwhile)
    return [place]


def sound_killed_before(day: Day) -> Sequence[Place]:
    place = day.place()
    _kill_sound(day)
    mark = day.client.mark()
    day.session.sound.start()
    day.client.wait_for(day.client.sentence("microphone_back"), since=mark)
    day.go(place)
    day.say()
    return [place]


def _kill_sound(day: Day) -> None:
    mark = day.client.mark()
    day.session.sound.kill()
    day.client.wait_for(day.client.trouble(MicrophoneSilent()), since=mark)


def into_password(day: Day) -> Sequence[Place]:
    place = day.place(secure=True)
    day.go(place)
    day.say()
    return [place]


def password_asked_meanwhile(day: Day) -> Sequence[Place]:
    """A shell that is being dictated into is told `read -s x` in mid-sentence."""
    shells = [one for one in day.windows if one.kind.program is VTE and not one.kind.secure]
    place = Place(day.random.choice(shells), "terminal", asks=True)
    screen = day.session.screen
    day.go(place)
    screen.tap("Control_L", "c")  # an empty line

    def ask() -> None:
        screen.type("read ")
        screen.tap("minus")
        screen.type("s x")
        screen.tap("Return")

    day.say(meanwhile=ask)
    lines = re.split("\r|(?<!\x16)\x03", place.window.application.text("terminal"))
    asked = lines[-2:-1] == ["read -s x"]  # all of the line: what was dictated before may still stand on it
    with suppress(TimeoutError):
        until(lambda: day.settled(1), "what becomes of it", SETTLED_WITHIN_S)
    screen.tap("Return")
    return [replace(place, asks=asked)]  # right after a restart of the input method, keys get lost, Control+C too


def pressed_again(day: Day) -> Sequence[Place]:
    place = day.place()
    day.go(place)
    day.say(late=day.say)
    return [place, place]


def pressed_again_elsewhere(day: Day) -> Sequence[Place]:
    place = day.place()
    elsewhere = day.place(other_than=place.window)

    def there() -> None:
        day.go(elsewhere)
        day.say()

    day.go(place)
    day.say(late=there)
    return [place, elsewhere]


def released_at_once(day: Day) -> Sequence[Place]:
    """A slip: the key goes down, up and down again before anything is said."""
    place = day.place()
    day.go(place)
    threading.Event().wait(PRE_ROLL_S)  # else the end of the last words belongs to the slip, as it should
    day.session.screen.press(TALK_KEY)
    day.session.screen.release(TALK_KEY)
    day.say()
    return [place]


@dataclass(frozen=True)
class Row:
    fault: Fault
    often: int
    """How often, against the others."""
    kills_server: bool = False
    utterances: int = 1


FAULTS: Mapping[str, Row] = {
    "nothing": Row(nothing, 6),
    "focus_moved": Row(focus_moved, 3),
    "focus_moved_late": Row(focus_moved_late, 4),
    "focus_moved_to_password": Row(focus_moved_to_password, 2),
    "focus_moved_to_password_late": Row(focus_moved_to_password_late, 3),
    "focus_away_and_back_late": Row(focus_away_and_back_late, 3),
    "window_closed": Row(window_closed, 2),
    "server_killed": Row(server_killed, 2, kills_server=True),
    "server_killed_late": Row(server_killed_late, 2, kills_server=True),
    "client_killed": Row(client_killed, 2),
    "client_killed_when_noted": Row(client_killed_when_noted, 2),
    "client_killed_when_inserted": Row(client_killed_when_inserted, 2),
    "input_method_restarted": Row(input_method_restarted, 1),
    "input_method_restarted_late": Row(input_method_restarted_late, 1),
    "sound_killed": Row(sound_killed, 1),
    "sound_killed_before": Row(sound_killed_before, 1),
    "into_password": Row(into_password, 3),
    "password_asked_meanwhile": Row(password_asked_meanwhile, 2),
    "pressed_again": Row(pressed_again, 2, utterances=2),
    "pressed_again_elsewhere": Row(pressed_again_elsewhere, 2, utterances=2),
    "released_at_once": Row(released_at_once, 1),
}


def plan(seed: int, utterances: int) -> list[str]:
    """The names of the faults to come, every kind in each round as often as its row says."""
    chance, names = random.Random(f"plan {seed}"), list[str]()
    count, since_death = 0, BETWEEN_SERVER_DEATHS
    while count < utterances:
        one_round = [name for name, row in FAULTS.items() for _ in range(row.often)]
        chance.shuffle(one_round)
        for name in one_round:
            row = FAULTS[name]
            if count + row.utterances > utterances or (row.kills_server and since_death < BETWEEN_SERVER_DEATHS):
                name, row = "nothing", FAULTS["nothing"]
            since_death = 0 if row.kills_server else since_death + 1
            names.append(name)
            count += row.utterances
            if count == utterances:
                break
    return names
