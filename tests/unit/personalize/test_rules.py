"""When I say X write Y."""

import pytest

from voice_ime.engine.base import Change, Hypothesis, Word
from voice_ime.engine.words import cut
from voice_ime.personalize.profile import Rule, State
from voice_ime.personalize.rewriting import Rewrite, rewritten
from voice_ime.personalize.rules import Rules


def heard(text: str) -> Hypothesis:
    return Hypothesis(text, tuple(Word(word, confidence=0.5) for word in cut(text)), final=True)


def rule(says: str, write: str, **more: object) -> Rule:
    return Rule.model_validate(
        {"id": says.replace(" ", "-") if says.isascii() else "r", "heard": says, "write": write} | more
    )


def written(text: str, *rules: Rule, language: str | None = None, application: str | None = None) -> str:
    hypothesis = heard(text)
    matches = Rules(rules).matches(hypothesis.words, language, application)
    return rewritten(hypothesis, [_rewrite(match.first, match.last, match.rule.write) for match in matches]).text


def _rewrite(first: int, last: int, text: str, kind: str = "rule") -> Rewrite:
    return Rewrite(first, last, Change(kind, 0, 0, "", text, "x"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says", "write", "becomes"),
    [
        ("Send it to bob.", "bob", "Robert", "Send it to Robert."),
        ("BOB came.", "bob", "Robert", "Robert came."),
        ("The n eight n node.", "n eight n", "N8N", "The N8N node."),
        ("Um, hello there.", "um", "", "Hello there."),
        ("I like it, um.", "um", "", "I like it."),
        ("Um.", "um", "", ""),
        ("Yes! Um, no.", "um", "", "Yes! No."),
        ("He said open quote yes", "open quote", "“", "He said “ yes"),
        ("Is it bob?", "bob", "Bob Jr.", "Is it Bob Jr."),
        ("Dear Ann new line how are you", "new line", "\n", "Dear Ann\nhow are you"),
        ("Thank you new line", "new line", "\n", "Thank you\n"),
        ("Yes sign off", "sign off", "Yours,\nAnn", "Yes Yours,\nAnn"),
        ("我要去图书馆，谢谢。", "图书馆", "市图书馆", "我要去市图书馆，谢谢。"),
        ("发给张三和李四", "张三", "章三", "发给章三和李四"),
        ("the song", "songstuff", "x", "the song"),
        ("songs", "song", "Songstuff", "songs"),
    ],
)
def test_what_was_heard_is_written_as_the_rule_says(text: str, says: str, write: str, becomes: str) -> None:
    assert written(text, rule(says, write)) == becomes


def test_what_a_rule_has_written_is_never_changed_again() -> None:
    assert written("the song", rule("song", "Songstuff"), rule("Songstuff", "wrong")) == "the Songstuff"
    assert written("ping", rule("ping", "ping ping")) == "ping ping"


def test_the_longest_rule_wins() -> None:
    assert written("new york city", rule("new york", "NY"), rule("new york city", "NYC"), rule("city", "C")) == "NYC"


def test_a_rule_can_ask_for_the_same_capitals() -> None:
    assert written("mark the Mark", rule("Mark", "Marc", match_case=True)) == "mark the Marc"


def test_a_rule_for_one_application_comes_before_the_one_for_all() -> None:
    rules = (rule("sig", "Yours, Ann"), rule("sig", "-- Ann", application="mutt"))
    assert written("sig", *rules, application="Mutt") == "-- Ann"
    assert written("sig", *rules, application="gedit") == "Yours, Ann"


def test_of_two_rules_for_the_same_words_the_newer_one_counts() -> None:
    assert written("An em dash.", rule("em dash", "–"), rule("Em Dash", "—")) == "An —."


def test_a_rule_that_says_more_about_where_it_applies_comes_first() -> None:
    general, exact = rule("Mark", "mark"), rule("Mark", "Marc", match_case=True)
    assert written("Mark came.", general, exact) == "Marc came."
    assert written("MARK came.", general, exact) == "mark came."
    english = rule("mark", "Marko", language="en")
    assert written("mark came.", general, english, language="en") == "Marko came."


def test_a_rule_for_one_language_leaves_the_other_alone() -> None:
    assert written("hi", rule("hi", "hello", language="zh"), language="en") == "hi"
    assert written("hi", rule("hi", "hello", language="en"), language="en") == "hello"


@pytest.mark.parametrize("state", [State.OBSERVED, State.SUGGESTED, State.DEMOTED, State.QUARANTINED])
def test_a_learned_rule_that_is_not_active_does_nothing(state: State) -> None:
    assert written("teh", rule("teh", "the", state=state)) == "teh"


def test_a_rule_of_marks_alone_does_nothing() -> None:
    assert written("well, yes", rule(",", "x", id="comma")) == "well, yes"


def test_new_words_take_over_the_time_and_the_doubt_of_the_old_ones() -> None:
    said = Hypothesis(
        "call bob smith", (Word("call", 0.0, 0.2, 0.9), Word("bob", 0.3, 0.5, 0.4), Word("smith", 0.6, 1.0, 0.8))
    )
    found = rewritten(said, [_rewrite(1, 3, "Bo Smythe")])
    assert found.words == (said.words[0], Word("Bo", 0.3, 1.0, 0.4), Word("Smythe", 0.3, 1.0, 0.4))
    assert (found.changes[0].first, found.changes[0].last) == (1, 3)


def test_an_offer_becomes_an_alternative_and_changes_no_text() -> None:
    found = rewritten(heard("call kowalsky now"), [_rewrite(1, 2, "Kowalski", "offer")])
    assert found.text == "call kowalsky now"
    assert found.words[1].alternatives == ("Kowalski",)
    assert (found.changes[0].first, found.changes[0].last) == (1, 2)


def test_the_text_is_its_words_whatever_is_changed() -> None:
    found = rewritten(
        heard("Um, so (bob) said: um. yes"), [_rewrite(0, 1, ""), _rewrite(2, 3, "Bo B"), _rewrite(4, 5, "")]
    )
    assert found.text == "So (Bo B) said. yes"
    assert [word.text for word in found.words] == found.text.split()
