"""Windows, second attempts, words and phrases of Whisper, with a model that says what it was told to say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.contract.engine_contract import MODELS, silence, sound_of
from tests.needs import needs_package
from voice_ime.engine.base import SAMPLE_RATE, Samples, Word

needs_package("faster-whisper")

from voice_ime.engine.whisper_hearing import (  # noqa: E402
    Heard,
    Search,
    agreed,
    glance,
    hear,
    hear_with,
    hypothesis,
    is_loop,
    quietest,
    timed_words,
    window_ends,
    with_alternatives,
)
from voice_ime.engine.whisper_model import Decoded, Encoded, Manner, Model  # noqa: E402

SEARCH = Search(beams=3, texts=2)
LOOP = (1, 2, 3) * 8
SPEECH = sound_of(MODELS / "en-window.flac")


@dataclass
class Parrot(Model):
    """Says the next of its texts at each decoding. Tokens are the numbers of the words in WORDS."""

    says: list[Decoded]
    scores: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[int, Manner]] = field(default_factory=list)
    """Frames of the window and the manner of each decoding."""
    longest: int = 30 * SAMPLE_RATE

    def encode(self, sound: Samples, *, full: bool = False) -> Encoded:
        return Encoded(None, len(sound) // 160, 3000 if full else 1000)

    def detect(self, encoded: Encoded) -> str:
        return "en"

    def decode(self, encoded: Encoded, how: Manner) -> Decoded:
        self.asked.append((encoded.window, how))
        return self.says.pop(0)

    def text(self, tokens: Sequence[int], language: str) -> str:
        return " ".join(f"w{token}" for token in tokens)

    def align(self, encoded: Encoded, language: str, tokens: Sequence[int]) -> list[dict[str, Any]]:
        return []

    def score(self, encoded: Encoded, language: str, text: str) -> float:
        return self.scores[text]


def said(*tokens: int, likely: float = -0.5, ended: bool = True, others: tuple[tuple[int, ...], ...] = ()) -> Decoded:
    return Decoded(tokens, likely, ended, others)


# --- second attempts ---


def test_a_text_that_makes_sense_is_heard_in_a_short_window_only():
    model = Parrot([said(1, 2)])
    assert [window.text for window in hear(model, SPEECH, None, SEARCH)] == ["w1 w2"]
    assert [window for window, _ in model.asked] == [1000]


@pytest.mark.parametrize("doubtful", [said(), said(1, 2, likely=-9.0), said(*LOOP), said(*range(50), ended=False)])
def test_nothing_an_unlikely_text_and_a_loop_are_heard_again_in_the_full_window(doubtful: Decoded):
    model = Parrot([doubtful, said(1, 2)])
    assert hear(model, SPEECH, None, SEARCH)[0].text == "w1 w2"
    assert [window for window, _ in model.asked] == [1000, 3000]


def test_what_the_full_window_is_not_sure_of_either_is_taken():
    model = Parrot([said(1, 2, likely=-9.0), said(1, 2, likely=-8.0)])
    assert hear(model, SPEECH, None, SEARCH)[0].log_probability == -8.0


def test_a_loop_in_the_full_window_too_is_broken_by_forbidding_repetitions():
    model = Parrot([said(*LOOP), said(*LOOP, 4), said(1, 2, 3)])
    assert hear(model, SPEECH, None, SEARCH)[0].text == "w1 w2 w3"
    assert [how.repeats for _, how in model.asked] == [True, True, False]


def test_what_was_really_said_over_and_over_stays():
    """Both windows hear the same, and it ends."""
    model = Parrot([said(*LOOP), said(*LOOP)])
    assert hear(model, SPEECH, None, SEARCH)[0].tokens == LOOP


def test_silence_is_not_given_to_the_model_at_all():
    model = Parrot([])
    assert [window.text for window in hear(model, silence(2), None, SEARCH)] == [""]
    assert model.asked == []


@pytest.mark.parametrize("tokens", [(1, 2, 3) * 4, (7,) * 12, (9, 9, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4)])
def test_a_piece_that_comes_again_and_again_is_a_loop(tokens: tuple[int, ...]):
    assert is_loop(tokens)


@pytest.mark.parametrize("tokens", [(), (1,), (7,) * 6, (1, 2) * 4, (1, 2, 3) * 3, tuple(range(60))])
def test_ordinary_repetition_is_no_loop(tokens: tuple[int, ...]):
    assert not is_loop(tokens)


# --- partials ---


def test_a_partial_begins_with_its_draft_and_follows_one_text_only():
    model = Parrot([said(1, 2, 3)])
    heard = glance(model, SPEECH, "en", (1, 2))
    assert heard is not None
    assert heard[0].text == "w1 w2 w3"
    assert model.asked == [(1000, Manner("en", draft=(1, 2)))]


def test_a_partial_that_is_a_loop_is_not_shown():
    assert glance(Parrot([said(*LOOP)]), SPEECH, "en", ()) is None


def test_a_partial_of_silence_is_empty():
    heard = glance(Parrot([]), silence(1), "en", (1,))
    assert heard is not None
    assert hypothesis(heard, final=False).text == ""


@pytest.mark.parametrize(
    ("before", "now", "stable"),
    [
        ((), (1, 2), ()),
        ((1, 2), (1, 2, 3), (1, 2)),
        ((1, 9), (1, 2, 3), (1,)),
        ((1, 2, 3), (1, 2), (1, 2)),
        ((5,), (1,), ()),
    ],
)
def test_what_two_partials_agree_on_is_the_draft_of_the_next(
    before: tuple[int, ...], now: tuple[int, ...], stable: tuple[int, ...]
):
    assert agreed(before, now) == stable


# --- phrases ---

FIRST = Heard("w1 w2", (Word("w1"), Word("w2")), "en", -0.5, tokens=(1, 2), encoded=Encoded(None, 100, 1000))


def test_a_phrase_that_the_sound_bears_out_is_taken():
    model = Parrot([said(1, 3)], {"w1 w2": -2.0, "w1 w3": -4.0})
    again = hear_with(model, FIRST, ("w3",), SEARCH)
    assert again.text == "w1 w3"
    assert [word.text for word in again.words] == ["w1", "w3"]
    assert model.asked == [(1000, Manner("en", 3, 2, ("w3",)))]


def test_a_phrase_that_was_not_said_is_not_heard():
    model = Parrot([said(3)], {"w1 w2": -2.0, "w3": -30.0})
    assert hear_with(model, FIRST, ("w3",), SEARCH) == FIRST


@pytest.mark.parametrize("decoded", [said(), said(*LOOP), said(3, ended=False), said(1, 2)])
def test_phrases_that_make_the_model_silent_or_loop_change_nothing(decoded: Decoded):
    assert hear_with(Parrot([decoded]), FIRST, ("w3",), SEARCH) == FIRST


def test_where_nothing_was_said_phrases_are_not_even_given():
    nothing = Heard("", language="en")
    assert hear_with(Parrot([]), nothing, ("w3",), SEARCH) == nothing


# --- windows ---


def test_windows_are_cut_where_it_is_quiet_and_cover_the_sound():
    sound = np.full(100_000, 0.5, np.float32)
    sound[35_000:37_000] = 0
    ends = list(window_ends(sound, 40_000))
    assert 35_000 < ends[0] < 37_000
    assert ends[-1] == len(sound)
    assert all(end - begin <= 40_000 for begin, end in zip([0, *ends], ends, strict=False))


def test_a_cut_is_always_forwards():
    assert quietest(np.zeros(SAMPLE_RATE, np.float32)) > 0


# --- words ---


@dataclass(frozen=True)
class Aligned:
    word: str
    start: float
    end: float
    probability: float = 0.5

    def as_mapping(self) -> dict[str, object]:
        return {"word": self.word, "start": self.start, "end": self.end, "probability": self.probability}


def words(text: str, *aligned: Aligned) -> list[tuple[str, float | None, float | None]]:
    found = timed_words(text, [each.as_mapping() for each in aligned], (0.3, 2.0), 10.0)
    return [(word.text, word.start_s, word.end_s) for word in found]


def test_the_first_word_does_not_begin_before_speech_does():
    assert words("a b", Aligned(" a", 0.0, 0.8), Aligned(" b", 0.8, 1.2)) == [("a", 10.3, 10.8), ("b", 10.8, 11.2)]


def test_times_beyond_the_speech_or_backwards_are_put_right():
    aligned = (Aligned(" a", 0.5, 0.4), Aligned(" b", 0.2, 9.0), Aligned(" c", 9.0, 9.5))
    assert words("a b c", *aligned) == [("a", 10.5, 10.5), ("b", 10.5, 12.0), ("c", 12.0, 12.0)]


def test_words_have_no_times_where_the_alignment_is_not_the_text():
    assert words("a b", Aligned(" a", 0.5, 0.9)) == [("a", None, None), ("b", None, None)]


def others_of(text: str, *others: str) -> list[tuple[str, ...]]:
    return [word.alternatives for word in with_alternatives(tuple(Word(word) for word in text.split()), others)]


def test_a_word_that_another_text_has_differently_gets_that_as_its_alternative():
    assert others_of("call Sean today", "call Shawn today", "call Shaun today") == [(), ("Shawn", "Shaun"), ()]


def test_words_that_sound_the_same_are_no_alternatives():
    assert others_of("well then", "Well, then") == [(), ()]


def test_texts_of_another_length_give_no_alternatives_to_single_words():
    assert others_of("recognise speech", "wreck a nice beach") == [(), ()]
