"""In which language a text is to be spoken: a voice for the wrong one spells it or leaves it out."""

import re

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z]")


def language_of(text: str, usual: str) -> str:
    """zh where there is a Chinese character, else en where there is a letter, else `usual`.

    Chinese voices read English words among theirs; English voices cannot read Chinese.
    """
    if _CHINESE.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else usual
