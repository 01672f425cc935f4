"""The figures by which entries are weighed: fitted once, kept in one file, the same for everybody."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_ime.personalize.profile import Strength
from voice_ime.personalize.retrieve import Candidate
from voice_ime.personalize.text_model import Leeway, TextModel

FILE = Path(__file__).parent / "data" / "english" / "decision.json"


@dataclass(frozen=True)
class Balance:
    """How sound and text weigh against each other. Scores are in nats."""

    readiness: float
    """Nats by which the sound may speak against an entry of which the text says nothing, where the index leaves it
    open..."""
    text: float
    """... and what the text score counts beside them."""
    offered: float
    """What misses by no more than this is offered."""
    strong: float
    """Strong entries are this much readier..."""
    weak: float
    """... and weak ones this much less."""
    most: int
    """Replacements in one utterance; the rest is offered."""

    def score(self, candidate: Candidate, price: float | None) -> float:
        """Above 0: to be written."""
        if price is None:
            return candidate.text_score + self._strength(candidate)
        return price + self.least_score(candidate)

    def least_score(self, candidate: Candidate) -> float:
        """The score where the sound says nothing against it."""
        leeway = candidate.leeway
        if leeway is None:
            leeway = self.readiness + self.text * candidate.text_score
        return leeway + self._strength(candidate)

    def _strength(self, candidate: Candidate) -> float:
        return {Strength.STRONG: self.strong, Strength.WEAK: self.weak}.get(candidate.entry.strength, 0.0)


@dataclass(frozen=True)
class Weighing:
    """All that decides."""

    text: TextModel
    """For English; Mandarin has its own."""
    leeway: Leeway
    balance: Balance
    hash: str
    """Of the file, for results."""

    @classmethod
    def from_file(cls, file: Path = FILE) -> "Weighing":
        content = file.read_bytes()
        tree: dict[str, Any] = json.loads(content)
        text, leeway, balance = TextModel(tree["text"]), Leeway(**tree["leeway"]), Balance(**tree["balance"])
        return cls(text, leeway, balance, hashlib.sha256(content).hexdigest()[:12])
