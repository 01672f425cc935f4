"""Finds the figures of decision.json, and says what they are worth on speakers that they were not found on.

    python -m benchmarks.personalization_fit --hyps F --refs F --manifest M --terms F --output FILE

Text weights: a logistic regression on what is likeliest at each place, over lists of 100 and 1,000 words, present,
absent and near. Leeway: all settings of a grid, over the lists of the clips. Each is found on half of the speakers and
tried on the other half, and the other way round. Changes of neighbouring places are taken to add up.
"""

import argparse
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.personalization_data import WORDS, Lists, Neighbours, pool_of, spoken
from benchmarks.personalization_run import Case, Condition, Remembering, heard_text, plain_words, spoken_words
from benchmarks.personalization_scores import Errors, errors
from benchmarks.personalization_sound import clips, many_words, terms_of
from benchmarks.recordings import with_progress
from benchmarks.start import facts
from voice_ime.engine.base import Hypothesis, Options, Substitution, Utterance, replaced
from voice_ime.engine.catalog import load
from voice_ime.personalize.decide import Decider
from voice_ime.personalize.english_index import EnglishIndex
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Entry
from voice_ime.personalize.text_model import features
from voice_ime.personalize.weighing import Weighing
from voice_ime.settings import Settings

Floats = NDArray[np.float64]

TEXT_FIT_SIZES = (100, 1000)
SOUND_FIT_SIZES = (100, 1000, 5000)
NEAR_SIZE = 100
NEUTRAL = 0.3
"""Weight of replacing what is wrong by something else that is wrong."""
START = {"distance": -8.0}
"""Text weights that every fit starts from: the nearest entry first. The settled ones know all speakers already."""
ROUNDS = 6
"""Of fitting, and finding again what is likeliest at each place."""
MOST = 3
GRID = {
    "text": (0.5, 0.8, 1.0),
    "density": (0.0, 1.0, 2.0, 3.0),
    "doubt": (0.0, 1.0, 2.0, 2.5, 3.0),
    "constant": tuple(np.arange(3.0, 9.1, 0.5).tolist()),
}
HARMS = (0.0, 0.5, 1.0, 3.0)
"""What replacing a right word may count for when a setting is chosen, beyond the error that it makes."""


@dataclass(frozen=True)
class Row:
    """An entry that could be written in a place."""

    first: int
    last: int
    columns: tuple[float, ...]
    """Text: what `features` tells. Sound: price, text score, density, doubt."""
    others: int
    """By how much the errors on other words change..."""
    listed: int
    """... and those on listed ones."""

    @property
    def gain(self) -> int:
        return self.others + self.listed


@dataclass(frozen=True)
class Example:
    """One utterance with one list."""

    speaker: str
    before: Errors
    rows: tuple[Row, ...]

    def chosen(self, scores: Floats, least: float) -> list[Row]:
        """The likeliest rows without overlaps that score above `least`."""
        found: list[Row] = []
        for number in np.argsort(-scores):
            row = self.rows[number]
            if scores[number] <= least:
                break
            if all(row.first >= other.last or other.first >= row.last for other in found):
                found.append(row)
        return found


Examples = Mapping[str, Sequence[Example]]
"""By condition."""


def name_of(condition: Condition) -> str:
    kind = "absent" if condition.absent else "present"
    return f"near {kind}" if condition.near else f"{kind} {condition.size}"


def conditions(source: str, sizes: Sequence[int]) -> list[Condition]:
    plain = [Condition(source, size, absent) for size in sizes for absent in (False, True)]
    return plain + [Condition(source, NEAR_SIZE, absent, near=True) for absent in (False, True)]


def row_of(case: Case, before: Errors, first: int, last: int, written: str, columns: Sequence[float]) -> Row:
    after = errors(case.said, case.words_of(replaced(case.heard, first, last, written)), case.terms)
    return Row(first, last, tuple(columns), after.others - before.others, after.listed - before.listed)


def before_of(case: Case) -> Errors:
    return errors(case.said, case.words_of(case.heard.text), case.terms)


def entries_of(words: Sequence[str]) -> list[Entry]:
    return [Entry(id=f"e{number}", written=word) for number, word in enumerate(dict.fromkeys(words))]


# --- what there is to learn from ---


