"""Whether finals depend on the partials before them, and what drafts save.

    .venv/bin/python -m benchmarks.drafts [--kind read,spontaneous] [--limit N] [--json benchmarks/results/drafts.json]

Each recording is heard four times: without partials, with one partial in the middle (a bad draft), with one every
0.4 s, and with one that has heard everything (a right draft). The finals should be the same in all they say: text,
words, confidences, alternatives, log-probability.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.start import ROOT, facts, tell
from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Hypothesis, Options, Samples
from voice_ime.engine.moonshine import MoonshineEngine
from voice_ime.settings import MoonshineSettings

MANIFEST = ROOT.parent / "shared" / "speech" / "manifest.jsonl"
EVERY = round(0.4 * SAMPLE_RATE)


def heard(engine: MoonshineEngine, pieces: Sequence[Samples]) -> tuple[Hypothesis, float]:
    """The final after a partial for each piece but the last; and the seconds that decoding the partials took."""
    utterance = engine.begin(Options())
    partials_s = 0.0
    for piece in pieces[:-1]:
        utterance.feed(piece)
        partial = utterance.partial()
        partials_s += partial.timings.get("decode_s", 0.0) if partial else 0.0
    utterance.feed(pieces[-1])
    return utterance.finish(), partials_s


def without_times(hypothesis: Hypothesis) -> Hypothesis:
    """What must be the same; word times do come from partials."""
    words = tuple(replace(word, start_s=None, end_s=None) for word in hypothesis.words)
    return replace(hypothesis, words=words, timings={})


def measured(engine: MoonshineEngine, recordings: Sequence[Samples]) -> dict[str, Any]:
    other_text = {"one": 0, "many": 0, "whole": 0}
    other_anything = dict(other_text)
    final_s: dict[str, list[float]] = {"none": [], "one": [], "many": [], "whole": []}
    partials_s = 0.0
    for sound in recordings:
        plain, _ = heard(engine, [sound])
        final_s["none"].append(plain.timings["decode_s"])
        ways = {
            "one": np.array_split(sound, 2),
            "many": np.split(sound, range(EVERY, len(sound), EVERY)),
            "whole": [sound, sound[:0]],
        }
        for way, pieces in ways.items():
            final, spent_s = heard(engine, pieces)
            other_text[way] += final.text != plain.text
            other_anything[way] += without_times(final) != without_times(plain)
            final_s[way].append(final.timings["decode_s"])
            partials_s += spent_s if way == "many" else 0.0
    return {
        "recordings": len(recordings),
        "sound_s": round(sum(len(sound) for sound in recordings) / SAMPLE_RATE, 1),
        "finals_with_other_text": other_text,
        "finals_with_anything_other": other_anything,
        "final_decode_s_p50": {way: round(median(seconds), 4) for way, seconds in final_s.items()},
        "partials_decode_s": round(partials_s, 1),
    }


def sounds(manifest: Path, kinds: Sequence[str], limit: int | None) -> list[Samples]:
    """The English recordings of `kinds`, at most `limit` of each."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    chosen = [row for kind in kinds for row in _first(rows, kind, limit)]
    return [np.concatenate(list(read_blocks(manifest.parent / row["path"]))) for row in chosen]


def _first(rows: Sequence[dict[str, Any]], kind: str, limit: int | None) -> list[dict[str, Any]]:
    return [row for row in rows if row["lang"] == "en" and row["kind"] == kind][:limit]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="JSON lines: path, text, lang, kind")
    parser.add_argument("--kind", default="read,spontaneous", help="one or more, with commas between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="only the first N recordings of each kind")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    recordings = sounds(arguments.manifest, arguments.kind.split(","), arguments.limit)
    engine = MoonshineEngine(MoonshineSettings(threads=arguments.threads))
    figures = facts() | {"threads": arguments.threads} | measured(engine, recordings)
    tell(figures, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
