"""What a person's corrections teach. Pure: from a profile and a correction to the changes in the profile.

A pair of heard and meant is first only observed. The second time, in another utterance, it is suggested; the third,
or at once where the person says so outright, it is active. Then what was heard becomes one more way in which an entry
sounds, and each place is still checked like any other: nothing that was learned replaces a word blindly. Taken back
once it is demoted, twice and it is never learned again.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voice_ime.engine.words import has_han
from voice_ime.personalize.corrections import Pair, pairs
from voice_ime.personalize.profile import (
    MOST_LESSONS,
    MOST_SOUNDS,
    Entry,
    Language,
    Lesson,
    Profile,
    Sound,
    SoundKind,
    Source,
    State,
    Strength,
)
from voice_ime.personalize.sounds_alike import Ears
from voice_ime.store.base import Change, Put, Remove

SUGGESTED_AFTER, ACTIVE_AFTER = 2, 3
"""Corrections that say the same."""
STRIKES = 2
"""Taken back so often, it is never learned again."""
BEFORE_NAMES = "小老阿"
"""What Chinese people put before a name of one character: 小林, 老赵, 阿强."""
LONGEST_NAME = 3
"""Chinese characters of a personal name that the word list does not have."""


@dataclass(frozen=True)
class Correction:
    """Somebody put right what was heard."""

    heard: str
    meant: str
    utterance: str
    """Session and name: one utterance counts once."""
    how: Literal["edit", "voice", "caretaker"] = "edit"
    """edit: the text was changed where it stood. voice, caretaker: somebody said that it was a mistake."""


@dataclass(frozen=True)
class Learned:
    """What came of a correction."""

    changes: tuple[Change, ...] = ()
    """To the profile, in one step."""
    lessons: tuple[Lesson, ...] = ()
    """Those that were touched, as they are now; to be told where their state is new to the person."""


def applied(profile: Profile, learned: Learned) -> Profile:
    """`profile` after the changes, as a store would have it."""
    entries = {entry.id: entry for entry in profile.entries}
    lessons = {lesson.id: lesson for lesson in profile.lessons}
    for change in learned.changes:
        match change:
            case Put(Entry() as entry):
                entries[entry.id] = entry
            case Put(Lesson() as lesson):
                lessons[lesson.id] = lesson
            case Remove("entry", name):
                del entries[name]
            case Remove("lesson", name):
                del lessons[name]
    return profile.model_copy(update={"entries": tuple(entries.values()), "lessons": tuple(lessons.values())})


class Learner:
    """Safe to use from several threads."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears

    def corrected(self, profile: Profile, correction: Correction) -> Learned:
        """Nothing where the person does not want it learned from."""
        if not profile.preferences.learn:
            return Learned()
        outright = correction.how != "edit"
        learning = _Learning(profile)
        back = _taken_back(profile, correction)
        for lesson in back:
            learning.take_back(lesson)
        reverse = {(lesson.written.casefold(), lesson.heard.casefold()) for lesson in back}
        own = [entry.written for entry in profile.entries if has_han(entry.written)]

        def borders(text: str, first: int, last: int) -> tuple[int, int]:
            return self._borders(text, first, last, own)

        for pair in pairs(correction.heard, correction.meant, self._ears.likeness, borders, outright=outright):
            if (pair.heard.casefold(), pair.meant.casefold()) not in reverse:
                self._teach(learning, pair, correction.utterance, outright=outright)
        return learning.result()

    def accept(self, profile: Profile, lesson: str) -> Learned:
        """A suggestion was confirmed by a person. KeyError: there is no such lesson."""
        learning = _Learning(profile)
        found = learning.lessons[lesson]
        self._activate(learning, found.model_copy(update={"pinned": True}))
        return learning.result()

    def forget(self, profile: Profile, lesson: str) -> Learned:
        """A person does not want it, ever. KeyError."""
        learning = _Learning(profile)
        learning.withdraw(learning.lessons[lesson], State.QUARANTINED)
        return learning.result()

    def is_ordinary(self, lesson: Lesson) -> bool:
        """Whether what was heard may well be meant: then the other one is offered, and written only where it fits."""
        return self._ears.is_word(lesson.heard)

    def _teach(self, learning: "_Learning", pair: Pair, utterance: str, *, outright: bool) -> None:
        language: Language = "zh" if has_han(pair.meant) else "en"
        name = _name(pair, language)
        known = learning.lessons.get(name)
        if known is None:
            lesson = Lesson(
                id=name, heard=pair.heard, written=pair.meant, language=language, last=utterance, pinned=outright
            )
        elif known.last == utterance and not outright:
            return
        else:
            lesson = known.model_copy(
                update={"times": known.times + 1, "last": utterance, "pinned": known.pinned or outright}
            )
        if lesson.state is State.QUARANTINED and not outright:
            learning.keep(lesson)
        elif outright or lesson.times >= ACTIVE_AFTER:
            self._activate(learning, lesson)
        elif lesson.state in (State.OBSERVED, State.DEMOTED) and lesson.times >= SUGGESTED_AFTER:
            learning.keep(lesson.model_copy(update={"state": State.SUGGESTED}))
        else:
            learning.keep(lesson)

    def _activate(self, learning: "_Learning", lesson: Lesson) -> None:
        """The entry gets a further sound; where there is none for what was written, it gets one."""
        entry = learning.entry_for(lesson.written)
        new = entry is None
        if entry is None:
            entry = Entry(
                id=f"learned-{lesson.id}", written=lesson.written, language=lesson.language, source=Source.LEARNED,
                strength=Strength.WEAK if self.is_ordinary(lesson) else Strength.NORMAL,
            )  # fmt: skip
        learning.put_entry(_with_sound(entry, lesson.heard))
        update = {"state": State.ACTIVE, "entry": entry.id, "new_entry": new or lesson.new_entry}
        learning.keep(lesson.model_copy(update=update))

    def _borders(self, text: str, first: int, last: int, own: Sequence[str] = ()) -> tuple[int, int]:
        """The whole own word around some characters, else the word or, where a surname is near, the name."""
        if (whole := _longest_around(text, first, last, own)) is not None:
            return whole
        words = self._ears.chinese.words.read(text).words
        inside = [(begin, end) for begin, end in words if begin < last and end > first]
        begin, end = min(first, inside[0][0]), max(last, inside[-1][1])
        if end - begin > 1:
            return begin, end
        return self._name_around(text, words, begin)

    def _name_around(self, text: str, words: Sequence[tuple[int, int]], place: int) -> tuple[int, int]:
        """A surname, or what stands for one, and the single characters after it."""
        single = {begin for begin, end in words if end - begin == 1}
        surnames = {*self._ears.chinese.surnames, *BEFORE_NAMES}
        for first in range(place, max(-1, place - LONGEST_NAME), -1):
            if text[first] in surnames and all(at in single for at in range(first, place + 1)):
                last = max(place + 1, first + 2)
                return first, min(last, len(text))
        return place, place + 1


