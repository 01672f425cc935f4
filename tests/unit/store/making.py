"""Entries, rules and authors for tests of the store."""

from datetime import UTC, datetime, timedelta

from voice_ime.personalize.profile import Entry, Lesson, Rule, Source
from voice_ime.store.base import Author

PERSON = Author(Source.PERSON, "command")
CARETAKER = Author(Source.CARETAKER, "rest")
LEARNED = Author(Source.LEARNED, "dictation")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(id: str, written: str | None = None, **fields: object) -> Entry:
    return Entry.model_validate({"id": id, "written": written or id, **fields})


def rule(id: str, heard: str, write: str, **fields: object) -> Rule:
    return Rule.model_validate({"id": id, "heard": heard, "write": write, **fields})


def lesson(id: str, heard: str, written: str, **fields: object) -> Lesson:
    return Lesson.model_validate({"id": id, "heard": heard, "written": written, "language": "en", **fields})


class Clock:
    """Goes on one hour each time it is asked."""

    def __init__(self) -> None:
        self._now = NOON - timedelta(hours=1)

    def __call__(self) -> datetime:
        self._now += timedelta(hours=1)
        return self._now
