"""What `voice-ime bench faults` makes of the journal and the fields: nothing wrong goes by unseen."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from benchmarks.accounts import Noted, Utterance, counts, findings
from benchmarks.faulty_day import BETWEEN_SERVER_DEATHS, FAULTS, plan
from tests.needs import needs_package

needs_package("python-xlib", "Xlib")
WORDS = "Utterance 1."


def utterance(*noted: tuple[str, str | None], **more: bool) -> Utterance:
    lines = tuple(Noted(number, WORDS, state, reason) for number, (state, reason) in enumerate(noted, 1))
    return Utterance(1, "nothing", "editor.text", more.pop("secure", False), lines, **more)


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
