"""The formats, by name: a new one is one file and one row."""

from collections.abc import Callable
from dataclasses import dataclass

from voice_ime.errors import ImportTooLarge, UnknownFormat
from voice_ime.personalize.formats import csv_list, own_json, txt, vcard
from voice_ime.personalize.formats.base import MOST_BYTES, MOST_LINES, Reading
from voice_ime.personalize.formats.text import decoded
from voice_ime.personalize.profile import Profile
from voice_ime.uncollected import uncollected


@dataclass(frozen=True)
class Format:
    name: str
    endings: tuple[str, ...]
    """Of the names of its files."""
    media_type: str
    read: Callable[[str], Reading]
    """ImportUnreadable where the file as a whole makes no sense."""
    write: Callable[[Profile], str]
    by_lines: bool = True
    """Whether an entry is a line."""


FORMATS = (
    Format(
        "csv",
        (".csv", ".tsv"),
        "text/csv",
        csv_list.read,
        lambda profile: "\ufeff" + csv_list.write_entries(profile.entries),  # the mark tells spreadsheets the encoding
    ),
    Format("txt", (".txt",), "text/plain", txt.read, lambda profile: txt.write(profile.entries)),
    Format("json", (".json",), "application/json", own_json.read, own_json.write, by_lines=False),
    Format(
        "vcard",
        (".vcf", ".vcard"),
        "text/vcard",
        vcard.read,
        lambda profile: vcard.write(profile.entries),
        by_lines=False,
    ),
    Format(
        "rules-csv",
        (),
        "text/csv",
        csv_list.read,
        lambda profile: "\ufeff" + csv_list.write_rules(profile.rules),
    ),
)


def format_named(name: str) -> Format:
    """By its own name or that of a file. UnknownFormat."""
    for each in FORMATS:
        if each.name == name or name.lower().endswith(each.endings or ("\0",)):
            return each
    raise UnknownFormat(known=tuple(each.name for each in FORMATS))


def too_large() -> ImportTooLarge:
    return ImportTooLarge(megabytes=MOST_BYTES // 1_000_000, lines=MOST_LINES)


def read(content: bytes, form: Format) -> Reading:
    """ImportTooLarge, ImportEncoding, ImportUnreadable."""
    if len(content) > MOST_BYTES:
        raise too_large()
    text = decoded(content)
    if form.by_lines and text.count("\n") > MOST_LINES:
        raise too_large()
    with uncollected():
        reading = form.read(text)
    if len(reading.items) + len(reading.refused) > MOST_LINES:
        raise too_large()
    return reading
