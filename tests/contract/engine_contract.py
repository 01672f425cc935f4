"""What every engine must keep, as sentences: the base of a class of tests that has a fixture `subject`."""

import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Samples, Substitution
from voice_ime.errors import LanguageNotSupported, RecognitionFailed

MODELS = Path(__file__).parents[1] / "models"
CLIPS = {"en": ("en-window.flac", "en-delete.flac"), "zh": ("zh-meeting.flac", "zh-weather.flac")}
"""Two clips of each language."""
PIECES = (160, 997, SAMPLE_RATE, 10 * SAMPLE_RATE)
"""Sizes of the pieces that sound comes in, in samples."""


@dataclass(frozen=True)
class Clip:
    sound: Samples
    language: str


@dataclass(frozen=True)
class Subject:
    """An engine under test."""

    name: str
    """Its name in the catalogue."""
    open: Callable[[], Engine]
    """Another one of the same kind."""
    engine: Engine
    clips: tuple[Clip, ...]
    """At least two, different from each other, in languages it hears."""

    @property
    def first(self) -> Clip:
        return self.clips[0]

    @property
    def last(self) -> Clip:
        return self.clips[-1]


def subject_of(name: str, open_engine: Callable[[], Engine]) -> Iterator[Subject]:
    """For a fixture that yields: the engine, closed at the end."""
    engine = open_engine()
    known = [language for language in CLIPS if language in engine.capabilities.languages]
    clips = tuple(Clip(sound_of(MODELS / file), language) for language in known for file in CLIPS[language])
    yield Subject(name, open_engine, engine, clips)
    engine.close()


def sound_of(path: Path) -> Samples:
    return np.concatenate(list(read_blocks(path)))


def silence(seconds: float) -> Samples:
    """As from a microphone in a quiet room: not all zero, but nothing above the last bit."""
    noise = np.random.default_rng(0).integers(-1, 2, round(seconds * SAMPLE_RATE))
    return (noise / 32768).astype(np.float32)


def pieces_of(sound: Samples, size: int) -> Iterator[Samples]:
    for begin in range(0, len(sound), size):
        yield sound[begin : begin + size]


def heard(engine: Engine, clip: Clip, *, piece: int = SAMPLE_RATE, partials: bool = False) -> Hypothesis:
    """The final of a clip that comes in pieces, with a partial after each if wanted."""
    utterance = engine.begin(Options(language=clip.language))
    for part in pieces_of(clip.sound, piece):
        utterance.feed(part)
        if partials:
            utterance.partial()
    return utterance.finish()


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)


def assert_well_formed(hypothesis: Hypothesis, engine: Engine, duration_s: float) -> None:
    can = engine.capabilities
    assert "".join(word.text for word in hypothesis.words) == without_blanks(hypothesis.text)
    assert hypothesis.text == hypothesis.text.strip()
    assert_times_are_ordered(hypothesis, duration_s)
    for word in hypothesis.words:
        assert word.text
        assert word.text == without_blanks(word.text)
        assert word.confidence is None or 0 <= word.confidence <= 1
        assert can.confidence or word.confidence is None
        assert can.alternatives or not word.alternatives
        assert can.word_times != "none" or word.start_s is None
        assert word.text not in word.alternatives
    assert can.alternatives or not hypothesis.alternatives
    assert hypothesis.text not in hypothesis.alternatives
    assert hypothesis.language is None or hypothesis.language in can.languages
    assert hypothesis.log_probability is None or hypothesis.log_probability <= 0
    assert all(seconds >= 0 for seconds in hypothesis.timings.values())


def assert_times_are_ordered(hypothesis: Hypothesis, duration_s: float) -> None:
    """A border that nothing tells is None; words whose border nothing tells apart may share one."""
    starts = [word.start_s for word in hypothesis.words if word.start_s is not None]
    ends = [word.end_s for word in hypothesis.words if word.end_s is not None]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= time_s <= duration_s for time_s in starts + ends)
    for word in hypothesis.words:
        assert word.start_s is None or word.end_s is None or word.start_s <= word.end_s


