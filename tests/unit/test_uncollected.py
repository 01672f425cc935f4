"""The collector of garbage is back at work after many objects were made, whatever happened."""

import gc
import weakref

import pytest

from voice_ime.uncollected import uncollected


def test_the_collector_rests_and_works_again() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_a_failure() -> None:
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


class Circle:
    """Refers to itself, as sessions and their tasks do to each other."""

    def __init__(self) -> None:
        self.itself = self


def test_whoever_lived_meanwhile_goes_when_nobody_needs_them_any_more() -> None:
    """Else each session in which a profile changes would stay for ever."""
    one = Circle()
    gone = weakref.ref(one)
    with uncollected():
        assert one.itself is one
    del one
    gc.collect()
    assert gone() is None
