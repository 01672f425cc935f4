"""Where a person's exact rules apply, "when I say X write Y". They come first; nothing else touches their places."""

from collections.abc import Sequence
from dataclasses import dataclass

from voice_ime.engine.base import SENTENCE_MARKS, Word
from voice_ime.engine.words import cut
from voice_ime.personalize.profile import Rule, State


@dataclass(frozen=True)
class Match:
    """A rule that applies to words `first` to `last` (exclusive)."""

    rule: Rule
    first: int
    last: int


class Rules:
    """The active rules of a profile, ready to be applied. Never changed; safe to use from several threads."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], Rule]]] = {}
        for rule in reversed(rules):
            heard = _bare_words(cut(rule.heard))
            if rule.state is State.ACTIVE and heard:
                self._by_first.setdefault(heard[0].casefold(), []).append((heard, rule))
        for found in self._by_first.values():
            found.sort(key=lambda pair: (-len(pair[0]), _generality(pair[1])))

    def matches(self, words: Sequence[Word], language: str | None, application: str | None) -> list[Match]:
        """From left to right, the longest first, for one application or language rather than for all, with exact
        capitals rather than with any, the newest; they do not overlap."""
        bare = [word.text.strip(SENTENCE_MARKS) for word in words]
        found: list[Match] = []
        at = 0
        while at < len(bare):
            match = self._match(bare, at, language, application)
            if match is not None:
                found.append(match)
            at = match.last if match is not None else at + 1
        return found

    def _match(self, bare: list[str], at: int, language: str | None, application: str | None) -> Match | None:
        for heard, rule in self._by_first.get(bare[at].casefold(), ()):
            last = at + len(heard)
            if _applies(rule, language, application) and _same(heard, bare[at:last], match_case=rule.match_case):
                return Match(rule, at, last)
        return None


def _generality(rule: Rule) -> tuple[bool, bool, bool]:
    return not rule.application, rule.language is None, not rule.match_case


def _applies(rule: Rule, language: str | None, application: str | None) -> bool:
    if rule.language not in (None, language) and language is not None:
        return False
    return not rule.application or rule.application.casefold() == (application or "").casefold()


def _same(heard: Sequence[str], said: Sequence[str], *, match_case: bool) -> bool:
    if match_case:
        return list(heard) == list(said)
    return [word.casefold() for word in heard] == [word.casefold() for word in said]


def _bare_words(words: Sequence[str]) -> tuple[str, ...]:
    bare = (word.strip(SENTENCE_MARKS) for word in words)
    return tuple(word for word in bare if word)
