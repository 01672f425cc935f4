"""How many words are heard wrongly: word error rate over recordings with known texts.

Each recording goes whole into one utterance; with --stream it goes the whole way of dictated sound (detector,
endpoints, partials, engine) in blocks of 20 ms. Peers get the same, as they come. Letters and digits are compared one
by one, since "268" is right for "two six eight". Recordings of kind "noise" should give no words. With --most-wer the
exit status says whether a model is good enough: damaged and badly quantised ones load and are merely wrong. --beam
hears everything once more with beam search, beside.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.calibration import Sample, by_folds, samples
from benchmarks.live import BLOCK
from benchmarks.metrics import (
    ONE_BY_ONE,
    Judged,
    Pair,
    by_group,
    calibration,
    comparable,
    error_rates,
    interval,
    judged_words,
    percentiles,
    word_errors,
)
from benchmarks.output import add_manifest_arguments, finish
from benchmarks.peers.base import Peer
from benchmarks.peers.table import model_of, open_peer
from benchmarks.recordings import NO_WORDS, Clip, clips, names, readable, with_progress
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode
from voice_ime.engine.base import SAMPLE_RATE, Engine, Hypothesis, Options, Samples
from voice_ime.engine.calibration import Calibration
from voice_ime.engine.engines import Engines
from voice_ime.engine.listener import FinalStep, Listener, PartialStep, PrepareStep
from voice_ime.engine.speech import SpeechDetector
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings, SpeechSettings

NOISE = "noise"


@dataclass(frozen=True)
class Heard:
    text: str
    utterances: tuple[tuple[tuple[str, float | None], ...], ...] = ()
    """The words of each final with their confidences as the engine gives them, where there are some."""
    calibration: Calibration | None = None
    """The engine's own, if it has one."""
    decode_s: float | None = None
    """What decoding the finals took, as the engine tells."""
    finals_s: tuple[float, ...] = ()
    """How long each final was waited for; where it was prepared ahead, next to nothing."""

    @property
    def words(self) -> list[tuple[str, float | None]]:
        """Each with its confidence as users get it."""
        return [word for utterance in self.utterances for word in self._as_told(utterance)]

    def _as_told(self, utterance: Sequence[tuple[str, float | None]]) -> list[tuple[str, float | None]]:
        raw = [confidence for _, confidence in utterance if confidence is not None]
        if self.calibration is None or len(raw) < len(utterance):
            return list(utterance)
        return list(zip([text for text, _ in utterance], self.calibration.of(raw), strict=True))


class System(Protocol):
    """What is measured."""

    name: str

    def hear(self, sound: Samples) -> Heard: ...


class Whole:
    """An engine of ours, each recording in one utterance."""

    def __init__(self, engine: Engine, language: str | None) -> None:
        self.name = f"{engine.capabilities.engine}, whole"
        self._engine = engine
        self._calibration = uncalibrated(engine)
        self._options = Options(language=language)

    def hear(self, sound: Samples) -> Heard:
        utterance = self._engine.begin(self._options)
        utterance.feed(sound)
        return _heard([_timed(utterance.finish)], self._calibration)


class Streamed:
    """An engine of ours behind detector and endpoints, with everything that a session does."""

    def __init__(
        self, engine: Engine, detector: SpeechDetector, settings: "SpeechSettings", language: str | None
    ) -> None:
        self.name = f"{engine.capabilities.engine}, streamed"
        self._engine = engine
        self._calibration = uncalibrated(engine)
        self._detector = detector
        self._settings = settings
        self._options = Options(language=language)

    def hear(self, sound: Samples) -> Heard:
        listener = Listener(self._detector, self._engine, self._options, self._settings)
        finals: list[tuple[Hypothesis, float]] = []
        for begin in range(0, len(sound), BLOCK):
            finals += _finals(listener.accept(sound[begin : begin + BLOCK]))
        finals += _finals(listener.finalize())
        return _heard(finals, self._calibration)


def _finals(steps: Iterable[Any]) -> Iterable[tuple[Hypothesis, float]]:
    for step in steps:
        match step:
            case FinalStep():
                yield _timed(step.run)
            case PartialStep() | PrepareStep():
                step.run()


def uncalibrated(engine: Engine) -> Calibration | None:
    """From now on `engine` gives its confidences raw; what made them true before."""
    calibration, engine.calibration = engine.calibration, None
    return calibration


def _timed(final: Callable[[], Hypothesis]) -> tuple[Hypothesis, float]:
    began = time.perf_counter()
    hypothesis = final()
    return hypothesis, time.perf_counter() - began


