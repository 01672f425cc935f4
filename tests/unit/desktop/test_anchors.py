"""A text is found again between what stood around it."""

import pytest
from voice_ime_desktop.insert.anchors import REACH, SLACK, Anchored, Stretch, anchored, standing

HEARD = "ring kowalsky now"


def put(before: str, after: str = "", text: str = HEARD) -> Anchored:
    found = anchored(whole(before + text + after), text, len(before))
    assert found is not None
    return found


def whole(field: str) -> Stretch:
    return Stretch(0, field, len(field))


@pytest.mark.parametrize("before", ["", "Dear Anna, please ", "please " * 20])
@pytest.mark.parametrize("after", ["", " Yours, Bob", " and please" * 20])
@pytest.mark.parametrize("meant", [HEARD, "ring Kowalski now", "", "给张三打电话😀"])
def test_what_stands_there_now_is_found(before: str, after: str, meant: str) -> None:
    assert standing(put(before, after), whole(before + meant + after)) == meant


def test_it_is_found_where_something_was_written_before() -> None:
    one = put("Dear Anna, ", ". Bob")
    assert standing(one, whole("Monday. Dear Anna, ring Kowalski now. Bob")) == "ring Kowalski now"


def test_of_equal_anchors_the_nearest_counts() -> None:
    one = put("please " * 3, " please please")
    assert standing(one, whole("please " * 3 + "ring Kowalski now" + " please please")) == "ring Kowalski now"


@pytest.mark.parametrize("field", ["", "something else", "Dear Anna, ring kowalsky now", "now. Bob"])
def test_without_its_surroundings_nothing_is_found(field: str) -> None:
    assert standing(put("Dear Anna, ", ". Bob"), whole(field)) is None


def test_a_field_of_which_the_end_is_not_seen_tells_nothing_of_what_stood_at_its_end() -> None:
    assert standing(put("Dear Anna, "), Stretch(0, "Dear Anna, ring Kowalski now and ", 1000)) is None


def test_a_field_of_which_the_beginning_is_not_seen_tells_nothing_of_what_stood_there() -> None:
    assert standing(put("", " Bob"), Stretch(3, "g Kowalski now Bob", 21)) is None


def test_of_a_long_field_a_part_is_enough() -> None:
    before, after = "before " * 200, " behind" * 200
    start, size = len(before), len(HEARD)
    field = before + HEARD + after
    near = Stretch(start - REACH, field[start - REACH : start + size + REACH], len(field))
    one = anchored(near, HEARD, start)
    assert one is not None
    changed = field.replace("kowalsky", "Kowalski")
    first = start - REACH - SLACK
    now = Stretch(first, changed[first : start + 2 * size + REACH + SLACK], len(changed))
    assert standing(one, now) == "ring Kowalski now"


@pytest.mark.parametrize("stretch", [whole("ring Kowalski now"), whole(""), Stretch(2, HEARD, 19)])
def test_a_text_that_does_not_stand_there_is_not_held_to(stretch: Stretch) -> None:
    assert anchored(stretch, HEARD, 0) is None
