"""Lists with columns: entries (written, sounds, language, ...) or rules (heard, write, ...)."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from voice_ime.personalize.formats.base import Item, Reading, Refused, Unfit, entry_of, rule_of
from voice_ime.personalize.formats.fields import (
    ENTRY_FIELDS,
    NAMES,
    RULE_FIELDS,
    entry_cells,
    entry_fields,
    rule_cells,
    rule_fields,
)
from voice_ime.personalize.profile import Entry, Rule

DELIMITERS = ",;\t，；"
_SURE = ("written", "heard")
"""Columns of which a headline has one."""


def read(text: str) -> Reading:
    """With a headline in any order, or without one: then the columns are the written form and its sounds."""
    rows = list(_rows(text))
    names, ignored, first = _columns(rows)
    items: list[Item] = []
    refused: list[Refused] = []
    for number, cells in rows[first:]:
        try:
            if isinstance(cells, Unfit):
                raise cells
            if any(cell.strip() for cell in cells):
                items.append(_item(number, _named(names, cells)))
        except Unfit as error:
            refused.append(error.at(number))
    return Reading(tuple(items), tuple(refused), ignored=ignored)


def write_entries(entries: Sequence[Entry]) -> str:
    return _write(ENTRY_FIELDS, map(entry_cells, entries))


def write_rules(rules: Sequence[Rule]) -> str:
    return _write(RULE_FIELDS, map(rule_cells, rules))


def _write(names: Sequence[str], rows: Iterator[Mapping[str, str]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _rows(text: str) -> Iterator[tuple[int, list[str] | Unfit]]:
    """Each row with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, Unfit("quotes")


def _delimiter(text: str) -> str:
    """The one that the first line that is not empty has most of."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(line.split('"')[0::2])
    return max(DELIMITERS, key=bare.count)


def _columns(rows: Sequence[tuple[int, list[str] | Unfit]]) -> tuple[list[str | None], tuple[str, ...], int]:
    """Our names of the columns (None: not ours), the other names, and the first row after the headline."""
    for place, (_, cells) in enumerate(rows):
        if isinstance(cells, Unfit):
            break
        if not any(cell.strip() for cell in cells):
            continue
        names = [NAMES.get(cell.strip().lower()) for cell in cells]
        if any(name in names for name in _SURE):
            unknown = [cell.strip() for cell, name in zip(cells, names, strict=True) if name is None and cell.strip()]
            return list(names), tuple(unknown), place + 1
        break
    return ["written", "sounds"], (), 0


def _named(names: Sequence[str | None], cells: Sequence[str]) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(names) :]):
        raise Unfit("columns", count=len(cells), expected=len(names))
    return {name: cell for name, cell in zip(names, cells, strict=False) if name is not None}


def _item(number: int, cells: Mapping[str, str]) -> Item:
    if "heard" in cells:
        fields = rule_fields({name: cell for name, cell in cells.items() if name in RULE_FIELDS})
        return Item(number, rule_of(fields), frozenset(fields))
    fields = entry_fields({name: cell for name, cell in cells.items() if name in ENTRY_FIELDS})
    return Item(number, entry_of(fields), frozenset(fields))