def _heard(finals: Sequence[tuple[Hypothesis, float]], calibration: Calibration | None) -> Heard:
    known = [final.timings["decode_s"] for final, _ in finals if "decode_s" in final.timings]
    return Heard(
        " ".join(final.text for final, _ in finals),
        tuple(tuple((word.text, word.confidence) for word in final.words) for final, _ in finals),
        calibration,
        sum(known) if known else None,
        tuple(seconds for _, seconds in finals),
    )


class PeerStreamed:
    """A peer, each recording in blocks through a stream of its own."""

    def __init__(self, name: str, peer: Peer) -> None:
        self.name = f"{name}, streamed"
        self._peer = peer

    def hear(self, sound: Samples) -> Heard:
        stream = self._peer.stream()
        told = [each for at in range(0, len(sound), BLOCK) for each in stream.feed(sound[at : at + BLOCK])]
        told += stream.stop()
        stream.close()
        return Heard(" ".join(each.text for each in told if each.kind == "final"))


class PeerWhole:
    """The library moonshine-voice, each recording in one call."""

    name = "moonshine-voice, whole"

    def __init__(self) -> None:
        from moonshine_voice import ModelArch, Transcriber, get_model_path  # type: ignore[import-untyped]

        self._transcriber = Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY)

    def hear(self, sound: Samples) -> Heard:
        transcript = self._transcriber.transcribe_without_streaming(sound.tolist(), SAMPLE_RATE)
        return Heard(" ".join(line.text for line in transcript.lines))


@dataclass
class Tally:
    """What one system made of the recordings so far."""

    clips: list[Clip] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    work_s: float = 0.0

    def hear(self, system: System, clip: Clip) -> None:
        sound = clip.sound
        began = time.perf_counter()
        heard = system.hear(sound)
        self.work_s += time.perf_counter() - began
        self.clips.append(clip)
        self.heard.append(heard)

    def figures(self) -> dict[str, Any]:
        both = list(zip(self.clips, self.heard, strict=True))
        spoken = [(clip, heard) for clip, heard in both if clip.kind != NOISE]
        sound_s = sum(clip.seconds for clip in self.clips)
        rates = error_rates([_pair(clip, heard) for clip, heard in spoken])
        kinds = by_group(spoken, lambda each: f"{each[0].lang} {each[0].kind}")
        noise = [len(heard.text.split()) for clip, heard in both if clip.kind == NOISE]
        return rates | {
            "rtf": round(self.work_s / sound_s, 5) if sound_s else None,
            "audio_s": round(sound_s, 1),
            "decode_s": round(sum(heard.decode_s or 0.0 for heard in self.heard), 2),
            "final_work_ms": percentiles(1000 * seconds for heard in self.heard for seconds in heard.finals_s),
            "noise": {"clips": len(noise), "clips_with_words": sum(map(bool, noise)), "words": sum(noise)},
            "kinds": {kind: error_rates([_pair(*each) for each in group]) for kind, group in kinds.items()},
        }

    def confidence(self) -> dict[str, Any]:
        """How far the confidence of words can be trusted: without letters and digits, word by word; Chinese by
        characters."""
        judged: list[Judged] = []
        words: list[Sample] = []
        for clip, heard in zip(self.clips, self.heard, strict=True):
            if clip.kind not in (NOISE, *ONE_BY_ONE):
                judged += judged_words(clip.text, heard.words, clip.lang)
                words += samples(clip.speaker, clip.text, heard.utterances, clip.lang)
        return calibration(judged) | {"by_folds": by_folds(words)}

    def finals(self) -> list[dict[str, Any]]:
        """Each recording with what was said and heard, and how sure the least sure word is."""
        return [_final(clip, heard) for clip, heard in zip(self.clips, self.heard, strict=True)]


def _pair(clip: Clip, heard: Heard) -> Pair:
    said, text = (comparable(each, clip.lang, clip.kind) for each in (clip.text, heard.text))
    return Pair(said, text, clip.speaker)


def _change(before: Tally, after: Tally) -> list[float] | None:
    """The 95 % interval of how much the error rate changed, recording by recording: both below 0, it surely fell."""
    both = [
        (clip.speaker, word_errors(*_texts(_pair(clip, one))), word_errors(*_texts(_pair(clip, other))))
        for clip, one, other in zip(after.clips, before.heard, after.heard, strict=False)
        if clip.kind != NOISE
    ]
    changes = [other.all - one.all for _, one, other in both]
    return interval([speaker for speaker, _, _ in both], changes, [one.spoken for _, one, _ in both])


def _texts(pair: Pair) -> tuple[str, str]:
    return pair.said, pair.heard


