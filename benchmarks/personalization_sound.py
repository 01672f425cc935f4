"""Recordings with their lists, each heard once, ready to be corrected with any of these lists."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.personalization_data import Habits, Listed
from benchmarks.personalization_run import Condition, Heard, spoken_words
from benchmarks.recordings import Clip, with_progress
from voice_ime.engine.base import Capabilities, Engine, Options
from voice_ime.errors import ConfigError

LISTS = ("terms", "others_100", "others_1000", "near_100")
"""In each line of the terms."""
LINES = "lists.jsonl"
"""In a folder of lists: one line for each clip."""
MANY_OTHERS = "others_5000.txt"
"""Beside the terms: words for long lists."""


@dataclass(frozen=True)
class Terms:
    """The lists of one clip."""

    terms: tuple[str, ...]
    others: tuple[str, ...]
    """A hundred."""
    more: tuple[str, ...]
    """A thousand."""
    near: tuple[str, ...]
    """A hundred, those that sound near first."""

    def listed(self, condition: Condition, many: Sequence[str], said: Iterable[str], seed: int) -> list[str]:
        others = self.others_of(condition, many, said, seed)
        return others if condition.absent else [*self.terms, *others]

    def others_of(self, condition: Condition, many: Sequence[str], said: Iterable[str], seed: int) -> list[str]:
        """What stands in the list besides the terms."""
        plain = self._plain(condition.size, many, said, seed)
        if not condition.near:
            return plain
        near = self.near[: condition.size]
        return [*near, *(word for word in plain if word not in near)][: condition.size]

    def _plain(self, size: int, many: Sequence[str], said: Iterable[str], seed: int) -> list[str]:
        for known in (self.others, self.more):
            if size <= len(known):
                return list(known[:size])
        spoken = set(said)
        left = [word for word in many if word not in spoken]
        if size < len(many):
            return random.Random(seed).sample(left, min(size, len(left)))
        return left


@dataclass(frozen=True)
class Recordings:
    """`personalization_run.Source`: what one decoder heard."""

    utterances: Sequence[Heard]
    can: Capabilities
    lists: Mapping[str, Terms]
    """By id."""
    many: Sequence[str]
    seed: int
    habits: Habits

    def listed(self, one: Heard, condition: Condition) -> Listed:
        lists = self.lists[one.id]
        match condition.own:
            case "all":
                return self.habits.everything(one.speaker, one.said)
            case "others":
                return self.habits.elsewhere(one.speaker, lists.terms, one.said)
        return Listed(frozenset(lists.terms), tuple(lists.others_of(condition, self.many, one.said, self.seed)))


def recordings(
    engine: Engine, known: Mapping[str, Clip], names: Sequence[str], lists: Mapping[str, Terms], many: Sequence[str],
    seed: int, label: str,
) -> Recordings:  # fmt: skip
    """Hears the clips of these names, in English."""
    heard = [_heard(name, known[name], engine) for name in with_progress(names, label)]
    habits = Habits.of((known[name].speaker, lists[name].terms) for name in names)
    return Recordings(heard, engine.capabilities, lists, many, seed, habits)


def _heard(name: str, clip: Clip, engine: Engine) -> Heard:
    utterance = engine.begin(Options("en"))
    utterance.feed(clip.sound)
    return Heard(name, tuple(spoken_words(clip.text)), clip.speaker, utterance.finish(), utterance, spoken_words)


def clips(manifest: Path) -> dict[str, Clip]:
    """By id. ConfigError."""
    try:
        rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip()]
        return {
            row["id"]: Clip(manifest.parent / row["path"], row["text"], row["lang"], row["kind"], row["speaker"])
            for row in rows
        }
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(where=str(manifest), detail=str(error)) from error


def terms_of(file: Path) -> dict[str, Terms]:
    """By the id of the clip. `file`: or the folder that it is in. ConfigError."""
    lines = lines_of(file)
    try:
        rows = [json.loads(line) for line in lines.read_text("utf-8").splitlines() if line.strip()]
        return {row["id"]: Terms(*(tuple(row[name]) for name in LISTS)) for row in rows}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(where=str(lines), detail=str(error)) from error


def many_words(file: Path, lists: Mapping[str, Terms]) -> list[str]:
    """Words for long lists: those beside `file`, or those of all lists where there are none."""
    beside = lines_of(file).parent / MANY_OTHERS
    if beside.is_file():
        return beside.read_text("utf-8").split()
    return sorted({word for each in lists.values() for word in each.more})


def lines_of(file: Path) -> Path:
    """The file of lists, where its folder was given."""
    return file / LINES if file.is_dir() else file
