"""The calls made to faster-whisper and CTranslate2.

What phrases, drafts and other texts do to a real model cannot be seen with the micro model, which was never taught
them: here it is the calls that are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.contract.engine_contract import MODELS, sound_of
from tests.needs import needs_package

needs_package("faster-whisper")

from faster_whisper import WhisperModel  # noqa: E402

from voice_ime.engine.whisper_model import (  # noqa: E402
    FULL_FRAMES,
    MOST_PHRASE_TOKENS,
    POSITIONS,
    Manner,
    Model,
    window_frames,
)

MICRO = MODELS / "whisper_micro"
SPEECH = sound_of(MODELS / "zh-meeting.flac")


@dataclass(frozen=True)
class Result:
    """As CTranslate2 gives it."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float = 0.0


@dataclass
class Decoder:
    """Takes the place of CTranslate2's Whisper: hears what it was told to hear, and keeps what it was asked."""

    result: Result
    encoded: list[Any] = field(default_factory=list)
    """Shapes of the features that were encoded."""
    asked: list[tuple[list[int], dict[str, Any]]] = field(default_factory=list)
    is_multilingual: bool = True

    def generate(self, states: object, prompts: list[list[int]], **how: Any) -> list[Result]:
        self.asked.append((prompts[0], how))
        return [self.result]

    def detect_language(self, states: object) -> list[list[tuple[str, float]]]:
        return [[("<|yue|>", 0.5), ("<|en|>", 0.3), ("<|zh|>", 0.2)]]


