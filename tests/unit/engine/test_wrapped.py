"""An utterance around another one."""

from typing import Any

import pytest

from voice_ime.engine.base import Hypothesis, Utterance
from voice_ime.engine.wrapped import WrappedUtterance

CALLS: dict[str, tuple[Any, ...]] = {
    "feed": ("some sound",),
    "partial": (),
    "prepare": (),
    "completeness": (),
    "finish": (),
    "cancel": (),
    "score": (["a text"],),
    "price": (Hypothesis("a text"), ["a substitution"]),
    "rehear": (("a phrase",),),
}
"""Everything that can be asked of an utterance."""


class Asked:
    """Notes what it is asked, and answers with it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*values: Any) -> str:
            self.calls.append((name, values))
            return name

        return call


@pytest.mark.parametrize("name", [name for name in vars(Utterance) if not name.startswith("_")])
def test_whatever_is_asked_of_it_is_asked_of_the_one_within(name: str) -> None:
    inner: Any = Asked()
    answer = getattr(WrappedUtterance(inner), name)(*CALLS[name])
    assert inner.calls == [(name, CALLS[name])]
    assert answer == (None if name in ("feed", "cancel") else name)
