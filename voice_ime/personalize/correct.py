"""The way of a final through one person's profile: exact rules, then what their own words could have been.

Rules come first and lock their places. For the entries that sound like a piece of what was heard the engine says what
each would cost; what is cheap is written, what is nearly cheap is offered, and each word is changed at most once.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from voice_ime.engine.base import Capabilities, Change, Hypothesis, Options, Substitution, Utterance, word_spans
from voice_ime.personalize.profile import Profile
from voice_ime.personalize.retrieve import Candidate, Index
from voice_ime.personalize.rewriting import Rewrite, rewritten
from voice_ime.personalize.rules import Match, Rules

MOST_PHRASES = 20
"""Entries that an engine is asked to listen for, where it cannot score them."""


@dataclass(frozen=True)
class Verdict:
    """What is to become of a candidate."""

    candidate: Candidate
    kind: Literal["replace", "offer"]
    score: float
    """Above 0: replaced."""
    cost: float | None = None
    """Nats by which the sound speaks against it."""


class Judge(Protocol):
    """Decides which candidates become words. Pure."""

    def least(self, candidate: Candidate) -> float:
        """The price (nats, negative: the sound is against it) below which it is not even offered."""
        ...

    def forms(self, candidate: Candidate) -> tuple[str, ...]:
        """Ways to write the candidate that the engine should try."""
        ...

    def judge(self, candidates: Sequence[Candidate], prices: Sequence[float | None]) -> Sequence[Verdict]:
        """What to write and what to offer, without overlaps, the surest first. A price of None: nobody can say."""
        ...


class Corrector:
    """One profile at one revision, ready for use. Never changed; safe to use from several threads."""

    def __init__(self, profile: Profile, index: Index, judge: Judge) -> None:
        self._rules = Rules(profile.rules)
        self._index = index if profile.entries else None
        self._judge = judge

    def correct(self, heard: Hypothesis, sound: Utterance, can: Capabilities, options: Options) -> Hypothesis:
        """`heard`, a final of `sound`, in this person's words."""
        if not heard.words:
            return heard
        began = time.perf_counter()
        matches = self._rules.matches(heard.words, heard.language or options.language, options.application)
        verdicts = self._verdicts(heard, sound, can, options, matches)
        rewrites = [*(_of_rule(heard, match) for match in matches), *(_of_entry(heard, each) for each in verdicts)]
        timings = {**heard.timings, "personal_s": time.perf_counter() - began}
        return replace(rewritten(heard, rewrites), timings=timings)

    def _verdicts(
        self, heard: Hypothesis, sound: Utterance, can: Capabilities, options: Options, matches: Sequence[Match]
    ) -> Sequence[Verdict]:
        if self._index is None:
            return ()
        locked = {place for match in matches for place in range(match.first, match.last)}
        found = self._index.candidates(heard, options.application)
        candidates = [each for each in found if locked.isdisjoint(range(each.first, each.last))]
        if not candidates:
            return ()
        return self._judge.judge(candidates, self._prices(heard, sound, can, candidates))

    def _prices(
        self, heard: Hypothesis, sound: Utterance, can: Capabilities, candidates: Sequence[Candidate]
    ) -> Sequence[float | None]:
        """What each candidate costs, as well as this engine can tell."""
        if can.scores_text:
            judge = self._judge
            return sound.price(
                heard, [Substitution(one.first, one.last, judge.forms(one), judge.least(one)) for one in candidates]
            )
        if can.takes_phrases:
            return _heard_again(heard, sound, candidates)
        return [None] * len(candidates)


def _heard_again(heard: Hypothesis, sound: Utterance, candidates: Sequence[Candidate]) -> list[float | None]:
    """Engines that take phrases: an entry that is heard once it is listened for costs what the whole text then does."""
    phrases = tuple(dict.fromkeys(one.entry.written for one in candidates))[:MOST_PHRASES]
    again = sound.rehear(phrases)
    cost = 0.0
    if again.log_probability is not None and heard.log_probability is not None:
        cost = min(0.0, again.log_probability - heard.log_probability)
    before, after = heard.text.casefold(), again.text.casefold()
    return [
        cost if after.count(one.entry.written.casefold()) > before.count(one.entry.written.casefold()) else None
        for one in candidates
    ]


def _of_rule(heard: Hypothesis, match: Match) -> Rewrite:
    change = Change("rule", 0, 0, _text(heard, match.first, match.last), match.rule.write, match.rule.id)
    return Rewrite(match.first, match.last, change)


def _of_entry(heard: Hypothesis, verdict: Verdict) -> Rewrite:
    one = verdict.candidate
    change = Change(
        verdict.kind, 0, 0, _text(heard, one.first, one.last), one.entry.written, one.entry.id,
        distance=one.distance, cost=verdict.cost, score=verdict.score,
    )  # fmt: skip
    return Rewrite(one.first, one.last, change)


def _text(heard: Hypothesis, first: int, last: int) -> str:
    spans = word_spans(heard)
    return heard.text[spans[first][0] : spans[last - 1][1]]