def text_examples(hyps: Path, refs: Path, english: English, weighing: Weighing) -> tuple[list[str], Examples]:
    """The names of the columns, and the examples."""
    everything = spoken(hyps, refs)
    pool = pool_of(refs.parent / WORDS, everything)
    lists, near = Lists(pool), Neighbours(pool, english)
    names: list[str] = []
    found: dict[str, list[Example]] = {}
    for condition in conditions("text", TEXT_FIT_SIZES):
        for one in with_progress(everything, name_of(condition)):
            case = Case(one.said, frozenset(one.terms), one.speaker, heard_text(one.heard), plain_words)
            others = lists.near(one, near, condition.size) if condition.near else lists.others(one, condition.size)
            listed = others if condition.absent else [*one.terms, *others]
            names, example = _text_example(case, EnglishIndex(entries_of(listed), english, weighing))
            found.setdefault(name_of(condition), []).append(example)
    return names, found


def _text_example(case: Case, index: EnglishIndex) -> tuple[list[str], Example]:
    places, before = index.places(case.heard, None), before_of(case)
    table = features(places)
    columns = np.stack(list(table.values()), axis=1).tolist()
    rows = tuple(
        row_of(case, before, place.first, place.last, place.entry.written, column)
        for place, column in zip(places, columns, strict=True)
        if not index.alike(place)
    )
    return list(table), Example(case.speaker, before, rows)


def sound_examples(manifest: Path, terms: Path, english: English, weighing: Weighing) -> Examples:
    engine, decider = load(Settings().engine), Decider(weighing.balance)
    lists, known = terms_of(terms), clips(manifest)
    many = many_words(terms, lists)
    found: dict[str, list[Example]] = {}
    for name in with_progress([name for name in lists if name in known], "sound"):
        clip, utterance = known[name], engine.begin(Options("en"))
        utterance.feed(clip.sound)
        said = tuple(spoken_words(clip.text))
        case = Case(said, frozenset(lists[name].terms), clip.speaker, utterance.finish(), spoken_words)
        prices: dict[tuple[int, int, str], float] = {}
        for condition in conditions("sound", SOUND_FIT_SIZES):
            index = EnglishIndex(entries_of(lists[name].listed(condition, many, said, 0)), english, weighing)
            example = _sound_example(case, index, utterance, decider, prices)
            found.setdefault(name_of(condition), []).append(example)
    return found


def _sound_example(
    case: Case,
    index: EnglishIndex,
    utterance: Utterance,
    decider: Decider,
    prices: dict[tuple[int, int, str], float],
) -> Example:
    before = before_of(case)
    rows: list[Row] = []
    for place, score in index.likeliest(index.places(case.heard, None)):
        key = place.first, place.last, place.entry.written
        if key not in prices:
            prices[key] = _price(utterance, case.heard, key, decider)
        if not index.alike(place):
            rows.append(row_of(case, before, *key, (prices[key], score, place.density, place.doubt)))
    return Example(case.speaker, before, tuple(rows))


def _price(utterance: Utterance, heard: Hypothesis, key: tuple[int, int, str], decider: Decider) -> float:
    first, last, written = key
    price = utterance.price(heard, [Substitution(first, last, decider.spellings(written))])[0]
    return -math.inf if price is None else price


# --- text weights ---


def fitted(examples: Sequence[Example], start: Floats) -> Floats:
    """The weights under which what is likeliest at each place is best told apart into help and harm."""
    weights = start
    for _ in range(ROUNDS):
        rows = [row for one in examples if one.rows for row in one.chosen(_linear(one, weights), -np.inf)]
        table = np.array([row.columns for row in rows])
        helps = np.array([row.gain < 0 for row in rows], float)
        counts = np.array([1.0 if row.gain < 0 else float(row.gain) if row.gain else NEUTRAL for row in rows])
        weights = _logistic(table, helps, counts, weights)
    return weights


def _linear(one: Example, weights: Floats) -> Floats:
    return np.array([row.columns for row in one.rows]) @ weights


def _logistic(table: Floats, helps: Floats, counts: Floats, start: Floats) -> Floats:
    """By Newton's method, with a little weight on small weights."""
    weights = start.copy()
    for _ in range(40):
        sure = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (counts * (sure - helps)) + weights
        bend = (table * (counts * sure * (1 - sure))[:, np.newaxis]).T @ table + np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights -= step
        if float(np.abs(step).max()) < 1e-4:
            break
    return weights