class EngineContract:
    """Each engine keeps every one of these."""

    def test_it_says_the_name_it_has_in_the_catalogue(self, subject: Subject) -> None:
        assert subject.engine.capabilities.engine == subject.name

    def test_speech_has_a_text_and_the_last_answer_is_final(self, subject: Subject) -> None:
        final = heard(subject.engine, subject.first)
        assert final.text
        assert final.final

    @pytest.mark.parametrize("piece", PIECES)
    def test_the_size_of_the_pieces_does_not_change_the_text(self, subject: Subject, piece: int) -> None:
        texts = {heard(subject.engine, subject.first, piece=size).text for size in (4000, piece)}
        assert len(texts) == 1

    def test_partials_do_not_change_the_final(self, subject: Subject) -> None:
        quiet = heard(subject.engine, subject.first, piece=3200)
        assert heard(subject.engine, subject.first, piece=3200, partials=True).text == quiet.text

    def test_a_partial_is_not_final_and_is_told_once(self, subject: Subject) -> None:
        utterance = subject.engine.begin(Options(language=subject.first.language))
        utterance.feed(subject.first.sound)
        partial = utterance.partial()
        assert partial is not None
        assert not partial.final
        assert utterance.partial() is None
        utterance.cancel()

    @pytest.mark.parametrize("samples", [0, 1, 100, 1600])
    def test_no_sound_has_no_text(self, subject: Subject, samples: int) -> None:
        utterance = subject.engine.begin(Options())
        utterance.feed(np.zeros(samples, np.float32))
        final = utterance.finish()
        assert (final.text, final.words, final.final) == ("", (), True)

    def test_an_utterance_that_was_never_fed_has_no_text(self, subject: Subject) -> None:
        utterance = subject.engine.begin(Options())
        assert utterance.partial() is None
        assert utterance.finish().text == ""

    @pytest.mark.parametrize("seconds", [0.5, 2, 8])
    def test_silence_has_no_text(self, subject: Subject, seconds: float) -> None:
        utterance = subject.engine.begin(Options(phrases=("Yreka", "章先生"), context="Dear Ms Zhang,"))
        utterance.feed(silence(seconds))
        partial = utterance.partial()
        assert partial is None or partial.text == ""
        final = utterance.finish()
        assert (final.text, final.words) == ("", ())

    @pytest.mark.parametrize(("piece", "partials"), [(6400, False), (1600, True), (6400, True), (16000, True)])
    def test_words_are_the_text_in_order_with_times_and_confidence_as_promised(
        self, subject: Subject, piece: int, partials: bool
    ) -> None:
        for clip in subject.clips:
            final = heard(subject.engine, clip, piece=piece, partials=partials)
            assert_well_formed(final, subject.engine, len(clip.sound) / SAMPLE_RATE)
            if subject.engine.capabilities.confidence:
                assert all(word.confidence is not None for word in final.words)
            if subject.engine.capabilities.word_times == "aligned":
                assert all(word.start_s is not None and word.end_s is not None for word in final.words)

    def test_partials_are_well_formed_too(self, subject: Subject) -> None:
        utterance = subject.engine.begin(Options(language=subject.first.language))
        fed = 0
        for part in pieces_of(subject.first.sound, 8000):
            utterance.feed(part)
            fed += len(part)
            if (partial := utterance.partial()) is not None:
                assert_well_formed(partial, subject.engine, fed / SAMPLE_RATE)
        utterance.cancel()

    def test_phrases_and_context_do_not_take_the_text_away(self, subject: Subject) -> None:
        options = Options(subject.first.language, phrases=("Yreka", "章先生"), context="Dear Ms Zhang,")
        utterance = subject.engine.begin(options)
        utterance.feed(subject.first.sound)
        assert utterance.finish().text

    def test_an_utterance_may_be_cancelled_at_any_time_and_twice(self, subject: Subject) -> None:
        fresh = subject.engine.begin(Options())
        fresh.cancel()
        fresh.cancel()
        fed = subject.engine.begin(Options())
        fed.feed(subject.first.sound)
        fed.partial()
        fed.cancel()
        fed.cancel()

    def test_what_was_cancelled_is_forgotten(self, subject: Subject) -> None:
        utterance = subject.engine.begin(Options(language=subject.first.language))
        utterance.feed(subject.first.sound)
        utterance.partial()
        utterance.cancel()
        assert utterance.partial() is None

    def test_nothing_leaks_into_the_next_utterance(self, subject: Subject) -> None:
        alone = heard(subject.engine, subject.last).text
        heard(subject.engine, subject.first, partials=True)
        given_up = subject.engine.begin(Options(language=subject.first.language))
        given_up.feed(subject.first.sound)
        given_up.partial()
        given_up.cancel()
        assert heard(subject.engine, subject.last, partials=True).text == alone

    def test_two_utterances_in_turn_do_not_mix(self, subject: Subject) -> None:
        alone = [heard(subject.engine, clip).text for clip in (subject.first, subject.last)]
        pair = [(subject.engine.begin(Options(clip.language)), clip) for clip in (subject.first, subject.last)]
        for begin in range(0, max(len(clip.sound) for _, clip in pair), 4000):
            for utterance, clip in pair:
                utterance.feed(clip.sound[begin : begin + 4000])
                utterance.partial()
        assert [utterance.finish().text for utterance, _ in pair] == alone

    def test_two_utterances_at_once_in_two_threads_do_not_mix(self, subject: Subject) -> None:
        clips = (subject.first, subject.last)
        alone = [heard(subject.engine, clip).text for clip in clips]
        together = Barrier(2, timeout=60)

        def hear(clip: Clip) -> list[str]:
            together.wait()
            return [heard(subject.engine, clip, piece=8000, partials=True).text for _ in range(3)]

        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(hear, clips)) == [[text] * 3 for text in alone]

    def test_the_callers_sound_is_neither_changed_nor_kept(self, subject: Subject) -> None:
        expected = heard(subject.engine, subject.first).text
        utterance = subject.engine.begin(Options(language=subject.first.language))
        buffer = np.empty(4000, np.float32)
        for part in pieces_of(subject.first.sound, 4000):
            buffer[: len(part)] = part
            utterance.feed(buffer[: len(part)])
            assert np.array_equal(buffer[: len(part)], part)
            buffer[:] = 0
        assert utterance.finish().text == expected

    def test_each_language_it_names_may_be_asked_for_and_none_too(self, subject: Subject) -> None:
        for language in (None, *subject.engine.capabilities.languages):
            subject.engine.begin(Options(language=language)).cancel()

    def test_a_language_it_does_not_hear_is_refused_by_name(self, subject: Subject) -> None:
        with pytest.raises(LanguageNotSupported) as refused:
            subject.engine.begin(Options(language="tlh"))
        assert refused.value.values["language"] == ("tlh",)
        assert refused.value.values["engine"] == subject.name

    def test_score_prefers_what_was_said_where_the_engine_says_it_scores(self, subject: Subject) -> None:
        utterance = subject.engine.begin(Options(language=subject.first.language))
        utterance.feed(subject.first.sound)
        text = utterance.finish().text
        if not subject.engine.capabilities.scores_text:
            with pytest.raises(TypeError):
                utterance.score([text])
            return
        said, other = utterance.score([text, "Yreka Yreka Yreka"])
        assert other < said <= 0
        assert utterance.score([]) == []

    def test_score_is_the_same_each_time_and_never_undefined(self, subject: Subject) -> None:
        if not subject.engine.capabilities.scores_text:
            return
        utterance = subject.engine.begin(Options(language=subject.first.language))
        utterance.feed(subject.first.sound)
        utterance.finish()
        scores = utterance.score(["please", "", "章先生 ☃", "please"])
        assert scores[0] == pytest.approx(scores[-1])
        assert not any(math.isnan(score) for score in scores)
        assert all(score <= 0 for score in scores)

    def test_what_it_cannot_write_has_no_price(self, subject: Subject) -> None:
        """None, and not a very low one: whoever asks must not take it for an answer of the sound."""
        if not subject.engine.capabilities.scores_text:
            return
        final_of = subject.engine.begin(Options(language=subject.first.language))
        final_of.feed(subject.first.sound)
        final = final_of.finish()
        texts = ("Yreka", "龘鱻", "☃", final.words[0].text)
        engine = subject.engine.chosen(Options(language=subject.first.language))
        prices = final_of.price(final, [Substitution(0, 1, (text,)) for text in texts])
        assert [price is not None for price in prices] == [engine.writes(text) for text in texts]
        assert engine.writes(final.text)

    def test_no_text_is_likely_where_nothing_was_said(self, subject: Subject) -> None:
        if not subject.engine.capabilities.scores_text:
            return
        utterance = subject.engine.begin(Options())
        utterance.feed(silence(1))
        utterance.finish()
        assert utterance.score(["please", ""]) == [-math.inf, 0.0]

    def test_closing_ends_utterances_under_way_well_or_says_that_they_failed(self, subject: Subject) -> None:
        engine = subject.open()
        utterance = engine.begin(Options(language=subject.first.language))
        utterance.feed(subject.first.sound)
        engine.close()
        engine.close()
        with suppress(RecognitionFailed):
            assert utterance.finish().final
        utterance.cancel()
