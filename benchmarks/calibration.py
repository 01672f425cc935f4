"""Whether a calibration makes confidence truer for speakers it has not seen, and the weights found on all of them.

No sound, no clock. Half of the speakers serve to find the weights, the other half to judge them, and the reverse; many
times over, because few speakers say much about others.
"""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.metrics import Judged, calibration, right_words
from voice_ime.engine.calibration import Calibration, Signs, signs_of

SPLITS = 20
_STEPS = 50
_SHRINKAGE = 1.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One heard word."""

    speaker: str
    raw: float
    """Its confidence as the engine gives it."""
    signs: Signs
    right: bool


def samples(
    speaker: str, said: str, utterances: Sequence[Sequence[tuple[str, float | None]]], lang: str = "en"
) -> list[Sample]:
    """The words (text, raw confidence) of one recording; nothing where any of them has no confidence."""
    raws = [[confidence for _, confidence in words if confidence is not None] for words in utterances]
    if any(len(raw) != len(words) for raw, words in zip(raws, utterances, strict=True)):
        return []
    raw, signs = [each for one in raws for each in one], [each for one in raws for each in signs_of(one)]
    texts = [text for words in utterances for text, _ in words]
    return [Sample(speaker, raw[place], signs[place], right) for place, right in right_words(said, texts, lang)]


def by_folds(words: Sequence[Sample], splits: int = SPLITS) -> dict[str, Any] | None:
    """{splits, raw, fitted, truer_percent, weights}: means over the halves not fitted on; None for fewer than two
    speakers.

    `raw` and `fitted`: {ece, auc}. `truer_percent`: in how many halves the fitted confidence has the smaller ece.
    """
    speakers = np.array([word.speaker for word in words])
    names = np.unique(speakers)
    if len(names) < 2:
        return None
    raw, fitted = [], []
    for seed in range(splits):
        half = np.isin(speakers, np.random.default_rng(seed).permutation(names)[: len(names) // 2])
        for chosen in (half, ~half):
            found = fit([word for word, use in zip(words, chosen, strict=True) if use])
            others = [word for word, use in zip(words, chosen, strict=True) if not use]
            raw.append(calibration([Judged(word.raw, word.right) for word in others]))
            fitted.append(calibration([Judged(found.confidence(word.signs), word.right) for word in others]))
    truer = fmean(mine["ece"] < theirs["ece"] for mine, theirs in zip(fitted, raw, strict=True))
    return {
        "splits": splits,
        "raw": _means(raw),
        "fitted": _means(fitted),
        "truer_percent": round(100 * truer, 1),
        "weights": {name: round(value, 3) for name, value in asdict(fit(words)).items()},
    }


def fit(words: Sequence[Sample]) -> Calibration:
    """The weights under which these words are likeliest to be right and wrong as they are (logistic regression)."""
    signs = np.array([(1.0, *astuple(word.signs)) for word in words])
    right = np.array([word.right for word in words], np.float64)
    shrinkage = np.array([1e-3, *[_SHRINKAGE] * 3])
    weights = np.zeros(4)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(signs @ weights, -30, 30)))
        slope = signs.T @ (chance - right) + shrinkage * weights
        weights -= np.linalg.solve(_curvature(signs, chance) + np.diag(shrinkage), slope)
    return Calibration(*map(float, weights))


def _curvature(signs: Floats, chance: Floats) -> Floats:
    found: Floats = (signs * (chance * (1 - chance))[:, None]).T @ signs
    return found


def _means(figures: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    return {name: _mean([each[name] for each in figures if each[name] is not None]) for name in ("ece", "auc")}


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 4) if values else None
