"""How Mandarin sounds: characters to syllables, and how far one syllable is from another."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

ANY_TONE = 0
NEUTRAL_TONE = 5

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_NEAR_INITIALS: Mapping[float, tuple[str, ...]] = {
    0.3: ("z zh", "c ch", "s sh"),
    0.4: ("n l", "f h"),
    0.5: ("r l",),
    0.6: ("b p", "d t", "g k", "j q", "z c", "zh ch", "m n", "j zh", "q ch", "x sh", "j z", "q c", "x s", "r y"),
}
FINALS = frozenset((
    "a", "ai", "an", "ang", "ao", "e", "ei", "en", "eng", "er", "i", "ia", "ian", "iang", "iao", "ie", "in", "ing",
    "io", "iong", "iu", "o", "ong", "ou", "u", "ua", "uai", "uan", "uang", "ueng", "ui", "un", "uo", "v", "van", "ve",
    "vn", "m", "n", "ng",
))  # fmt: skip
_OTHER_INITIAL = 1.0
_OTHER_TONE = 0.2
_NEAR_TONE = 0.1
"""The second and third tone, which sandhi exchanges, and the neutral one."""
_MEDIAL, _NUCLEUS, _CODA, _NASAL_CODA = 0.4, 0.5, 0.5, 0.3
_MOST = 1.0
"""Of what a final can differ."""

_WITHOUT_INITIAL: Mapping[str, str] = {
    "yu": "v", "yue": "ve", "yuan": "van", "yun": "vn", "you": "iu", "yong": "iong", "yi": "i", "yin": "in",
    "ying": "ing", "ye": "ie", "wu": "u", "wei": "ui", "wen": "un", "weng": "ueng",
}  # fmt: skip
_SHORTENED: Mapping[str, str] = {
    "iu": "iou", "ui": "uei", "un": "uen", "ong": "ung", "iong": "vng", "in": "ien", "ing": "ieng", "vn": "ven",
}  # fmt: skip


_WRITTEN = re.compile("[a-zü:]+[0-5]?")


@dataclass(frozen=True)
class Syllable:
    """One Mandarin syllable."""

    initial: str
    """As pinyin writes it, "zh"; empty: none."""
    final: str
    """As pinyin writes it behind an initial, "iang", ü as v."""
    tone: int = ANY_TONE
    """1 to 4; 5: neutral; 0: any."""

    def __str__(self) -> str:
        return f"{self.initial}{self.final}{self.tone or ''}"


Sounds = tuple[Syllable, ...]


@cache
def syllable(pinyin: str) -> Syllable:
    """The syllable written "zhang1", "lv4", "lü4" or, any tone, "zhang". ValueError where it is none."""
    letters, tone = (pinyin[:-1], int(pinyin[-1])) if pinyin[-1:].isdigit() else (pinyin, ANY_TONE)
    plain = letters.lower().replace("ü", "v").replace("u:", "v")
    initial = next((each for each in _INITIALS if plain.startswith(each)), "")
    final = plain[len(initial) :]
    if initial in ("y", "w"):
        initial, final = "", _WITHOUT_INITIAL.get(plain, ("i" if initial == "y" else "u") + final)
    elif initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    if final not in FINALS or not 0 <= tone <= NEUTRAL_TONE:
        raise ValueError("no syllable of pinyin")
    return Syllable(initial, final, tone)


Kind = Literal["initial", "final"]


@dataclass(frozen=True)
class Ear:
    """What a person tells apart: `fuzzy` as in `Preferences`."""

    fuzzy: tuple[str, ...] = ()

    def fold(self, heard: Syllable) -> Syllable:
        """The one syllable that stands for all that this person does not tell apart from it."""
        initial = self._folding["initial"].get(heard.initial, heard.initial)
        return Syllable(initial, self._folding["final"].get(heard.final, heard.final), heard.tone)

    @cached_property
    def _folding(self) -> Mapping[Kind, Mapping[str, str]]:
        return {kind: _representatives(self._pairs(kind)) for kind in ("initial", "final")}

    def _pairs(self, kind: Kind) -> list[tuple[str, str]]:
        pairs = [(a.strip(), b.strip()) for a, _, b in (each.lower().partition("/") for each in self.fuzzy)]
        if kind == "initial":
            return [pair for pair in pairs if not FINALS.issuperset(pair)]
        finals = [pair for pair in pairs if FINALS.issuperset(pair)]
        return finals + [(f"{medial}{a}", f"{medial}{b}") for a, b in finals for medial in ("i", "u", "v")]


def _representatives(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    groups: list[set[str]] = []
    for pair in pairs:
        joined = [group for group in groups if group.intersection(pair)]
        groups = [group for group in groups if group not in joined] + [set(pair).union(*joined)]
    return {each: min(group) for group in groups for each in group}


def distance(a: Syllable, b: Syllable) -> float:
    """0: the same; 0.3: easily taken for the other; above 1: little in common."""
    return initial_distance(a.initial, b.initial) + final_distance(a.final, b.final) + tone_distance(a.tone, b.tone)


def initial_distance(a: str, b: str) -> float:
    return 0.0 if a == b else _initial_costs().get(frozenset((a, b)), _OTHER_INITIAL)


@cache
def _initial_costs() -> Mapping[frozenset[str], float]:
    return {frozenset(pair.split()): cost for cost, pairs in _NEAR_INITIALS.items() for pair in pairs}


@cache
def final_distance(a: str, b: str) -> float:
    """By medial, nucleus and coda."""
    cost = 0.0
    for part, ours, theirs in zip((_MEDIAL, _NUCLEUS, _CODA), _parts(a), _parts(b), strict=True):
        if ours != theirs:
            cost += _NASAL_CODA if {ours, theirs} == {"n", "ng"} else part
    return min(cost, _MOST)


def _parts(final: str) -> tuple[str, str, str]:
    """(medial, nucleus, coda) of a final: "iang" -> i, a, ng."""
    full = _SHORTENED.get(final, final)
    coda = next((each for each in ("ng", "n", "r") if full.endswith(each) and len(full) > len(each)), "")
    rest = full[: len(full) - len(coda)]
    medial = rest[0] if len(rest) > 1 and rest[0] in "iuv" else ""
    rest = rest[len(medial) :]
    return medial, rest[:1], coda or rest[1:]


def tone_distance(a: int, b: int) -> float:
    if a == b or ANY_TONE in (a, b):
        return 0.0
    return _NEAR_TONE if {a, b} == {2, 3} or NEUTRAL_TONE in (a, b) else _OTHER_TONE


def in_context(text: str) -> Sounds:
    """How each character of `text`, all of them Chinese, is read there. A character without a reading: no sound."""
    from pypinyin import Style, pinyin

    read = pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=_one_by_one)  # type: ignore[arg-type]
    return tuple(_read(each[0]) for each in read)


def _one_by_one(unknown: str) -> list[str]:
    """What pypinyin does not know, which it hands over in one piece."""
    return list(unknown)


@cache
def alone(character: str) -> Sounds:
    """All readings of a character, the commonest first."""
    from pypinyin import Style, pinyin

    read = pinyin(character, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True)
    return tuple(each for each in map(_read, read[0]) if each != SILENT)


def pinyin_of(character: str) -> str:
    """Its commonest reading, "ying2"; empty where nobody can read it."""
    from pypinyin import Style, pinyin

    read = pinyin(character, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    return read[0][0] if read else ""


SILENT = Syllable("", "?", ANY_TONE)
"""Stands for a character without a reading."""


def _read(pinyin: str) -> Syllable:
    try:
        return syllable(pinyin)
    except ValueError:
        return SILENT


_LETTERS: Mapping[str, str] = {
    "a": "ei1", "b": "bi4", "c": "xi1", "d": "di4", "e": "yi4", "f": "ai2 fu2", "g": "ji4", "h": "ai2 chi1", "i": "ai4",
    "j": "zhei4", "k": "kei4", "l": "ai2 lou2", "m": "ai2 mu2", "n": "en1", "o": "ou1", "p": "pi1", "q": "kiu1",
    "r": "a4 er2", "s": "ai2 si1", "t": "ti4", "u": "you1", "v": "wei1", "w": "da2 bu4 liu2", "x": "ai2 ke4 si1",
    "y": "wai4", "z": "zei4",
    "0": "ling2", "1": "yi1", "2": "er4", "3": "san1", "4": "si4", "5": "wu3", "6": "liu4", "7": "qi1", "8": "ba1",
    "9": "jiu3",
}  # fmt: skip


def letter_names(letters: str) -> Sounds:
    """How Latin letters and digits are named among Chinese ones. Others have no name."""
    return tuple(_read(each) for letter in letters.lower() for each in _LETTERS.get(letter, "").split())


def spelled(pinyin: Sequence[str]) -> Sounds | None:
    """The syllables written in `pinyin`; None where one of them is none."""
    read = tuple(_read(each) for each in pinyin)
    return None if SILENT in read or not read else read


def pinyin_sounds(line: str) -> Sounds | None:
    """The syllables of a line of pinyin, "zhang1 wei3"; None where one of them is none, or there is none."""
    return spelled(_WRITTEN.findall(line.casefold()))


def readings(characters: str, most: int, names: Mapping[str, str]) -> list[Sounds]:
    """Ways to read Chinese characters that stand for themselves, at most `most`, the likeliest first.

    The first is that of a phrase, the others read one character otherwise. `names`: the readings of surnames,
    "单" -> "shan4", which come first where a text begins with one.
    """
    plain = in_context(characters)
    bases = [plain]
    for length in (2, 1):
        if reading := spelled(names.get(characters[:length], "").split()):
            bases.insert(0, reading + plain[len(reading) :])
            break
    varied = [_with(base, at, other) for base in bases for at, each in enumerate(characters) for other in alone(each)]
    return list(dict.fromkeys([*bases, *varied]))[:most]


def _with(sounds: Sounds, at: int, other: Syllable) -> Sounds:
    return (*sounds[:at], other, *sounds[at + 1 :])


def fuzzy_pairs() -> tuple[str, ...]:
    """Pairs that many people do not tell apart, as `Preferences.fuzzy` has them."""
    near = [pair.replace(" ", "/") for cost, pairs in _NEAR_INITIALS.items() if cost <= 0.5 for pair in pairs]
    return (*near, "in/ing", "en/eng", "an/ang")
