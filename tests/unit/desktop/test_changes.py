"""What the profile changed, as it is told to the person."""

from typing import Literal

import pytest
from voice_ime_desktop.changes import alike, told

from voice_ime.messages import Messages
from voice_ime.protocol import Change

SAY = Messages("en")


def change(
    kind: Literal["rule", "replace", "offer"], heard: str, written: str, first: int = 0, distance: float | None = 0.3
) -> Change:
    return Change(
        kind=kind, first_word=first, last_word=first + 1, heard=heard, written=written, source="e1",
        distance=distance, cost=None, score=None,
    )  # fmt: skip


def test_what_was_written_in_place_of_what_was_heard_is_told() -> None:
    assert told([change("replace", "kowalsky", "Kowalski")], SAY) == ["I wrote Kowalski; I heard kowalsky."]


def test_what_could_be_meant_is_told_last_and_together() -> None:
    changes = [
        change("offer", "two", "Tuu", 1),
        change("offer", "two", "Tew", 1),
        change("offer", "ring", "Rink", 0),
        change("replace", "kowalsky", "Kowalski", 2),
    ]
    assert told(changes, SAY) == [
        "I wrote Kowalski; I heard kowalsky.",
        "Instead of two it could also be Tuu or Tew.",
        "Instead of ring it could also be Rink.",
    ]


@pytest.mark.parametrize("written", [",", "\n", "。"])
def test_what_cannot_be_spoken_is_told_to_be_a_sign(written: str) -> None:
    assert told([change("rule", "comma", written)], SAY) == ["I heard comma and wrote a sign for it."]


def test_what_a_rule_left_out_is_told() -> None:
    assert told([change("rule", "you know", "")], SAY) == ["I left out you know."]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_nothing_was_changed_is_told(language: str) -> None:
    messages = Messages(language)
    assert told([], messages) == [messages("desktop.changes.none")]


def test_in_chinese_it_is_told_in_chinese() -> None:
    assert told([change("replace", "章三", "张三"), change("offer", "在", "再", 1)], Messages("zh")) == [
        "写的是“张三”，听到的是“章三”。",
        "“在”也可能是“再”。",
    ]


def test_of_what_sounds_the_same_it_is_asked_how_it_is_written() -> None:
    changes = [
        change("offer", "小林，", "小琳", 0, distance=0.0),
        change("replace", "Mike", "Myke", 1, distance=0.0),
        change("replace", "章伟", "张伟", 2),
        change("rule", "em dash", "—", 3, distance=None),
    ]
    assert alike(changes) == ["林", "琳", "Mike", "Myke"]