def fit_text(names: Sequence[str], examples: Examples) -> dict[str, Any]:
    first = np.array([START.get(name, 0.0) for name in names])
    everything = [one for each in examples.values() for one in each]
    folds: list[dict[str, Counted]] = []
    for split in range(3):
        half = _half([one.speaker for one in everything], split)
        parts = [fitted([one for one in everything if (one.speaker in half) == side], first) for side in (True, False)]
        folds.append(_counted(examples, lambda one, a=parts, h=half: _linear(one, a[one.speaker in h])))  # type: ignore[misc]
    weights = fitted(everything, first)
    return {
        "weights": dict(zip(names, weights.round(2).tolist(), strict=True)),
        "cross_validated": _mean(folds),
        "splits": 3,
    }


# --- leeway ---


def fit_leeway(examples: Examples, harms: Sequence[float]) -> list[dict[str, Any]]:
    settings = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
    scorers = [_scorer(each) for each in settings]
    tried = {name: [[_one(one, score) for one in each] for score in scorers] for name, each in examples.items()}
    speakers = [one.speaker for one in next(iter(examples.values()))]
    return [{"harm": harm, "settings": len(settings)} | _leeway(settings, tried, speakers, harm) for harm in harms]


def _leeway(
    settings: Sequence[Mapping[str, float]],
    tried: Mapping[str, Sequence[Sequence["Counted"]]],
    speakers: Sequence[str],
    harm: float,
) -> dict[str, Any]:
    """`tried`: by condition, what came out with each setting for each example."""
    costs = np.array(
        [[[each.errors.all + harm * each.harm for each in row] for row in rows] for rows in tried.values()]
    ).sum(axis=0)
    folds: list[dict[str, Counted]] = []
    for split in range(20):
        half = np.isin(speakers, sorted(_half(speakers, split)))
        best = {side: _middle(costs[:, half == side].sum(axis=1)) for side in (True, False)}
        sides = half.tolist()
        folds.append(
            {
                name: sum((rows[best[not side]][place] for place, side in enumerate(sides)), Counted())
                for name, rows in tried.items()
            }
        )
    return {"best": settings[_middle(costs.sum(axis=1))], "cross_validated": _mean(folds), "splits": len(folds)}


def _scorer(setting: Mapping[str, float]) -> Callable[[Example], Floats]:
    weights = np.array([1.0, setting["text"], setting["density"], setting["doubt"]])
    return lambda one: np.maximum([row.columns for row in one.rows], -1e3) @ weights + setting["constant"]


def _middle(costs: Floats) -> int:
    """Of the best settings one in the middle: there are often many."""
    best = np.flatnonzero(costs == costs.min())
    return int(best[len(best) // 2])


# --- counting ---


@dataclass(frozen=True)
class Counted:
    errors: Errors = field(default_factory=Errors)
    harm: int = 0
    """Replacements that made something worse."""

    def __add__(self, more: "Counted") -> "Counted":
        return Counted(self.errors + more.errors, self.harm + more.harm)


def _one(one: Example, score: Callable[[Example], Floats]) -> Counted:
    if not one.rows:
        return Counted(one.before)
    rows = one.chosen(score(one), 0.0)[:MOST]
    change = Errors(others=sum(row.others for row in rows), listed=sum(row.listed for row in rows))
    return Counted(one.before + change, sum(row.gain > 0 for row in rows))


def _counted(examples: Examples, score: Callable[[Example], Floats]) -> dict[str, Counted]:
    return {name: sum((_one(one, score) for one in each), Counted()) for name, each in examples.items()}


def _half(speakers: Sequence[str], split: int) -> frozenset[str]:
    names = sorted(set(speakers))
    return frozenset(np.random.default_rng(split).permutation(names)[: len(names) // 2].tolist())


def _mean(folds: Sequence[Mapping[str, Counted]]) -> dict[str, dict[str, float]]:
    """The rates of all splits together."""
    found = {}
    for name in folds[0]:
        total = sum((fold[name] for fold in folds), Counted())
        words = total.errors.other_words + total.errors.listed_words
        harm = {"replaced_right_to_wrong_per_1000": round(1000 * total.harm / words, 2)}
        found[name] = total.errors.rates() | harm
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("hyps", "refs", "manifest", "terms", "output"):
        parser.add_argument(f"--{option}", type=Path, required=option == "output")
    arguments = parser.parse_args()
    weighing, english = Weighing.from_file(), Remembering()
    figures: dict[str, Any] = {"about": facts() | {"settings": weighing.hash}}
    if arguments.manifest:
        examples = sound_examples(arguments.manifest, arguments.terms, english, weighing)
        figures["leeway"] = fit_leeway(examples, HARMS)
    if arguments.hyps:
        names, texts = text_examples(arguments.hyps, arguments.refs, english, weighing)
        figures["text"] = fit_text(names, texts)
    arguments.output.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
