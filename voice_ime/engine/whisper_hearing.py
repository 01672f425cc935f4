"""From sound to what was said, through a Whisper model: windows, second attempts, words and their times."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from math import inf
from typing import Any

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps  # type: ignore[import-untyped]

from voice_ime.engine.base import SAMPLE_RATE, Hypothesis, Samples, Word
from voice_ime.engine.whisper_model import UNSURE, Decoded, Encoded, Manner, Model, blank
from voice_ime.engine.words import cut

SHORTEST_S = 0.1
"""Less sound than this has no word in it."""
CUT_WITHIN_S = 4
"""Sound that is longer than the model's window is cut at the quietest place of these last seconds of it."""
DEAREST = 6.0
"""Nats that the sound may speak against a text that was heard with phrases, compared with the one without."""
LOOP_TIMES, LOOP_TOKENS = 4, 12
"""A piece that is said so often in a row and is so many tokens in all may be a loop of the decoder."""


@dataclass(frozen=True)
class Search:
    """How thorough finals are."""

    beams: int
    texts: int
    """The likeliest text and the alternatives."""


@dataclass(frozen=True)
class Heard:
    """What one window of sound gave."""

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    log_probability: float | None = None
    others: tuple[str, ...] = ()
    """Other texts, the likeliest first."""
    tokens: tuple[int, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    encoded: Encoded | None = None
    """None where there was no speech."""
    speech: tuple[float, float] = (0.0, 0.0)
    """Seconds of the window in which speech begins and ends."""
    offset_s: float = 0.0
    """Where the window begins."""


def hear(model: Model, sound: Samples, language: str | None, search: Search) -> list[Heard]:
    """One answer for each window of the sound, words timed from the beginning of the sound."""
    heard: list[Heard] = []
    begin = 0
    for end in window_ends(sound, model.longest):
        heard.append(_hear_window(model, sound[begin:end], language, begin / SAMPLE_RATE, search))
        language = language or heard[-1].language  # a later window of the same breath is in the same language
        begin = end
    return heard


def glance(model: Model, sound: Samples, language: str | None, draft: tuple[int, ...]) -> list[Heard] | None:
    """What there is to show of the sound so far: quick, without word times. None where it makes no sense.

    `draft`: tokens that the text is taken to begin with; for sound of one window.
    """
    heard: list[Heard] = []
    begin = 0
    for end in window_ends(sound, model.longest):
        one = _glance_window(model, sound[begin:end], language, draft if end == len(sound) and not heard else ())
        if one is None:
            return None
        heard.append(one)
        language = language or one.language
        begin = end
    return heard


def hear_with(model: Model, window: Heard, phrases: tuple[str, ...], search: Search) -> Heard:
    """`window` heard again with `phrases` likelier; as it was where that says something else than the sound does.

    Whisper is given phrases as words said before, and may say them itself or fall silent. So the sound is asked: the
    same decoder, without the phrases.
    """
    encoded, language = window.encoded, window.language
    if encoded is None or language is None or not window.text:
        return window
    begun = time.perf_counter()
    decoded = model.decode(encoded, Manner(language, search.beams, search.texts, phrases))
    text = model.text(decoded.tokens, language)
    if text == window.text or not text or _is_loop(decoded):
        return window
    before = window.log_probability
    without = model.score(encoded, language, window.text) if before is None else before
    if model.score(encoded, language, text) < without - DEAREST:
        return window
    again = _told(model, replace(window, text=text, tokens=decoded.tokens), decoded)
    spent = dict(window.timings)
    spent["decode_s"] = spent.get("decode_s", 0.0) + time.perf_counter() - begun
    return replace(again, log_probability=None, timings=spent)


def score(model: Model, heard: Sequence[Heard], text: str, *, end: bool = True) -> float:
    """Log-probability of `text` for the sound; `end`: and of its ending there, which takes four times as long.

    ValueError where the sound was longer than the model's window.
    """
    if len(heard) > 1:
        raise ValueError("longer than the window of the model")
    if not text.strip():
        return 0.0
    for window in heard:
        if window.encoded is not None and window.language is not None:
            return (model.score if end else model.quick_score)(window.encoded, window.language, text)
    return -inf


def hypothesis(heard: Sequence[Heard], *, final: bool) -> Hypothesis:
    """The windows put together."""
    said = [window for window in heard if window.text]
    timings: dict[str, float] = {}
    for window in heard:
        for stage, seconds in window.timings.items():
            timings[stage] = timings.get(stage, 0.0) + seconds
    language = next((window.language for window in said), None)
    likely = [window.log_probability for window in said if window.log_probability is not None]
    return Hypothesis(
        blank(language).join(window.text for window in said),
        tuple(word for window in said for word in window.words),
        alternatives=said[0].others if len(said) == 1 else (),
        final=final,
        log_probability=sum(likely) if said and len(likely) == len(said) else None,
        language=language,
        timings=timings,
    )


def agreed(before: Sequence[int], now: Sequence[int]) -> tuple[int, ...]:
    """What two hypotheses, one after the other, begin with: it is not expected to change any more."""
    length = next((place for place, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), None)
    return tuple(now[: min(len(before), len(now)) if length is None else length])


# --- one window ---


def _hear_window(model: Model, sound: Samples, language: str | None, offset_s: float, search: Search) -> Heard:
    begun = time.perf_counter()
    # Whisper makes up sentences where nothing is said, often without a sign of it in its own figures.
    speech = _speech(sound)
    if speech is None:
        return Heard("", language=language, offset_s=offset_s)
    encoded = model.encode(sound)
    language = language or model.detect(encoded)
    encode_s = time.perf_counter() - begun
    encoded, decoded = _sound_decoding(model, sound, encoded, Manner(language, search.beams, search.texts))
    text = model.text(decoded.tokens, language) if decoded.tokens else ""
    window = Heard(text, (), language, tokens=decoded.tokens, encoded=encoded, speech=speech, offset_s=offset_s)
    window = _told(model, window, decoded) if text else window
    timings = {"encode_s": encode_s, "decode_s": time.perf_counter() - begun - encode_s}
    return replace(window, log_probability=decoded.log_probability, timings=timings)


def _glance_window(model: Model, sound: Samples, language: str | None, draft: tuple[int, ...]) -> Heard | None:
    begun = time.perf_counter()
    if _speech(sound) is None:
        return Heard("", language=language)
    encoded = model.encode(sound)
    language = language or model.detect(encoded)
    encode_s = time.perf_counter() - begun
    decoded = model.decode(encoded, Manner(language, draft=draft))
    if _is_loop(decoded):
        return None
    text = model.text(decoded.tokens, language) if decoded.tokens else ""
    timings = {"encode_s": encode_s, "decode_s": time.perf_counter() - begun - encode_s}
    words = tuple(Word(word) for word in cut(text))
    likely = None if draft else decoded.log_probability
    return Heard(text, words, language, likely, (), decoded.tokens, timings, encoded)


def _sound_decoding(model: Model, sound: Samples, encoded: Encoded, how: Manner) -> tuple[Encoded, Decoded]:
    """The first decoding that makes sense: in the short window, in the full one, then without repetitions."""
    first = model.decode(encoded, how)
    if not _is_doubtful(first):
        return encoded, first
    whole, second = encoded, first
    if not encoded.is_full:
        whole = model.encode(sound, full=True)
        second = model.decode(whole, how)
        if not _is_loop(second) or (second.tokens == first.tokens and second.ended):
            return whole, second
    if not _is_loop(second):
        return whole, second
    return whole, model.decode(whole, replace(how, repeats=False))


def _is_doubtful(decoded: Decoded) -> bool:
    """There was speech, so a text that is empty or unlikely may be the fault of the short window."""
    return not decoded.tokens or decoded.per_token < UNSURE or _is_loop(decoded)


def _is_loop(decoded: Decoded) -> bool:
    return not decoded.ended or is_loop(decoded.tokens)


def is_loop(tokens: Sequence[int]) -> bool:
    """Whether the same piece is said over and over."""
    for size in range(1, len(tokens) // LOOP_TIMES + 1):
        same = 0
        for one, next_one in zip(tokens, tokens[size:], strict=False):
            same = same + 1 if one == next_one else 0
            if same + size >= max(LOOP_TIMES * size, LOOP_TOKENS):
                return True
    return False


def _told(model: Model, window: Heard, decoded: Decoded) -> Heard:
    """`window` with what can be said about its text: words, their times, other words and texts."""
    if window.encoded is None or window.language is None:
        return window
    language = window.language
    texts = [model.text(tokens, language) for tokens in decoded.others]
    others = tuple(dict.fromkeys(text for text in texts if text and text != window.text))
    aligned = model.align(window.encoded, language, decoded.tokens)
    words = timed_words(window.text, aligned, window.speech, window.offset_s)
    return replace(window, words=with_alternatives(words, others), others=others)


def _speech(sound: Samples) -> tuple[float, float] | None:
    """Seconds of the first and the last speech in `sound`; None where there is none."""
    if len(sound) < SHORTEST_S * SAMPLE_RATE:
        return None
    spans = get_speech_timestamps(sound, VadOptions(speech_pad_ms=50))
    return (spans[0]["start"] / SAMPLE_RATE, spans[-1]["end"] / SAMPLE_RATE) if spans else None


# --- words ---


def timed_words(
    text: str, aligned: Sequence[Mapping[str, Any]], speech: tuple[float, float], offset_s: float
) -> tuple[Word, ...]:
    """The words of `text`, in order and within the speech; without times where what was aligned is not the text."""
    words: list[Word] = []
    earliest, latest = speech
    for word in aligned:
        # Alignment gives the silence before speech to the first word, and may reach into the padding.
        start = min(max(float(word["start"]), earliest), latest)
        earliest = min(max(float(word["end"]), start), latest)
        if written := _without_blanks(word["word"]):
            words.append(Word(written, offset_s + start, offset_s + earliest, min(float(word["probability"]), 1.0)))
    if "".join(word.text for word in words) == _without_blanks(text):
        return tuple(words)
    return tuple(Word(word) for word in cut(text))


def with_alternatives(words: tuple[Word, ...], others: Sequence[str]) -> tuple[Word, ...]:
    """Each word with what the other texts have in its place, where they differ in single words."""
    found: list[list[str]] = [[] for _ in words]
    texts = [word.text for word in words]
    for other in others:
        theirs = cut(other)
        for kind, first, last, begin, end in SequenceMatcher(None, texts, theirs, autojunk=False).get_opcodes():
            if kind == "replace" and last - first == end - begin:
                for place, word in zip(range(first, last), theirs[begin:end], strict=True):
                    if _letters(word) != _letters(texts[place]):
                        found[place].append(word)
    return tuple(
        replace(word, alternatives=tuple(dict.fromkeys(each))) if each else word
        for word, each in zip(words, found, strict=True)
    )


# --- windows ---


def window_ends(sound: Samples, window: int) -> Iterator[int]:
    """Where the sound is cut so that each piece fits into `window` samples; its own end last."""
    begin = 0
    while len(sound) - begin > window:
        begin += quietest(sound[begin : begin + window])
        yield begin
    if begin < len(sound):
        yield len(sound)


def quietest(sound: Samples) -> int:
    """The middle of the quietest tenth of a second near the end of `sound`."""
    step = SAMPLE_RATE // 10
    first = max(step, len(sound) - CUT_WITHIN_S * SAMPLE_RATE)
    blocks = sound[first : first + (len(sound) - first) // step * step].reshape(-1, step)
    return first + int(np.square(blocks).mean(axis=1).argmin()) * step + step // 2


def _letters(word: str) -> str:
    """What can be heard of it: without marks, small."""
    return re.sub(r"\W", "", word).casefold()


def _without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)
