"""What it takes to take changes back. Pure: values are compared as the texts they are kept as."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voice_ime.personalize.profile import Kind

Key = tuple[Kind, str]
"""Kind and id."""
Kept = str | None
"""A value as it is kept; None: there is none."""


@dataclass(frozen=True)
class Step:
    """A revision: what each thing was before it and after it."""

    number: int
    changes: Mapping[Key, tuple[Kept, Kept]]


@dataclass(frozen=True)
class Reversal:
    wanted: Mapping[Key, Kept]
    """What things are to be."""
    numbers: tuple[int, ...]
    """The steps of which something is taken back."""
    kept: frozenset[Key]
    """Things that were changed later by a step that is not to be taken back."""


def reversal(steps: Iterable[Step], now: Mapping[Key, Kept]) -> Reversal:
    """Take back `steps`, the newest first, from the state `now`, which names each thing that occurs in them."""
    state, numbers, kept = dict(now), [], set()
    for step in steps:
        for key, (before, after) in step.changes.items():
            if state[key] == after:
                state[key] = before
                numbers.append(step.number)
            elif state[key] != before:
                kept.add(key)
    wanted = {key: value for key, value in state.items() if value != now[key]}
    return Reversal(wanted, tuple(dict.fromkeys(numbers)), frozenset(kept))
