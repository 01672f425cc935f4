"""What partials promise: the stable part only grows, whatever the engine makes of the sound."""

import random
from collections.abc import Iterator

import pytest

from voice_ime import protocol as wire
from voice_ime.engine.base import Hypothesis
from voice_ime.engine.listener import PartialStep
from voice_ime.session import Session

WORDS = ("we", "We", "were", "here.", "here", "天", "气", "weather,", "whether")


def told(texts: list[str]) -> Iterator[wire.Partial]:
    session = Session(wire.Hello(version=1, session="session-1"), 10)
    for text in texts:
        for message in session.partial(PartialStep(0, lambda: None), Hypothesis(text)):
            assert isinstance(message, wire.Partial)
            yield message


def fickle(seed: int) -> list[str]:
    """Partials that grow, shrink and change their mind."""
    chance = random.Random(seed)
    words: list[str] = []
    texts = []
    for _ in range(40):
        for _ in range(chance.randrange(3)):
            words.append(chance.choice(WORDS))
        if words and chance.random() < 0.5:
            words[chance.randrange(len(words))] = chance.choice(WORDS)
        if chance.random() < 0.2:
            del words[chance.randrange(len(words) + 1) :]
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("seed", range(50))
def test_the_stable_text_only_ever_grows(seed: int) -> None:
    before = ""
    for partial in told(fickle(seed)):
        assert partial.stable.startswith(before)
        before = partial.stable


def test_an_engine_that_never_makes_up_its_mind_has_nothing_stable_and_all_its_words_are_shown() -> None:
    flip_flop = ["we were here now", "whether hear no"] * 20
    for partial, text in zip(told(flip_flop), flip_flop, strict=True):
        assert partial.stable == ""
        assert partial.unstable.strip() == text