def _longest_around(text: str, first: int, last: int, own: Sequence[str]) -> tuple[int, int] | None:
    """Where one of `own` stands around the characters `first` to `last`; None: nowhere."""
    found = (
        (begin, begin + len(each))
        for each in own
        if (begin := text.find(each, max(0, last - len(each)), first + len(each))) >= 0
    )
    return max(found, key=lambda place: place[1] - place[0], default=None)


class _Learning:
    """The changes of one step."""

    def __init__(self, profile: Profile) -> None:
        self.lessons = {lesson.id: lesson for lesson in profile.lessons}
        self._entries = {entry.id: entry for entry in profile.entries}
        self._changes: list[Change] = []
        self._touched: dict[str, Lesson] = {}

    def entry_for(self, written: str) -> Entry | None:
        return next((entry for entry in self._entries.values() if entry.written == written), None)

    def keep(self, lesson: Lesson) -> None:
        if lesson.id not in self.lessons and len(self.lessons) >= MOST_LESSONS:
            self._make_room()
        if self.lessons.get(lesson.id) != lesson:
            self._changes.append(Put(lesson))
            self._touched[lesson.id] = self.lessons[lesson.id] = lesson

    def _make_room(self) -> None:
        """What was seen least and longest ago is forgotten: most of it never comes again."""
        known = [lesson for state in (State.OBSERVED, State.SUGGESTED) for lesson in self._in(state)]
        if known:
            self._changes.append(Remove("lesson", known[0].id))
            del self.lessons[known[0].id]

    def _in(self, state: State) -> list[Lesson]:
        """The oldest first."""
        return [lesson for lesson in self.lessons.values() if lesson.state is state]

    def put_entry(self, entry: Entry) -> None:
        if self._entries.get(entry.id) != entry:
            self._changes.append(Put(entry))
            self._entries[entry.id] = entry

    def take_back(self, lesson: Lesson) -> None:
        against = lesson.against + 1
        state = State.QUARANTINED if against >= STRIKES else State.DEMOTED
        self.withdraw(lesson.model_copy(update={"against": against, "times": 0}), state)

    def withdraw(self, lesson: Lesson, state: State) -> None:
        """The entry sounds no longer so; one that was made for this lesson alone goes."""
        entry = self._entries.get(lesson.entry)
        if entry is not None:
            rest = tuple(sound for sound in entry.sounds if sound.text != lesson.heard)
            others = any(other.entry == entry.id and other.id != lesson.id for other in self.lessons.values())
            if lesson.new_entry and not rest and not others and entry.source is Source.LEARNED:
                self._changes.append(Remove("entry", entry.id))
                del self._entries[entry.id]
            else:
                self.put_entry(entry.model_copy(update={"sounds": rest}))
        update = {"state": state, "entry": "", "new_entry": False, "pinned": False}
        self.keep(lesson.model_copy(update=update))

    def result(self) -> Learned:
        return Learned(tuple(self._changes), tuple(self._touched.values()))


def _taken_back(profile: Profile, correction: Correction) -> list[Lesson]:
    """Active lessons whose entry was written and changed back to what had been heard."""
    heard, meant = correction.heard.casefold(), correction.meant.casefold()
    return [
        lesson
        for lesson in profile.lessons
        if lesson.state is State.ACTIVE
        and (correction.how != "edit" or not lesson.pinned)
        and heard.count(lesson.written.casefold()) > meant.count(lesson.written.casefold())
        and meant.count(lesson.heard.casefold()) > heard.count(lesson.heard.casefold())
    ]


def _with_sound(entry: Entry, heard: str) -> Entry:
    sound = Sound(kind=SoundKind.WORDS, text=heard)
    if sound in entry.sounds or heard == entry.written or len(entry.sounds) >= MOST_SOUNDS:
        return entry
    return entry.model_copy(update={"sounds": (*entry.sounds, sound)})


def _name(pair: Pair, language: Language) -> str:
    """The same for the same pair."""
    return hashlib.sha256(f"{language}\0{pair.heard.casefold()}\0{pair.meant}".encode()).hexdigest()[:16]
