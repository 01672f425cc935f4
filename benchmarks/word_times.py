"""How far an engine's word times are from forced alignment.

    .venv/bin/python -m benchmarks.word_times [--engine NAME] [--limit N] [--json benchmarks/results/word_times.json]

Recordings go the whole way of dictated sound (detector, endpoints, partials, engine). Their known texts are aligned
with the same sound by pocketsphinx, whose package brings an English model; that is the yardstick, and not exact
itself. Only words that were heard as they were said are compared. Beside the engine's figures stand those of spreading
the words evenly between the true beginning and end of speech, which an estimate has to beat.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import numpy as np
from pocketsphinx import Decoder  # type: ignore[import-untyped]

from benchmarks.start import ROOT, facts, tell
from voice_ime.audio import read_blocks, to_pcm16
from voice_ime.engine.base import Options, Samples, Word
from voice_ime.engine.catalog import facts as facts_of
from voice_ime.engine.engines import Engines
from voice_ime.engine.speech import SpeechDetector
from voice_ime.settings import EngineSettings, load_settings
from voice_ime.transcribe import EngineTranscriber, Transcript

MANIFEST = ROOT.parent / "shared" / "speech" / "manifest.jsonl"
FRAME_S = 0.01


@dataclass(frozen=True)
class Span:
    """A word of the known text and where it is, in seconds."""

    word: str
    start_s: float
    end_s: float


@dataclass
class Tally:
    """What was found over all recordings. Errors in seconds, positive: the engine is late."""

    clips: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Recordings that could not be compared, by reason."""
    spoken: int = 0
    compared: int = 0
    without_start: int = 0
    without_end: int = 0
    start_errors: list[float] = field(default_factory=list)
    end_errors: list[float] = field(default_factory=list)
    even_start_errors: list[float] = field(default_factory=list)
    even_end_errors: list[float] = field(default_factory=list)


class Aligner:
    """Forced alignment of English."""

    def __init__(self) -> None:
        # The usual beams lose every fourth of these recordings, accented and noisy as they are.
        wide = {"beam": 1e-120, "pbeam": 1e-120, "wbeam": 1e-100}
        self._decoder = Decoder(lm=None, loglevel="FATAL", bestpath=False, **wide)

    def knows(self, text: str) -> bool:
        return all(self._decoder.lookup_word(word) is not None for word in plain_words(text))

    def spans(self, sound: Samples, text: str) -> list[Span] | None:
        """The words of `text`, all of which it must know; None where the sound does not fit."""
        words = plain_words(text)
        self._decoder.set_align_text(" ".join(words))
        if not self._decode(sound) or self._decoder.hyp() is None:
            return None
        self._decoder.set_alignment()  # a second pass finds the borders of words more closely
        if not self._decode(sound):
            return None
        found = [
            Span(re.sub(r"\(\d+\)$", "", entry.name), entry.start * FRAME_S, (entry.start + entry.duration) * FRAME_S)
            for entry in self._decoder.get_alignment()
            if not entry.name.startswith(("<", "["))
        ]
        return found if [span.word for span in found] == words else None

    def _decode(self, sound: Samples) -> bool:
        try:
            self._decoder.start_utt()
            self._decoder.process_raw(to_pcm16(sound), full_utt=True)
            self._decoder.end_utt()
        except RuntimeError:
            return False
        return True


def plain_words(text: str) -> list[str]:
    """Lower case, without punctuation but apostrophes."""
    return [word.strip("'") for word in re.findall(r"[a-z']+", text.lower().replace("’", "'")) if word.strip("'")]


