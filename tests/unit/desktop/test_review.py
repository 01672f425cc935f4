"""Where the doubtful words of a text stand, what else they could be, and how that is said."""

import pytest
from voice_ime_desktop import review
from voice_ime_desktop.insert.base import Swap
from voice_ime_desktop.review import MOST_RIVALS, Spot, after, difference, explained, questions, rivals, spots, told

from tests.finals import OFFER, final, word
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.protocol import Change, Explained, Final, FinalWord, Rival

SAY = Messages("en")


def heard(*words: FinalWord, changes: tuple[Change, ...] = ()) -> Final:
    return final(0, 1, "unused").model_copy(update={"words": words, "changes": changes})


def texts(found: list[Spot]) -> list[str]:
    return [spot.text for spot in found]


def answer(text: str, *named: str, own: bool = False) -> Explained:
    listed = tuple(Rival(text=each, source="e1" if own else "", sentences=(f"{each}!",)) for each in named)
    return Explained(text=text, sentences=(f"{text}!",), rivals=listed)


def test_the_most_doubtful_word_comes_first_and_sure_ones_never() -> None:
    said = heard(word("ring", 0.7), word("kowalsky", 0.2), word("now.", 0.95))
    assert texts(spots(said, "ring kowalsky now.")) == ["kowalsky", "ring"]


def test_words_of_which_nobody_knows_how_sure_they_are_come_last_in_the_order_of_the_text() -> None:
    said = heard(word("one", None), word("two", 0.5), word("three", None))
    assert texts(spots(said, "one two three")) == ["two", "one", "three"]


def test_a_word_is_doubtful_where_something_else_was_heard_or_is_offered() -> None:
    said = heard(word("ring", 0.9, "rink"), word("kowalsky", 0.99), word("now", 0.99), changes=(OFFER,))
    assert texts(spots(said, "ring kowalsky now")) == ["ring", "kowalsky"]


def test_signs_around_a_word_are_no_part_of_it_and_stay() -> None:
    (spot,) = spots(heard(word('"Kowalsky,"', 0.1, "Kowalski.")), '"Kowalsky,"')
    assert spot.text == "Kowalsky"
    assert [rival.swap.within('"Kowalsky,"') for rival in spot.others] == ['"Kowalski,"']


def test_a_capital_at_the_beginning_of_a_sentence_stays_and_a_sentence_that_was_begun_has_none() -> None:
    said = heard(word("Their", 0.1, "there"), word("Will", 0.2, "well"))
    first, second = spots(said, "Their Will")
    assert (first.others[0].swap.by, second.others[0].swap.by) == ("There", "well")
    (small,) = spots(heard(word("Their", 0.1)), "their")
    assert small.text == "their"


def test_what_sounds_like_a_name_is_written_like_one_and_own_words_as_they_are() -> None:
    (spot,) = spots(heard(word("ring"), word("Neil", 0.1)), "ring Neil")
    named = (Rival(text="neal", source="", sentences=()), Rival(text="nEel", source="e1", sentences=()))
    found = rivals(spot, "ring Neil", {"Neil": Explained(text="Neil", sentences=(), rivals=named)})
    assert [rival.swap.by for rival in found] == ["nEel", "Neal"]


def test_a_word_that_stands_twice_is_found_where_it_is_doubtful() -> None:
    (spot,) = spots(heard(word("to"), word("go"), word("to", 0.3)), "To go to")
    assert (spot.first, spot.last) == (6, 8)


def test_a_word_that_does_not_stand_in_the_text_is_left_out() -> None:
    assert texts(spots(heard(word("gone", 0.1), word("here", 0.1)), "here")) == ["here"]


def test_an_offer_for_several_words_is_one_place() -> None:
    offer = OFFER.model_copy(update={"first_word": 0, "last_word": 2, "heard": "co valsky", "written": "Kowalski"})
    (spot,) = spots(heard(word("Co", 0.4), word("valsky.", 0.6), changes=(offer,)), "Co valsky.")
    assert (spot.text, spot.confidence) == ("Co valsky", 0.4)
    assert spot.offers[0].swap.within("Co valsky.") == "Kowalski."


def test_what_was_heard_can_be_had_back_where_an_entry_was_written() -> None:
    change = OFFER.model_copy(update={"kind": "replace"})
    said = heard(word("ring"), word("Kowalski", 0.5), changes=(change,))
    (spot,) = spots(said, "ring Kowalski")
    assert [rival.swap.by for rival in spot.others] == ["kowalsky"]


def test_an_offer_for_words_that_are_not_there_is_left_out() -> None:
    wrong = OFFER.model_copy(update={"first_word": 5, "last_word": 7})
    assert spots(heard(word("ring"), changes=(wrong,)), "ring") == []


