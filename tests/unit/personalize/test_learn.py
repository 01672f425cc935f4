"""What corrections teach, and what they do not."""

import pytest

from tests.unit.personalize.lexicons import LEXICONS
from voice_ime.personalize.corrections import Pair, pairs
from voice_ime.personalize.learn import Correction, Learned, Learner, applied
from voice_ime.personalize.profile import (
    MOST_LESSONS,
    Entry,
    Lesson,
    Preferences,
    Profile,
    Sound,
    SoundKind,
    Source,
    State,
    Strength,
)
from voice_ime.personalize.sounds_alike import Ears

EARS = Ears(LEXICONS.english, LEXICONS.chinese)
LEARNER = Learner(EARS)


class Person:
    """Corrects what was heard, one utterance after the other."""

    def __init__(self, **profile: object) -> None:
        self.profile = Profile.model_validate({"name": "ann"} | profile)
        self.said = 0

    def corrects(self, heard: str, meant: str, how: str = "edit", utterance: str | None = None) -> Learned:
        self.said += 1
        name = utterance or f"s/u{self.said}"
        return self._keeps(LEARNER.corrected(self.profile, Correction(heard, meant, name, how)))  # type: ignore[arg-type]

    def accepts(self, lesson: Lesson) -> Learned:
        return self._keeps(LEARNER.accept(self.profile, lesson.id))

    def forgets(self, lesson: Lesson) -> Learned:
        return self._keeps(LEARNER.forget(self.profile, lesson.id))

    def _keeps(self, learned: Learned) -> Learned:
        self.profile = applied(self.profile, learned)
        return learned

    @property
    def states(self) -> dict[str, State]:
        return {f"{lesson.heard} -> {lesson.written}": lesson.state for lesson in self.profile.lessons}

    @property
    def sounds(self) -> dict[str, list[str]]:
        return {entry.written: [sound.text for sound in entry.sounds] for entry in self.profile.entries}


def borders(text: str, first: int, last: int) -> tuple[int, int]:
    return LEARNER._borders(text, first, last)


@pytest.mark.parametrize(
    ("heard", "meant", "found"),
    [
        ("Please call Kowalsky now.", "Please call Kowalski now.", [Pair("Kowalsky", "Kowalski")]),
        ("the cloud model is here", "the Klowd model is here", [Pair("cloud", "Klowd")]),
        ("start n eight n today please", "start N8N today please", [Pair("n eight n", "N8N")]),
        ("my iphone rang", "my iPhone rang", [Pair("iphone", "iPhone")]),
        ("请打电话给章伟。", "请打电话给张伟。", [Pair("章伟", "张伟")]),
        ("用GPT打电话给章伟。", "用GPT打电话给张伟。", [Pair("章伟", "张伟")]),
        ("小林的邮件在武汉", "小琳的邮件在武汉", [Pair("小林", "小琳")]),
        ("这是他的书", "这是她的书", []),
        ("我想用库伯奈提斯", "我想用Kubernetes", []),
        ("we meet on monday", "we meet tomorrow", []),
        ("this is a large garden", "this is a big house", []),
        ("good day to you all", "Never mind, forget it", []),
        ("hello there", "hello", []),
        ("hello there.", "hello there!", []),
        ("hello there", "Hello there", []),
        ("ab is it", "ib is it", []),
        ("", "hello", []),
        ("ring\u00a0Kowalsky now", "ring\u00a0Kowalski now", [Pair("Kowalsky", "Kowalski")]),
    ],
)
def test_only_what_sounds_alike_may_have_been_misheard(heard: str, meant: str, found: list[Pair]) -> None:
    assert pairs(heard, meant, EARS.likeness, borders) == found


@pytest.mark.parametrize("before", ["", "我用GPT找"])
def test_of_an_own_word_the_whole_is_learned_and_no_part_of_it_becomes_another(before: str) -> None:
    ann = Person(entries=(Entry(id="e1", written="老招"),))
    ann.corrects(f"{before}老赵的声音", f"{before}老招的声音", how="voice")
    assert ann.states == {"老赵 -> 老招": State.ACTIVE}
    assert ann.sounds == {"老招": ["老赵"]}


def test_a_correction_is_observed_then_suggested_then_active() -> None:
    ann = Person()
    states = []
    for _ in range(3):
        ann.corrects("call kowalsky now", "call Kowalski now")
        states += ann.states.values()
    assert states == [State.OBSERVED, State.SUGGESTED, State.ACTIVE]
    assert ann.sounds == {"Kowalski": ["kowalsky"]}


def test_before_it_is_active_nothing_is_written_otherwise() -> None:
    ann = Person()
    for _ in range(2):
        ann.corrects("call kowalsky now", "call Kowalski now")
    assert ann.sounds == {}


def test_one_utterance_counts_once() -> None:
    ann = Person()
    for _ in range(5):
        ann.corrects("call kowalsky now", "call Kowalski now", utterance="s/u1")
    assert list(ann.states.values()) == [State.OBSERVED]


@pytest.mark.parametrize("how", ["voice", "caretaker"])
def test_what_is_said_outright_is_active_at_once(how: str) -> None:
    ann = Person()
    ann.corrects("kowalsky", "Kowalski", how)
    assert list(ann.states.values()) == [State.ACTIVE]
    assert ann.sounds == {"Kowalski": ["kowalsky"]}


