"""Plain X programs get a text in pieces; what is seen as one character stays whole."""

import pytest
from voice_ime_desktop.insert.ibus import pieces

FAMILY = "👩‍👩‍👧"


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, []),
        ("short", 10, ["short"]),
        ("abcdef", 2, ["ab", "cd", "ef"]),
        ("你好吗", 6, ["你好", "吗"]),
        ("a👍🏽b", 8, ["a", "👍🏽", "b"]),
        ("e\u0301e\u0301", 4, ["e\u0301", "e\u0301"]),
        (FAMILY, 100, [FAMILY]),
        (FAMILY, 4, ["👩", "\u200d", "👩", "\u200d", "👧"]),
    ],
)
def test_no_piece_is_longer_than_allowed(text: str, limit: int, parts: list[str]):
    assert list(pieces(text, limit)) == parts


def test_the_pieces_are_the_whole_text():
    text = ("你好 hello " + FAMILY) * 100

    parts = list(pieces(text, 300))

    assert "".join(parts) == text
    assert max(len(part.encode()) for part in parts) <= 300
