"""Why something cannot be kept, in the person's language."""

from collections.abc import Mapping

from voice_ime.errors import Value, WrongValue
from voice_ime.messages import Messages
from voice_ime.personalize.formats.base import Unfit

FIELDS = frozenset((
    "written", "sounds", "language", "strength", "application", "note", "tags", "heard", "write", "match_case",
    "learn", "fuzzy", "latin_spaces", "script", "endpoint_delay_s", "engine", "final_engine",
))  # fmt: skip
"""Fields that have a name of their own in the catalogues."""


def reason(messages: Messages, key: str, values: Mapping[str, Value]) -> str:
    """A part of a sentence, for `Refused` and `Unfit` alike."""
    return messages(f"profile.refused.{key}", **{**values, "field": _field(messages, values)})


def wrong_value(error: Unfit, messages: Messages) -> WrongValue:
    """What one thing that somebody entered is told as."""
    where = _field(messages, error.values)
    return WrongValue(where=where, detail=reason(messages, error.reason, error.values))


def _field(messages: Messages, values: Mapping[str, Value]) -> str:
    name = values.get("field")
    return messages(f"profile.field.{name if name in FIELDS else 'other'}")
