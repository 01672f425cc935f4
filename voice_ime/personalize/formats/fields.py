"""Cells of a list as fields of entries and rules, and back. Names and values may be English or Chinese."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from voice_ime.personalize.formats.base import Unfit
from voice_ime.personalize.formats.sounds import read_sound, write_sound
from voice_ime.personalize.profile import Entry, Rule, Sound

ENTRY_FIELDS = ("written", "sounds", "language", "strength", "application", "note", "tags")
RULE_FIELDS = ("heard", "write", "language", "match_case", "application")

NAMES = {
    **{name: name for name in (*ENTRY_FIELDS, *RULE_FIELDS)},
    "word": "written",
    "name": "written",
    "term": "written",
    "phrase": "written",
    "sounds like": "sounds",
    "replacement": "write",
    "original": "heard",
    "词条": "written",
    "写法": "written",
    "词": "written",
    "词语": "written",
    "姓名": "written",
    "名称": "written",
    "读音": "sounds",
    "语言": "language",
    "强度": "strength",
    "应用": "application",
    "备注": "note",
    "标签": "tags",
    "听到": "heard",
    "写成": "write",
    "区分大小写": "match_case",
}
"""Names of columns, in lower case."""

_STRENGTHS = {"强": "strong", "普通": "normal", "一般": "normal", "弱": "weak", "从不": "never"}
_LANGUAGES = {
    "english": "en",
    "英语": "en",
    "英文": "en",
    "chinese": "zh",
    "mandarin": "zh",
    "中文": "zh",
    "汉语": "zh",
}
_TRUE, _FALSE = {"yes", "true", "1", "是"}, {"no", "false", "0", "否"}


def entry_fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are not empty, by our names. Unfit."""
    return {name: _READ.get(name, str)(cell) for name, cell in cells.items() if cell.strip()}


def rule_fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """As `entry_fields`; what a rule writes may be empty, and is taken as it is."""
    return entry_fields({name: cell for name, cell in cells.items() if name != "write"}) | {
        "write": cells.get("write", "")
    }


def entry_cells(entry: Entry) -> dict[str, str]:
    return {
        "written": entry.written,
        "sounds": write_sounds(entry.sounds),
        "language": entry.language or "",
        "strength": entry.strength.value,
        "application": entry.application,
        "note": entry.note,
        "tags": joined(entry.tags),
    }


def rule_cells(rule: Rule) -> dict[str, str]:
    return {
        "heard": rule.heard,
        "write": rule.write,
        "language": rule.language or "",
        "match_case": "yes" if rule.match_case else "no",
        "application": rule.application,
    }


def read_sounds(cell: str) -> tuple[Sound, ...]:
    """Several ways in which it sounds, between them a vertical line or a semicolon. Unfit."""
    return tuple(dict.fromkeys(read_sound(each) for each in several(cell)))


def write_sounds(sounds: Iterable[Sound]) -> str:
    return joined(write_sound(each) for each in sounds)


def several(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in re.split("[|;；]", cell) if part.strip()))


def joined(parts: Iterable[str]) -> str:
    return " | ".join(re.sub(r"\s*[|;；]\s*", " ", part) for part in parts)


def _one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        word = cell.strip().lower()
        return words.get(word, word)

    return read


def _truth(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in _TRUE | _FALSE:
        raise Unfit("unknown_value", field="match_case")
    return word in _TRUE


def _line(cell: str) -> str:
    """A quotation mark that nobody closed makes one text of many lines."""
    if "\n" in cell.strip() or "\r" in cell.strip():
        raise Unfit("several_lines")
    return cell


_READ: Mapping[str, Callable[[str], Any]] = {
    "written": _line,
    "heard": _line,
    "sounds": read_sounds,
    "tags": several,
    "language": _one_of(_LANGUAGES),
    "strength": _one_of(_STRENGTHS),
    "match_case": _truth,
}