def _final(clip: Clip, heard: Heard) -> dict[str, Any]:
    pair = _pair(clip, heard)
    sure = [confidence for _, confidence in heard.words if confidence is not None]
    return {
        "clip": clip.path.name,
        "said": clip.text,
        "heard": heard.text,
        "errors": word_errors(pair.said, pair.heard).all,
        "least_confidence": round(min(sure), 3) if sure else None,
        "words": [{"text": text, "confidence": confidence} for text, confidence in heard.words],
    }


def add_arguments(parser: Parser, messages: Messages) -> None:
    add_manifest_arguments(parser, messages)
    number = messages("help.number_word")
    parser.add_argument("--stream", action="store_true", help=messages("bench.help_stream"))
    parser.add_argument("--beam", type=int, metavar=number, help=messages("bench.help_beam"))
    parser.add_argument("--finals", action="store_true", help=messages("bench.help_finals"))
    parser.add_argument("--most-wer", type=float, metavar=number, help=messages("bench.help_most_wer"))
    parser.add_argument("--limit", type=int, metavar=number, help=messages("bench.help_limit"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    found: dict[str, Any] = {}

    def measure(figures: dict[str, Any]) -> None:
        _measure(arguments, settings, messages, figures)
        found.update(figures)

    status = finish("accuracy", arguments, messages, measure)
    return max(status, _judge(found["wer"], arguments.most_wer, messages)) if found else status


def _judge(wer: float | None, most: float | None, messages: Messages) -> int:
    """SOME_FAILED, and a sentence, where more is wrong than may be; nothing measured is no proof either."""
    if most is None or (wer is not None and wer <= most):
        return ExitCode.OK
    print(
        messages("bench.too_wrong", wer=messages("bench.nothing") if wer is None else wer, most=most), file=sys.stderr
    )
    return ExitCode.SOME_FAILED


def _measure(arguments: argparse.Namespace, settings: "Settings", messages: Messages, figures: dict[str, Any]) -> None:
    """Fills `figures` as it goes."""
    langs = names(arguments.lang)
    wanted = clips(arguments.manifest, names(arguments.kind), [*langs, NO_WORDS], arguments.limit)
    recordings, figures["unreadable"] = readable(wanted, messages)
    language = langs[0] if len(langs) == 1 else None
    ours = _ours(settings, language, stream=arguments.stream)
    folder: Path | None = arguments.peer_model
    peers = {name: _peer(name, model_of(name, folder), stream=arguments.stream) for name in arguments.peer}
    size = arguments.beam
    beam = None if size is None else _ours(with_beam(settings, size), language, stream=arguments.stream)
    tally, wide, tallies = Tally(), Tally(), {name: Tally() for name in peers}
    try:
        for clip in with_progress(recordings, "accuracy"):
            tally.hear(ours, clip)
            if beam is not None:
                wide.hear(beam, clip)
            for name, peer in peers.items():
                tallies[name].hear(peer, clip)
    finally:
        figures |= {"system": ours.name, **tally.figures(), "confidence": tally.confidence()}
        figures["peers"] = {name: {"system": peers[name].name} | tallies[name].figures() for name in peers}
        if beam is not None:
            figures["beam"] = {"size": arguments.beam} | wide.figures() | {"wer_change_ci95": _change(tally, wide)}
        if arguments.finals:
            figures["finals"] = tally.finals()
        if arguments.finals and not arguments.json:
            _print_finals(figures["finals"], messages)


def _ours(settings: "Settings", language: str | None, *, stream: bool) -> System:
    engine = Engines(settings.engines).chosen(Options(language=language))  # one, or two passes, as in the server
    if stream:
        return Streamed(engine, SpeechDetector(settings.speech.detector), settings.speech, language)
    return Whole(engine, language)


def with_beam(settings: "Settings", size: int) -> "Settings":
    """`settings` with beam search, for the engines that have it."""
    engine = settings.engine
    searching = {
        name: getattr(engine, name).model_copy(update={"beam_size": size}) for name in ("moonshine", "whisper")
    }
    return settings.model_copy(update={"engine": engine.model_copy(update=searching)})


def _peer(name: str, model: str | None, *, stream: bool) -> System:
    if name == "moonshine-voice" and not stream:
        return PeerWhole()
    return PeerStreamed(name, open_peer(name, model))


def _print_finals(finals: Sequence[dict[str, Any]], messages: Messages) -> None:
    """The wrong ones first, the surest of them on top: those nobody would look at again."""
    surest = sorted(finals, key=lambda final: (not final["errors"], -(final["least_confidence"] or 0)))
    for final in surest:
        key = "bench.final_wrong" if final["errors"] else "bench.final_right"
        sure = "–" if final["least_confidence"] is None else f"{final['least_confidence']:.2f}"
        print(messages(key, said=final["said"], heard=final["heard"], confidence=sure, errors=final["errors"]))
