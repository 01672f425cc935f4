"""The plainest list: one entry a line, "written" or "written = how it sounds"."""

from collections.abc import Sequence

from voice_ime.personalize.formats.base import Item, Reading, Refused, Unfit, entry_of
from voice_ime.personalize.formats.fields import entry_fields, write_sounds
from voice_ime.personalize.profile import Entry

BETWEEN = " = "


def read(text: str) -> Reading:
    items: list[Item] = []
    refused: list[Refused] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if line.strip():
            try:
                items.append(_item(number, line))
            except Unfit as error:
                refused.append(error.at(number))
    return Reading(tuple(items), tuple(refused))


def write(entries: Sequence[Entry]) -> str:
    return "".join(f"{_line(entry)}\n" for entry in entries)


def _item(number: int, line: str) -> Item:
    written, _, sounds = line.replace("＝", BETWEEN).partition(BETWEEN)
    fields = entry_fields({"written": written, "sounds": sounds})
    return Item(number, entry_of(fields), frozenset(fields))


def _line(entry: Entry) -> str:
    return entry.written + (BETWEEN + write_sounds(entry.sounds) if entry.sounds else "")
