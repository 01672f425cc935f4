"""How a sound is written in one line of a list or a command: "co val ski", "letters: C L I", "zhang1 wei3"."""

import re

from pydantic import ValidationError

from voice_ime.personalize.formats.base import Unfit, unfit
from voice_ime.personalize.formats.sayable import is_sayable
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


def read_sound(text: str) -> Sound:
    """Unfit where it does not say how something sounds."""
    kind, said = _split(text.strip())
    if kind is SoundKind.ARPABET:
        said = said.upper()
    if not is_sayable(kind, said):
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
    is_pinyin = _TONED.fullmatch(text) and is_sayable(SoundKind.PINYIN, text)  # "mp3" is none
    return (SoundKind.PINYIN if is_pinyin else SoundKind.WORDS), text