class Library(WhisperModel):  # type: ignore[misc]
    """faster-whisper with another decoder under it."""

    def __init__(self, folder: Path, decoder: Decoder) -> None:
        super().__init__(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
        self.model = decoder

    def encode(self, features: Any) -> object:
        self.model.encoded.append(features.shape)
        return features


@dataclass
class Asked:
    """What was asked for one decoding."""

    prompt: list[str]
    """Its tokens in words."""
    how: dict[str, Any]


class Table:
    """A model to be asked, and the tokens of its vocabulary."""

    def __init__(
        self,
        *texts: str,
        scores: Sequence[float] = (-0.1,),
        no_speech: float = 0.0,
        expected: tuple[str, ...] = (),
    ) -> None:
        self._library = Library(MICRO, Decoder(Result([[0]], [0.0])))
        tokens = [self.tokens(text) for text in texts]
        self.decoder = Decoder(Result(tokens, list(scores), no_speech))
        self._library.model = self.decoder
        self.model = Model(self._library, 10, expected)

    def tokens(self, text: str) -> list[int]:
        found: list[int] = self._library.hf_tokenizer.encode(text).ids
        return found

    def ask(self, how: Manner) -> Asked:
        self.found = self.model.decode(self.model.encode(SPEECH), how)
        prompt, rest = self.decoder.asked[-1]
        return Asked([self._library.hf_tokenizer.id_to_token(token) for token in prompt], rest)

    def said(self, asked: Asked) -> str:
        """The text in a prompt, without special tokens."""
        ids = [self._library.hf_tokenizer.token_to_id(token) for token in asked.prompt]
        text: str = self._library.hf_tokenizer.decode(ids)
        return text.strip()


def test_the_prompt_is_the_language_the_task_and_no_times():
    asked = Table("好").ask(Manner("zh"))
    assert asked.prompt == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"]


def test_phrases_stand_before_the_text_as_if_they_had_just_been_said():
    table = Table("好")
    asked = table.ask(Manner("zh", phrases=("章先生", "北京")))
    assert asked.prompt[0] == "<|startofprev|>"
    assert asked.prompt[-4:] == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"]
    assert table.said(asked) == "章先生、北京"


def test_english_phrases_are_a_line_of_english():
    table = Table(" ok")
    assert table.said(table.ask(Manner("en", phrases=("Yreka", "Kowalski")))) == "Yreka, Kowalski"


def test_twenty_phrases_are_taken_at_most():
    table = Table(" ok")
    said = table.said(table.ask(Manner("en", phrases=tuple("abcdefghijklmnopqrstuvwxyz"))))
    assert said.split(", ") == list("abcdefghijklmnopqrst")


def test_phrases_that_are_too_long_together_are_left_and_shorter_ones_after_them_taken():
    table = Table(" ok")
    said = table.said(table.ask(Manner("en", phrases=("a" * 60, "b" * 60, "short"))))
    assert said == f"{'a' * 60}, short"


def test_prompt_draft_and_text_are_never_more_than_the_decoder_can_hold():
    table = Table(" ok")
    asked = table.ask(Manner("en", phrases=("x" * 90,), draft=tuple(range(300))))
    assert len(asked.prompt) <= MOST_PHRASE_TOKENS + 5 + 100
    assert asked.how["max_length"] <= POSITIONS


def test_a_draft_is_where_the_text_begins_and_the_text_may_end_with_it():
    table = Table("今天好")
    draft = tuple(table.tokens("今天"))
    asked = table.ask(Manner("zh", draft=draft))
    assert table.said(asked) == "今天"
    assert not asked.how["suppress_blank"]


def test_other_texts_are_asked_for_and_come_without_the_unlikely_ones():
    table = Table("今天", "明天", "北京", scores=(-0.1, -0.2, -9.0))
    asked = table.ask(Manner("zh", beams=3, texts=3))
    assert (asked.how["beam_size"], asked.how["num_hypotheses"]) == (3, 3)
    assert table.found.others == (tuple(table.tokens("明天")),)


def test_no_more_other_texts_come_than_are_wanted():
    table = Table("今天", "明天", "北京", scores=(-0.1, -0.2, -0.3))
    table.ask(Manner("zh", beams=3, texts=2))
    assert len(table.found.others) == 1


def test_a_text_that_breaks_off_is_not_taken_for_being_short():
    table = Table("今", "今天下午三点开会", scores=(-3.0, -4.0))
    table.ask(Manner("zh", beams=2, texts=2))
    assert table.found.tokens == tuple(table.tokens("今天下午三点开会"))


def test_the_search_does_not_end_with_the_first_poor_texts():
    """With a length penalty CTranslate2 ends it when so many texts have ended, and the best may not be among them."""
    assert Table("好").ask(Manner("zh", beams=3)).how["length_penalty"] == 0


@pytest.mark.parametrize(("repeats", "size"), [(True, 0), (False, 3)])
def test_repetitions_are_forbidden_only_when_asked_for(repeats: bool, size: int):
    assert Table("好").ask(Manner("zh", repeats=repeats)).how["no_repeat_ngram_size"] == size


def test_what_the_model_takes_for_no_speech_is_no_text():
    table = Table("今天", scores=(-9.0,), no_speech=0.9)
    table.ask(Manner("zh"))
    assert table.found.tokens == ()


def test_a_text_that_reaches_its_longest_has_not_ended():
    table = Table("今天" * 100)
    table.ask(Manner("zh"))
    assert not table.found.ended


@pytest.mark.parametrize(("full", "frames"), [(False, 1000), (True, FULL_FRAMES)])
def test_sound_is_encoded_in_its_window(full: bool, frames: int):
    table = Table("好")
    table.model.encode(SPEECH, full=full)
    assert table.decoder.encoded == [(80, frames)]


@pytest.mark.parametrize(
    ("seconds", "least_s", "window_s"),
    [(0.1, 10, 10), (7, 10, 10), (7.5, 10, 11), (20, 10, 23), (29, 10, 30), (1, 30, 30), (1, 1, 4)],
)
def test_a_window_is_the_sound_and_some_seconds_but_not_too_short(seconds: float, least_s: float, window_s: float):
    assert window_frames(round(seconds * 100), least_s) == window_s * 100


@pytest.mark.parametrize(
    ("expected", "found"),
    [((), "en"), (("zh",), "zh"), (("zh", "en"), "en"), (("zh", "fr"), "zh"), (("fr",), "en")],
)
def test_only_languages_that_are_expected_are_found(expected: tuple[str, ...], found: str):
    """Short Mandarin is easily taken for Cantonese. The model knows English and Chinese."""
    model = Table("好", expected=expected).model
    assert model.detect(model.encode(SPEECH)) == found


def test_chinese_and_english_in_one_sentence_keep_their_blanks():
    table = Table("好")
    sentence = "用 Python 写代码，open the window 好吗"
    assert table.model.text(table.tokens(sentence), "zh") == sentence


def test_blanks_around_a_text_and_double_ones_go():
    table = Table("好")
    assert table.model.text(table.tokens("  open  the window "), "en") == "open the window"
