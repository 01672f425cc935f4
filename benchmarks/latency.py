"""How long one waits: for the first partial, for the end of the utterance, for the text. In real time, one speaker.

Each recording is played to a server of its own process over the loopback, twice: hands-free, where silence ends the
utterance, and with a key that is released. Peers get the same recordings in turn, so that whatever else the machine
does falls on everybody.
"""

import argparse
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.live import Played, Player, Said, Track
from benchmarks.metrics import first_lasting, first_right, percentiles, revisions, words_of
from benchmarks.ours import server
from benchmarks.output import add_live_arguments, run_live
from benchmarks.peers.hosted import hosted
from benchmarks.peers.table import model_of
from benchmarks.recordings import Clip, Speech, clips, names, pinned, readable, speech_of, with_progress
from voice_ime.command_line import Parser
from voice_ime.engine.speech import SpeechDetector
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings

LEAD_S = 0.3
GAP_S = 1.2
TAIL_S = 0.12
"""What a key that is released at the end of the speech still lets through."""


@dataclass
class Tally:
    """What was measured of one system. Delays in seconds."""

    clips: int = 0
    unheard: int = 0
    """Recordings with speech that brought no final."""
    cut: int = 0
    """Recordings whose utterance was ended before the last speech."""
    first_partials: list[float] = field(default_factory=list)
    first_lasting: list[float] = field(default_factory=list)
    without_partial: int = 0
    """Utterances whose first right word came with the final."""
    endpoints: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    spoken_to_final: list[float] = field(default_factory=list)
    releases: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    """What the system itself says that its finals took."""
    revised: int = 0
    words: int = 0
    cpu_s: float = 0.0
    sound_s: float = 0.0
    peak_rss_mb: float = 0.0
    late_s: float = 0.0

    def used(self, played: Played) -> None:
        self.cpu_s += played.cpu_s
        self.sound_s += played.sound_s
        self.peak_rss_mb = max(self.peak_rss_mb, played.peak_rss_mb)
        self.late_s = max(self.late_s, played.late_s)

    def hands_free(self, said: Sequence[Said], speech: Speech) -> None:
        """`speech` on the clock of the track."""
        self.clips += 1
        finals = [each for each in said if each.kind == "final" and each.needed_s is not None]
        if not finals:
            self.unheard += 1
            return
        last = finals[-1]
        decided = [final.needed_s for final in finals if final.needed_s is not None]
        self.finals += [final.at_s - needed for final, needed in zip(finals, decided, strict=True)]
        self.told += [final.work_s for final in finals if final.work_s is not None]
        self.cut += any(needed < speech.end_s for needed in decided)
        if last.reason == "endpoint":
            self.endpoints.append(decided[-1] - speech.end_s)
            self.spoken_to_final.append(last.at_s - speech.end_s)
        for final in finals:
            self._partials([each for each in said if each.kind == "partial" and each.utterance == final.utterance],
                           final, speech.onset_s if final is finals[0] else None)  # fmt: skip

    def _partials(self, partials: Sequence[Said], final: Said, onset_s: float | None) -> None:
        texts = [each.text for each in partials]
        self.revised += revisions(texts, final.text)
        self.words += len(words_of(final.text))
        if onset_s is None:
            return
        right, lasting = first_right(texts, final.text), first_lasting(texts, final.text)
        self.without_partial += right is None
        self.first_partials.append((final if right is None else partials[right]).at_s - onset_s)
        self.first_lasting.append((final if lasting is None else partials[lasting]).at_s - onset_s)

    def released(self, said: Sequence[Said]) -> None:
        released = [each.at_s for each in said if each.kind == "released"]
        finals = [each.at_s for each in said if each.kind == "final"]
        if released and finals:
            self.releases.append(max(0.0, finals[-1] - released[0]))

    def figures(self) -> dict[str, Any]:
        return {
            "clips": self.clips,
            "final_delay_ms": _ms(self.finals),
            "first_partial_ms": _ms(self.first_partials),
            "first_lasting_ms": _ms(self.first_lasting),
            "without_partial": self.without_partial,
            "endpoint_delay_ms": _ms(self.endpoints),
            "spoken_to_final_ms": _ms(self.spoken_to_final),
            "release_to_final_ms": _ms(self.releases),
            "self_reported_ms": _ms(self.told),
            "cut_percent": round(100 * self.cut / max(self.clips, 1), 1),
            "unheard": self.unheard,
            "partial_revisions_per_word": round(self.revised / max(self.words, 1), 3),
            "cpu_s_per_audio_s": round(self.cpu_s / max(self.sound_s, 1e-9), 4),
            "peak_rss_mb": round(self.peak_rss_mb, 1),
            "player_late_ms": round(1000 * self.late_s, 1),
        }


def _ms(seconds: Sequence[float]) -> dict[str, float | int | None]:
    return percentiles(1000 * each for each in seconds)


def add_arguments(parser: Parser, messages: Messages) -> None:
    add_live_arguments(parser, messages)
    number = messages("help.number_word")
    parser.add_argument("--limit", type=int, metavar=number, help=messages("bench.help_limit"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    return run_live("latency", arguments, messages, lambda figures: _measure(arguments, settings, messages, figures))


async def _measure(
    arguments: argparse.Namespace, settings: "Settings", messages: Messages, figures: dict[str, Any]
) -> None:
    """Fills `figures` as it goes, so that what was done stays when the rest is not."""
    wanted = clips(arguments.manifest, names(arguments.kind), names(arguments.lang), arguments.limit)
    recordings, figures["unreadable"] = readable(wanted, messages)
    detector = SpeechDetector(settings.speech.detector)
    with pinned(arguments.cores):
        async with systems(settings, names(arguments.lang), arguments.peer, arguments.peer_model) as (ours, peers):
            figures["idle_core_percent"] = round(100 * await ours.silence(arguments.idle), 2)
            tallies = {player.name: Tally() for player in (ours, *peers)}
            for clip in with_progress(recordings, "latency"):
                for player in (ours, *peers):
                    await play_one(player, clip, speech_of(clip.sound, detector), tallies[player.name])
                figures |= tallies[ours.name].figures()
                figures["peers"] = {peer.name: tallies[peer.name].figures() for peer in peers}


@contextlib.asynccontextmanager
async def systems(
    settings: "Settings", langs: Sequence[str], peers: Sequence[str], model: Path | None
) -> AsyncIterator[tuple[Any, list[Player]]]:
    """(ours, peers), all running."""
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(server(settings, langs[0] if len(langs) == 1 else None))
        others: list[Player] = [await stack.enter_async_context(hosted(name, model_of(name, model))) for name in peers]
        yield ours, others


async def play_one(player: Player, clip: Clip, speech: Speech | None, tally: Tally) -> None:
    """Hands-free, then with a key. Recordings in which the detector finds no speech are left out."""
    if speech is None:
        return
    on_the_clock = Speech(LEAD_S + speech.onset_s, LEAD_S + speech.end_s)
    free = await player.play([Track((clip,), LEAD_S, GAP_S)])
    tally.used(free)
    tally.hands_free(free.said[0], on_the_clock)
    stop_s = on_the_clock.end_s + TAIL_S
    keyed = await player.play([Track((clip,), LEAD_S, GAP_S, stop_s=stop_s, release=True)])
    tally.used(keyed)
    tally.released(keyed.said[0])
