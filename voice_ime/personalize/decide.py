"""Replace, offer, or leave: what becomes of the entries that could have been said.

With the sound, its price counts, and what speaks for an entry in the text a little; without, the text alone. What
misses by little is offered, and so is what the person has said may be meant. Entries that sound the same, between
which nothing decides, are offered only.
"""

import math
from collections.abc import Sequence

from voice_ime.personalize.correct import Verdict
from voice_ime.personalize.profile import Strength
from voice_ime.personalize.retrieve import Candidate
from voice_ime.personalize.weighing import Balance, Weighing


class Decider:
    """Decides by one score (`correct.Judge`)."""

    def __init__(self, balance: Balance | None = None) -> None:
        self._balance = balance or Weighing.from_file().balance

    def least(self, candidate: Candidate) -> float:
        """The price (nats, negative: the sound is against it) below which it is not even offered."""
        return -self._balance.least_score(candidate) - self._balance.offered

    def forms(self, candidate: Candidate) -> tuple[str, ...]:
        """Ways to write the candidate that the engine should try: as it is, as at the start of a sentence, small."""
        return self.spellings(candidate.entry.written)

    @staticmethod
    def spellings(written: str) -> tuple[str, ...]:
        """See `forms`."""
        return tuple(dict.fromkeys((written, written[:1].upper() + written[1:], written.lower())))

    def judge(self, candidates: Sequence[Candidate], prices: Sequence[float | None]) -> list[Verdict]:
        """What to write and what to offer, without overlaps, the surest first. A price of None: nobody can say."""
        verdicts = [self._verdict(one, price) for one, price in zip(candidates, prices, strict=True)]
        kept: list[Verdict] = []
        for verdict in sorted(verdicts, key=_surest):
            wanted = verdict.candidate.due or verdict.score > -self._balance.offered
            if wanted and not _taken(verdict, kept):
                kept.append(self._limited(verdict, kept))
        return kept

    def _verdict(self, candidate: Candidate, price: float | None) -> Verdict:
        score = self._balance.score(candidate, price)
        if candidate.due:
            score = max(score, -self._balance.offered)  # an engine does not work out what is of no use: -inf
        may = score > 0 and candidate.entry.strength is not Strength.NEVER and not candidate.homophones
        cost = None if price is None or math.isinf(price) else -price
        return Verdict(candidate, "replace" if may else "offer", score, cost)

    def _limited(self, verdict: Verdict, kept: Sequence[Verdict]) -> Verdict:
        written = sum(each.kind == "replace" for each in kept)
        if verdict.kind == "replace" and written >= self._balance.most:
            return Verdict(verdict.candidate, "offer", verdict.score, verdict.cost)
        return verdict


def _surest(verdict: Verdict) -> float:
    """Where one of several that sound the same is likeliest, nothing less likely is written in its place."""
    return -verdict.score


def _taken(verdict: Verdict, kept: Sequence[Verdict]) -> bool:
    mine = verdict.candidate
    return any(mine.first < other.candidate.last and other.candidate.first < mine.last for other in kept)
