"""What movements of keys mean, without a keyboard."""

import pytest
from voice_ime_desktop.hotkeys.base import Press
from voice_ime_desktop.hotkeys.x11 import Keys

PAUSE, ESCAPE, UNDO, LETTER = 127, 9, 96, 38


@pytest.fixture
def keys() -> Keys:
    return Keys({PAUSE: Press.TALK_DOWN, ESCAPE: Press.CANCEL, UNDO: Press.UNDO})


def down(keys: Keys, code: int, time_ms: int = 1000) -> list[Press]:
    return keys.movement(True, code, time_ms)


def up(keys: Keys, code: int, time_ms: int = 2000) -> list[Press]:
    return keys.movement(False, code, time_ms)


def test_the_talk_key_goes_down_at_once_and_up_when_nothing_follows(keys: Keys) -> None:
    assert down(keys, PAUSE) == [Press.TALK_DOWN]
    assert keys.down
    assert up(keys, PAUSE) == []
    assert keys.unsettled
    assert keys.settle() == [Press.TALK_UP]
    assert not keys.down
    assert keys.settle() == []


@pytest.mark.parametrize("code", [PAUSE, ESCAPE, UNDO])
def test_a_keyboard_that_repeats_by_ups_and_downs_presses_once(keys: Keys, code: int) -> None:
    presses = down(keys, code, 1000)
    for time_ms in range(1500, 2500, 40):
        presses += up(keys, code, time_ms) + down(keys, code, time_ms)
    presses += up(keys, code, 2500) + keys.settle()
    assert presses == ([Press.TALK_DOWN, Press.TALK_UP] if code == PAUSE else [keys._codes[code]])


def test_a_keyboard_that_repeats_by_downs_only_presses_once(keys: Keys) -> None:
    assert [press for time_ms in range(1000, 2000, 40) for press in down(keys, UNDO, time_ms)] == [Press.UNDO]


def test_a_quick_finger_is_no_repeat(keys: Keys) -> None:
    assert down(keys, PAUSE, 1000) == [Press.TALK_DOWN]
    assert up(keys, PAUSE, 1040) == []
    assert down(keys, PAUSE, 1060) == [Press.TALK_UP, Press.TALK_DOWN]


def test_another_key_settles_a_release_before_it_counts(keys: Keys) -> None:
    down(keys, PAUSE)
    up(keys, PAUSE, 2000)
    assert down(keys, ESCAPE, 2001) == [Press.TALK_UP, Press.CANCEL]


def test_escape_cancels_while_the_talk_key_is_down(keys: Keys) -> None:
    down(keys, PAUSE)
    assert down(keys, ESCAPE) == [Press.CANCEL]


def test_other_keys_mean_nothing(keys: Keys) -> None:
    assert down(keys, LETTER) == up(keys, LETTER) == []
    assert not keys.down


def test_the_release_of_a_key_that_was_down_at_the_start_means_nothing(keys: Keys) -> None:
    assert up(keys, PAUSE) + keys.settle() == []


def test_a_release_that_was_lost_is_made_up_for(keys: Keys) -> None:
    down(keys, PAUSE)
    assert keys.seen([PAUSE, LETTER]) == []
    assert keys.seen([LETTER]) == [Press.TALK_UP]
    assert keys.seen([]) == []


def test_a_release_on_its_way_is_not_made_up_for_twice(keys: Keys) -> None:
    down(keys, PAUSE)
    up(keys, PAUSE)
    assert keys.seen([]) + keys.settle() == [Press.TALK_UP]


def test_the_talk_key_counts_as_let_go_when_the_display_dies(keys: Keys) -> None:
    down(keys, PAUSE)
    assert keys.let_go() == [Press.TALK_UP]


def test_another_layout_has_the_talk_key_elsewhere(keys: Keys) -> None:
    keys.meaning({LETTER: Press.TALK_DOWN})
    assert down(keys, PAUSE) == []
    assert down(keys, LETTER) == [Press.TALK_DOWN]
