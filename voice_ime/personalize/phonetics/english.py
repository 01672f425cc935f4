"""How English words sound and how common they are: CMUdict, and rules for the words it does not know."""

import lzma
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from itertools import islice, product

from voice_ime.personalize.phonetics.letters import Spoken, parsed, speak
from voice_ime.personalize.phonetics.phones import encoded
from voice_ime.personalize.profile import Entry, Sound, SoundKind

UNKNOWN = 0.0
"""The Zipf value of words that are not in the table, which ends at 1.4."""
MOST_READINGS = 8
"""Of one text."""
MOST_KNOWN = 50_000
"""Texts whose sounds are remembered: a long life would hear ever more."""

_PIECES = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)*|\d")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d")
_ACRONYM = re.compile(r"[A-Z]{2,5}")
_MOST_COMMON_PARTS = 2.9
"""Zipf value from which a word may be a part of another one."""
_SHORTEST_PART = 4
_SPELLED = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
    "0": "Z IH R OW", "1": "W AH N", "2": "T UW", "3": "TH R IY", "4": "F AO R", "5": "F AY V", "6": "S IH K S",
    "7": "S EH V AH N", "8": "EY T", "9": "N AY N",
}  # fmt: skip
_LETTERS = {letter: encoded(phones.split()) for letter, phones in _SPELLED.items()}
_HISSING = encoded(["S", "Z", "SH", "ZH", "CH", "JH"])
_VOICELESS = encoded(["P", "T", "K", "F", "TH"])
_AFTER_T_D = encoded(["T", "D"])


@dataclass(frozen=True)
class English:
    """The words of English. Reading the files takes some 0.2 s, when they are first needed."""

    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Sounds that were asked for."""

    def read(self) -> None:
        """Reads the files now: nobody will have to wait for them later."""
        _ = self._words, self._letters, self._frequencies

    def sounds(self, text: str) -> tuple[str, ...]:
        """How `text`, some words, may sound, the likeliest first, as `phones` encodes it; empty: nothing to say."""
        found = self._known.get(text)
        if found is None:
            found = self._sounds(text)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[text] = found
        return found

    def zipf(self, word: str) -> float:
        """How common a word is: 7 for "the", 3 for one in a million; `UNKNOWN` for rarer ones."""
        return self._frequencies.get(_plain(word), UNKNOWN)

    def knows(self, word: str) -> bool:
        """Whether it is in the dictionary."""
        return _plain(word) in self._words

    def homophones(self, word: str) -> list[str]:
        """The other words of the dictionary that can sound like `word`. Takes some 20 ms."""
        sounds, plain = set(self.sounds(word)), _plain(word)
        return [
            each for each, known in self._words.items() if each != plain and not sounds.isdisjoint(known.split(" "))
        ]

    def _sounds(self, text: str) -> tuple[str, ...]:
        pieces = [self._piece(piece) for piece in _PIECES.findall(text)]
        return _joined([readings for readings in pieces if readings])

    def _piece(self, piece: str) -> tuple[str, ...]:
        word = _plain(piece)
        listed = self._words.get(word, "").split(" ") if word in self._words else []
        spelled = [spell(piece)] if len(piece) == 1 or _ACRONYM.fullmatch(piece) else []
        parts = _HUMPS.findall(piece) if piece.isascii() and piece.isalpha() else []
        humps = _joined([self._piece(part) for part in parts]) if len(parts) > 1 else ()
        guessed = () if listed or humps else (self._guess(word),)
        return tuple(dict.fromkeys(sound for sound in (*listed, *humps, *spelled, *guessed) if sound))

    def _guess(self, word: str) -> str:
        """The sound of a word that the dictionary does not have."""
        return self._inflected(word) or self._compound(word) or speak(word, self._letters)

    def _inflected(self, word: str) -> str:
        for ending, stem in _stems(word):
            if stem in self._words:
                return _with_ending(self._words[stem].split(" ")[0], ending)
        return ""

    def _compound(self, word: str) -> str:
        for border in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            parts = word[:border], word[border:]
            if all(part in self._words and self.zipf(part) >= _MOST_COMMON_PARTS for part in parts):
                return "".join(self._words[part].split(" ")[0] for part in parts)
        return ""

    @cached_property
    def _words(self) -> dict[str, str]:
        lines = (line.partition(" ") for line in _lines("words"))
        return {word: sounds for word, _, sounds in lines}

    @cached_property
    def _letters(self) -> Spoken:
        return parsed(_lines("letters"))

    @cached_property
    def _frequencies(self) -> dict[str, float]:
        groups = (line.split(" ") for line in _lines("frequencies"))
        return {word: int(value) / 10 for value, *words in groups for word in words}


def sounds_of(entry: Entry, english: English) -> tuple[str, ...]:
    """All the ways in which an entry may sound in English: those it was given, and those of its written form."""
    given = [sound for hint in entry.sounds for sound in _hinted(hint, english)]
    return tuple(dict.fromkeys((*given, *english.sounds(entry.written))))


def spell(text: str) -> str:
    """The sound of its letters and digits, one by one."""
    return "".join(_LETTERS.get(character, "") for character in text.lower())


def _hinted(hint: Sound, english: English) -> tuple[str, ...]:
    match hint.kind:
        case SoundKind.WORDS:
            return english.sounds(hint.text)
        case SoundKind.LETTERS:
            return (spell(hint.text),) if spell(hint.text) else ()
        case SoundKind.ARPABET:
            return _phones(hint.text)
        case _:
            return ()


def _phones(text: str) -> tuple[str, ...]:
    try:
        return (encoded(text.split()),)
    except KeyError:
        return ()


def _joined(pieces: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The readings of a text from those of its pieces."""
    if not pieces:
        return ()
    return tuple("".join(each) for each in islice(product(*pieces), MOST_READINGS))


