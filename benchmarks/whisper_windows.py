"""What short encoder windows save, and what they cost in accuracy.

    .venv/bin/python -m benchmarks.whisper_windows [--json benchmarks/results/whisper_windows.json]
    .venv/bin/python -m benchmarks.whisper_windows --model FOLDER [--language en] SOUND...

The first: Whisper of three sizes with random weights, full windows of 30 s against ours. A final is the encoder and
exactly STEPS steps of the decoder, following one text. Weights decide what is heard, not how long it takes, so random
ones of the real sizes do. Times are processor time of one thread, the least of several runs, so that other work on the
machine matters little. Also: what it takes to follow three texts, to go on from a draft of 15 tokens, and to score
one text of STEPS tokens.

The second: a real model over recordings, each heard in the full window and in shorter ones, without second attempts:
in how many the text is the same. The shortest window that changes nothing is the one for `least_window_s`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ctranslate2  # type: ignore[import-untyped]
import numpy as np

from benchmarks.start import facts, tell
from voice_ime.audio import read_blocks
from voice_ime.engine.base import Samples
from voice_ime.engine.whisper_files import whole_folder
from voice_ime.engine.whisper_model import FULL_FRAMES, Manner, Model, load, window_frames
from voice_ime.engine.whisper_speed import END, NO_TIMESTAMPS, START, Shape, Speed, make
from voice_ime.settings import WhisperSettings

STEPS, DRAFT = 20, 15
SPEECH_S = (1.0, 3.0, 7.0, 12.0, 20.0)
"""Seconds of sound of the finals that are timed."""
WINDOWS_S = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0)
"""Shortest windows that are tried with a real model."""
RUNS = 3
VOCABULARY = 51_865
SIZES = {
    "tiny": Shape(4, 384, 6, VOCABULARY),
    "base": Shape(6, 512, 8, VOCABULARY),
    "small": Shape(12, 768, 12, VOCABULARY),
}
TEXT = [START, START + 1, NO_TIMESTAMPS, *range(100, 100 + STEPS)]


def saved(shape: Shape, least_window_s: float) -> dict[str, Any]:
    """Full and short windows with a model of this shape."""
    with tempfile.TemporaryDirectory() as folder:
        make(shape, Path(folder), quantization="int8")
        model = ctranslate2.models.Whisper(folder, device="cpu", compute_type="int8", intra_threads=1)
    full = final_s(model, FULL_FRAMES)
    rows = []
    for speech_s in SPEECH_S:
        frames = window_frames(round(speech_s * 100), least_window_s)
        short = final_s(model, frames)
        ratio = (full["encode_s"] + full["decode_s"]) / (short["encode_s"] + short["decode_s"])
        rows.append({"speech_s": speech_s, "window_s": frames / 100, **short, "times_less": round(ratio, 2)})
    return {"full": full, "short": rows}


def final_s(model: Any, frames: int) -> dict[str, float]:
    """Seconds of the encoder and of the decoder for one final over a window of `frames`, and of scoring one text."""
    sound = np.random.default_rng(1).normal(0, 0.5, (1, 80, frames)).astype(np.float32)
    features = ctranslate2.StorageView.from_array(sound)
    states = model.encode(features)
    times = {
        "encode_s": _processor_s(lambda: model.encode(features)),
        "decode_s": _processor_s(lambda: decode(model, states, beams=1)),
        "decode_after_draft_s": _processor_s(lambda: decode(model, states, beams=1, draft=DRAFT)),
        "decode_3_texts_s": _processor_s(lambda: decode(model, states, beams=3)),
        "score_s": _processor_s(lambda: score(model, states)),
        "quick_score_s": _processor_s(lambda: model.align(states, TEXT[:2], [TEXT[3:]], frames)),
    }
    return {stage: round(seconds, 4) for stage, seconds in times.items()}


def decode(model: Any, states: Any, beams: int, draft: int = 0) -> None:
    """Exactly STEPS steps; the tokens of the first `draft` of them are given."""
    longest = 2 * STEPS
    result = model.generate(
        states, [TEXT[: 3 + draft]], beam_size=beams, num_hypotheses=beams, max_length=longest, suppress_tokens=[END]
    )[0]
    assert len(result.sequences_ids[0]) == STEPS


def score(model: Any, states: Any) -> None:
    longest = 2 * STEPS + 2
    model.generate(states, [TEXT], beam_size=1, max_length=longest, return_logits_vocab=True, suppress_blank=False)


def _processor_s(call: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(1 + RUNS):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
    return min(times)


def same_texts(folder: Path, files: Sequence[Path], language: str | None) -> dict[str, Any]:
    """By shortest window: in how many of the files the text is that of the full window."""
    sounds = [np.concatenate(list(read_blocks(file))) for file in files]
    speed = Speed("int8", 1)
    full = _texts(load(folder, speed, FULL_FRAMES / 100), sounds, language)
    same = {}
    for least_s_ in WINDOWS_S:
        short = _texts(load(folder, speed, least_s_), sounds, language)
        same[f"{least_s_:g}"] = sum(a == b for a, b in zip(full, short, strict=True))
    return {"model": folder.name, "recordings": len(files), "same_by_shortest_window_s": same}


def _texts(model: Model, sounds: Sequence[Samples], language: str | None) -> list[str]:
    texts = []
    for sound in sounds:
        encoded = model.encode(sound[: model.longest])
        spoken = language or model.detect(encoded)
        texts.append(model.text(model.decode(encoded, Manner(spoken)).tokens, spoken))
    return texts


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", nargs="*", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--language")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(argv)
    figures: dict[str, Any] = {"about": facts()}
    if asked.model is not None:
        figures |= same_texts(whole_folder(asked.model), asked.sounds, asked.language)
    else:
        least_window_s = WhisperSettings().least_window_s
        figures["about"] |= {"steps": STEPS, "least_window_s": least_window_s}
        figures["models"] = {name: saved(shape, least_window_s) for name, shape in SIZES.items()}
    tell(figures, asked.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
