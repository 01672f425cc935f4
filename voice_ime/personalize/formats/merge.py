"""What a file would change in a profile: a plan that can be looked at before it is carried out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from voice_ime.personalize.formats.base import Item, Reading, Refused, new_id
from voice_ime.personalize.profile import (
    MOST_ENTRIES,
    MOST_LESSONS,
    MOST_RULES,
    MOST_SOUNDS,
    Entry,
    Kind,
    Lesson,
    Profile,
    Rule,
    Source,
)
from voice_ime.store.base import Change, Put

Became = Literal["added", "merged", "unchanged"]
_Key = tuple[Kind, str, str | None, str]
_MOST_TAGS = 50
_MOST: Mapping[Kind, int] = {"entry": MOST_ENTRIES, "rule": MOST_RULES, "lesson": MOST_LESSONS}
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a line becomes."""

    number: int
    became: Became
    kind: Kind
    id: str
    text: str
    """Its written form, or what a rule listens for."""


@dataclass(frozen=True)
class Plan:
    """What an import does."""

    changes: tuple[Change, ...]
    """Empty where lines are refused and the others are not wanted without them."""
    outcomes: tuple[Outcome, ...]
    refused: tuple[Refused, ...]
    ignored: tuple[str, ...] = ()
    """Names of columns that mean nothing to us."""
    preferences: bool = False
    """Whether the file brings preferences."""

    def count(self, became: Became) -> int:
        return sum(outcome.became == became for outcome in self.outcomes)


def planned(profile: Profile, reading: Reading, *, keep_good: bool = False, source: Source = Source.IMPORT) -> Plan:
    """`keep_good`: what is right is taken although other lines are refused.

    An entry with the same written form, language and application is merged: its sounds and tags are united, and what
    else the file says about it replaces what was said before. Rules and lessons are replaced.
    """
    merging = _Merging(profile, source)
    for item in reading.items:
        merging.take(item)
    refused = (*reading.refused, *merging.refused)
    changes: list[Change] = [*map(Put, merging.changed.values())]
    if reading.preferences is not None:
        changes.append(Put(reading.preferences))
    if refused and not keep_good:
        changes = []
    ordered = tuple(sorted(refused, key=lambda each: each.number))
    return Plan(
        tuple(changes), tuple(merging.outcomes), ordered, reading.ignored, preferences=reading.preferences is not None
    )


class _Merging:
    """The state of a profile while one item after the other comes to it."""

    def __init__(self, profile: Profile, source: Source) -> None:
        self._source = source
        known: list[Entry | Rule | Lesson] = [*profile.entries, *profile.rules, *profile.lessons]
        self._known = {_key(each): each for each in known}
        self._ids: dict[Kind, set[str]] = {
            "entry": {each.id for each in profile.entries},
            "rule": {each.id for each in profile.rules},
            "lesson": {each.id for each in profile.lessons},
        }
        self._renamed: dict[str, str] = {}
        """Ids of entries in the file, and what they are here: lessons name their entry."""
        self.changed: dict[str, Entry | Rule | Lesson] = {}
        self.outcomes: list[Outcome] = []
        self.refused: list[Refused] = []

    def take(self, item: Item) -> None:
        if isinstance(item.value, Lesson) and item.value.entry in self._renamed:
            item = replace(item, value=item.value.model_copy(update={"entry": self._renamed[item.value.entry]}))
        key = _key(item.value)
        known = self._known.get(key)
        value = self._new(item) if known is None else _united(known, item)
        reason = self._too_much(value, key[0])
        if reason is not None:
            self.refused.append(replace(reason, number=item.number))
            return
        if isinstance(value, Entry):
            self._renamed[item.value.id] = value.id
        became: Became = "added" if known is None else "unchanged" if value == known else "merged"
        self.outcomes.append(Outcome(item.number, became, key[0], value.id, key[1].partition("\n")[0]))
        if became != "unchanged":
            self._known[key] = value
            self._ids[key[0]].add(value.id)
            self.changed[f"{key[0]} {value.id}"] = value

    def _new(self, item: Item) -> Entry | Rule | Lesson:
        value = item.value
        update: dict[str, object] = {}
        if not isinstance(value, Lesson) and "source" not in item.given:
            update["source"] = self._source
        if value.id in self._ids[_key(value)[0]]:
            update["id"] = new_id()
        return value.model_copy(update=update)

    def _too_much(self, value: Entry | Rule | Lesson, kind: Kind) -> Refused | None:
        if value.id not in self._ids[kind] and len(self._ids[kind]) >= _MOST[kind]:
            return Refused(0, "full", {"limit": _MOST[kind]})
        if isinstance(value, Entry) and len(value.sounds) > MOST_SOUNDS:
            return Refused(0, "too_many", {"field": "sounds", "limit": MOST_SOUNDS})
        if isinstance(value, Entry) and len(value.tags) > _MOST_TAGS:
            return Refused(0, "too_many", {"field": "tags", "limit": _MOST_TAGS})
        return None


def _key(value: Entry | Rule | Lesson) -> _Key:
    if isinstance(value, Entry):
        return "entry", value.written, value.language, value.application
    if isinstance(value, Rule):
        return "rule", value.heard, value.language, value.application
    return "lesson", f"{value.heard}\n{value.written}", value.language, ""


def _united(known: Entry | Rule | Lesson, item: Item) -> Entry | Rule | Lesson:
    new = item.value
    given = {name: getattr(new, name) for name in item.given - {"id", "source"}}
    if isinstance(known, Entry) and isinstance(new, Entry):
        given["sounds"] = _both(known.sounds, new.sounds)
        given["tags"] = _both(known.tags, new.tags)
        given["used"] = max(filter(None, (known.used, new.used)), default=None)
    return known.model_copy(update=given)


def _both(first: Sequence[T], second: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def report(plan: Plan, most: int | None = None) -> dict[str, Any]:
    """As JSON; `most`: of the lines that are taken so many are told one by one."""
    outcomes = [
        {"line": each.number, "became": each.became, "kind": each.kind, "id": each.id, "text": each.text}
        for each in plan.outcomes[:most]
    ]
    return {
        "added": plan.count("added"),
        "merged": plan.count("merged"),
        "unchanged": plan.count("unchanged"),
        "refused": [{"line": each.number, "reason": each.reason, **each.values} for each in plan.refused],
        "ignored_columns": list(plan.ignored),
        "preferences": plan.preferences,
        "lines": outcomes,
    }
