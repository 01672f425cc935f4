"""How many people can dictate at once, in real time, before anybody waits too long.

All speakers talk without end: all recordings in turn, each speaker from another one on, a second of silence between.
Server and speakers share the same cores. A number of speakers is held where
- the p95 of the final delay is within the limit,
- each speaker got a partial for every second of talking,
- nobody was refused, and
- no word was lost against the same tracks alone. (But for half a percent: where a text depends a little on how often it
  was looked at before, it may differ by a word without anything being lost.)
"""

import argparse
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.latency import systems
from benchmarks.live import Played, Player, Said, Track
from benchmarks.metrics import comparable, percentiles, word_errors
from benchmarks.output import add_live_arguments, run_live
from benchmarks.recordings import Clip, Speech, clips, names, pinned, readable, speech_of, with_progress
from voice_ime.command_line import Parser
from voice_ime.engine.speech import SpeechDetector
from voice_ime.messages import Messages

if TYPE_CHECKING:
    from voice_ime.settings import Settings

LIMIT_MS = 300.0
PARTIALS_PER_S = 1.0
MAY_DIFFER = 0.005
GAP_S = 1.0
STAGGER_S = 2.0


@dataclass(frozen=True)
class Losses:
    """Texts under load beside the texts of the same tracks alone."""

    silent: int
    """Recordings without text that brought some alone."""
    words: int
    """Known to be spoken."""
    lost: int
    """Left out of them, less those left out alone."""
    changed: int
    """Recordings whose text is another."""

    @property
    def none(self) -> bool:
        return self.silent == 0 and self.lost <= max(1.0, MAY_DIFFER * self.words)


@dataclass(frozen=True)
class Stage:
    """What so many speakers at once got."""

    streams: int
    final_delay_ms: dict[str, float | int | None]
    partials_per_s: float
    """Of the speaker who got the fewest."""
    played: Played
    cores: int
    wall_s: float
    """How long the run took."""
    losses: Losses | None = None
    """None: not looked for, since it is not held anyhow."""

    @property
    def held(self) -> bool:
        p95 = self.final_delay_ms["p95"]
        return (
            p95 is not None and p95 <= LIMIT_MS
            and self.partials_per_s >= PARTIALS_PER_S
            and self.played.refused == 0
            and (self.losses is None or self.losses.none)
        )  # fmt: skip

    def figures(self) -> dict[str, Any]:
        return {
            "streams": self.streams,
            "held": self.held,
            "final_delay_ms": self.final_delay_ms,
            "least_partials_per_s": round(self.partials_per_s, 2),
            "losses": None if self.losses is None else asdict(self.losses),
            "refused": self.played.refused,
            "errors": sorted(set(self.played.errors)),
            "cpu_s_per_audio_s": round(self.played.cpu_s / max(self.played.sound_s, 1e-9), 4),
            "busy_percent_of_cores": round(100 * self.played.cpu_s / self.wall_s / self.cores, 1),
            "rss_mb": round(self.played.rss_mb, 1),
            "loop_late_ms": self.played.loop_late_ms,
            "player_late_ms": round(1000 * self.played.late_s, 1),
        }


def add_arguments(parser: Parser, messages: Messages) -> None:
    add_live_arguments(parser, messages)
    number = messages("help.number_word")
    parser.add_argument("--seconds", type=float, default=40, metavar=number, help=messages("bench.help_seconds"))
    parser.add_argument("--first", type=int, default=4, metavar=number, help=messages("bench.help_first"))
    parser.add_argument("--most", type=int, default=128, metavar=number, help=messages("bench.help_most"))

    parser.add_argument("--lateness", action="store_true", help=messages("bench.help_lateness"))


def run(arguments: argparse.Namespace, settings: "Settings", messages: Messages) -> int:
    server = settings.server.model_copy(update={"tell_lateness": arguments.lateness})
    told = settings.model_copy(update={"server": server})
    return run_live("load", arguments, messages, lambda figures: _measure(arguments, told, messages, figures))


async def _measure(
    arguments: argparse.Namespace, settings: "Settings", messages: Messages, figures: dict[str, Any]
) -> None:
    wanted = clips(arguments.manifest, names(arguments.kind), names(arguments.lang))
    recordings, figures["unreadable"] = readable(wanted, messages)
    detector = SpeechDetector(settings.speech.detector)
    speech = {clip.path: speech_of(clip.sound, detector) for clip in recordings}
    figures["limit_ms"] = LIMIT_MS
    with pinned(arguments.cores) as cores:
        async with systems(settings, names(arguments.lang), arguments.peer, arguments.peer_model) as (ours, peers):
            figures["idle_core_percent"] = round(100 * await ours.silence(arguments.idle), 2)
            figures["peers"] = {}
            for player in (ours, *peers):
                own = figures if player is ours else figures["peers"].setdefault(player.name, {})
                climb = Climb(player, recordings, cores, arguments.seconds, messages)
                await climb.run(arguments.first, arguments.most, speech, own)


