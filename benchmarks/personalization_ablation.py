"""Parts of what decides about personal words, switched off to see what each is worth.

| name | without it |
|---|---|
| correction | nothing is replaced |
| acoustic | the sound is not asked what an entry costs: engines that can listen for it do, else the text decides |
| bias | the engine does not listen for phrases; only where it cannot be asked what an entry costs does it ever |
| confidence | of all words the engine is taken to be equally sure, as if it had no probabilities |
| gate | all heard words may be replaced as easily as words that nobody knows |
| crowding | it does not matter how many entries sound like what was heard |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_ime.engine.base import Capabilities, Hypothesis
from voice_ime.errors import ConfigError
from voice_ime.personalize.text_model import FARTHEST_RIVAL, TextModel
from voice_ime.personalize.weighing import Weighing

PARTS = ("correction", "acoustic", "bias", "confidence", "gate", "crowding")
GATE = ("rarest", "commonest", "known")
"""Features of heard words that tell how good a word each is."""
TOGETHER = "+"


@dataclass(frozen=True)
class Ablation:
    """Some of `PARTS`, switched off."""

    parts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return TOGETHER.join(self.parts)

    @property
    def replaces(self) -> bool:
        return "correction" not in self.parts

    def can(self, can: Capabilities) -> Capabilities:
        return replace(
            can,
            scores_text=can.scores_text and "acoustic" not in self.parts,
            takes_phrases=can.takes_phrases and "bias" not in self.parts,
        )

    def heard(self, heard: Hypothesis) -> Hypothesis:
        if "confidence" not in self.parts:
            return heard
        return replace(heard, words=tuple(replace(word, confidence=None, log_probability=None) for word in heard.words))

    def weighing(self, weighing: Weighing) -> Weighing:
        weights, leeway = dict(weighing.text.weights), weighing.leeway
        if "gate" in self.parts:
            weights |= dict.fromkeys(GATE, 0.0)
        if "crowding" in self.parts:
            weights["one"] = weights.get("one", 0.0) + FARTHEST_RIVAL * weights.get("margin", 0.0)
            weights |= {"margin": 0.0, "density": 0.0}
            leeway = replace(leeway, density=0.0)
        return replace(weighing, text=TextModel(weights), leeway=leeway)

    def idle(self, can: Capabilities) -> str | None:
        """Why nothing would change with such an engine; None: something would."""
        reasons = [_idle(part, can, self.parts) for part in self.parts]
        return None if None in reasons else next(iter(reasons), None)


NOTHING = Ablation()


def _idle(part: str, can: Capabilities, off: Sequence[str]) -> str | None:
    if part == "acoustic" and not can.scores_text:
        return "the engine scores no texts"
    if part == "confidence" and not can.confidence:
        return "the engine has no confidences"
    if part == "bias" and not can.takes_phrases:
        return "the engine takes no phrases"
    if part == "bias" and can.scores_text and "acoustic" not in off:
        return "the engine is asked what each entry costs instead"
    return None


def ablations(names: str) -> list[Ablation]:
    """Of "gate,acoustic+bias": two, the second of two parts. ConfigError."""
    found = [Ablation(tuple(each.split(TOGETHER))) for each in names.split(",")]
    unknown = [part for each in found for part in each.parts if part not in PARTS]
    if unknown:
        raise ConfigError(where="--ablate", detail=f"{', '.join(unknown)} ({', '.join(PARTS)})")
    return found
