"""How many words are heard wrongly: word error rate over recordings with known texts.

    .venv/bin/python -m benchmarks.accuracy [--kind read,spontaneous,noise] [--engine NAME] [--stream]
                                            [--peer moonshine-voice] [--limit N] [--json FILE]

Each recording goes whole into one utterance; with --stream it goes the whole way of dictated sound (detector,
endpoints, engine) in blocks of 20 ms. --peer also measures the library moonshine-voice with the same model on the same
recordings, whole and streamed, as it comes. Texts are compared after Whisper's English normalizer. Letters and digits
are compared one by one, since "268" is right for "two six eight". Recordings of kind "noise" should give no words.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jiwer
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer  # type: ignore[import-untyped]

from benchmarks.start import ROOT, facts
from voice_ime.audio import read_blocks
from voice_ime.engine.base import SAMPLE_RATE, Engine, Options, Samples
from voice_ime.engine.catalog import load
from voice_ime.engine.listener import FinalStep, Listener
from voice_ime.engine.speech import SpeechDetector
from voice_ime.settings import Settings, SpeechSettings, load_settings

MANIFEST = ROOT.parent / "shared" / "speech" / "manifest.jsonl"
BLOCK = SAMPLE_RATE // 50
ONE_BY_ONE = ("letters", "digits")
"""Kinds whose letters and digits are compared, not their words."""
NOISE = "noise"


@dataclass(frozen=True)
class Clip:
    """One recording and what is said in it."""

    sound: Samples
    text: str
    kind: str


class System(Protocol):
    """What is measured."""

    name: str

    def hear(self, sound: Samples) -> str: ...


class Whole:
    """An engine of ours, each recording in one utterance."""

    def __init__(self, engine: Engine, language: str) -> None:
        self.name = f"{engine.capabilities.engine}, whole"
        self._engine = engine
        self._options = Options(language=language)

    def hear(self, sound: Samples) -> str:
        utterance = self._engine.begin(self._options)
        utterance.feed(sound)
        return utterance.finish().text


class Streamed:
    """An engine of ours behind detector and endpoints."""

    def __init__(self, engine: Engine, detector: SpeechDetector, settings: SpeechSettings, language: str) -> None:
        self.name = f"{engine.capabilities.engine}, streamed"
        self._engine = engine
        self._detector = detector
        self._settings = settings
        self._options = Options(language=language)

    def hear(self, sound: Samples) -> str:
        listener = Listener(self._detector, self._engine, self._options, self._settings, partials=False)
        texts: list[str] = []
        for begin in range(0, len(sound), BLOCK):
            texts += _finals(listener.accept(sound[begin : begin + BLOCK]))
        texts += _finals(listener.finalize())
        return " ".join(texts)


def _finals(steps: Iterable[Any]) -> list[str]:
    return [step.run().text for step in steps if isinstance(step, FinalStep)]


class PeerWhole:
    """The library moonshine-voice, each recording in one call."""

    name = "moonshine-voice library, whole"

    def __init__(self) -> None:
        self._transcriber = peer()

    def hear(self, sound: Samples) -> str:
        return _lines(self._transcriber.transcribe_without_streaming(sound.tolist(), SAMPLE_RATE))


class PeerStreamed:
    """The library moonshine-voice, each recording in blocks, as its own examples do."""

    name = "moonshine-voice library, streamed"

    def __init__(self) -> None:
        self._transcriber = peer()

    def hear(self, sound: Samples) -> str:
        stream = self._transcriber.create_stream()
        stream.start()
        for begin in range(0, len(sound), BLOCK):
            stream.add_audio(sound[begin : begin + BLOCK].tolist(), SAMPLE_RATE)
        text = _lines(stream.stop())
        stream.close()
        return text


def peer() -> Any:
    """The library with the model inside its package. Imported here only: it is no part of the product."""
    from moonshine_voice import ModelArch, Transcriber, get_model_path  # type: ignore[import-untyped]

    return Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY)


def _lines(transcript: Any) -> str:
    return " ".join(line.text for line in transcript.lines)


def clips(manifest: Path, kinds: Sequence[str], limit: int | None) -> list[Clip]:
    """English ones of `kinds`, at most `limit` of each, and noise if it is among them."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    chosen: list[Clip] = []
    for kind in kinds:
        wanted = [row for row in rows if row["kind"] == kind and row["lang"] in ("en", "none")]
        chosen += [Clip(_sound(manifest.parent / row["path"]), row["text"], kind) for row in wanted[:limit]]
    return chosen


def _sound(path: Path) -> Samples:
    return np.concatenate(list(read_blocks(path)))


def measured(system: System, recordings: Sequence[Clip]) -> dict[str, Any]:
    """Figures of one system by kind, and how long it took per second of sound."""
    began = time.perf_counter()
    heard = [system.hear(clip.sound) for clip in recordings]
    work_s = time.perf_counter() - began
    sound_s = sum(len(clip.sound) for clip in recordings) / SAMPLE_RATE
    kinds = dict.fromkeys(clip.kind for clip in recordings)
    by_kind = {
        kind: _figures(
            kind, [(clip.text, text) for clip, text in zip(recordings, heard, strict=True) if clip.kind == kind]
        )
        for kind in kinds
    }
    return {"system": system.name, "work_s_per_s": round(work_s / sound_s, 4), "kinds": by_kind}


def _figures(kind: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, float]:
    if kind == NOISE:
        counts = [len(heard.split()) for _, heard in pairs]
        return {"clips": len(pairs), "clips_with_words": sum(map(bool, counts)), "words": sum(counts)}
    normalized = [(_comparable(kind, said), _comparable(kind, heard)) for said, heard in pairs]
    said = [said for said, _ in normalized]
    result = jiwer.process_words(said, [heard for _, heard in normalized])
    return {
        "clips": len(pairs),
        "error_rate_percent": round(100 * result.wer, 2),
        "spoken": sum(len(text.split()) for text in said),
        "substituted": result.substitutions,
        "left_out": result.deletions,
        "added": result.insertions,
    }


_normalize = EnglishTextNormalizer()


def _comparable(kind: str, text: str) -> str:
    plain: str = _normalize(text)
    return " ".join(plain.replace(" ", "")) if kind in ONE_BY_ONE else plain


def systems(settings: Settings, *, stream: bool, with_peer: bool) -> Iterable[System]:
    engine = load(settings.engine)
    yield Whole(engine, "en")
    if stream:
        yield Streamed(engine, SpeechDetector(settings.speech.detector), settings.speech, "en")
    if with_peer:
        yield PeerWhole()
    if with_peer and stream:
        yield PeerStreamed()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="JSON lines: path, text, lang, kind")
    parser.add_argument("--kind", default="read,spontaneous", help="one or more, with commas between")
    parser.add_argument("--engine", default="moonshine-tiny-en")
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--stream", action="store_true", help="also through detector and endpoints")
    parser.add_argument("--peer", choices=["moonshine-voice"], help="also a library with the same model")
    parser.add_argument("--limit", type=int, help="only the first N recordings of each kind")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    settings = load_settings(arguments.config, {"engine": {"name": arguments.engine}})
    recordings = clips(arguments.manifest, arguments.kind.split(","), arguments.limit)
    wanted = systems(settings, stream=arguments.stream, with_peer=bool(arguments.peer))
    figures = facts() | {"results": [measured(system, recordings) for system in wanted]}
    text = json.dumps(figures, indent=2) + "\n"
    print(text, end="")
    if arguments.json:
        arguments.json.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
