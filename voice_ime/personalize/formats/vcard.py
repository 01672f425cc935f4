"""Contacts: the names of people and organisations out of vCard files, versions 2.1 to 4.0.

An own small reader: of a contact only four properties matter, address books break the rules of the format in ways that
strict libraries refuse, and the libraries for it bring more than they spare.
"""

import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from voice_ime.errors import ImportUnreadable
from voice_ime.personalize.formats.base import Item, Reading, Refused, Unfit, entry_of
from voice_ime.personalize.formats.sounds import read_sound
from voice_ime.personalize.profile import Entry, Sound, one_line

TAG = "contact"
_HAN = re.compile("[㐀-鿿豈-﫿\U00020000-\U0003ffff]")
_LINE = re.compile(
    r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>(?:;(?:[^:;\"]|\"[^\"]*\")*)*):(?P<value>.*)", re.DOTALL
)


@dataclass(frozen=True)
class _Property:
    number: int
    """Of its line."""
    name: str
    value: str
    """Still with its backslashes."""


def read(text: str) -> Reading:
    """Full names, family and given names, nicknames and organisations. ImportUnreadable where there is no contact."""
    items: list[Item] = []
    refused: list[Refused] = []
    cards = list(_cards(_properties(text)))
    if not cards:
        raise ImportUnreadable(format="vCard")
    for number, card in cards:
        try:
            items += _items(number, card)
        except Unfit as error:
            refused.append(error.at(number))
    return Reading(tuple(items), tuple(refused))


def write(entries: Sequence[Entry]) -> str:
    """A contact for each entry, by its written form."""
    cards = (("BEGIN:VCARD", "VERSION:3.0", f"FN:{_escaped(each.written)}", "N:;;;;", "END:VCARD") for each in entries)
    return "".join(f"{line}\r\n" for card in cards for line in card)


# --- lines -----------------------------------------------------------------------------------------------------------


def _properties(text: str) -> Iterator[_Property]:
    for number, line in _unfolded(re.split("\r\n|\n|\r", text)):
        if match := _LINE.fullmatch(line):
            yield _Property(number, match["name"].upper(), _decoded(match["value"], match["parameters"].upper()))


def _unfolded(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Long lines are folded: the rest begins with a blank, or, in quoted-printable, follows a = at the end."""
    whole, begun = "", 1
    for number, line in enumerate(lines, 1):
        if whole and _is_quoted(whole) and whole.endswith("="):
            whole = whole[:-1] + line.lstrip()
        elif whole and line[:1] in (" ", "\t"):
            whole += line[1:]
        else:
            if whole:
                yield begun, whole
            whole, begun = line, number
    if whole:
        yield begun, whole


def _is_quoted(line: str) -> bool:
    return "QUOTED-PRINTABLE" in line.partition(":")[0].upper()


def _decoded(value: str, parameters: str) -> str:
    if "QUOTED-PRINTABLE" not in parameters:
        return value
    charset = match[1] if (match := re.search(r"CHARSET=\"?([\w-]+)", parameters)) else "utf-8"
    try:
        return quopri.decodestring(value.encode()).decode(charset)
    except (LookupError, UnicodeDecodeError):
        return ""


# --- contacts --------------------------------------------------------------------------------------------------------


def _cards(properties: Iterable[_Property]) -> Iterator[tuple[int, list[_Property]]]:
    """Each contact with the number of its first line. The last property is its end, unless it breaks off."""
    card: list[_Property] | None = None
    begun = 0
    for each in properties:
        begins = _is_mark(each, "BEGIN")
        if begins and card is not None:
            yield begun, card
        if begins:
            card, begun = [], each.number
        elif card is not None:
            card.append(each)
            if _is_mark(each, "END"):
                yield begun, card
                card = None
    if card is not None:
        yield begun, card


def _is_mark(each: _Property, name: str) -> bool:
    return each.name == name and each.value.strip().upper() == "VCARD"


def _items(number: int, card: Sequence[_Property]) -> list[Item]:
    if not (card and _is_mark(card[-1], "END")):
        raise Unfit("breaks_off")
    sounds = _sounds(card)
    every = list(filter(None, _names(card)))
    names = dict.fromkeys(filter(_is_worth_it, every))
    if not names:
        raise Unfit("bare_name" if every else "no_name")
    fields = [{"written": name, "tags": [TAG], "sounds": sounds.get(name, ())} for name in names]
    return [Item(number, entry_of(each), frozenset(("written", "tags"))) for each in fields]


def _names(card: Sequence[_Property]) -> Iterator[str]:
    for each in card:
        match each.name:
            case "FN":
                yield _unescaped(each.value)
            case "N":
                yield from _parts(each.value, ";")[:2]
            case "NICKNAME":
                yield from _parts(each.value, ",")
            case "ORG":
                yield _parts(each.value, ";")[0]


def _sounds(card: Sequence[_Property]) -> dict[str, tuple[Sound, ...]]:
    """Address books of telephones note how family and given names sound."""
    values = {each.name: each.value for each in card}
    names = _parts(values.get("N", ""), ";")
    known: dict[str, tuple[Sound, ...]] = {}
    for place, said in enumerate(("X-PHONETIC-LAST-NAME", "X-PHONETIC-FIRST-NAME")):
        text = _unescaped(values.get(said, ""))
        if text and place < len(names) and names[place]:
            known[names[place]] = (read_sound(text),)
    return known


def _is_worth_it(name: str) -> bool:
    """A single character is a surname or a given name of millions: as an entry it would only do harm."""
    return len(name) > 1 if _HAN.search(name) else bool(re.search(r"[^\W\d_]", name))


def _parts(value: str, separator: str) -> list[str]:
    return [_unescaped(part) for part in re.split(rf"(?<!\\){separator}", value)]


def _unescaped(value: str) -> str:
    bare = re.sub(r"\\(.)", lambda match: " " if match[1] in "nN" else match[1], value)
    try:
        return str(one_line(bare))
    except PydanticCustomError:
        raise Unfit("control_character", field="written") from None


def _escaped(text: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", text)
