"""The calls of faster-whisper and CTranslate2 that are used, one window of sound at a time.

`transcribe` of faster-whisper is not used but the calls below it: `transcribe` encodes the sound twice where the
language is not given, always over 30 s, may hear what follows the last word once more as if it were new speech, and
leaves out text whose words all got the same time. See docs/adr/0006-whisper-through-the-calls-below-transcribe.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

import ctranslate2  # type: ignore[import-untyped]
import numpy as np
from faster_whisper import WhisperModel  # type: ignore[import-untyped]
from faster_whisper.audio import pad_or_trim  # type: ignore[import-untyped]
from faster_whisper.tokenizer import Tokenizer  # type: ignore[import-untyped]
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations  # type: ignore[import-untyped]
from numpy.typing import NDArray

from voice_ime.engine.base import SAMPLE_RATE, Samples
from voice_ime.engine.whisper_speed import Speed
from voice_ime.engine.words import is_latin

FRAMES_PER_S = 100
FULL_FRAMES = 3000
"""The window that Whisper was trained with: 30 s."""
SPARE_FRAMES = 256
"""What a shorter window has at least beyond the sound: the model wants to see that speech has ended."""
POSITIONS = 448
"""Tokens that the decoder can hold, prompt and text together."""
TOKENS_PER_S = 20
"""More than anyone says in a second, in any script; beyond it the decoder is in a loop."""
MOST_TOKENS = 220
MOST_PHRASES = 20
MOST_PHRASE_TOKENS = 100
MOST_DRAFT_TOKENS = 100
NO_SPEECH = 0.6
UNSURE = -1.0
"""Nothing was said where the model says so with NO_SPEECH and its text is less likely than this per token."""
OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"
FARTHEST = 3.0
"""Nats by which another text may be less likely to be worth telling."""
LEAST_PROBABILITY = 1e-10
WITHOUT_BLANKS = ("zh", "ja", "yue")
"""Languages whose sentences follow each other without a blank."""


def window_frames(frames: int, least_s: float) -> int:
    """Frames of the window in which `frames` of sound are heard: whole seconds, never more than the full window."""
    wanted = max(round(least_s * FRAMES_PER_S), frames + SPARE_FRAMES)
    return min(-(-wanted // FRAMES_PER_S) * FRAMES_PER_S, FULL_FRAMES)


def blank(language: str | None) -> str:
    """What is between two sentences of `language`."""
    return "" if language in WITHOUT_BLANKS else " "


@dataclass(frozen=True)
class Encoded:
    """Sound as the decoder sees it."""

    states: Any
    """[1, window / 2, width]."""
    frames: int
    """Frames of 10 ms that are sound and not padding."""
    window: int
    """All frames."""

    @property
    def is_full(self) -> bool:
        return self.window == FULL_FRAMES


@dataclass(frozen=True)
class Manner:
    """How a window is decoded."""

    language: str
    beams: int = 1
    texts: int = 1
    """Texts wanted, the likeliest first; at most `beams`."""
    phrases: tuple[str, ...] = ()
    """Put before the text as if they had just been said: the first few."""
    draft: tuple[int, ...] = ()
    """Tokens that the text begins with."""
    repeats: bool = True
    """Whether three tokens may follow each other a second time."""


@dataclass(frozen=True)
class Decoded:
    """What decoding one window gave."""

    tokens: tuple[int, ...]
    """Of the text; empty where nothing was said."""
    log_probability: float
    """Of the tokens and their end."""
    ended: bool = True
    """Whether the text ended by itself and not at its longest."""
    others: tuple[tuple[int, ...], ...] = ()
    """Other texts, the likeliest first."""

    @property
    def per_token(self) -> float:
        """Log-probability per token, the end counted too."""
        return self.log_probability / (len(self.tokens) + 1)


class Model:
    """One loaded Whisper. For any thread."""

    def __init__(self, model: WhisperModel, least_window_s: float, expected: Sequence[str] = ()) -> None:
        """`expected`: languages that are looked for; empty, or none that the model knows: all of them."""
        self._model = model
        self._least_window_s = least_window_s
        self.longest: int = model.feature_extractor.n_samples
        """Samples of sound that fit into one window."""
        self.languages = _languages(model)
        self._expected = set(expected) & set(self.languages) or set(self.languages)

    def encode(self, sound: Samples, *, full: bool = False) -> Encoded:
        """`full`: over the window that the model was trained with, else over one that suits the sound."""
        features = self._model.feature_extractor(sound)
        frames = min(features.shape[-1] - 1, self._model.feature_extractor.nb_max_frames)
        window = FULL_FRAMES if full else window_frames(frames, self._least_window_s)
        return Encoded(self._model.encode(pad_or_trim(features[:, :frames], window)), frames, window)

    def detect(self, encoded: Encoded) -> str:
        """The likeliest of the languages that are looked for."""
        if len(self._expected) == 1:
            return next(iter(self._expected))
        found: list[tuple[str, float]] = self._model.model.detect_language(encoded.states)[0]
        likely: dict[str, float] = {token[2:-2]: probability for token, probability in found}
        return max(self._expected, key=lambda language: likely.get(language, 0.0))

    def decode(self, encoded: Encoded, how: Manner) -> Decoded:
        tokenizer = self._tokenizer(how.language)
        phrases = self._fitting(how.phrases, how.language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=phrases or None)
        draft = list(how.draft[:MOST_DRAFT_TOKENS])
        longest, most = _lengths(len(prompt), encoded.frames)
        result = self._model.model.generate(
            encoded.states,
            [prompt + draft],
            beam_size=how.beams,
            num_hypotheses=how.beams,
            length_penalty=0,  # else the search ends with the first few texts that end, however poor they are
            max_length=longest,
            no_repeat_ngram_size=0 if how.repeats else 3,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=not draft,  # with a draft the text may be at its end
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        )[0]
        found = _best(result, tokenizer.eot, most, how.texts)
        if not draft and result.no_speech_prob > NO_SPEECH and found.per_token < UNSURE:
            return Decoded((), found.log_probability)
        return found

    def text(self, tokens: Sequence[int], language: str) -> str:
        """Without blanks around it, and one blank between words."""
        return " ".join(self._tokenizer(language).decode(list(tokens)).split())

    def writes(self, text: str) -> bool:
        """Its tokens are made of bytes and spell anything, but models for English were taught nothing else."""
        return is_latin(text) if self.languages == ("en",) else any(map(str.isalnum, text))

    def align(self, encoded: Encoded, language: str, tokens: Sequence[int]) -> list[dict[str, Any]]:
        """Words of the tokens as {word, start, end, probability}, in seconds of this window."""
        tokenizer = self._tokenizer(language)
        found = self._model.find_alignment(tokenizer, [list(tokens)], encoded.states, encoded.frames)
        words: list[dict[str, Any]] = found[0] if found else []
        merge_punctuations(words, OPENING, CLOSING)
        return words

    def score(self, encoded: Encoded, language: str, text: str) -> float:
        """Log-probability of `text` and of its end."""
        tokenizer = self._tokenizer(language)
        tokens = _tokens(tokenizer, text)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        result = self._model.model.generate(
            encoded.states,
            [prompt + tokens],
            beam_size=1,
            max_length=max(2 * len(tokens) + 2, len(prompt) + len(tokens)),
            return_logits_vocab=True,
            suppress_blank=False,
            suppress_tokens=[],
        )[0]
        wanted = [*tokens, tokenizer.eot]
        return sum(_log_probability(np.array(row), token) for row, token in zip(result.logits[0], wanted, strict=False))

    def quick_score(self, encoded: Encoded, language: str, text: str) -> float:
        """Log-probability of `text` without that of its end; takes a quarter of the time of `score`."""
        tokenizer = self._tokenizer(language)
        tokens = _tokens(tokenizer, text)
        aligned = self._model.model.align(encoded.states, tokenizer.sot_sequence, [tokens], encoded.frames)
        return sum(log(max(probability, LEAST_PROBABILITY)) for probability in aligned[0].text_token_probs)

    def _fitting(self, phrases: Sequence[str], language: str) -> str:
        """As many of the first phrases as there is room for, as a line of text."""
        tokenizer = self._tokenizer(language)
        line = ""
        for phrase in phrases[:MOST_PHRASES]:
            longer = f"{line}{'、' if language in WITHOUT_BLANKS else ', '}{phrase}" if line else phrase
            if len(tokenizer.encode(" " + longer)) <= MOST_PHRASE_TOKENS:
                line = longer
        return line

    def _tokenizer(self, language: str) -> Tokenizer:
        model = self._model
        return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)


def _best(result: Any, end: int, most: int, texts: int) -> Decoded:
    """The likeliest text per token, since the likeliest of all may be one that breaks off; and others like it."""
    found = [
        Decoded(tuple(token for token in ids if token < end), min(score, 0.0), ended=len(ids) < most)
        for ids, score in zip(result.sequences_ids, result.scores, strict=True)
    ]
    best, *rest = sorted(found, key=lambda each: -each.per_token)
    others = [each.tokens for each in rest if each.log_probability > best.log_probability - FARTHEST]
    return replace(best, others=tuple(others[: texts - 1]))


def _tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    found: list[int] = tokenizer.encode(blank(tokenizer.language_code) + text.strip())
    return found[:MOST_TOKENS]


def _log_probability(logits: NDArray[np.float32], token: int) -> float:
    row = logits.ravel().astype(np.float64)
    best = row.max()
    return float(row[token] - best - np.log(np.exp(row - best).sum()))


def _lengths(prompt: int, frames: int) -> tuple[int, int]:
    """What CTranslate2 is to be given as `max_length`, and the number of tokens that this lets the text have.

    It gives the text half of that length at most, and what the prompt leaves of it.
    """
    wanted = min(MOST_TOKENS, TOKENS_PER_S * (1 + frames // FRAMES_PER_S))
    longest = min(max(2 * wanted, prompt + wanted), POSITIONS)
    return longest, min(longest // 2, longest - prompt + 1)


def load(folder: Path, speed: Speed, least_window_s: float, expected: Sequence[str] = ()) -> Model:
    """The model in `folder`. Whatever faster-whisper raises where the files do not make one."""
    model = WhisperModel(
        str(folder),
        device="cpu",
        compute_type=speed.compute_type,
        cpu_threads=speed.threads,
        local_files_only=True,
    )
    _try_out(model)
    return Model(model, least_window_s, expected)


def _try_out(model: WhisperModel) -> None:
    """One step of decoding over a moment of silence: fails if the files do not belong together."""
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    features = model.feature_extractor(np.zeros(SAMPLE_RATE // 10, np.float32))
    sound = ctranslate2.StorageView.from_array(np.expand_dims(features, 0))
    prompt = tokenizer.sot_sequence
    model.model.generate(sound, [prompt], max_length=len(prompt) + 1)


def _languages(model: WhisperModel) -> tuple[str, ...]:
    """Those the model has a token for: supported_languages names all of Whisper's for every multilingual model."""
    if not model.model.is_multilingual:
        return ("en",)
    known = model.hf_tokenizer.get_vocab()
    return tuple(code for code in model.supported_languages if f"<|{code}|>" in known)
