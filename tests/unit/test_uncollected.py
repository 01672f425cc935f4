"""The collector of garbage looks through everything again after many objects were made, whatever happened."""

import gc

import pytest

from voice_ime.uncollected import NEVER, uncollected


def test_the_collector_leaves_old_objects_alone_for_a_while() -> None:
    before = gc.get_threshold()
    with uncollected():
        assert gc.get_threshold() == (*before[:2], NEVER)
        with uncollected():
            assert gc.get_threshold()[2] == NEVER
        assert gc.get_threshold()[2] == NEVER
    assert gc.get_threshold() == before


def test_it_looks_at_them_again_after_a_failure() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.get_threshold() == before
