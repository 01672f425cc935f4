"""How an entry sounds."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from voice_ime.engine.base import Hypothesis, Word
from voice_ime.engine.words import cut, has_han
from voice_ime.personalize.profile import Entry, Profile

if TYPE_CHECKING:
    from voice_ime.personalize.phonetics.mandarin import Syllable
    from voice_ime.personalize.retrieve import Candidate, Lexicons

_WHOLE = {"i": "yi", "in": "yin", "ing": "ying", "iu": "you", "u": "wu", "ui": "wei", "un": "wen"}
_FIRST = {"i": "y", "u": "w", "v": "yu"}
"""How whole finals, else their first letters, are written where no initial stands before them."""


class Pronouncer:
    """Tells how entries sound."""

    def __init__(self, lexicons: "Lexicons") -> None:
        self._lexicons = lexicons

    def readings(self, entry: Entry) -> tuple[str, ...]:
        """The ways in which it is expected to sound: phones of CMUdict ("K AE T") and pinyin ("zhang1 wei3")."""
        return tuple(dict.fromkeys((*self._mandarin(entry), *self._english(entry))))

    def _english(self, entry: Entry) -> Iterator[str]:
        from voice_ime.personalize.mandarin_index import concerns
        from voice_ime.personalize.phonetics.english import sounds_of
        from voice_ime.personalize.phonetics.phones import decoded

        if entry.language != "zh" or not concerns(entry):
            yield from (decoded(sound) for sound in sounds_of(entry, self._lexicons.english) if sound)

    def _mandarin(self, entry: Entry) -> Iterator[str]:
        from voice_ime.personalize.mandarin_index import concerns, given_sounds, mixed

        if not concerns(entry):
            return
        names = self._lexicons.chinese.special_readings
        ways = [way for hint in entry.sounds for way in given_sounds(hint, names)]
        if has_han(entry.written):
            ways += mixed(entry.written, names)
        yield from (" ".join(map(pinyin, way)) for way in ways)


def pinyin(syllable: "Syllable") -> str:
    """As people write it: "wei3" for what is an initial-less ui inside."""
    initial, final = syllable.initial, syllable.final
    if not initial:
        final = _WHOLE.get(final) or _FIRST.get(final[:1], final[:1]) + final[1:]
    elif final.startswith("v"):
        final = ("u" if initial in ("j", "q", "x") else "ü") + final[1:]
    return f"{initial.strip('=')}{final}{syllable.tone or ''}"


def as_heard(text: str) -> Hypothesis:
    """`text` as if an engine had heard it."""
    return Hypothesis(text, tuple(map(Word, cut(text))), final=True)


def near(
    profile: Profile, heard: Hypothesis, lexicons: "Lexicons", application: str | None = None
) -> "Sequence[Candidate]":
    """The entries that could have been said there, in that program, each once, the likeliest first."""
    from voice_ime.personalize.indexes import index_of

    found: dict[str, Candidate] = {}
    for each in index_of(profile, lexicons).candidates(heard, application):
        found.setdefault(each.entry.id, each)
    return list(found.values())
