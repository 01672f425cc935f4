"""The micro models that hear synthetic Mandarin, through the engine for sherpa-onnx: is our part of the way sound?

    .venv/bin/python -m benchmarks.micro_mandarin CLIPS [--models tests/models/micro_zh] [--json FILE]

CLIPS is a folder with manifest.jsonl (path, text, condition) and the clips it names. Error rates are shares of
characters. They say nothing about real models or people; they say whether streaming, pieces, phrases and scores do what
they must do with any model: the same text as of the whole sound, a phrase that is heard because it was asked for, and
a score that is higher for what was said than for the same with another name.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import jiwer
import numpy as np

from benchmarks.start import ROOT, facts, tell
from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Samples, Utterance
from voice_ime.engine.sherpa import SherpaEngine
from voice_ime.settings import SherpaSettings

KINDS = ("ctc", "streaming-ctc", "transducer", "streaming-transducer")
TRAINED, NAMED = "seen_voice", "hotword 章"
HOT, USUAL = "章", "张"
"""Sound alike; the models write the usual one."""
NAMES = "王李刘陈赵黄周林张"
"""Surnames that the models can write; each sounds unlike the others."""
ALL = "all"
PIECES = (320, 997, 16_000)
PARTIAL_EVERY = 20
"""Pieces."""


@dataclass(frozen=True)
class Clip:
    text: str
    condition: str
    sound: Samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--models", type=Path, default=ROOT / "tests" / "models" / "micro_zh")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    clips = list(read_clips(arguments.clips))
    kinds = {kind: measured(open_model(arguments.models / kind), clips) for kind in KINDS}
    figures = facts() | {"kinds": kinds} | across(kinds)
    tell(figures, arguments.json)
    return 0


def read_clips(folder: Path) -> Iterator[Clip]:
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if "whisper" not in row["condition"]:
            yield Clip(row["text"], row["condition"], np.concatenate(list(read_blocks(folder / row["path"]))))


def open_model(folder: Path) -> SherpaEngine:
    return SherpaEngine(SherpaSettings(folder=folder, threads=1))


def measured(engine: SherpaEngine, clips: Sequence[Clip]) -> dict[str, Any]:
    """All figures of one kind of model."""
    conditions = sorted({clip.condition for clip in clips})
    return {
        "cer": {name: rate(clips, name, lambda clip: whole(engine, clip).text) for name in [*conditions, ALL]},
        "cer_in_pieces": {
            str(size): rate(clips, TRAINED, lambda clip, size=size: piecewise(engine, clip, size).text)  # type: ignore[misc]
            for size in PIECES
        },
        "texts_that_pieces_change": sum(
            piecewise(engine, clip, size).text != whole(engine, clip).text for clip in clips for size in PIECES[:2]
        ),
        "realtime_factor": realtime_factor(engine, clips),
        "confidence": confidence(engine, clips),
        "phrase": phrase(engine, clips) if engine.capabilities.takes_phrases else None,
        "names": names(engine, clips),
    }


def across(kinds: dict[str, Any]) -> dict[str, Any]:
    """How far streaming and whole models of one family are apart, in points of CER."""

    def apart(streaming: str, offline: str) -> dict[str, float]:
        ours, theirs = kinds[streaming]["cer"], kinds[offline]["cer"]
        return {condition: round(100 * (ours[condition] - theirs[condition]), 2) for condition in ours}

    return {
        "streaming_minus_whole_points": {
            "ctc": apart("streaming-ctc", "ctc"),
            "transducer": apart("streaming-transducer", "transducer"),
        }
    }


# --- hearing ---


def whole(engine: Engine, clip: Clip) -> Hypothesis:
    return heard(engine, clip).finish()


def heard(engine: Engine, clip: Clip, phrases: tuple[str, ...] = ()) -> Utterance:
    utterance = engine.begin(Options(language="zh", phrases=phrases))
    utterance.feed(clip.sound)
    return utterance


def piecewise(engine: Engine, clip: Clip, size: int) -> Hypothesis:
    """As from a microphone: small pieces, and a partial now and then."""
    utterance = engine.begin(Options(language="zh"))
    for number, begin in enumerate(range(0, len(clip.sound), size)):
        utterance.feed(clip.sound[begin : begin + size])
        if number % PARTIAL_EVERY == PARTIAL_EVERY - 1:
            utterance.partial()
    return utterance.finish()


def rate(clips: Sequence[Clip], condition: str, hear: Callable[[Clip], str]) -> float:
    """Character error rate."""
    chosen = [clip for clip in clips if condition in (clip.condition, ALL)]
    return round(float(jiwer.cer([clip.text for clip in chosen], [hear(clip) for clip in chosen])), 4)


def realtime_factor(engine: Engine, clips: Sequence[Clip]) -> float:
    begun = time.perf_counter()
    for clip in clips:
        whole(engine, clip)
    return round((time.perf_counter() - begun) / sum(len(clip.sound) / SAMPLE_RATE for clip in clips), 4)


# --- how sure ---


def confidence(engine: Engine, clips: Sequence[Clip]) -> dict[str, float] | None:
    """Of characters that were heard rightly and wrongly; `ranks`: how often a right one is surer than a wrong one."""
    right: list[float] = []
    wrong: list[float] = []
    for clip in clips:
        final = whole(engine, clip)
        aligned = jiwer.process_characters(clip.text, final.text or " ").alignments[0]
        same = {
            place for part in aligned if part.type == "equal" for place in range(part.hyp_start_idx, part.hyp_end_idx)
        }
        for place, word in enumerate(final.words):
            (right if place in same else wrong).append(word.confidence or 0.0)
    if not right or not wrong:
        return None
    ranks = mean(float(np.mean(np.array(right) > each) + np.mean(np.array(right) == each) / 2) for each in wrong)
    return {"right": round(mean(right), 3), "wrong": round(mean(wrong), 3), "ranks": round(ranks, 3)}


# --- phrases ---


def phrase(engine: SherpaEngine, clips: Sequence[Clip]) -> dict[str, int]:
    """How many clips with the name HOT have it: without help, asked for, asked for afterwards, with another phrase."""
    named = [clip for clip in clips if clip.condition == NAMED]
    others = [clip for clip in clips if clip.condition == TRAINED and not {HOT, USUAL} & set(clip.text)]

    def right(phrases: tuple[str, ...]) -> int:
        return sum(HOT in heard(engine, clip, phrases).finish().text for clip in named)

    def again(clip: Clip) -> bool:
        utterance = heard(engine, clip)
        utterance.finish()
        return HOT in utterance.rehear((HOT,)).text

    return {
        "clips": len(named),
        "without": right(()),
        "asked_for": right((HOT,)),
        "asked_for_afterwards": sum(again(clip) for clip in named),
        "another_asked_for": right(("北京",)),
        "clips_without_it": len(others),
        "heard_where_it_was_not": sum(HOT in heard(engine, clip, (HOT,)).finish().text for clip in others),
    }


# --- scores ---


def names(engine: Engine, clips: Sequence[Clip]) -> dict[str, Any]:
    """Scores of what was said beside the same with another name, in clips of trained voices that have a name."""
    chosen = [clip for clip in clips if clip.condition == TRAINED and named_in(clip.text)]
    margins = [margin for clip in chosen for margin in margins_of(engine, clip)]
    best = [min(margins_of(engine, clip)) > 0 for clip in chosen]
    return {
        "clips": len(chosen),
        "rivals": len(margins),
        "above_its_rival": round(mean(margin > 0 for margin in margins), 4),
        "above_all_its_rivals": round(mean(best), 4),
    }


def named_in(text: str) -> str:
    return next((name for name in NAMES if name in text), "")


def margins_of(engine: Engine, clip: Clip) -> list[float]:
    """Nats by which what was said is likelier, for each other name."""
    utterance = heard(engine, clip)
    utterance.finish()
    name = named_in(clip.text)
    said, *others = utterance.score([clip.text, *(clip.text.replace(name, other) for other in NAMES if other != name)])
    return [said - other for other in others]


if __name__ == "__main__":
    sys.exit(main())
