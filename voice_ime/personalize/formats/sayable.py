"""Whether what was given as a sound says how something sounds."""

import re

from voice_ime.personalize.phonetics.mandarin import pinyin_sounds
from voice_ime.personalize.profile import SoundKind

_PHONES = re.compile(
    "(AA|AE|AH|AO|AW|AY|EH|ER|EY|IH|IY|OW|OY|UH|UW)[012]?|B|CH|DH?|F|G|HH|JH|K|L|M|NG?|P|R|SH?|TH?|V|W|Y|ZH?"
)
_RIGHT = {
    SoundKind.WORDS: re.compile(r".*\w.*", re.DOTALL),
    SoundKind.LETTERS: re.compile(r"[A-Za-z0-9](?:[\s.-]*[A-Za-z0-9])*\.?"),
    SoundKind.PINYIN: re.compile(r"[a-zü]+:?[0-5]?(?:[\s'-]+[a-zü]+:?[0-5]?)*", re.IGNORECASE),
}


def is_sayable(kind: SoundKind, text: str) -> bool:
    """Whether `text` is a sound of that kind."""
    if kind is SoundKind.ARPABET:
        return bool(text.split()) and all(_PHONES.fullmatch(phone) for phone in text.upper().split())
    if not _RIGHT[kind].fullmatch(text):
        return False
    return kind is not SoundKind.PINYIN or pinyin_sounds(text) is not None
