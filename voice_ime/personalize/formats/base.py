"""What every format reads a file into."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from voice_ime.errors import Value
from voice_ime.personalize.formats.sayable import is_sayable
from voice_ime.personalize.phonetics.mandarin import fuzzy_pairs
from voice_ime.personalize.profile import Entry, Lesson, Preferences, Rule

MOST_BYTES = 10_000_000
MOST_LINES = 20_000

T = TypeVar("T")
_ENTRY = TypeAdapter(Entry)
_RULE = TypeAdapter(Rule)
_LESSON = TypeAdapter(Lesson)


@dataclass(frozen=True)
class Item:
    """An entry, a rule or a lesson out of a file."""

    number: int
    """Its line (in JSON: its place in the list), from 1."""
    value: Entry | Rule | Lesson
    given: frozenset[str]
    """The fields that the file says something about; the others have their usual values."""


@dataclass(frozen=True)
class Refused:
    """A line that cannot be kept. The sentence is in the catalogues under profile.refused.<reason>."""

    number: int
    reason: str
    values: Mapping[str, Value] = field(default_factory=dict)
    """What the sentence needs; nothing out of the line itself."""


@dataclass(frozen=True)
class Reading:
    """What a file holds."""

    items: tuple[Item, ...] = ()
    refused: tuple[Refused, ...] = ()
    preferences: Preferences | None = None
    ignored: tuple[str, ...] = ()
    """Names of columns that mean nothing to us."""


class Unfit(Exception):
    """A line is wrong. Arguments: the reason, then the values of its sentence."""

    def __init__(self, reason: str, **values: Value) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values

    def at(self, number: int) -> Refused:
        return Refused(number, self.reason, self.values)


def new_id() -> str:
    """For an entry or a rule: never the same twice, and short enough to be heard."""
    return secrets.token_hex(6)


def entry_of(fields: Mapping[str, Any]) -> Entry:
    """Unfit says what is wrong."""
    entry = _valid(_ENTRY, fields)
    if not all(is_sayable(sound.kind, sound.text) for sound in entry.sounds):
        raise Unfit("unknown_sound")
    return entry


def lesson_of(fields: Mapping[str, Any]) -> Lesson:
    """Unfit says what is wrong."""
    return _valid(_LESSON, fields)


def rule_of(fields: Mapping[str, Any]) -> Rule:
    """Unfit says what is wrong."""
    from voice_ime.engine.base import SENTENCE_MARKS  # with numpy, for which a command that adds a word need not wait

    rule = _valid(_RULE, fields)
    if not rule.heard.strip(SENTENCE_MARKS):
        raise Unfit("no_word", field="heard")
    return rule


def preferences_of(fields: Mapping[str, Any]) -> Preferences:
    """Unfit says what is wrong."""
    try:
        preferences = Preferences.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        raise _unfit_preference(error) from None
    except TypeError:
        raise Unfit("preferences") from None
    known = fuzzy_pairs()
    if not set(preferences.fuzzy).issubset(known):
        raise Unfit("pair", pairs=tuple(known))
    return preferences


def _unfit_preference(error: ValidationError) -> Unfit:
    found = unfit(error)
    return found if found.values.get("field") else Unfit("preferences")


def _valid(kind: TypeAdapter[T], fields: Mapping[str, Any]) -> T:
    try:
        return kind.validate_python({"id": new_id(), **fields})
    except ValidationError as error:
        raise unfit(error) from None


def unfit(error: ValidationError, field: str | None = None) -> Unfit:
    """The first thing that is wrong, without what stands there. `field`: the name of the whole."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = field or (str(first["loc"][0]) if first["loc"] else "")
    match first["type"]:
        case "missing" | "string_too_short":
            return Unfit("missing", field=place)
        case "string_too_long":
            return Unfit("too_long", field=place, limit=first["ctx"]["max_length"])
        case "too_long":
            return Unfit("too_many", field=place, limit=first["ctx"]["max_length"])
        case "less_than_equal":
            return Unfit("at_most", field=place, limit=f"{first['ctx']['le']:g}")
        case "greater_than_equal":
            return Unfit("at_least", field=place, limit=f"{first['ctx']['ge']:g}")
        case "control_character":
            return Unfit("control_character", field=place)
        case "enum" | "literal_error":
            return Unfit("unknown_value", field=place)
        case "extra_forbidden":
            return Unfit("unknown_field")
        case _:
            return Unfit("wrong_value", field=place)
