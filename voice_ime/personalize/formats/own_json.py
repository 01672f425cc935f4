"""A whole profile as JSON: what is written out is read back exactly."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from voice_ime.errors import ImportUnreadable
from voice_ime.personalize.formats.base import (
    Item,
    Reading,
    Refused,
    Unfit,
    entry_of,
    lesson_of,
    preferences_of,
    rule_of,
)
from voice_ime.personalize.profile import Entry, Lesson, Profile, Rule

FORMAT = "voice-ime profile"
VERSION = 1


def write(profile: Profile) -> str:
    body = profile.model_dump(mode="json", exclude={"revision"})
    return json.dumps({"format": FORMAT, "version": VERSION, **body}, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> Reading:
    """ImportUnreadable where it is no JSON, not ours, or of a newer version."""
    body = _body(text)
    items: list[Item] = []
    refused: list[Refused] = []
    _read_list(body.get("entries", []), entry_of, items, refused)
    _read_list(body.get("rules", []), rule_of, items, refused)
    _read_list(body.get("lessons", []), lesson_of, items, refused)
    preferences = None
    try:
        if "preferences" in body:
            preferences = preferences_of(body["preferences"])
    except Unfit as error:
        refused.append(error.at(0))
    return Reading(tuple(items), tuple(refused), preferences)


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise ImportUnreadable(format="JSON") from None
    if isinstance(body, list):
        return {"entries": body}
    if not isinstance(body, dict) or body.get("format", FORMAT) != FORMAT:
        raise ImportUnreadable(format="JSON")
    if body.get("version", VERSION) != VERSION:
        raise ImportUnreadable(format=f"JSON {VERSION}")
    if not all(isinstance(body.get(name, []), list) for name in ("entries", "rules", "lessons")):
        raise ImportUnreadable(format="JSON")
    return body


def _read_list(
    rows: Sequence[Any], make: Callable[[Any], Entry | Rule | Lesson], items: list[Item], refused: list[Refused]
) -> None:
    for number, fields in enumerate(rows, 1):
        try:
            if not isinstance(fields, dict):
                raise Unfit("no_object")
            items.append(Item(number, make(fields), frozenset(fields)))
        except Unfit as error:
            refused.append(error.at(number))