def compare(tally: Tally, spans: Sequence[Span], heard: Sequence[Word]) -> None:
    """Add one recording: the words that both have, in order."""
    said = [span.word for span in spans]
    evenly = list(spread(spans[0].start_s, spans[-1].end_s, len(heard)))
    words = ["".join(plain_words(word.text)) for word in heard]
    tally.clips += 1
    tally.spoken += len(spans)
    for block in SequenceMatcher(None, said, words, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            span, at = spans[block.a + offset], block.b + offset
            add(tally, span, heard[at], evenly[at])


def add(tally: Tally, span: Span, word: Word, even: tuple[float, float]) -> None:
    tally.compared += 1
    tally.even_start_errors.append(even[0] - span.start_s)
    tally.even_end_errors.append(even[1] - span.end_s)
    if word.start_s is None:
        tally.without_start += 1
    else:
        tally.start_errors.append(word.start_s - span.start_s)
    if word.end_s is None:
        tally.without_end += 1
    else:
        tally.end_errors.append(word.end_s - span.end_s)


def spread(start_s: float, end_s: float, count: int) -> Iterator[tuple[float, float]]:
    step = (end_s - start_s) / max(count, 1)
    for number in range(count):
        yield start_s + number * step, start_s + (number + 1) * step


def figures(tally: Tally) -> dict[str, Any]:
    return {
        "clips": tally.clips,
        "clips_left_out": dict(tally.left_out),
        "words_spoken": tally.spoken,
        "words_compared": tally.compared,
        "share_without_start": share(tally.without_start, tally.compared),
        "share_without_end": share(tally.without_end, tally.compared),
        "start_error_s": distances(tally.start_errors),
        "end_error_s": distances(tally.end_errors),
        "evenly_spread": {
            "start_error_s": distances(tally.even_start_errors),
            "end_error_s": distances(tally.even_end_errors),
        },
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def distances(errors: Sequence[float]) -> Mapping[str, float] | None:
    """p50 and p90 of the distance, and the mean error with its sign."""
    if len(errors) < 2:
        return None
    tenths = quantiles([abs(error) for error in errors], n=10, method="inclusive")
    return {"p50": round(tenths[4], 3), "p90": round(tenths[8], 3), "mean": round(mean(errors), 3)}


def measured(rows: Iterable[Mapping[str, Any]], folder: Path, transcriber: EngineTranscriber) -> Tally:
    tally, aligner = Tally(), Aligner()
    for row in rows:
        reason = measure(tally, aligner, folder / row["path"], row["text"], transcriber)
        if reason:
            tally.left_out[reason] += 1
    return tally


def measure(tally: Tally, aligner: Aligner, path: Path, text: str, transcriber: EngineTranscriber) -> str | None:
    """Add one recording; the reason why it could not be, if so."""
    if not aligner.knows(text):
        return "the aligner does not know a word"
    spans = aligner.spans(np.concatenate(list(read_blocks(path))), text)
    if not spans:
        return "could not be aligned"
    transcript = Transcript()
    transcriber.transcribe(path, transcript.heard.append, lambda _: None)
    heard = list(transcript.words)
    if not heard:
        return "nothing was heard"
    compare(tally, spans, heard)
    return None


def rows_of(manifest: Path, kind: str, limit: int | None) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    return [row for row in rows if row["lang"] == "en" and row["kind"] == kind][:limit]


def own_settings(settings: EngineSettings) -> dict[str, Any]:
    """Those of the chosen engine; folders of this machine are nobody's business."""
    part = facts_of(settings.name).settings
    return getattr(settings, part).model_dump(mode="json", exclude={"folder"}) if part else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="JSON lines: path, text, lang, kind")
    parser.add_argument("--kind", default="read")
    parser.add_argument("--engine", help="name of the engine; else as the settings say")
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--limit", type=int, help="only the first N recordings")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    settings = load_settings(arguments.config, {"engine": {"name": arguments.engine}} if arguments.engine else {})
    detector = SpeechDetector(settings.speech.detector)
    engine = Engines(settings.engines).chosen(Options(language="en"))  # one, or two passes, as in the server
    transcriber = EngineTranscriber(engine, detector, settings.speech, "en", partials=True)
    rows = rows_of(arguments.manifest, arguments.kind, arguments.limit)
    tally = measured(rows, arguments.manifest.parent, transcriber)
    about = {
        "engine": engine.capabilities.engine,
        "settings": own_settings(settings.engine),
        "word_times": engine.capabilities.word_times,
        "kind": arguments.kind,
    }
    tell(facts() | about | figures(tally), arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
