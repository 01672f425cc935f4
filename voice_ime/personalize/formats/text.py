"""The text of a file whose encoding nobody has told."""

import codecs

from voice_ime.errors import ImportEncoding

_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON = 0.7
"""At least this part of a Chinese text is in GB2312; of a Western text that is taken for Chinese hardly anything."""


def decoded(content: bytes) -> str:
    """UTF-8, UTF-16 with or without a mark, GBK. ImportEncoding where it is none of them: no guess is made."""
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise ImportEncoding() from None
    if "\0" in text or (encoding == "gb18030" and not _is_chinese(text)):
        raise ImportEncoding()
    return text


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKED:
        if content.startswith(mark):
            return encoding
    if (found := _unmarked_utf16(content)) is not None:
        return found
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _unmarked_utf16(content: bytes) -> str | None:
    """By the zeros that every other byte of blanks, digits and line ends is."""
    sample = content[:4096]
    if 0 not in sample or len(content) % 2:
        return None
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if min(low, high) * 4 > max(low, high):
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def _is_chinese(text: str) -> bool:
    foreign = [character for character in text if not character.isascii()]
    return sum(map(_in_gb2312, foreign)) >= _COMMON * len(foreign)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
