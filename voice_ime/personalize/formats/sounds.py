"""How a sound is written in one line of a list or a command: "co val ski", "letters: C L I", "zhang1 wei3"."""

import re

from pydantic import ValidationError

from voice_ime.personalize.formats.base import Unfit, unfit
from voice_ime.personalize.profile import Sound, SoundKind

_NAMES = {
    "words": SoundKind.WORDS,
    "词": SoundKind.WORDS,
    "letters": SoundKind.LETTERS,
    "字母": SoundKind.LETTERS,
    "pinyin": SoundKind.PINYIN,
    "拼音": SoundKind.PINYIN,
    "arpabet": SoundKind.ARPABET,
    "音素": SoundKind.ARPABET,
}
_PREFIX = re.compile(rf"\s*({'|'.join(_NAMES)})\s*[:：]\s*(.*)", re.IGNORECASE | re.DOTALL)
_TONED = re.compile(r"[a-zü]+[1-5](\s+[a-zü]+[1-5])*", re.IGNORECASE)
_PHONES = re.compile(
    "(AA|AE|AH|AO|AW|AY|EH|ER|EY|IH|IY|OW|OY|UH|UW)[012]?|B|CH|DH?|F|G|HH|JH|K|L|M|NG?|P|R|SH?|TH?|V|W|Y|ZH?"
)
_RIGHT = {
    SoundKind.WORDS: re.compile(r".*\w.*", re.DOTALL),
    SoundKind.LETTERS: re.compile(r"\w(?:[\s.-]*\w)*\.?"),
    SoundKind.PINYIN: re.compile(r"[a-zü]+:?[0-5]?(?:[\s'-]+[a-zü]+:?[0-5]?)*", re.IGNORECASE),
}


def read_sound(text: str) -> Sound:
    """Unfit where it does not say how something sounds."""
    kind, said = _split(text.strip())
    if kind is SoundKind.ARPABET:
        said = said.upper()
    if not _is_right(kind, said):
        raise Unfit("unknown_sound")
    try:
        return Sound(kind=kind, text=said)
    except ValidationError as error:
        raise unfit(error, "sounds") from None


def write_sound(sound: Sound) -> str:
    """`read_sound` gives it back."""
    if sound.kind is SoundKind.WORDS and _split(sound.text) == (SoundKind.WORDS, sound.text):
        return sound.text
    if sound.kind is SoundKind.PINYIN and _TONED.fullmatch(sound.text):
        return sound.text
    return f"{sound.kind.value}: {sound.text}"


def _split(text: str) -> tuple[SoundKind, str]:
    if match := _PREFIX.fullmatch(text):
        return _NAMES[match[1].lower()], match[2].strip()
    return (SoundKind.PINYIN if _TONED.fullmatch(text) else SoundKind.WORDS), text


def _is_right(kind: SoundKind, said: str) -> bool:
    if kind is SoundKind.ARPABET:
        return bool(said) and all(_PHONES.fullmatch(phone) for phone in said.split())
    return _RIGHT[kind].fullmatch(said) is not None
