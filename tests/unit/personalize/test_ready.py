"""A profile is made ready for use once, for all who use it."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.unit.personalize.lexicons import LEXICONS
from voice_ime.personalize.phonetics.english import English
from voice_ime.personalize.profile import Entry, Profile
from voice_ime.personalize.ready import MOST_READY, Preparation
from voice_ime.personalize.retrieve import Lexicons


def profile(name: str = "ann", *written: str) -> Profile:
    return Profile(name=name, entries=tuple(Entry(id=f"e{at}", written=each) for at, each in enumerate(written)))


def test_a_profile_that_did_not_change_is_made_ready_once_for_writing_and_explaining() -> None:
    prepare, ann = Preparation(LEXICONS), profile("ann", "章伟")
    corrector, explainer = prepare(ann), prepare.explainer(ann)
    assert prepare(ann) is corrector
    assert prepare.explainer(ann) is explainer


def test_a_changed_profile_is_made_ready_anew() -> None:
    prepare = Preparation(LEXICONS)
    before = prepare.explainer(profile("ann"))
    after = prepare.explainer(profile("ann", "章伟"))
    assert [rival.entry for rival in before.rivals("张伟", "zh") if rival.entry] == []
    assert [rival.text for rival in after.rivals("张伟", "zh") if rival.entry] == ["章伟"]


def test_only_the_profiles_used_last_are_kept_ready() -> None:
    prepare = Preparation(LEXICONS)
    people = [profile(f"p{number}") for number in range(MOST_READY + 1)]
    made = [prepare(each) for each in people]
    assert prepare(people[-1]) is made[-1]
    assert prepare(people[0]) is not made[0]


class SlowLexicons(Lexicons):
    """Hands its English out only while it may."""

    asked, may = threading.Event(), threading.Event()

    @property
    def english(self) -> English:
        self.asked.set()
        assert self.may.wait(20)
        return LEXICONS.english


def test_whoever_speaks_does_not_wait_while_somebody_elses_profile_is_made_ready() -> None:
    lexicons, ann = SlowLexicons(), profile("ann")
    prepare = Preparation(lexicons)
    lexicons.may.set()
    corrector = prepare(ann)
    lexicons.may.clear()
    lexicons.asked.clear()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(prepare, profile("bob"))
        assert lexicons.asked.wait(20)
        assert prepare(ann) is corrector
        assert not waiting.done()
        lexicons.may.set()
    assert waiting.result() is not corrector