_NEAREST = str.maketrans(
    {"’": "'", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "th", "þ": "th", "ħ": "h", "ı": "i"}
)
"""Letters that are no other letter with an accent."""


def _plain(word: str) -> str:
    """In lower case, without accents."""
    apart = unicodedata.normalize("NFKD", word.lower().translate(_NEAREST))
    return apart if apart.isascii() else "".join(each for each in apart if not unicodedata.combining(each))


def _stems(word: str) -> Iterator[tuple[str, str]]:
    """Endings that the word may have, each with what would stand before."""
    for ending in ("'s", "s'", "s"):
        if word.endswith(ending):
            yield "s", word.removesuffix(ending)
    if word.endswith("es"):
        yield "s", word[:-2]
    if word.endswith("ies"):
        yield "s", word[:-3] + "y"
    for ending, kind in (("ed", "d"), ("ing", "ing"), ("in'", "in"), ("in", "in")):
        if word.endswith(ending):
            yield kind, word.removesuffix(ending)
            yield kind, word.removesuffix(ending) + "e"
    for ending in ("ly", "ness", "less"):
        if word.endswith(ending):
            yield ending, word.removesuffix(ending)


def _with_ending(sound: str, ending: str) -> str:
    last = sound[-1]
    match ending:
        case "s" if last in _HISSING:
            return sound + encoded(["IH", "Z"])
        case "s":
            return sound + encoded(["S" if last in _VOICELESS else "Z"])
        case "d" if last in _AFTER_T_D:
            return sound + encoded(["IH", "D"])
        case "d":
            return sound + encoded(["T" if last in _VOICELESS + _HISSING[::2] else "D"])
        case _:
            return sound + encoded(_ENDINGS[ending])


_ENDINGS = {
    "ing": ("IH", "NG"), "in": ("IH", "N"), "ly": ("L", "IY"), "ness": ("N", "AH", "S"), "less": ("L", "AH", "S"),
}  # fmt: skip


def _lines(name: str) -> list[str]:
    file = resources.files("voice_ime.personalize").joinpath("data", "english", f"{name}.txt.xz")
    return lzma.decompress(file.read_bytes()).decode().split("\n")