def test_what_was_learned_is_a_sound_of_the_entry_and_no_rule() -> None:
    ann = Person(entries=(Entry(id="e1", written="Klowd", strength=Strength.STRONG),))
    ann.corrects("cloud", "Klowd", "voice")
    assert ann.profile.entries == (
        Entry(
            id="e1",
            written="Klowd",
            strength=Strength.STRONG,
            sounds=(Sound(kind=SoundKind.WORDS, text="cloud"),),
        ),
    )
    assert ann.profile.rules == ()


def test_what_takes_the_place_of_an_ordinary_word_is_weak() -> None:
    ann = Person()
    ann.corrects("cloud", "Klowd", "voice")
    assert ann.profile.entries[0].strength is Strength.WEAK
    assert ann.profile.entries[0].source is Source.LEARNED


def test_a_word_that_hardly_anybody_means_is_not_ordinary_though_a_dictionary_has_it() -> None:
    ann = Person()
    ann.corrects("kowalsky", "Kowalski", "voice")
    assert ann.profile.entries[0].strength is Strength.NORMAL


def test_what_is_taken_back_is_demoted_and_the_second_time_never_learned_again() -> None:
    ann = Person()
    for _ in range(3):
        ann.corrects("the cubernetis thing", "the Kubernetes thing")
    ann.corrects("the Kubernetes thing", "the cubernetis thing")
    assert ann.states == {"cubernetis -> Kubernetes": State.DEMOTED}
    assert ann.sounds == {}
    for _ in range(3):
        ann.corrects("the cubernetis thing", "the Kubernetes thing")
    assert ann.sounds == {"Kubernetes": ["cubernetis"]}
    ann.corrects("the Kubernetes thing", "the cubernetis thing")
    for _ in range(5):
        ann.corrects("the cubernetis thing", "the Kubernetes thing")
    assert ann.states["cubernetis -> Kubernetes"] is State.QUARANTINED
    assert ann.sounds == {}


def test_what_was_said_outright_is_not_demoted_by_an_edit() -> None:
    ann = Person()
    ann.corrects("cubernetis", "Kubernetes", "caretaker")
    ann.corrects("the Kubernetes thing", "the cubernetis thing")
    assert ann.sounds == {"Kubernetes": ["cubernetis"]}


def test_taking_back_leaves_what_the_person_entered() -> None:
    ann = Person(entries=(Entry(id="e1", written="Kubernetes", sounds=(Sound(kind=SoundKind.WORDS, text="cube"),)),))
    for _ in range(3):
        ann.corrects("the cubernetis thing", "the Kubernetes thing")
    ann.corrects("the Kubernetes thing", "the cubernetis thing")
    assert ann.sounds == {"Kubernetes": ["cube"]}


def test_a_suggestion_can_be_accepted_or_forgotten() -> None:
    ann = Person()
    for heard, meant in (("kowalsky", "Kowalski"), ("cubernetis", "Kubernetes")):
        for _ in range(2):
            ann.corrects(f"tell {heard} now", f"tell {meant} now")
    first, second = ann.profile.lessons
    ann.accepts(first)
    ann.forgets(second)
    assert list(ann.states.values()) == [State.ACTIVE, State.QUARANTINED]
    assert ann.sounds == {"Kowalski": ["kowalsky"]}


def test_nothing_is_learned_where_the_person_does_not_want_it() -> None:
    ann = Person(preferences=Preferences(learn=False))
    assert ann.corrects("kowalsky", "Kowalski", "voice") == Learned()


@pytest.mark.parametrize("how", ["edit", "voice"])
@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("ring karl\x00 today please", "ring carl\x00 today please"),
        ("ring \u202ekarl today please", "ring \u202ecarl today please"),
        (f"ring k{'a' * 120}rl today", f"ring c{'a' * 120}rl today"),
        ("请打电话给章伟\x01\x02。", "请打电话给张伟\x01\x02。"),
    ],
)
def test_what_could_not_be_kept_as_a_word_teaches_nothing(how: str, heard: str, meant: str) -> None:
    person = Person()
    person.corrects(heard, meant, how)
    assert all(lesson.written.isprintable() and len(lesson.written) < 120 for lesson in person.profile.lessons)


def test_what_was_seen_once_long_ago_makes_room_for_what_is_seen_today() -> None:
    old = [Lesson(id=f"old{n}", heard=f"heard {n}", written=f"meant {n}", language="en") for n in range(MOST_LESSONS)]
    old[0] = old[0].model_copy(update={"state": State.ACTIVE})
    person = Person(lessons=tuple(old))
    person.corrects("my iphone rang", "my iPhone rang")
    assert len(person.profile.lessons) == MOST_LESSONS
    assert (person.profile.lessons[0].id, person.profile.lessons[1].id) == ("old0", "old2")
    assert person.profile.lessons[-1].written == "iPhone"


def test_mandarin_is_learned_the_same_way() -> None:
    ann = Person()
    for _ in range(3):
        ann.corrects("请打电话给章伟", "请打电话给张伟")
    assert ann.sounds == {"张伟": ["章伟"]}


def test_somebody_who_rewrites_a_sentence_teaches_nothing() -> None:
    ann = Person()
    for _ in range(3):
        ann.corrects("I will come to the meeting at nine", "Let us meet next week instead, I am ill")
    assert ann.states == {}