class Climb:
    """Looks for the most speakers that one system holds: doubling, then halving the gap to an eighth."""

    def __init__(
        self, player: Player, recordings: Sequence[Clip], cores: int, seconds: float, messages: Messages
    ) -> None:
        self._player = player
        self._messages = messages
        self._recordings = recordings
        self._cores = cores
        self._seconds = seconds

    async def run(self, first: int, most: int, speech: Mapping[Path, Speech | None], figures: dict[str, Any]) -> None:
        """Fills `figures` as it goes: {streams_held, stages, rss_mb_per_stream}."""
        figures |= {"streams_held": 0, "stages": []}
        judge = Judge(speech, self._cores)
        held, failed, streams = 0, most + 1, min(first, most)
        while streams:
            tracks = [track(self._recordings, number, streams, self._seconds) for number in range(streams)]
            played = await self._player.play(tracks)
            stage = judge.stage(tracks, played)
            if stage.held:
                stage = replace(stage, losses=losses(tracks, played.said, await self._alone(tracks)))
            held, failed = (streams, failed) if stage.held else (held, streams)
            figures["stages"].append(stage.figures())
            figures["streams_held"] = held
            figures["rss_mb_per_stream"] = rss_per_stream(figures["stages"])
            self._tell(stage)
            streams = following(held, failed, most)

    async def _alone(self, tracks: Sequence[Track]) -> list[tuple[Said, ...]]:
        """What the system makes of each track when it has all the time in the world."""
        said = []
        for track in with_progress(tracks, self._player.name):
            played = await self._player.play([replace(track, start_s=0.0, paced=False)])
            said.append(played.said[0])
        return said

    def _tell(self, stage: Stage) -> None:
        p95 = stage.final_delay_ms["p95"]
        delay = self._messages("bench.nothing") if p95 is None else round(p95)
        key = "bench.load_held" if stage.held else "bench.load_not_held"
        line = self._messages(key, name=self._player.name, streams=stage.streams, delay=delay)
        print(line, file=sys.stderr, flush=True)


def track(recordings: Sequence[Clip], number: int, streams: int, seconds: float) -> Track:
    """Speaker `number` of `streams` begins with another recording, and at another moment within two seconds."""
    place = number * len(recordings) // streams
    chosen: list[Clip] = []
    while sum(clip.seconds + GAP_S for clip in chosen) < seconds:
        chosen.append(recordings[(place + len(chosen)) % len(recordings)])
    return Track(tuple(chosen), gap_s=GAP_S, start_s=STAGGER_S * number / streams)


def following(held: int, failed: int, most: int) -> int:
    """The next number of speakers to try; 0: it is known well enough. `failed`: more than `most` if none has."""
    if failed > most:
        return min(2 * held, most) if held < most else 0
    return (held + failed) // 2 if failed - held > max(1, held // 8) else 0


def heard(track: Track, said: Sequence[Said]) -> list[str]:
    """What came for each recording of a track: finals belong where their middle lies."""
    begins = [slot.begin_s for slot in track.slots]
    texts = [""] * len(begins)
    for final in said:
        if final.kind == "final":
            place = max(0, bisect_right(begins, _middle(final)) - 1)
            texts[place] = f"{texts[place]} {final.text}".strip()
    return texts


def _middle(final: Said) -> float:
    if final.start_s is None or final.end_s is None:
        return final.needed_s or 0.0
    return (final.start_s + final.end_s) / 2


class Judge:
    """Says what a run was worth."""

    def __init__(self, speech: Mapping[Path, Speech | None], cores: int) -> None:
        self._speech = speech
        self._cores = cores

    def stage(self, tracks: Sequence[Track], played: Played) -> Stage:
        """All but the losses."""
        pairs = list(zip(tracks, played.said, strict=True))
        first = max(track.start_s for track in tracks)
        last = min(track.start_s + track.seconds for track in tracks)
        delays = [
            1000 * (each.at_s - each.needed_s)
            for track, said in pairs
            for each in said
            if each.kind == "final" and each.needed_s is not None and first <= track.start_s + each.needed_s <= last
        ]
        return Stage(
            streams=len(tracks),
            final_delay_ms=percentiles(delays),
            partials_per_s=min(self._partials_per_s(track, said) for track, said in pairs),
            played=played,
            cores=self._cores,
            wall_s=max(track.start_s + track.seconds for track in tracks),
        )

    def _partials_per_s(self, track: Track, said: Sequence[Said]) -> float:
        """Over all the time in which this speaker talks."""
        spoken = [self._speech.get(slot.clip.path) for slot in track.slots]
        talking_s = sum(speech.end_s - speech.onset_s for speech in spoken if speech is not None)
        return sum(each.kind == "partial" for each in said) / max(talking_s, 1e-9)


def losses(tracks: Sequence[Track], loaded: Sequence[Sequence[Said]], alone: Sequence[Sequence[Said]]) -> "Losses":
    """What the load has changed in the texts."""
    silent, words, lost, changed = 0, 0, 0, 0
    for track, now, before in zip(tracks, loaded, alone, strict=True):
        for slot, text, usual in zip(track.slots, heard(track, now), heard(track, before), strict=True):
            clip = slot.clip
            known, found, wanted = (comparable(each, clip.lang, clip.kind) for each in (clip.text, text, usual))
            silent += bool(wanted) and not found
            lost += word_errors(known, found).left_out - word_errors(known, wanted).left_out
            words += len(known.split())
            changed += found != wanted
    return Losses(silent, words, lost, changed)


def rss_per_stream(stages: Sequence[Mapping[str, Any]]) -> float | None:
    """Megabytes that a further speaker costs: between the smallest and the largest run."""
    by_streams = sorted(stages, key=lambda stage: int(stage["streams"]))
    more = by_streams[-1]["streams"] - by_streams[0]["streams"]
    return round((by_streams[-1]["rss_mb"] - by_streams[0]["rss_mb"]) / more, 2) if more else None
