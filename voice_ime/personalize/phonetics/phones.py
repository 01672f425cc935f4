"""English phones as single characters: a sound is a string, and its parts are found by slicing it."""

import re
from collections.abc import Iterable

PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
"""Of ARPAbet, as in CMUdict, without stress."""
CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
"""The character of each phone."""

_CODE = dict(zip(PHONES, CODES, strict=True))
_STRESS = re.compile(r"\d")


def encoded(phones: Iterable[str]) -> str:
    """A character for each phone; stress digits are left out. KeyError where one is no phone of English."""
    return "".join(_CODE[_STRESS.sub("", phone.upper())] for phone in phones)


def decoded(sound: str) -> str:
    """With the names of the phones: "K AE T"."""
    return " ".join(PHONES[CODES.index(code)] for code in sound)
