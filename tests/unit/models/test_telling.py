"""A download by eye."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TextIO

import pytest

from voice_ime.messages import Messages
from voice_ime.models.telling import BarProgress


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """The end of a terminal that programs write to."""
    here, there = os.openpty()
    try:
        with os.fdopen(there, "w") as stream:
            yield stream
    finally:
        os.close(here)


def test_a_bar_does_not_go_beyond_its_end_where_the_size_was_rounded(terminal: TextIO) -> None:
    with closing(BarProgress(terminal, "Small", Messages("en"))) as bar:
        bar.begin(169)
        bar.source("hub")
        bar.at("model.onnx", 169_347_278)
        bar.again("hub", 169_347_278)  # draws it anew


def test_a_bar_of_unknown_size_goes_on(terminal: TextIO) -> None:
    with closing(BarProgress(terminal, "Small", Messages("zh"))) as bar:
        bar.begin(None)
        bar.at("model.onnx", 169_347_278)
