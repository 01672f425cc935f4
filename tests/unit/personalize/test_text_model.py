"""What the text says about an entry, and how far the sound may speak against it."""

from dataclasses import replace

import pytest

from voice_ime.personalize.profile import Entry
from voice_ime.personalize.text_model import MOST_DOUBT, UNKNOWN_DOUBT, Place, doubt_of, features
from voice_ime.personalize.weighing import Weighing

PLACE = Place(
    number=0,
    entry=Entry(id="e", written="Kowalski"),
    first=1,
    last=2,
    distance=0.1,
    margin=1.0,
    heard=("kowalsky",),
    zipfs=(0.0,),
    known=(False,),
    phones=8,
    density=0.0,
    doubt=UNKNOWN_DOUBT,
)


def score(place: Place) -> float:
    return float(Weighing.from_file().text.scores([place])[0])


@pytest.mark.parametrize(
    "worse",
    [
        {"distance": 0.3},
        {"margin": 0.0},
        {"zipfs": (4.0,)},
        {"known": (True,)},
        {"density": 0.5},
        {"heard": ("caught",)},
    ],
    ids=str,
)
def test_each_of_these_speaks_against_an_entry(worse: dict[str, object]):
    assert score(replace(PLACE, **worse)) < score(PLACE)


def test_the_likeness_of_letters_is_a_part_of_the_longer_word():
    assert features([PLACE])["letters"][0] == pytest.approx(7 / 8)
    assert features([replace(PLACE, heard=("ko", "walski"))])["letters"][0] == 1.0
    assert features([replace(PLACE, heard=("bbb",))])["letters"][0] == 0.0


def test_without_places_there_are_no_scores():
    assert len(Weighing.from_file().text.scores([])) == 0


def test_doubt_grows_as_probability_falls():
    assert doubt_of([0.0, 0.0]) == 0.0
    assert doubt_of([-0.7, -0.7]) == pytest.approx(1.4)
    assert doubt_of([-9.0]) == MOST_DOUBT
    assert doubt_of([-0.1, None]) == UNKNOWN_DOUBT


def test_the_text_and_doubt_give_the_sound_leeway():
    leeway = Weighing.from_file().leeway
    assert leeway.of(PLACE, 1.0) > leeway.of(PLACE, 0.0) > leeway.of(replace(PLACE, doubt=0.0), 0.0)
