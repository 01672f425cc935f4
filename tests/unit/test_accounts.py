"""What `voice-ime bench faults` makes of the journal and the fields: nothing wrong goes by unseen."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from benchmarks.accounts import Noted, Utterance, counts, findings, heard_otherwise
from benchmarks.faulty_day import BETWEEN_SERVER_DEATHS, FAULTS, plan
from tests.needs import needs_package

needs_package("python-xlib", "Xlib")
WORDS = "Utterance 1."


def utterance(
    *noted: tuple[str, str | None], secure: bool = False, refusal_said: bool = False, died: bool = False,
    unsaid: bool = False,
) -> Utterance:  # fmt: skip
    lines = tuple(Noted(number, WORDS, state, reason) for number, (state, reason) in enumerate(noted, 1))
    return Utterance(1, "nothing", "editor.text", secure, lines, refusal_said, died, unsaid)


def found(one: Utterance, **fields: str) -> str:
    texts = {name.replace("_", "."): text for name, text in fields.items()}
    (finding,) = findings([one], texts, [])
    return finding.what


@pytest.mark.parametrize(
    ("state", "reason", "fields", "what"),
    [
        ("verified", None, {"editor_text": "Hello. utterance 1."}, "inserted"),
        ("verified", None, {"editor_text": ""}, "lost"),
        ("verified", None, {"editor_text": WORDS, "chat_text": WORDS}, "misplaced"),
        ("verified", None, {"chat_text": WORDS}, "misplaced"),
        ("verified", None, {"editor_text": WORDS + WORDS}, "doubled"),
        ("unverified", None, {"editor_text": WORDS}, "unverifiable"),
        ("unverified", None, {"editor_text": ""}, "lost"),
        ("held", "focus_moved", {"editor_text": ""}, "held"),
        ("held", "focus_moved", {"editor_text": WORDS}, "untrue"),
        ("held", "focus_moved", {"chat_text": WORDS}, "misplaced"),
        ("held", "perhaps_inserted", {"editor_text": WORDS}, "held"),
        ("refused", "hidden_input", {"editor_text": ""}, "refused"),
        ("refused", "hidden_input", {"editor_text": WORDS}, "untrue"),
        ("intended", None, {"editor_text": ""}, "untrue"),
    ],
)
def test_the_journals_word_is_compared_with_the_fields(
    state: str, reason: str | None, fields: Mapping[str, str], what: str
) -> None:
    assert found(utterance((state, reason)), **fields) == what


def test_an_utterance_of_which_nothing_was_noted_is_lost() -> None:
    assert found(utterance()) == "lost"


def test_one_that_was_being_said_while_the_client_died_is_counted_by_itself() -> None:
    assert found(utterance(died=True)) == "said_while_dying"


def test_a_refusal_before_a_word_was_said_needs_no_note() -> None:
    assert found(utterance(secure=True, refusal_said=True)) == "refused"


def test_what_was_noted_twice_is_doubled() -> None:
    assert found(utterance(("verified", None), ("held", "focus_moved")), editor_text=WORDS) == "doubled"


def test_an_outcome_of_which_nothing_was_said_is_told() -> None:
    assert found(utterance(("verified", None), unsaid=True), editor_text=WORDS) == "unsaid"


def test_words_that_came_to_where_a_password_was_asked_for_meanwhile_are_told() -> None:
    assert found(utterance(("verified", None), secure=True), editor_text=WORDS) == "in_secure_field"
    assert found(utterance(("refused", "hidden_input"), secure=True), editor_text="") == "refused"


def test_anything_in_a_secure_field_is_told_without_its_text() -> None:
    (finding,) = findings([], {"bank.password": WORDS}, ["bank.password"])
    assert (finding.what, finding.detail) == ("in_secure_field", "12 characters")


def test_every_kind_of_finding_has_a_count() -> None:
    assert counts([])["in_secure_field"] == 0


@pytest.mark.parametrize("utterances", [1, 12, 300])
@pytest.mark.parametrize("seed", range(5))
def test_a_plan_has_as_many_utterances_as_were_asked_for_and_gives_servers_time(seed: int, utterances: int) -> None:
    names = plan(seed, utterances)
    deaths = [number for number, name in enumerate(names) if FAULTS[name].kills_server]

    assert sum(FAULTS[name].utterances for name in names) == utterances
    assert names == plan(seed, utterances)
    assert all(later - earlier >= BETWEEN_SERVER_DEATHS for earlier, later in pairwise(deaths))


def test_a_long_day_has_every_kind_of_fault() -> None:
    assert set(plan(1, 300)) == set(FAULTS)


# --- real sound: the same words again and again


SAID = "老赵的声音在成都小林的邮件在武汉"


def spoken(number: int, heard: str, field: str, state: str = "verified", delivered: str = "") -> Utterance:
    noted = Noted(number, heard, state, "focus_moved" if state == "held" else None)
    return Utterance(number, "nothing", field, False, (noted,), said=(SAID,), delivered=delivered)


def all_found(utterances: list[Utterance], **fields: str) -> list[str]:
    return [
        one.what for one in findings(utterances, {name.replace("_", "."): text for name, text in fields.items()}, [])
    ]


def test_the_same_words_may_stand_wherever_they_were_said() -> None:
    said = [spoken(1, SAID, "editor.text"), spoken(2, SAID, "chat.text"), spoken(3, SAID, "editor.text")]
    assert all_found(said, editor_text=SAID * 2, chat_text=SAID) == ["inserted"] * 3


@pytest.mark.parametrize(
    ("editor", "chat", "what"),
    [
        (SAID, SAID, ["inserted", "inserted", "lost"]),
        (SAID * 3, SAID, ["inserted", "inserted", "doubled"]),
        (SAID * 2, SAID * 2, ["inserted", "doubled", "inserted"]),
        (SAID * 2, "", ["inserted", "lost", "inserted"]),
    ],
)
def test_the_same_words_once_too_often_or_too_seldom_are_told(editor: str, chat: str, what: list[str]) -> None:
    said = [spoken(1, SAID, "editor.text"), spoken(2, SAID, "chat.text"), spoken(3, SAID, "editor.text")]
    assert all_found(said, editor_text=editor, chat_text=chat) == what


def test_words_that_stand_where_nobody_said_them_are_misplaced() -> None:
    said = [spoken(1, SAID, "editor.text"), spoken(2, SAID, "editor.text", "held")]
    assert all_found(said, editor_text=SAID, bank_text=SAID) == ["inserted", "misplaced"]
    assert all_found(said, editor_text=SAID * 2) == ["inserted", "untrue"]


def test_a_text_that_is_part_of_a_longer_one_is_not_found_in_it() -> None:
    said = [spoken(1, SAID, "editor.text"), spoken(2, SAID[:8], "editor.text", "held")]
    assert all_found(said, editor_text=SAID)[0] == "inserted"
    assert "untrue" not in all_found(said, editor_text=SAID)


@pytest.mark.parametrize(
    ("heard", "what"),
    [
        (SAID, "inserted"),
        ("老赵的声音在成都小林的右件在武汉", "inserted"),
        (SAID[:8], "lost"),
        (SAID[8:], "lost"),
        (SAID + SAID[8:], "doubled"),
        (SAID[:8] + SAID, "doubled"),
    ],
)
def test_half_of_what_was_said_or_half_of_it_twice_is_no_mishearing(heard: str, what: str) -> None:
    assert all_found([spoken(1, heard, "editor.text")], editor_text=heard) == [what]


def test_what_was_heard_otherwise_is_told_and_whether_it_was_the_microphone() -> None:
    torn = "老赵的声音在成都小林的右件在武汉"
    said = [
        spoken(1, SAID, "editor.text"),
        spoken(2, torn, "editor.text"),
        spoken(3, torn, "editor.text", delivered=torn),
        spoken(4, "老赵的声音 在成都，小林的邮件在武汉。", "editor.text"),
    ]
    assert [(one.utterance, one.as_delivered) for one in heard_otherwise(said)] == [(2, False), (3, True)]