def test_own_words_come_first_then_what_was_heard_and_none_comes_twice() -> None:
    said = heard(word("ring"), word("kowalsky", 0.2, "cow", "Kowalski"), changes=(OFFER,))
    (spot,) = spots(said, "ring kowalsky")
    answers = {"kowalsky": answer("kowalsky", "Covalsky", "Kowalski", "kowalsky", own=True)}
    found = rivals(spot, "ring kowalsky", answers)
    assert [(rival.swap.by, rival.own) for rival in found] == [("Kowalski", True), ("Covalsky", True), ("cow", False)]


def test_no_more_rivals_are_named_than_can_be_kept_in_mind() -> None:
    (spot,) = spots(heard(word("a", 0.1)), "a")
    assert len(rivals(spot, "a", {"a": answer("a", *"bcdefghi")})) == MOST_RIVALS


def test_a_chinese_character_is_also_asked_about_as_part_of_a_word() -> None:
    (spot,) = spots(heard(*(word(each, 0.9 if each != "式" else 0.4) for each in "办公式吧")), "办公式吧")
    assert questions(spot, "办公式吧") == ["式", "公式", "式吧"]
    found = rivals(spot, "办公式吧", {"公式": answer("公式", "公事"), "式": answer("式", "是")})
    assert [rival.swap.within("办公式吧") for rival in found] == ["办公事吧", "办公是吧"]


def test_everything_that_could_stand_there_is_asked_about_once() -> None:
    (spot,) = spots(heard(word("ring"), word("kowalsky", 0.2, "Kowalski"), changes=(OFFER,)), "ring kowalsky")
    assert questions(spot, "ring kowalsky") == ["kowalsky", "Kowalski"]


def test_what_was_heard_as_well_may_be_one_of_the_own_words() -> None:
    (spot,) = spots(heard(word("ring"), word("cow", 0.2, "Kowalski", "cowl")), "ring cow")
    named = Explained(text="Kowalski", source="e1", sentences=(), rivals=())
    found = rivals(spot, "ring cow", {"Kowalski": named, "cowl": answer("cowl")})
    assert [(rival.swap.by, rival.own) for rival in found] == [("Kowalski", True), ("cowl", False)]


def test_what_the_server_would_not_take_is_not_asked() -> None:
    long = "long" * 100
    (spot,) = spots(heard(word(long, 0.1)), long)
    assert questions(spot, long) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_rival_has_its_number_and_how_it_is_written(language: str) -> None:
    messages = Messages(language)
    text = "章三"
    (spot,) = spots(heard(word("章三", 0.3, "章山")), text)
    answers = {"章三": Explained(text="章三", sentences=("章，文章的章",), rivals=(
        Rival(text="张三", source="e1", sentences=("张，弓长张", "三，三个的三")),
    ))}  # fmt: skip
    found = rivals(spot, text, answers)
    how = messages("desktop.review.between").join(("张三", "张，弓长张", "三，三个的三"))
    assert told(spot, found, explained(answers.values()), messages) == [
        "章，文章的章",
        messages("desktop.review.own", number=1, how=how),
        messages("desktop.review.rival", number=2, how="章山"),
    ]


def test_a_rival_that_begins_a_sentence_is_explained_like_the_small_one() -> None:
    (spot,) = spots(heard(word("Their", 0.3)), "Their")
    answers = {"Their": Explained(text="Their", sentences=("Their, as in their house",), rivals=(
        Rival(text="there", source="", sentences=("there, as in over there",)),
    ))}  # fmt: skip
    found = rivals(spot, "Their", answers)
    assert told(spot, found, explained(answers.values()), SAY) == [
        "Their, as in their house",
        "1: there, as in over there.",
    ]


def test_where_nothing_else_is_known_that_is_said() -> None:
    (spot,) = spots(heard(word("hello", 0.3)), "hello")
    assert told(spot, [], {}, SAY) == [SAY("desktop.review.no_rivals")]


def test_how_sure_a_word_is_is_said_where_it_is_known() -> None:
    known, unknown = spots(heard(word("one", 0.296), word("two", None)), "one two")
    assert review.word(known, SAY) == "one: 30 percent sure."
    assert review.word(unknown, SAY) == SAY("desktop.review.word", text="two")


def test_other_places_move_along_and_those_that_are_gone_are_left_out() -> None:
    said = heard(word("a", 0.3), word("bb", 0.2), word("c", 0.1, "d"))
    c, b, a = spots(said, "a bb c")
    moved_c, same_a = after([c, b, a], Swap(2, 4, "bees"))
    assert ((moved_c.first, moved_c.last), same_a) == ((7, 8), a)
    assert moved_c.others[0].swap.within("a bees c") == "a bees d"


@pytest.mark.parametrize(
    ("text", "other"),
    [("go to", "go too"), ("go too", "go to"), ("aa", "aaa"), ("same", "same"), ("", "x"), ("张三", "章三")],
)
def test_the_difference_makes_one_text_of_the_other(text: str, other: str) -> None:
    assert difference(text, other).within(text) == other
